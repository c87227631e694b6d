package huawei_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// insider knows the machines' passwords without a login.
type insider struct{ cloud *huaweisim.Cloud }

func (v insider) Verify(_ context.Context, logins []rotation.Login) []error {
	answers := make([]error, len(logins))
	for i, l := range logins {
		for _, m := range v.cloud.Machines() {
			if m.ID == l.Instance.ID && m.Password != l.Credential.Password.Reveal() {
				answers[i] = rotation.ErrRejected
			}
		}
	}
	return answers
}

// A reset that takes a moment to reach the machine gets it: a restart before that would be in vain, and another follow.
func TestAMachineIsRestartedOnceForAPasswordThatIsStagedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, cfg := conforming(t, huaweisim.Answers{})
		cloud.SetFaults(huaweisim.Faults{"reset-late": 1}) // by half a minute
		cfg.BootDelay = time.Minute
		for range 3 {
			cloud.Add(huaweisim.Machine{Region: region, OSType: "Linux", Tags: map[string]string{"rotate": "yes"}})
		}
		fleet, _ := drivers(t, cfg)
		store, err := huawei.NewStore(cfg, region)
		if err != nil {
			t.Fatal(err)
		}
		r := rotation.Rotator{
			Secret: huaweisim.DemoSecret, Store: store, Home: [2]string{"huawei", region}, Fleets: []rotation.Fleet{fleet},
			Scope: rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}, Verifier: insider{cloud},
			Policy: rotation.Policy{Restart: rotation.RestartGraceful},
		}
		report, err := r.Do(t.Context(), rotation.Request{})
		if err != nil || report.Outcome != rotation.Rotated {
			t.Fatalf("Do = %s: %s, %v", report.Outcome, report.Why, err)
		}
		for _, m := range cloud.Machines() {
			if m.Reboots != 1 {
				t.Errorf("%s was restarted %d times; want once", m.ID, m.Reboots)
			}
		}
	})
}
