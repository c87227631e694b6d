package tencent_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// conforming opens drivers over a simulated cloud without a network, so that time may be virtual.
func conforming(t *testing.T) (*tencentsim.Cloud, tencent.Config) {
	t.Helper()
	cloud, err := tencentsim.New(tencentsim.Config{Regions: []string{region}, Scale: 1, Rates: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	return cloud, tencent.Config{
		Credentials: tencent.Static(tencentsim.DemoSecretID, tencentsim.DemoSecretKey, ""),
		Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(),
	}
}

const conformSecret = "conform"

func TestSecretsManagerIsAShelf(t *testing.T) {
	rotationtest.TestShelf(t, rotationtest.ShelfHarness{
		CreatesIfAbsent: true,
		Open: func(t *testing.T) (rotation.Shelf, string) {
			cloud, cfg := conforming(t)
			cloud.PutSecret(conformSecret, nil)
			shelf, err := tencent.NewShelf(cfg, region)
			if err != nil {
				t.Fatal(err)
			}
			return shelf, conformSecret
		},
	})
}

func TestSecretsManagerIsAStore(t *testing.T) {
	var cloud *tencentsim.Cloud
	rotationtest.TestStore(t, rotationtest.StoreHarness{
		Open: func(t *testing.T) (rotation.Store, string) {
			var cfg tencent.Config
			cloud, cfg = conforming(t)
			cloud.PutSecret(conformSecret, map[string]string{
				"current": fmt.Sprintf(`{"username":"","password":%q}`, rotationtest.Baseline),
			})
			store, err := tencent.NewStore(cfg, region)
			if err != nil {
				t.Fatal(err)
			}
			return store, conformSecret
		},
		Human: func(_ *testing.T, value string) {
			versions := cloud.Secret(conformSecret)
			versions["current"] = value
			cloud.PutSecret(conformSecret, versions)
		},
	})
}

func TestCVMIsAFleet(t *testing.T) {
	rotationtest.TestFleet(t, conformingFleet, synctest.Test)
}

func conformingFleet(t *testing.T) rotationtest.FleetHarness {
	cloud, cfg := conforming(t)
	for i := range 7 {
		state := "RUNNING"
		if i >= 4 {
			state = "STOPPED"
		}
		cloud.Add(tencentsim.Machine{
			Region: region, State: state, OSName: "CentOS 7.9 64bit", DefaultLoginUser: "root",
			Tags: map[string]string{"rotate": "yes"},
		})
	}
	fleet, err := tencent.NewFleet(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return rotationtest.FleetHarness{
		Fleet: fleet,
		Pass:  func(d time.Duration) { _ = rotation.SystemClock{}.Wait(t.Context(), d) },
		Live: func(id string) string {
			for _, m := range cloud.Machines() {
				if m.ID == id {
					return m.Password
				}
			}
			return ""
		},
		Accepts: func() string {
			n++
			return fmt.Sprintf("Conform-Pass-%04d", n)
		},
	}
}
