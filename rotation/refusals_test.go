package rotation_test

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

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
