package rotation_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// downs records which machines were taken down, in order; each is one machine.
func downs(w *rotationtest.World, into *[]string) change {
	return before(w, func(s rotationtest.Sent) error {
		if s.Site == "stop" || s.Site == "restart" {
			for _, id := range s.IDs {
				if !slices.Contains(*into, id) {
					*into = append(*into, id)
				}
			}
		}
		return nil
	})
}

func machine(w *rotationtest.World, id string) *rotationtest.Machine {
	i := slices.IndexFunc(w.Machines, func(m *rotationtest.Machine) bool { return m.ID == id })
	return w.Machines[i]
}

func TestCanaryIsProvenBeforeAnyOtherMachineIsBegun(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		for _, row := range []struct{ canary, want int }{{0, 1}, {1, 1}, {3, 3}, {-1, 0}, {99, 7}} {
			w.Machines = nil
			add(w, 7, rotation.Running)
			proven := map[string]bool{}
			begun := map[string]bool{}
			must(t, w, rotation.Request{NewCandidate: true}, rotation.Rotated, policy(func(p *rotation.Policy) { p.Canary = row.canary }), before(w, func(s rotationtest.Sent) error {
				for _, id := range s.IDs {
					switch {
					case s.Site == "mark" && s.Mark.State == rotation.MarkOK:
						proven[id] = true
					case s.Site == "mark" || s.Site == "reset":
						begun[id] = true
					}
				}
				if len(begun) > row.want && len(proven) < min(1, row.want) {
					t.Errorf("canary %d: %d machines were begun with %d proven", row.canary, len(begun), len(proven))
				}
				return nil
			}))
		}
	})
}

func TestCanaryThatFailsIsReplaced(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 6, rotation.Running)
		w.Blame()
		var order []string
		r := must(t, w, rotation.Request{}, rotation.Partial, unlucky("m0"), downs(w, &order))
		if r.Counts.Proven != 5 || r.Counts.Failed != 1 || len(order) < 2 || order[0] != "m0" {
			t.Errorf("%d are proven, %d failed, stopped in the order %v; want the 5 others, after m0", r.Counts.Proven, r.Counts.Failed, order)
		}
	})
}

func TestSystematicFailureStopsAfterThreeMachines(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 9, rotation.Running)
		w.Blame()
		var order []string
		report, err := do(w, rotation.Request{}, downs(w, &order), logins(func(rotation.Login) error { return rotation.ErrRejected }))
		if report.Outcome != rotation.Failure || err == nil || !strings.Contains(err.Error(), "3 machines in a row") {
			t.Errorf("ended %s, %v; want failed, after 3 machines in a row", report.Outcome, err)
		}
		if len(order) != 3 {
			t.Errorf("%v were taken down; want three", order)
		}
		for _, m := range w.Machines {
			if m.Power != rotation.Running {
				t.Errorf("%s is left %s", m.ID, m.Power)
			}
			if !slices.Contains(order, m.ID) && (m.Live != rotationtest.Baseline || m.Next != "") {
				t.Errorf("%s was set", m.ID)
			}
		}
		holds(t, w, 1, 2)
	})
}

// The share is of the eligible machines of all regions, rounded down, and at least one.
func TestNoMoreMachinesAreDownThanTheShareAllows(t *testing.T) {
	for _, row := range []struct {
		share   string
		running int
		others  int // that cannot be reset, or are held back
		atMost  int
	}{{"20%", 12, 0, 2}, {"20%", 10, 9, 2}, {"1%", 6, 0, 1}, {"3", 9, 0, 3}, {"100%", 8, 4, 8}} {
		onEvery(t, func(t *testing.T, w *rotationtest.World) {
			share, err := rotation.ParseShare(row.share)
			if err != nil {
				t.Fatal(err)
			}
			add(w, row.running, rotation.Running)
			for i := range row.others {
				m := w.Add(rotation.Linux, rotation.Running)
				if m.KeyPair = "skey"; i%2 == 0 {
					m.KeyPair, m.Refuse = "", rotation.Refusal{Kind: rotation.RefusedUnable}
				}
			}
			w.AtMost(row.atMost)
			r := must(t, w, rotation.Request{}, rotation.Rotated, policy(func(p *rotation.Policy) { p.MaxUnavailable, p.Canary = share, -1 }))
			if r.Down.AtOnce != row.atMost || r.Down.Machines != row.running {
				t.Errorf("%s of %d: %d were down at once, %d in all; want %d and %d", row.share, row.running, r.Down.AtOnce, r.Down.Machines, row.atMost, row.running)
			}
		})
	}
}

func TestMachinesFoundDownCountAsDown(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 6, rotation.Running)
		for i := range 2 { // the canary, and then others
			killed(t, w, rotation.Request{}, rotationtest.KillAfter, takesDown(t), 1+2*i, unavailable(2))
		}
		w.AtMost(2)
		must(t, w, rotation.Request{}, rotation.Rotated)
		everywhere(t, w)
	})
}

// A reset that is throttled is going to take its machine down once it is taken: it counts until then.
func TestMachinesWhoseResetWaitsCountAsDown(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 9, rotation.Running)
	w.AtMost(2)
	refusals := 0
	must(t, w, rotation.Request{}, rotation.Rotated, before(w, func(s rotationtest.Sent) error {
		if s.Site == "reset" && w.Machines[0].Live != rotationtest.Baseline && refusals < 12 {
			refusals++
			return rotation.ErrThrottled
		}
		return nil
	}))
	everywhere(t, w)
}

// dead makes the starts of machines fail for ever.
func dead(w *rotationtest.World, ids ...string) change {
	return before(w, func(s rotationtest.Sent) error {
		if s.Site == "start" && slices.ContainsFunc(s.IDs, func(id string) bool { return slices.Contains(ids, id) }) {
			return rotation.ErrNotApplied
		}
		return nil
	})
}

func TestMachinesThatDoNotStartAreNoReasonToTakeMoreDownOrToWaitForEver(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 4, rotation.Running)
	w.AtMost(1)
	r, err := do(w, rotation.Request{}, dead(w, "m0"))
	if r.Outcome == rotation.Rotated || len(r.Down.Left) != 1 {
		t.Fatalf("ended %s, %v, with %v left down; want m0 left down and nothing promoted", r.Outcome, err, r.Down.Left)
	}
	says(t, r.Why, "RELOCK_MAX_UNAVAILABLE=1", "start")
	for _, m := range w.Machines[1:] {
		if stops(m) > 0 {
			t.Errorf("%s was stopped while as many are down as may be", m.ID)
		}
	}
	w.Advance(time.Hour)
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	everywhere(t, w)
}

func TestMachinesThatDoNotStartLeaveTheRestOfTheCapacityToOthers(t *testing.T) {
	w := newWorld(t, whenStopped)
	w.Batch(1)
	add(w, 12, rotation.Running)
	w.AtMost(4)
	r := must(t, w, rotation.Request{}, rotation.Partial, policy(func(p *rotation.Policy) { p.Canary = -1 }), dead(w, "m0", "m2", "m4"))
	if r.Counts.Proven != 9 || len(r.Down.Left) != 3 {
		t.Errorf("%d of 12 are proven and %v left down; want the 9 others, and m0 m2 m4", r.Counts.Proven, r.Down.Left)
	}
}

func TestHealthyMachinesCostNoMoreRequestsThanTheyMust(t *testing.T) {
	for _, kind := range []rotationtest.Kind{whenStopped, atBoot} {
		t.Run(kind.String(), func(t *testing.T) {
			const n = 500
			w := newWorld(t, kind)
			w.Batch(100)
			w.AtMost(n)
			add(w, n, rotation.Running)
			sent := map[string]int{}
			began := w.Now()
			must(t, w, rotation.Request{}, rotation.Rotated, before(w, func(s rotationtest.Sent) error {
				sent[s.Site+" "+s.Region]++
				return nil
			}))
			everywhere(t, w)
			polls := int(w.Now().Sub(began) / (5 * time.Second))
			batches := (n/2 + 99) / 100 // a region's
			for _, region := range []string{"east", "west"} {
				if got := sent["reset "+region]; got > batches+1 {
					t.Errorf("%d resets in %s for %d healthy machines; want at most %d", got, region, n/2, batches+1)
				}
				if kind == whenStopped {
					for _, site := range []string{"stop ", "start "} {
						if got := sent[site+region]; got > batches+1 {
							t.Errorf("%d calls of %sin %s; want at most %d", got, site, region, batches+1)
						}
					}
				}
				if got, most := sent["describe "+region]+sent["observe "+region], 3+polls; got > most {
					t.Errorf("%d looks at %s, each as many requests as it has pages; want at most 3 and one a poll: %d", got, region, most)
				}
				if got := sent["mark "+region]; got > 2*(batches+1) {
					t.Errorf("%d calls of mark in %s; want at most %d", got, region, 2*(batches+1))
				}
			}
		})
	}
}

func TestBatchesKeepToTheConfiguredSizeAndTheProviders(t *testing.T) {
	for _, row := range []struct{ provider, configured, want int }{{3, 0, 3}, {3, 2, 2}, {3, 9, 3}, {1, 0, 1}} {
		onEvery(t, func(t *testing.T, w *rotationtest.World) {
			w.Batch(row.provider)
			add(w, 14, rotation.Running)
			largest := 0
			must(t, w, rotation.Request{}, rotation.Rotated, policy(func(p *rotation.Policy) { p.BatchSize = row.configured }), before(w, func(s rotationtest.Sent) error {
				if s.Site != "observe" {
					largest = max(largest, len(s.IDs))
				}
				return nil
			}))
			if largest != row.want {
				t.Errorf("the largest request named %d machines; want %d", largest, row.want)
			}
		})
	}
}

func (denied) Propose(context.Context, string, rotation.Version) (rotation.Version, error) {
	return rotation.Version{}, rotation.ErrUnauthorized
}
