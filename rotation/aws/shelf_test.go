package aws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/simcloud"
)

// A generation's candidate is chosen once, however many propose one at the same time.
func TestOneCandidateOfManyWins(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		a.UnlabelledVanish = false // or the losers may take the winner's value along: then they all have to try again
		cloud, cfg := open(t, awssim.Config{Answers: a})
		const many = 6
		var got [many]rotation.Version
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				v, err := openStore(t, cfg).Propose(t.Context(), secret, candidate(2, "a", fmt.Sprintf("candidate %d", i)))
				if err != nil && !errors.Is(err, rotation.ErrConflict) {
					t.Errorf("Propose = %v", err)
				}
				got[i] = v
			})
		}
		all.Wait()
		values := strings.Join(cloud.Labelled(secret), "\n")
		for _, v := range got {
			if !v.IsZero() && !strings.Contains(values, v.Password.Reveal()) {
				t.Error("what was answered has no label")
			}
			for _, w := range got {
				if !v.IsZero() && !w.IsZero() && !v.SamePassword(w) {
					t.Error("two candidates were answered")
				}
			}
		}
	})
}

func TestErrorsAreToldApart(t *testing.T) {
	for code, want := range map[string]error{
		"AccessDeniedException": rotation.ErrUnauthorized, "ExpiredTokenException": rotation.ErrUnauthorized,
		"UnrecognizedClientException": rotation.ErrUnauthorized, "InvalidSignatureException": rotation.ErrUnauthorized,
		"ThrottlingException": rotation.ErrThrottled, "LimitExceededException": rotation.ErrFull,
		"DecryptionFailure": rotation.ErrConfig, "EncryptionFailure": rotation.ErrConfig, "InvalidRequestException": rotation.ErrConfig,
		"InvalidParameterException": rotation.ErrNotApplied, "ResourceExistsException": rotation.ErrExists,
		"ResourceNotFoundException": rotation.ErrNotFound,
		"InternalServiceError":      nil, "SomethingNewException": nil,
	} {
		cloud, cfg := open(t, awssim.Config{})
		shelf, err := aws.NewShelf(cfg, region)
		if err != nil {
			t.Fatal(err)
		}
		cloud.FailNext("PutSecretValue", code)
		err = shelf.Create(t.Context(), secret, "g00000009-c0", []byte(`{"password":"hidden-password"}`))
		if want == nil && (err == nil || rotation.DefinitelyNotApplied(err)) || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", code, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), code) || strings.Contains(err.Error(), "hidden-password")) {
			t.Errorf("%v; want the code %s and nothing of the value", err, code)
		}
		if strings.Contains(code, "cryption") && !strings.Contains(err.Error(), "kms:Decrypt") {
			t.Errorf("%v; want what to do about the key", err)
		}
	}
}

func TestLostAnswersProveNothing(t *testing.T) {
	for _, fault := range []string{simcloud.Lost, simcloud.Cut, simcloud.BadGateway, simcloud.GatewayAfter, simcloud.InternalAfter} {
		for _, action := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
			cloud, cfg := open(t, awssim.Config{})
			cloud.FailNext(action, fault)
			store := openStore(t, cfg)
			var v rotation.Version
			var err error
			for range 3 {
				if v, err = store.Propose(t.Context(), secret, candidate(2, "a", "second")); err == nil {
					break
				}
				if rotation.DefinitelyNotApplied(err) {
					t.Errorf("%s of %s: %v; it proves nothing", fault, action, err)
				}
			}
			if err == nil {
				err = store.Promote(t.Context(), secret, v)
			}
			if got, _ := store.Get(t.Context(), secret, rotation.Current); err != nil || got.Password.Reveal() != "second" {
				t.Errorf("%s of %s: %v, current is generation %d", fault, action, err, got.Generation)
			}
		}
	}
}

func TestFirstVersionIsAPersons(t *testing.T) {
	cloud, cfg := open(t, awssim.Config{})
	cloud.PutSecret(secret, "")
	_, err := openStore(t, cfg).Propose(t.Context(), secret, candidate(1, "a", "first"))
	if !errors.Is(err, rotation.ErrConfig) || len(cloud.Values(secret)) != 0 {
		t.Errorf("Propose = %v, %d versions; want ErrConfig and none: the service would make it current", err, len(cloud.Values(secret)))
	}
}

func TestSecretThatCannotBeUsedIsSaidSo(t *testing.T) {
	cloud, cfg := open(t, awssim.Config{})
	cloud.MarkForDeletion(secret)
	if _, err := openStore(t, cfg).History(t.Context(), secret); !errors.Is(err, rotation.ErrConfig) {
		t.Errorf("History = %v; want ErrConfig", err)
	}
	if _, err := openStore(t, cfg).History(t.Context(), "no/such"); !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), "no/such") {
		t.Errorf("History of none = %v; want ErrConfig that names it", err)
	}
	wrong := cfg
	wrong.Credentials = aws.Static(awssim.DemoAccessKey, "wrong", "")
	if _, err := openStore(t, wrong).History(context.Background(), secret); !errors.Is(err, rotation.ErrUnauthorized) {
		t.Errorf("History with wrong keys = %v; want ErrUnauthorized", err)
	}
	for _, bad := range []aws.Config{{}, {Credentials: cfg.Credentials, Endpoint: "ftp://x"}} {
		if _, err := aws.NewStore(bad, region); !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("NewStore(%+v) = %v; want ErrConfig", bad.Endpoint, err)
		}
	}
}
