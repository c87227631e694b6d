package aws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	first  = "11111111-1111-4111-8111-111111111111"
	second = "22222222-2222-4222-8222-222222222222"
	proof  = "a-rotation-token-of-at-least-36-characters"
)

// A rotating is a rotation that the service runs, step by step, each in an invocation of its own.
type rotating struct {
	*testing.T
	*awssim.Cloud
	cfg aws.Config
}

func begin(t *testing.T, cfg awssim.Config, token string) rotating {
	t.Helper()
	cfg.Answers.Proof = proof
	cloud, drivers := open(t, cfg)
	if err := cloud.BeginRotation(secret, token); err != nil {
		t.Fatal(err)
	}
	return rotating{t, cloud, drivers}
}

func request(step rotation.Step, token string) rotation.Request {
	return rotation.Request{Action: rotation.Rotate, Step: step, Token: token, Secret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:" + secret + "-a1B2c3", Proof: rotation.NewPassword(proof)}
}

func candidate(generation int, token, password string) rotation.Version {
	return rotation.Version{
		Generation: generation, Token: token, Password: rotation.NewPassword(password), Birth: "birth",
		Created: time.Date(2026, 11, 21, 18, 0, generation, 0, time.UTC),
	}
}

// create is the step create as the engine does it; it may fail anywhere.
func (r rotating) create(token, password string) (rotation.Version, error) {
	store := openStore(r.T, r.cfg)
	if _, err := store.Admit(r.Context(), secret, request(rotation.StepCreate, token)); err != nil {
		return rotation.Version{}, err
	}
	history, err := store.History(r.Context(), secret)
	if err != nil {
		return rotation.Version{}, err
	}
	v := candidate(history[0].Generation+1, token, password)
	if history[0].Stage == rotation.Pending {
		v = history[0]
	} else if v, err = store.Propose(r.Context(), secret, v); err != nil {
		return rotation.Version{}, err
	}
	return v, store.Fill(r.Context(), secret, v)
}

func (r rotating) mustCreate(token, password string) rotation.Version {
	r.Helper()
	v, err := r.create(token, password)
	if err != nil {
		r.Fatalf("create = %v", err)
	}
	return v
}

func (r rotating) admit(step rotation.Step, token string) (*aws.Store, rotation.Admission, error) {
	store := openStore(r.T, r.cfg)
	a, err := store.Admit(r.Context(), secret, request(step, token))
	return store, a, err
}

// finish is the step finish as the engine does it.
func (r rotating) finish(token string, v rotation.Version) {
	r.Helper()
	store, a, err := r.admit(rotation.StepFinish, token)
	if err == nil && a.Done == "" {
		err = store.Promote(r.Context(), secret, v)
	}
	if err != nil {
		r.Fatalf("finish = %v", err)
	}
	if err := r.EndRotation(secret, token); err != nil {
		r.Fatalf("the service says: %v", err)
	}
}

// current is the password that consumers read.
func (r rotating) current() string {
	v, err := openStore(r.T, r.cfg).Get(r.Context(), secret, rotation.Current)
	if err != nil {
		r.Fatal(err)
	}
	return v.Password.Reveal()
}

func TestCandidateIsTheVersionThatTheServiceNamed(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		r := begin(t, awssim.Config{Answers: a}, first)
		v := r.mustCreate(first, "second")
		labels := r.Labels(secret)
		if labels["g00000002-c0"] != first || labels["AWSPENDING"] != first {
			t.Errorf("labels %v; want the candidate's own and AWSPENDING on %s", labels, first)
		}
		if again := r.mustCreate(first, "another"); !again.SamePassword(v) {
			t.Error("a second create chose another password")
		}
		for _, step := range []rotation.Step{rotation.StepSet, rotation.StepTest} {
			if _, a, err := r.admit(step, first); err != nil || a != (rotation.Admission{}) {
				t.Errorf("Admit(%s) = %+v, %v; want it admitted", step, a, err)
			}
		}
		r.finish(first, v)
		if got := r.current(); got != "second" {
			t.Errorf("current is %q; want second", got)
		}
		for _, step := range []rotation.Step{rotation.StepCreate, rotation.StepSet, rotation.StepTest, rotation.StepFinish} {
			if _, a, err := r.admit(step, first); err != nil || a.Done == "" {
				t.Errorf("Admit(%s) after the end = %+v, %v; want that it is done", step, a, err)
			}
		}
	})
}

// Whatever write the step create dies at, the next create ends with one candidate that has a label, and nothing is lost.
func TestCreateGoesOnWhereItDied(t *testing.T) {
	for _, action := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
		for n := range 4 {
			for _, fault := range []string{simcloud.Cut, simcloud.Lost, simcloud.InternalAfter} {
				everywhere(t, func(t *testing.T, a awssim.Answers) {
					r := begin(t, awssim.Config{Answers: a}, first)
					r.FailNext(action, append(make([]string, n), fault)...)
					_, _ = r.create(first, "dies")
					v := r.mustCreate(first, "lives")
					r.finish(first, v)
					history, err := openStore(t, r.cfg).History(t.Context(), secret)
					if err != nil || len(history) != 2 {
						t.Fatalf("History = %d versions, %v; want the baseline and one candidate", len(history), err)
					}
					if got := r.current(); got != v.Password.Reveal() {
						t.Errorf("current is %q; want %q", got, v.Password.Reveal())
					}
				})
			}
		}
	}
}

func TestNewTokenAdoptsWhatAnAbandonedRotationLeft(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		r := begin(t, awssim.Config{Answers: a}, first)
		old := r.mustCreate(first, "sent to some machines")
		r.CancelRotation(secret)
		if err := r.BeginRotation(secret, second); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.admit(rotation.StepSet, first); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("a step of the abandoned rotation = %v; want ErrConflict", err)
		}
		v := r.mustCreate(second, "another")
		if !v.SamePassword(old) {
			t.Error("the second rotation chose another password")
		}
		if labels := r.Labels(secret); labels["g00000002-c0"] != first || labels["AWSPENDING"] != second {
			t.Errorf("labels %v; want the candidate's own where it was and AWSPENDING on %s", labels, second)
		}
		r.finish(second, v)
		if history, _ := openStore(t, r.cfg).History(t.Context(), secret); len(history) != 2 {
			t.Errorf("%d versions; want copies of one password to be one", len(history))
		}
	})
}

// A person's edit comes before a rotation that is under way. Its version is let go, so that the next rotation can begin.
func TestOvertakenRotationMakesWay(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		r := begin(t, awssim.Config{Answers: awssim.Answers{EditKeepsPending: keeps}}, first)
		r.mustCreate(first, "overtaken")
		r.Edit(secret, `{"password":"by hand"}`)
		for _, step := range []rotation.Step{rotation.StepSet, rotation.StepCreate} {
			if _, _, err := r.admit(step, first); !errors.Is(err, rotation.ErrConflict) {
				t.Errorf("Admit(%s) = %v; want ErrConflict", step, err)
			}
		}
		if err := r.BeginRotation(secret, second); err != nil {
			t.Fatal(err)
		}
		v := r.mustCreate(second, "fourth")
		r.finish(second, v)
		values := strings.Join(r.Labelled(secret), "\n")
		for _, password := range []string{"overtaken", "by hand", "fourth"} {
			if !strings.Contains(values, password) {
				t.Errorf("%q has no label any more", password)
			}
		}
	}
}

// resume, which the service knows nothing of, ends the rotation under the version that the service waits for.
func TestResumeEndsTheServicesRotation(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		r := begin(t, awssim.Config{Answers: a}, first)
		v := r.mustCreate(first, "second")
		store := openStore(t, r.cfg)
		if _, err := store.Admit(t.Context(), secret, rotation.Request{Action: rotation.Resume}); err != nil {
			t.Fatalf("Admit(resume) = %v", err)
		}
		if err := store.Promote(t.Context(), secret, v); err != nil {
			t.Fatal(err)
		}
		r.finish(first, v)
	})
}

func TestRotateIsRefusedWhileTheServiceRotates(t *testing.T) {
	cloud, cfg := open(t, awssim.Config{})
	store := openStore(t, cfg)
	if _, err := store.Admit(t.Context(), secret, rotation.Request{Action: rotation.Rotate}); err != nil {
		t.Errorf("Admit(rotate) = %v; want it admitted", err)
	}
	if _, err := store.Admit(t.Context(), secret, request(rotation.StepCreate, first)); !errors.Is(err, rotation.ErrConfig) {
		t.Errorf("Admit of a step without rotation = %v; want ErrConfig", err)
	}
	cloud.EnableRotation(secret)
	for _, action := range []rotation.Action{rotation.Resume, rotation.Reconcile, rotation.Verify, rotation.Plan} {
		if _, err := store.Admit(t.Context(), secret, rotation.Request{Action: action}); err != nil {
			t.Errorf("Admit(%s) = %v; want it admitted", action, err)
		}
	}
	if _, err := store.Admit(t.Context(), secret, rotation.Request{Action: rotation.Rotate}); !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), "rotate-secret") {
		t.Errorf("Admit(rotate) = %v; want ErrConfig with the remedy", err)
	}
	if _, err := store.Admit(t.Context(), secret, request(rotation.StepCreate, first)); !errors.Is(err, rotation.ErrConflict) {
		t.Errorf("Admit of a token that nobody knows = %v; want ErrConflict", err)
	}
	other := request(rotation.StepCreate, first)
	other.Secret = cloud.ARN("other")
	if _, err := store.Admit(t.Context(), secret, other); !errors.Is(err, rotation.ErrConfig) {
		t.Errorf("Admit of another secret = %v; want ErrConfig", err)
	}
}

func TestStepTestAloneNeedsNoRotation(t *testing.T) {
	for _, filled := range []bool{false, true} {
		cloud, cfg := open(t, awssim.Config{})
		cloud.BeginTest(secret, first, filled)
		_, a, err := rotating{t, cloud, cfg}.admit(rotation.StepTest, first)
		if err != nil || !a.TestAlone {
			t.Errorf("Admit(test) with a copy of current %v = %+v, %v; want a test alone", filled, a, err)
		}
		cloud.EndTest(secret, first)
	}
}

// A version that is made beside the one that the service waits for may end its rotation. Compaction makes one: reconcile
// does it in time, so that the step create has none to do.
func TestReconcileMakesRoomSoThatNoStepHasTo(t *testing.T) {
	cloud, cfg := open(t, awssim.Config{Answers: awssim.Answers{PutAbandons: true, Proof: proof}})
	r := rotating{t, cloud, cfg}
	for n := range 24 {
		token := fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)
		if err := cloud.BeginRotation(secret, token); err != nil {
			t.Fatal(err)
		}
		r.finish(token, r.mustCreate(token, fmt.Sprintf("password %d", n)))
		store := openStore(t, cfg)
		current, err := store.Get(t.Context(), secret, rotation.Current)
		if err == nil {
			current.Baseline = true
			_, err = store.Propose(t.Context(), secret, current)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if history, err := openStore(t, cfg).History(t.Context(), secret); err != nil || len(history) != 25 {
		t.Errorf("History = %d versions, %v; want the baseline and 24", len(history), err)
	}
}

func TestStagesMoveOnlyWhenReplicasAreInSync(t *testing.T) {
	r := begin(t, awssim.Config{Replicas: []string{"us-east-1"}, Answers: awssim.Answers{ReplicaReads: 3}}, first)
	r.finish(first, r.mustCreate(first, "second"))
	if got := r.current(); got != "second" {
		t.Errorf("current is %q; want second", got)
	}
}
