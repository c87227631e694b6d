package huawei_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

var tagged = rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}

// simulated is a fleet over a simulated cloud, in virtual time.
func simulated(t *testing.T, a huaweisim.Answers, all ...huaweisim.Machine) (*huaweisim.Cloud, *huawei.Fleet, []string) {
	t.Helper()
	cloud, cfg := conforming(t, a)
	var ids []string
	for _, m := range all {
		m.Region = region
		if m.Tags == nil {
			m.Tags = map[string]string{"rotate": "yes"}
		}
		ids = append(ids, cloud.Add(m))
	}
	fleet, err := huawei.NewFleet(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	return cloud, fleet, ids
}

func described(t *testing.T, f *huawei.Fleet, sel rotation.Selector) []rotation.Instance {
	t.Helper()
	found, err := f.Describe(t.Context(), sel)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryPageIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := make([]huaweisim.Machine, 2100)
		for i := range all {
			if i%2 == 1 {
				all[i].Tags = map[string]string{"rotate": "no"}
			}
		}
		_, fleet, ids := simulated(t, huaweisim.Answers{}, all...)
		if found := described(t, fleet, tagged); len(found) != 1050 || !slices.IsSortedFunc(found, func(a, b rotation.Instance) int { return strings.Compare(a.ID, b.ID) }) {
			t.Errorf("%d machines with the tag; want 1050, sorted", len(found))
		}
		// An id that does not exist comes back as an item without anything.
		if found := described(t, fleet, rotation.Selector{IDs: append(ids[:250:250], one)}); len(found) != 250 {
			t.Errorf("%d machines of 250 and an unknown one", len(found))
		}
	})
}

func TestWhatCannotBeResetIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, fleet, ids := simulated(t, huaweisim.Answers{},
			huaweisim.Machine{}, huaweisim.Machine{Locked: true}, huaweisim.Machine{EcmResStatus: "freeze", Status: "SHUTOFF"},
			huaweisim.Machine{Status: "ERROR"}, huaweisim.Machine{Status: "RESIZE", TaskState: "resize_migrating"}, huaweisim.Machine{OSType: "Windows"})
		want := []rotation.RefusalKind{"", rotation.RefusedUnable, rotation.RefusedUnable, rotation.RefusedUnable, rotation.RefusedBusy, ""}
		for i, id := range ids {
			inst := described(t, fleet, rotation.Selector{IDs: []string{id}})[0]
			if r := inst.Terms.Refuse; r.Kind != want[i] || (r.Kind != "" && (r.Reason == "" || r.Remedy == "")) {
				t.Errorf("machine %d: %+v; want kind %q, with a reason and a remedy", i, r, want[i])
			}
			if login := map[bool]string{true: "Administrator", false: "root"}[i == 5]; inst.LoginUser != login || inst.Terms.Effect != rotation.AtNextBoot || inst.Terms.Reported {
				t.Errorf("machine %d: %s, %+v; want %s, at the next boot, not reported", i, inst.LoginUser, inst.Terms, login)
			}
		}
		if _, err := fleet.Describe(t.Context(), rotation.Selector{IDs: []string{"../x", ids[0]}}); !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), `"../x"`) {
			t.Errorf("Describe of a malformed id = %v; want it named", err)
		}
	})
}

func TestAMissingPlugInIsFoundBeforeAnythingIsSent(t *testing.T) {
	for name, a := range map[string]huaweisim.Answers{"flag": {}, "dry run": {DryRunChecksPlugin: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud, fleet, ids := simulated(t, a, huaweisim.Machine{}, huaweisim.Machine{NoPlugin: true}, huaweisim.Machine{Refuse: "Ecs.0605"})
				refused, err := fleet.Preflight(t.Context(), described(t, fleet, tagged))
				if err != nil || len(refused) != 2 || refused[ids[1]].Kind != rotation.RefusedUnable || refused[ids[2]].Kind != rotation.RefusedUnable {
					t.Errorf("Preflight = %+v, %v; want the one without the plug-in, and the locked one", refused, err)
				}
				for _, m := range cloud.Machines() {
					if m.Pending != "" || m.Password != huaweisim.BaselinePassword {
						t.Errorf("%s was sent a password by a check", m.ID)
					}
				}
			})
		})
	}
}

func TestARestartIsDoneWhenTheJobSaysSoOfTheMachine(t *testing.T) {
	for name, a := range answers() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud, fleet, ids := simulated(t, a, huaweisim.Machine{}, huaweisim.Machine{IgnoresSoftStop: true})
				batch := described(t, fleet, tagged)
				if _, err := fleet.Reset(t.Context(), batch, credential("Plain.Word-0001")); err != nil {
					t.Fatal(err)
				}
				op, err := fleet.Restart(t.Context(), batch, rotation.Soft)
				if err != nil || op.Job == "" || op.RequestID == "" {
					t.Fatalf("Restart = %+v, %v; want a job", op, err)
				}
				states := map[string]rotation.Result{}
				for range 3600 {
					results, err := fleet.Observe(t.Context(), []rotation.Operation{op})
					if err != nil || len(results) != 2 {
						t.Fatalf("Observe = %+v, %v", results, err)
					}
					for _, r := range results {
						if r.State == rotation.Done && (r.Power != rotation.Running || passwordOf(cloud, r.Instance) != "Plain.Word-0001") {
							t.Errorf("%s is done and %s, and has not booted with its password", r.Instance, r.Power)
						}
						states[r.Instance] = r
					}
					_ = rotation.SystemClock{}.Wait(t.Context(), time.Second)
				}
				if states[ids[0]].State != rotation.Done || states[ids[1]].State != rotation.Failed || states[ids[1]].Detail == "" {
					t.Errorf("after an hour %+v; want the first done, the second failed with a reason", states)
				}
				for _, m := range cloud.Machines() {
					if set := m.Password == "Plain.Word-0001"; set != (m.ID == ids[0]) || m.HardStops > 0 {
						t.Errorf("%s has the password: %t, after %d pulled plugs", m.ID, set, m.HardStops)
					}
				}
			})
		})
	}
}

func passwordOf(cloud *huaweisim.Cloud, id string) string {
	for _, m := range cloud.Machines() {
		if m.ID == id {
			return m.Password
		}
	}
	return ""
}

func TestABatchHasALimit(t *testing.T) {
	fleet, _ := stubbed(t, func(a asked) (int, string) { t.Errorf("sent %+v", a); return 200, "{}" })
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("616fb98f-46ca-475e-917e-2563e5a8%04d", i)
	}
	for _, batch := range [][]rotation.Instance{nil, machines(many...)} {
		if _, err := fleet.Reset(t.Context(), batch, credential(canary)); !errors.Is(err, rotation.ErrNotApplied) {
			t.Errorf("Reset of %d machines = %v; want ErrNotApplied", len(batch), err)
		}
	}
}
