package aws_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/rotationtest"
)

const (
	secret = "admin/fleet-1"
	region = awssim.DemoRegion
)

// value is what a person stored.
var value = fmt.Sprintf(`{"username":"","password":%q,"host":"bastion"}`, rotationtest.Baseline)

// answers are the settings that everything has to hold under.
func answers() map[string]awssim.Answers {
	return map[string]awssim.Answers{
		"friendly": {},
		"unfriendly": {
			StaleReads: 2, UnlabelledVanish: true, PutTakesPending: true, PutAbandons: true, FinishTakesPending: true,
		},
	}
}

// everywhere runs a test under each of the answers.
func everywhere(t *testing.T, test func(*testing.T, awssim.Answers)) {
	t.Helper()
	for name, a := range answers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

// instant is a clock whose waits are over at once: what is stale in the simulator is so for a number of reads.
type instant struct{ rotation.SystemClock }

func (instant) Wait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// open returns a service whose secret a person gave its value, and what drives it.
func open(t *testing.T, cfg awssim.Config) (*awssim.Cloud, aws.Config) {
	t.Helper()
	cloud := awssim.New(cfg)
	cloud.PutSecret(secret, value)
	return cloud, aws.Config{
		Credentials: aws.Static(awssim.DemoAccessKey, awssim.DemoSecretKey, cfg.Token),
		Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(), Calls: &rotation.Calls{}, Clock: instant{},
	}
}

func openStore(t *testing.T, cfg aws.Config) *aws.Store {
	t.Helper()
	store, err := aws.NewStore(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSecretsManagerIsAShelf(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		rotationtest.TestShelf(t, rotationtest.ShelfHarness{
			CreatesIfAbsent: true, Seeded: true,
			Open: func(t *testing.T) (rotation.Shelf, string) {
				_, cfg := open(t, awssim.Config{Answers: a})
				shelf, err := aws.NewShelf(cfg, region)
				if err != nil {
					t.Fatal(err)
				}
				return shelf, secret
			},
		})
	})
}

func TestSecretsManagerIsAStore(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		var cloud *awssim.Cloud
		rotationtest.TestStore(t, rotationtest.StoreHarness{
			Open: func(t *testing.T) (rotation.Store, string) {
				var cfg aws.Config
				cloud, cfg = open(t, awssim.Config{Answers: a})
				return openStore(t, cfg), secret
			},
			Human: func(_ *testing.T, value string) { cloud.Edit(secret, value) },
		})
	})
}
