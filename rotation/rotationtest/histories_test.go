package rotationtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// These are the shortest histories in which an earlier draft of the protocol lost a password or never ended. The world
// holds S0-S8 after every call of them.

// kinds are the clouds that a history is tried on.
func kinds() []rotationtest.Kind {
	return []rotationtest.Kind{{}, {Labels: true}, {CompareAndSet: true}}
}

// onEvery runs a history on every kind of store.
func onEvery(t *testing.T, history func(t *testing.T, w *rotationtest.World)) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			w := rotationtest.NewWorld(k)
			history(t, w)
			if len(w.Violations) > 0 {
				t.Errorf("%s\n%s", strings.Join(w.Violations, "\n"), strings.Join(w.Trace, "\n"))
			}
		})
	}
}

// do is one invocation, which must end as wanted.
func do(t *testing.T, w *rotationtest.World, req rotation.Request, want rotation.Outcome, change ...func(*rotation.Rotator)) *rotation.Report {
	t.Helper()
	r := w.Rotator()
	for _, f := range change {
		f(r)
	}
	report, err, _ := w.Run(r, req, nil)
	if report.Outcome != want {
		t.Fatalf("%s ended %s (%s, %v); want %s\n%s", req.Action, report.Outcome, report.Why, err, want, strings.Join(w.Trace, "\n"))
	}
	w.Advance(24 * time.Hour)
	return report
}

// answerable holds S2: lookup of every machine contains what opens it.
func answerable(t *testing.T, w *rotationtest.World) {
	t.Helper()
	for _, m := range w.Machines {
		a, err := w.Rotator().Lookup(t.Context(), m.ID)
		if err != nil {
			t.Fatalf("Lookup(%s): %v", m.ID, err)
		}
		found := false
		for _, v := range a.Versions {
			found = found || v.Password.Reveal() == m.Live
		}
		if !found {
			t.Errorf("Lookup(%s) does not contain what opens it", m.ID)
		}
	}
}

// stops is how often a machine was taken down, for whatever generation.
func stops(m *rotationtest.Machine) int {
	n := 0
	for _, times := range m.Stops {
		n += times
	}
	return n
}

func never(r *rotation.Rotator) {
	r.Policy.Restart, r.Policy.MaxExceptions = rotation.RestartNever, 10
}

func exceptions(n int) func(*rotation.Rotator) {
	return func(r *rotation.Rotator) { r.Policy.MaxExceptions = n }
}

// V1: a machine that policy skips keeps its old password, however many generations pass and are compacted.
func TestSkippedMachineStaysAnswerableForSixtyGenerations(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(10)
		w.Add(rotation.Linux, rotation.Stopped)
		w.Add(rotation.Linux, rotation.Running)
		for range 60 {
			do(t, w, rotation.Request{}, rotation.Rotated, never)
		}
		if w.Machines[1].Live != rotationtest.Baseline {
			t.Errorf("the skipped machine was set")
		}
		answerable(t, w)
	})
}

// V2: a machine that is created while a rotation runs, with what was current then, is found by reconcile.
func TestNewcomerWithTheOldPasswordIsReconciled(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		do(t, w, rotation.Request{}, rotation.Rotated)
		old := w.Current()
		do(t, w, rotation.Request{}, rotation.Rotated)
		w.Add(rotation.Linux, rotation.Running).Live = old
		answerable(t, w)
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		w.CheckEnd()
		if n := stops(w.Machines[0]); n != 2 {
			t.Errorf("reconcile stopped a machine that was on current")
		}
	})
}

// V3 a, c: a reset that is accepted in one generation and lands after two more is still answerable, and is healed.
func TestResetThatLandsTwoGenerationsLateIsHealed(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		first := true
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "reset" && first {
				first = false
				return rotationtest.Late
			}
			return rotationtest.NoFault
		})
		do(t, w, rotation.Request{}, rotation.Rotated)
		do(t, w, rotation.Request{}, rotation.Rotated)
		w.Land()
		answerable(t, w)
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		w.CheckEnd()
	})
}

// V3 b: a superseded candidate may still land; it stays readable.
func TestSupersededCandidateStaysReadable(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		sent := false
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			switch {
			case site == "reset":
				sent = true
				return rotationtest.Late
			case sent:
				return rotationtest.KillBefore
			}
			return rotationtest.NoFault
		})
		do(t, w, rotation.Request{NewCandidate: true}, rotation.Rotated)
		w.Land()
		answerable(t, w)
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		w.CheckEnd()
	})
}

// V4: a value that a person put into current is kept before anything replaces it.
func TestBaselineOfAnExceptionIsKept(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running).Broken = true
		for range 12 {
			do(t, w, rotation.Request{}, rotation.Rotated, exceptions(1))
		}
		if w.Machines[1].Live != rotationtest.Baseline {
			t.Fatalf("the broken machine was set")
		}
		answerable(t, w)
	})
}

// V10: the provider's record of an earlier month proves nothing to a run that adopts a candidate.
func TestAdoptionDoesNotTrustAnOldRecord(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		do(t, w, rotation.Request{}, rotation.Rotated) // leaves a record that says SUCCESS
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "reset" {
				return rotationtest.KillBefore
			}
			return rotationtest.NoFault
		})
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		w.CheckEnd()
	})
}

// V11: a narrowed run sets what it is narrowed to, and the version stays pending until all of the scope have it.
func TestNarrowedRunDoesNotPromote(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running)
		do(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete)
		if w.Current() != rotationtest.Baseline {
			t.Errorf("a narrowed run made a version current")
		}
		if w.Machines[1].Live != rotationtest.Baseline {
			t.Errorf("a narrowed run set a machine that it was not narrowed to")
		}
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		w.CheckEnd()
	})
}

// V12: a machine that refuses for ever never stops the others, and stays answerable.
func TestOneMachineThatNeverWorksStopsNobody(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		w.Add(rotation.Linux, rotation.Stopped)
		w.Add(rotation.Linux, rotation.Stopped).Broken = true
		for range 60 {
			before := w.Machines[0].Live
			do(t, w, rotation.Request{}, rotation.Rotated, exceptions(1))
			if w.Machines[0].Live == before {
				t.Fatal("the healthy machine was not rotated")
			}
		}
		answerable(t, w)
	})
}

// L2: without room for exceptions the others are still set, and partial names the value to set.
func TestPartialSetsTheOthersAndNamesTheValue(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		w.Add(rotation.Linux, rotation.Stopped).Broken = true
		report := do(t, w, rotation.Request{}, rotation.Partial)
		if w.Machines[0].Live == rotationtest.Baseline {
			t.Error("the healthy machine was not set")
		}
		if !strings.Contains(report.Why, "RELOCK_MAX_EXCEPTIONS=1") {
			t.Errorf("partial says %q; want it to name RELOCK_MAX_EXCEPTIONS=1", report.Why)
		}
		if w.Current() != rotationtest.Baseline {
			t.Error("a version became current although a machine that counts is behind")
		}
	})
}

// V13: with a version pending, reconcile goes on with it.
func TestReconcileResumesWhatIsPending(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "stop" {
				return rotationtest.KillAfter
			}
			return rotationtest.NoFault
		})
		w.Advance(time.Hour)
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		if w.Machines[0].Live == rotationtest.Baseline {
			t.Error("the pending version was not set")
		}
		w.CheckEnd()
		if n := stops(w.Machines[0]); n != 1 {
			t.Errorf("the machine was stopped %d times; it was down already", n)
		}
	})
}

// V14: a machine that relock stopped before it died is started by the next run, whatever that run is for.
func TestStoppedMachineIsStartedByWhoeverSeesIt(t *testing.T) {
	for _, action := range []rotation.Action{rotation.Rotate, rotation.Resume, rotation.Reconcile} {
		t.Run(string(action), func(t *testing.T) {
			onEvery(t, func(t *testing.T, w *rotationtest.World) {
				w.Add(rotation.Linux, rotation.Running)
				w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
					if site == "stop" {
						return rotationtest.KillAfter
					}
					return rotationtest.NoFault
				})
				w.Advance(time.Hour)
				do(t, w, rotation.Request{Action: action}, rotation.Rotated)
				w.CheckEnd()
			})
		})
	}
}

// W4, W8: what a person puts into current while a version is pending supersedes it; nothing overwrites it unseen.
func TestEditByHandSupersedesWhatIsPending(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "store-point" || site == "store-previous" {
				return rotationtest.KillBefore
			}
			return rotationtest.NoFault
		})
		w.Human("Human-Pass-0001")
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Nothing)
		if w.Current() != "Human-Pass-0001" {
			t.Errorf("resume overwrote what a person put into current")
		}
		do(t, w, rotation.Request{}, rotation.Rotated)
		w.CheckEnd()
		answerable(t, w)
	})
}

// W8: putting an older generation back by hand is no roll-back: the higher one is finished again.
func TestRollBackByHandIsFinishedForward(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		do(t, w, rotation.Request{}, rotation.Rotated)
		newest := w.Current()
		w.Human(rotationtest.Baseline)
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		if w.Current() != newest {
			t.Errorf("after a roll-back by hand current is %q; want the highest generation again", w.Current())
		}
		w.CheckEnd()
	})
}
