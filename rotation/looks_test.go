package rotation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// What a provider shows can be late, and the process can be frozen: these are the shortest histories of what random ones found.

// after gives faults to the calls of a site, one each, from the nth on.
func after(site string, nth int, faults ...rotationtest.Fault) func(int, string) rotationtest.Fault {
	seen := 0
	return func(_ int, s string) rotationtest.Fault {
		if s == site {
			seen++
			if i := seen - nth; i >= 0 && i < len(faults) {
				return faults[i]
			}
		}
		return rotationtest.NoFault
	}
}

// S6: a machine that looks show as running although it is down still counts as down, whenever that is.
func TestLooksThatAreOutOfDateFreeNoCapacity(t *testing.T) {
	for nth := 1; nth <= 30; nth++ {
		w := newWorld(t, whenStopped)
		w.AtMost(1)
		add(w, 3, rotation.Running)
		w.Run(w.Rotator(), rotation.Request{}, after("observe", nth, rotationtest.Stale, rotationtest.Stale))
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Nothing)
		w.CheckEnd()
	}
}

// S6: neither does a reset that was never carried out, or a start, before a look that is out of date.
func TestRequestsThatAreNotCarriedOutFreeNoCapacity(t *testing.T) {
	for _, site := range []string{"reset", "start"} {
		for nth := 5; nth <= 20; nth++ {
			w := newWorld(t, whenStopped)
			w.AtMost(1)
			add(w, 3, rotation.Running)
			stale := after("observe", nth, rotationtest.Stale)
			silent := after(site, 1, rotationtest.Silent)
			w.Run(w.Rotator(), rotation.Request{}, func(n int, s string) rotationtest.Fault {
				if f := stale(n, s); f != rotationtest.NoFault {
					return f
				}
				return silent(n, s)
			})
			must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Nothing)
			w.CheckEnd()
		}
	}
}

// S6: whoever runs again at once, after a process died at its stop, counts that machine although it still shows as running.
func TestStopThatDoesNotShowYetCountsAsDown(t *testing.T) {
	w := newWorld(t, whenStopped)
	w.Answer(rotationtest.Answers{LooksLate: true})
	w.AtMost(1)
	add(w, 3, rotation.Running)
	killed(t, w, rotation.Request{}, rotationtest.KillAfter, "stop", 1)
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	w.CheckEnd()
}

// S8: a clock that is set, or a process that is frozen, between a stop and the first look does not make the stop a failure.
func TestTimeThatNobodyLookedInIsNotCounted(t *testing.T) {
	for _, k := range []rotationtest.Kind{whenStopped, atBoot} {
		for _, f := range []rotationtest.Fault{rotationtest.ClockForward, rotationtest.ClockBack} {
			for nth := 1; nth <= 12; nth++ {
				w := newWorld(t, k)
				w.Answer(rotationtest.Answers{LooksLate: true})
				add(w, 2, rotation.Running)
				report, err, _ := w.Run(w.Rotator(), rotation.Request{}, after("observe", nth, f))
				if report.Outcome != rotation.Rotated {
					t.Errorf("%s, %s at look %d: ended %s, %v; want rotated", k, f, nth, report.Outcome, err)
				}
				w.CheckEnd()
			}
		}
	}
}

// S8: a run that lost its rights, and the answer to a start, still does not end while it can see that the machine is down.
func TestRunWithoutRightsStartsWhatItStopped(t *testing.T) {
	for nth := 1; nth <= 14; nth++ {
		w := newWorld(t, whenStopped)
		add(w, 2, rotation.Running)
		stale, lost, denied := after("observe", 3+nth, rotationtest.Stale), after("start", 1, rotationtest.FailBefore), after("observe", 3, rotationtest.Denied)
		w.Run(w.Rotator(), rotation.Request{}, func(n int, s string) rotationtest.Fault {
			// Each of them counts the calls: all are asked.
			all := []rotationtest.Fault{denied(n, s), stale(n, s), lost(n, s)}
			for _, f := range all {
				if f != rotationtest.NoFault {
					return f
				}
			}
			return rotationtest.NoFault
		})
		for _, m := range w.Machines {
			if m.Power != rotation.Running {
				t.Fatalf("%s is %s at the end, when look %d is out of date\n%s", m.ID, m.Power, 3+nth, strings.Join(w.Trace, "\n"))
			}
		}
	}
}

// L1: where the provider notes each machine's reset under an id of its own, a batch proves only its first machine. The others
// are sent one by one, and are proven.
func TestMachinesWithRequestIDsOfTheirOwnAreProven(t *testing.T) {
	for _, power := range []rotation.PowerState{rotation.Running, rotation.Stopped} {
		for _, starts := range []bool{false, true} {
			w := newWorld(t, whenStopped)
			w.Answer(rotationtest.Answers{OwnRequestIDs: true, StartsAfterReset: starts})
			w.Batch(4)
			for range 4 {
				w.Add(rotation.Windows, power)
			}
			w.Blame() // an outcome that nobody can tell may cost a further stop
			must(t, w, rotation.Request{}, rotation.Rotated)
			w.CheckEnd()
		}
	}
}

// S8: a restart that was refused because of another machine may have been carried out on the others: they are not restarted
// again.
func TestRestartThatARefusedBatchMayHaveDoneIsNotSentAgain(t *testing.T) {
	for nth := 1; nth <= 10; nth++ {
		w := newWorld(t, atBoot)
		w.Answer(rotationtest.Answers{HalfTaken: true, BootTooSoon: true})
		add(w, 3, rotation.Running)
		r := w.Rotator()
		r.Policy.Canary = -1
		if report, err, _ := w.Run(r, rotation.Request{}, after("restart", nth, rotationtest.Busy)); report.Outcome != rotation.Rotated {
			t.Fatalf("ended %s, %v; want rotated", report.Outcome, err)
		}
		for _, m := range w.Machines {
			for of, n := range m.Stops {
				if n != 1 {
					t.Errorf("%s was restarted %d times for %s, when restart %d was refused\n%s", m.ID, n, of, nth, strings.Join(w.Trace, "\n"))
				}
			}
		}
	}
}

// S8: a stop that was refused because of another machine may have been carried out on this one: whoever starts it meanwhile,
// it counts as one of the stops that are allowed.
func TestStopThatARefusedBatchMayHaveDoneIsAnAttempt(t *testing.T) {
	for look := 1; look <= 3; look++ { // before which somebody starts it; the first may have shown that it goes down
		w := newWorld(t, whenStopped)
		w.Answer(rotationtest.Answers{HalfTaken: true})
		add(w, 3, rotation.Running)
		m, stops, looks := w.Machines[2], 0, 0 // the second of its region
		r := w.Rotator()
		r.Policy.Canary = -1
		w.Tap(r, rotationtest.Tap{Before: func(s rotationtest.Sent) error {
			mine := slices.Contains(s.IDs, m.ID)
			if s.Site == "stop" && mine {
				stops++
			}
			if s.Site == "observe" && stops >= 2 && s.Region == m.Region {
				looks++
			}
			if s.Site == "observe" && looks == look || s.Site == "reset" && mine {
				looks++
				w.Advance(time.Minute) // its stop has ended by then
				w.Blame()
				m.Power = rotation.Running
			}
			return nil
		}})
		report, err, _ := w.Run(r, rotation.Request{}, after("stop", 1, rotationtest.Busy))
		if report.Outcome != rotation.Partial {
			t.Errorf("look %d: ended %s, %v; want partial: it is never reset", look, report.Outcome, err)
		}
		for of, n := range m.Stops {
			if n != 3 {
				t.Errorf("look %d: it was stopped %d times for %s; want 3\n%s", look, n, of, strings.Join(w.Trace, "\n"))
			}
		}
	}
}

// L1: a version that is listed and cannot be read yet is waited for.
func TestRunWaitsForAVersionThatCannotBeReadYet(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		for nth := 1; nth <= 3; nth++ {
			report, err, _ := w.Run(w.Rotator(), rotation.Request{Token: fmt.Sprint(nth)}, after("store-read", nth, rotationtest.Unreadable))
			if report.Outcome != rotation.Rotated {
				t.Errorf("read %d: ended %s, %v; want rotated", nth, report.Outcome, err)
			}
		}
	})
}
