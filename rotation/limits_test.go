package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"sync"
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

// refuse answers a reset that names one of these machines.
func refuse(w *rotationtest.World, named bool, why rotation.Refusal, count *int, ids ...string) change {
	return before(w, func(s rotationtest.Sent) error {
		if s.Site != "reset" {
			return nil
		}
		*count++
		e := &rotation.RefusedError{Refusal: why, Machines: map[string]rotation.Refusal{}}
		hit := false
		for _, id := range s.IDs {
			if slices.Contains(ids, id) {
				hit = true
				if named {
					e.Machines[id] = why
				}
			}
		}
		if hit {
			return e
		}
		return nil
	})
}

func TestRefusedBatchCostsOnlyTheMachinesThatItWasRefusedFor(t *testing.T) {
	unable := rotation.Refusal{Kind: rotation.RefusedUnable, Code: "Unsupported", Reason: "is of a kind that cannot be reset", Remedy: "leave it out"}
	password := rotation.Refusal{Kind: rotation.RefusedPassword, Code: "InvalidPassword", Reason: "its image refuses the password", Remedy: "relock rotate --new-candidate"}
	for _, row := range []struct {
		name  string
		why   rotation.Refusal
		named bool
		state rotation.State
		most  int // resets in all, of 16 machines in a region
	}{
		{"unable, named", unable, true, rotation.StateUnable, 5},
		{"unable, not named", unable, false, rotation.StateUnable, 3 + 2*bits.Len(16)},
		{"password, named", password, true, rotation.StateFailed, 5},
		{"password, not named", password, false, rotation.StateFailed, 3 + 2*bits.Len(16)},
	} {
		t.Run(row.name, func(t *testing.T) {
			onEvery(t, func(t *testing.T, w *rotationtest.World) {
				w.Batch(100)
				w.AtMost(99)
				w.Allow(1)
				add(w, 32, rotation.Running)
				count := 0
				r := must(t, w, rotation.Request{}, rotation.Rotated, unavailable(99), exceptions(1), refuse(w, row.named, row.why, &count, "m9"))
				got := line(t, r, "m9")
				if got.State != row.state || got.Reason != row.why.Reason || got.Remedy != row.why.Remedy || got.Code != row.why.Code || got.Counts != (row.state == rotation.StateFailed) {
					t.Errorf("m9 is %+v; want %s, with the provider's reason and the remedy", got, row.state)
				}
				for _, m := range w.Machines {
					if m.Power != rotation.Running || (m.Live == rotationtest.Baseline) != (m.ID == "m9") {
						t.Errorf("%s is %s, its password still the old one: %v", m.ID, m.Power, m.Live == rotationtest.Baseline)
					}
					if stops(m) > 1 {
						t.Errorf("%s was stopped %d times", m.ID, stops(m))
					}
				}
				if count > row.most+1 {
					t.Errorf("%d resets were sent; want at most %d", count, row.most+1)
				}
				if n := len(history(t, w)); n != 2 {
					t.Errorf("the store keeps %d versions: what is sent again has to be the same password", n)
				}
			})
		})
	}
}

// What a provider says that nobody has foreseen is no reason to do without the machine.
func TestRefusalOfAnUnknownKindCounts(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		count := 0
		r := must(t, w, rotation.Request{}, rotation.Partial, refuse(w, true, rotation.Refusal{Code: "NewCode", Reason: "something new"}, &count, "m1"))
		if got := line(t, r, "m1"); got.State != rotation.StateFailed || !got.Counts || got.Code != "NewCode" {
			t.Errorf("m1 is %s, counting %v, code %q; want failed, counting, NewCode", got.State, got.Counts, got.Code)
		}
		holds(t, w, 1, 2)
	})
}

func TestMachineThatIsDeletedMeanwhileHoldsUpNobody(t *testing.T) {
	for _, site := range []string{"stop", "reset", "start", "restart"} {
		t.Run(site, func(t *testing.T) {
			w := newWorld(t, rotationtest.Kind{Boot: site == "restart"})
			add(w, 5, rotation.Running)
			gone := false
			do(w, rotation.Request{}, before(w, func(s rotationtest.Sent) error {
				if s.Site == "observe" && gone {
					w.Machines = slices.DeleteFunc(w.Machines, func(m *rotationtest.Machine) bool { return m.ID == "m2" })
				}
				gone = gone || s.Site == site && slices.Contains(s.IDs, "m2")
				return nil
			}))
			if len(w.Machines) != 4 {
				t.Fatal("m2 is still there")
			}
			for _, m := range w.Machines {
				if m.Live == rotationtest.Baseline || m.Power != rotation.Running {
					t.Errorf("%s was held up (%s)", m.ID, m.Power)
				}
			}
			do(w, rotation.Request{Action: rotation.Resume})
			holds(t, w, 2, 0)
		})
	}
}

func TestRecordThatNeverShowsCostsOneMoreReset(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	w.Machines[1].NoLogin = true
	sent := map[string]int{}
	r := must(t, w, rotation.Request{}, rotation.Partial, tap(w, rotationtest.Tap{
		Before: func(s rotationtest.Sent) error {
			for _, id := range s.IDs {
				sent[s.Site+" "+id]++
			}
			return nil
		},
		Result: func(r *rotation.Result) {
			if r.Kind == rotation.OpReset {
				r.State = rotation.Unseen
			}
		},
	}))
	for i, want := range []rotation.State{rotation.StateProven, rotation.StateUnproven} {
		m := w.Machines[i]
		if got := line(t, r, m.ID); got.State != want {
			t.Errorf("%s is %s: %s; want %s", m.ID, got.State, got.Reason, want)
		}
		if sent["reset "+m.ID] != 2 || stops(m) != 1 {
			t.Errorf("%s was reset %d times with %d stops; want twice, with one", m.ID, sent["reset "+m.ID], stops(m))
		}
	}
}

func TestBusyAndThrottledRequestsAreSentAgainWithGrowingPauses(t *testing.T) {
	busy := &rotation.RefusedError{Refusal: rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "another operation is in progress"}}
	for name, answer := range map[string]error{"throttled": rotation.ErrThrottled, "busy": busy} {
		for _, site := range []string{"stop", "reset", "start", "mark"} {
			if name == "busy" && site == "mark" {
				continue
			}
			t.Run(name+"/"+site, func(t *testing.T) {
				w := newWorld(t, whenStopped)
				add(w, 1, rotation.Running)
				var times []time.Time
				must(t, w, rotation.Request{}, rotation.Rotated, before(w, func(s rotationtest.Sent) error {
					if s.Site == site {
						if times = append(times, w.Now()); len(times) <= 4 {
							return answer
						}
					}
					return nil
				}))
				everywhere(t, w)
				if len(times) < 5 {
					t.Fatalf("%d tries; want 5", len(times))
				}
				for i := 1; i < 5; i++ {
					if d := times[i].Sub(times[i-1]); d <= 0 || d > 45*time.Second {
						t.Errorf("try %d came %v after the one before", i+1, d)
					}
				}
				if first, last := times[1].Sub(times[0]), times[4].Sub(times[3]); last < first {
					t.Errorf("the last pause, %v, is shorter than the first, %v", last, first)
				}
				if n := stops(w.Machines[0]); n != 1 {
					t.Errorf("it was stopped %d times; want once", n)
				}
			})
		}
	}
}

// A batch that waits stays one: sent again machine by machine it would be throttled all the more.
func TestBatchThatWaitsIsSentAgainAsOne(t *testing.T) {
	busy := rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "another operation is in progress"}
	for name, answer := range map[string]func([]string) error{
		"throttled": func([]string) error { return rotation.ErrThrottled },
		"busy, named": func(ids []string) error {
			e := &rotation.RefusedError{Refusal: busy, Machines: map[string]rotation.Refusal{}}
			for _, id := range ids {
				e.Machines[id] = busy
			}
			return e
		},
	} {
		for _, site := range []string{"mark", "stop", "reset", "start"} {
			if name != "throttled" && site == "mark" {
				continue
			}
			t.Run(name+"/"+site, func(t *testing.T) {
				w := newWorld(t, whenStopped)
				w.Batch(100)
				w.AtMost(99)
				add(w, 50, rotation.Running)
				sent, until := 0, time.Time{}
				must(t, w, rotation.Request{}, rotation.Rotated, policy(func(p *rotation.Policy) { p.Canary = -1 }), before(w, func(s rotationtest.Sent) error {
					if s.Site == site && (site != "mark" || s.Mark.State == rotation.MarkDown) {
						if sent++; sent == 1 {
							until = w.Now().Add(15 * time.Second)
						}
						if w.Now().Before(until) {
							return answer(s.IDs)
						}
					}
					return nil
				}))
				if sent > 14 { // in each of two regions, at pauses of 1, 2, 4, 8 and 16 s less the jitter
					t.Errorf("%d requests were sent for two batches that had to wait for 15 seconds; want at most 14", sent)
				}
			})
		}
	}
}

func TestRequestThatIsRefusedForEverEnds(t *testing.T) {
	lost := errors.New("connection reset by peer")
	for name, answer := range map[string]error{
		"throttled": rotation.ErrThrottled, "not applied": rotation.ErrNotApplied, "lost": lost,
		"busy":  &rotation.RefusedError{Refusal: rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "another operation is in progress"}},
		"state": &rotation.RefusedError{Refusal: rotation.Refusal{Kind: rotation.RefusedState, Reason: "not in that state"}},
	} {
		for _, site := range []string{"stop", "reset", "start", "mark", "restart"} {
			t.Run(name+"/"+site, func(t *testing.T) {
				w := newWorld(t, rotationtest.Kind{Boot: site == "restart"})
				add(w, 3, rotation.Running)
				tries := 0
				r, _ := do(w, rotation.Request{}, before(w, func(s rotationtest.Sent) error {
					if s.Site == site && slices.Contains(s.IDs, "m1") {
						tries++
						return answer
					}
					return nil
				}))
				if r.Outcome != rotation.Partial && !(site == "mark" && name == "busy") {
					t.Errorf("ended %s: %s; want partial", r.Outcome, r.Why)
				}
				if tries > 40 {
					t.Errorf("it was tried %d times", tries)
				}
				for _, m := range w.Machines {
					if m.ID != "m1" && m.Live == rotationtest.Baseline {
						t.Errorf("%s was held up (%s)", m.ID, line(t, r, m.ID).Reason)
					}
					if m.Power != rotation.Running && !(site == "start" && m.ID == "m1") {
						t.Errorf("%s is left %s", m.ID, m.Power)
					}
				}
				if got := line(t, r, "m1"); got.State != rotation.StateFailed && got.State != rotation.StateUnproven || got.Reason == "" {
					t.Errorf("m1 is %s: %q; want failed, with the reason", got.State, got.Reason)
				}
			})
		}
	}
}

func TestLostResetIsSentAgainAtMostAFewTimes(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		tries := 0
		do(w, rotation.Request{}, before(w, func(s rotationtest.Sent) error {
			if s.Site == "reset" && slices.Contains(s.IDs, "m1") {
				tries++
				return errors.New("connection reset by peer")
			}
			return nil
		}))
		if tries < 2 || tries > 15 {
			t.Errorf("a reset whose answer is lost was sent %d times; want again, at most 5 times for each of 3 stops", tries)
		}
	})
}

func TestOneMachineThatCannotBeMarkedHoldsUpNoOther(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Batch(50)
		w.Allow(1)
		add(w, 40, rotation.Running)
		r := must(t, w, rotation.Request{}, rotation.Rotated, exceptions(1), before(w, func(s rotationtest.Sent) error {
			if s.Site == "mark" && slices.Contains(s.IDs, "m20") {
				return errors.New("LimitExceeded: a machine has too many tags")
			}
			return nil
		}))
		if r.Counts.Proven != 39 {
			t.Errorf("%d of the 39 others are proven", r.Counts.Proven)
		}
		if m := machine(w, "m20"); stops(m) > 0 || m.Power != rotation.Running {
			t.Errorf("m20 was stopped without a mark")
		}
		says(t, line(t, r, "m20").Reason, "could not be marked", "too many tags")
		says(t, line(t, r, "m20").Remedy, "relock", "relock-secret")
	})
}

func TestMissingAuthorizationStopsTheRunAndStartsWhatIsDown(t *testing.T) {
	for _, site := range []string{"mark", "stop", "reset", "restart"} {
		t.Run(site, func(t *testing.T) {
			w := newWorld(t, rotationtest.Kind{Boot: site == "restart"})
			add(w, 8, rotation.Running)
			refusals, began := 0, w.Now()
			report, err := do(w, rotation.Request{}, policy(func(p *rotation.Policy) { p.Canary = 2 }), before(w, func(s rotationtest.Sent) error {
				if s.Site == site {
					refusals++
					return fmt.Errorf("AuthFailure: %w", rotation.ErrUnauthorized)
				}
				return nil
			}))
			if report.Outcome != rotation.Failure || !errors.Is(err, rotation.ErrUnauthorized) {
				t.Errorf("ended %s, %v; want failed for missing authorization", report.Outcome, err)
			}
			if refusals > 4 { // the two canaries, in two regions, and their marks
				t.Errorf("%d requests were refused before the run stopped", refusals)
			}
			if d := w.Now().Sub(began); d > 3*time.Minute {
				t.Errorf("the run took %v to stop", d)
			}
			for _, m := range w.Machines {
				if m.Power != rotation.Running {
					t.Errorf("%s is left %s", m.ID, m.Power)
				}
			}
			holds(t, w, 1, 2)
			w.Advance(time.Hour)
			must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		})
	}
}

func TestUnauthorizedStoreStoresAndSendsNothing(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	untouched(t, w, func() {
		report, err := do(w, rotation.Request{}, func(r *rotation.Rotator) { r.Store = denied{r.Store} })
		if report.Outcome != rotation.Failure || !errors.Is(err, rotation.ErrUnauthorized) {
			t.Errorf("ended %s, %v; want failed for missing authorization", report.Outcome, err)
		}
	})
}

type denied struct{ rotation.Store }

func (denied) Propose(context.Context, string, rotation.Version) (rotation.Version, error) {
	return rotation.Version{}, rotation.ErrUnauthorized
}

// What went wrong can be played again: the same world and the same faults give the same calls at the same times.
func TestSameWorldTwiceGivesTheSameCalls(t *testing.T) {
	onEvery(t, func(t *testing.T, _ *rotationtest.World) {
		play := func() (calls []string) {
			w := rotationtest.NewWorld(rotationtest.Kind{Labels: strings.Contains(t.Name(), "blind"), Boot: strings.Contains(t.Name(), "boot")})
			add(w, 9, rotation.Running)
			add(w, 2, rotation.Stopped)
			record := func(s rotationtest.Sent) error {
				calls = append(calls, fmt.Sprintf("%v %s %s %v %+v", w.Now(), s.Site, s.Region, s.IDs, s.Mark))
				return nil
			}
			for range 2 {
				r := w.Rotator()
				w.Tap(r, rotationtest.Tap{Before: record})
				marks := 0
				w.Run(r, rotation.Request{}, func(n int, site string) rotationtest.Fault {
					if site == "mark-down" { // what waits with nothing under way wakes at its own time
						if marks++; marks <= 2 {
							return rotationtest.Throttled
						}
					}
					if strings.HasPrefix(site, "store-") {
						return rotationtest.NoFault
					}
					return rotationtest.Fault([]string{"", "", "", "", "", "fail-before", "", "throttled", "fail-after", "", ""}[n%11])
				})
				w.Advance(time.Hour)
			}
			if w.Sites["reset"] < 4 {
				t.Fatalf("the runs did not get far: %q", w.Trace)
			}
			return append(calls, w.Trace...)
		}
		if a, b := play(), play(); !reflect.DeepEqual(a, b) {
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("call %d is once %q and once %q", i, a[i], b[i])
				}
			}
			t.Fatalf("once %d calls, once %d", len(a), len(b))
		}
	})
}

// farm is a Fleet, a Verifier and a Clock that many goroutines may use at once. Its machines are set while they run.
type farm struct {
	mu       sync.Mutex
	region   string
	now      time.Time
	live     map[string]string
	requests map[string][]string // done, by id
	under    int
	most     int
}

func newFarm(region string, n int) *farm {
	f := &farm{region: region, now: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC), live: map[string]string{}, requests: map[string][]string{}}
	for i := range n {
		f.live[fmt.Sprintf("%s-%03d", region, i)] = rotationtest.Baseline
	}
	return f
}

// enter counts how many calls are under way.
func (f *farm) enter() func() {
	f.mu.Lock()
	f.under++
	f.most = max(f.most, f.under)
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		f.under--
		f.mu.Unlock()
	}
}

func (f *farm) Region() string { return f.region }

func (f *farm) Describe(context.Context, rotation.Selector) ([]rotation.Instance, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rotation.Instance
	for id := range f.live {
		out = append(out, rotation.Instance{ID: id, Region: f.region, OS: rotation.Linux, Power: rotation.Running, Tags: map[string]string{"rotate": "yes"},
			Terms: rotation.Terms{Rules: rotation.TencentLinux(), MaxBatch: 1, Reported: true}})
	}
	return out, nil
}

func (f *farm) Reset(_ context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	op := rotation.Operation{Kind: rotation.OpReset, RequestID: fmt.Sprintf("%s-%d", f.region, len(f.requests)), Sent: f.now}
	for _, inst := range batch {
		f.live[inst.ID] = c.Password.Reveal()
		op.Instances = append(op.Instances, inst.ID)
	}
	f.requests[op.RequestID] = op.Instances
	return op, nil
}

func (f *farm) Observe(_ context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rotation.Result
	for _, op := range ops {
		for _, id := range op.Instances {
			out = append(out, rotation.Result{Instance: id, Kind: op.Kind, State: rotation.Done, Power: rotation.Running, RequestID: op.RequestID})
		}
	}
	return out, nil
}

func (f *farm) Mark(context.Context, []rotation.Instance, rotation.Mark) error {
	defer f.enter()()
	return nil
}

func (f *farm) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *farm) Wait(_ context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return nil
}

func TestManyRequestsAtOnceAreBoundedAndLoseNothing(t *testing.T) {
	for _, row := range []struct{ configured, want int }{{0, 16}, {16, 16}, {3, 3}, {1, 1}} {
		w := newWorld(t, whenStopped) // for its store
		a, b := newFarm("a", 100), newFarm("b", 60)
		r := w.Rotator()
		// The world is one goroutine's; the engine asks its store from one.
		r.Fleets, r.Clock, r.Verifier, r.Concurrency = []rotation.Fleet{a, b}, a, nil, row.configured
		var seen []rotation.Progress
		r.Progress = func(p rotation.Progress) { seen = append(seen, p) }
		r.Policy.Canary = -1
		report, err := r.Do(t.Context(), rotation.Request{})
		if err != nil || report.Outcome != rotation.Rotated || report.Counts.Record != 160 {
			t.Fatalf("ended %s, %v, %d proven by the record; want rotated, 160", report.Outcome, err, report.Counts.Record)
		}
		for _, f := range []*farm{a, b} {
			for id, p := range f.live {
				if p != w.Current() {
					t.Errorf("%s does not have what is current", id)
				}
			}
			if f.most > row.want {
				t.Errorf("%d calls were under way at once in region %s; want at most %d", f.most, f.region, row.want)
			}
		}
		last := seen[len(seen)-1]
		if last.Targets != 160 || last.Ended != 160 || last.Proven != 160 || last.Down != 0 || last.Generation != 2 {
			t.Errorf("progress ends at %+v; want 160 of 160", last)
		}
	}
}
