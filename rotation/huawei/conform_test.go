package huawei_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// answers are what the documents leave open, each as the drivers have to hold under it.
func answers() map[string]huaweisim.Answers {
	return map[string]huaweisim.Answers{
		"as the documents favour": {},
		"the other way":           {UnlabelledVanish: true, PreviousFollows: true, MissingIs404: true, TagValuesWithoutDots: true, ActionRefusesBatch: true},
	}
}

// conforming opens drivers over a simulated cloud without a network, so that time may be virtual.
func conforming(t *testing.T, a huaweisim.Answers) (*huaweisim.Cloud, huawei.Config) {
	t.Helper()
	cloud, err := huaweisim.New(huaweisim.Config{Regions: []string{region}, Scale: 1, Rates: 100, Answers: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	return cloud, huawei.Config{
		Credentials: huawei.Static(huaweisim.DemoAccessKey, huaweisim.DemoSecretKey, ""),
		Projects:    map[string]string{region: cloud.Project(region)},
		Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(),
	}
}

const conformSecret = "conform"

func TestCSMSIsAShelf(t *testing.T) {
	for name, a := range answers() {
		t.Run(name, func(t *testing.T) {
			rotationtest.TestShelf(t, rotationtest.ShelfHarness{
				Open: func(t *testing.T) (rotation.Shelf, string) {
					cloud, cfg := conforming(t, a)
					cloud.PutSecret(conformSecret, nil, nil)
					shelf, err := huawei.NewShelf(cfg, region)
					if err != nil {
						t.Fatal(err)
					}
					return shelf, conformSecret
				},
			})
		})
	}
}

func TestCSMSIsAStore(t *testing.T) {
	for name, a := range answers() {
		t.Run(name, func(t *testing.T) {
			var cloud *huaweisim.Cloud
			rotationtest.TestStore(t, rotationtest.StoreHarness{
				Bubble: synctest.Test,
				Open: func(t *testing.T) (rotation.Store, string) {
					var cfg huawei.Config
					cloud, cfg = conforming(t, a)
					cloud.PutSecret(conformSecret, map[string]string{
						"v1": fmt.Sprintf(`{"username":"","password":%q}`, rotationtest.Baseline),
					}, map[string]string{"SYSCURRENT": "v1"})
					store, err := huawei.NewStore(cfg, region)
					if err != nil {
						t.Fatal(err)
					}
					return store, conformSecret
				},
				// A person makes a version without naming a label: it becomes SYSCURRENT, and what was that SYSPREVIOUS.
				Human: func(_ *testing.T, value string) {
					versions, stages := cloud.Secret(conformSecret), cloud.Stages(conformSecret)
					id := fmt.Sprintf("v%d", 100+len(versions))
					versions[id] = value
					stages["SYSPREVIOUS"], stages["SYSCURRENT"] = stages["SYSCURRENT"], id
					cloud.PutSecret(conformSecret, versions, stages)
				},
			})
		})
	}
}

func TestECSIsAFleet(t *testing.T) {
	for name, a := range answers() {
		t.Run(name, func(t *testing.T) {
			rotationtest.TestFleet(t, func(t *testing.T) rotationtest.FleetHarness { return conformingFleet(t, a) }, synctest.Test)
		})
	}
}

func conformingFleet(t *testing.T, a huaweisim.Answers) rotationtest.FleetHarness {
	cloud, cfg := conforming(t, a)
	for i := range 7 {
		status := "ACTIVE"
		if i >= 4 {
			status = "SHUTOFF"
		}
		cloud.Add(huaweisim.Machine{Region: region, Status: status, Tags: map[string]string{"rotate": "yes"}})
	}
	fleet, err := huawei.NewFleet(cfg, region)
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
