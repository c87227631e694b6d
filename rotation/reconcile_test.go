package rotation_test

import (
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

var reconcile = rotation.Request{Action: rotation.Reconcile}

func TestReconcileBringsEveryMachineToCurrentAndTouchesNoOther(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		add(w, 5, rotation.Running)
		straggler, drifted := w.Machines[1], w.Machines[2]
		straggler.Broken, straggler.NoLogin = true, true
		must(t, w, rotation.Request{}, rotation.Rotated)
		straggler.Broken, straggler.NoLogin = false, false
		drifted.Live = rotationtest.Baseline // a person set it by hand
		newcomer := w.Add(rotation.Linux, rotation.Running)
		before := map[string]int{}
		for _, m := range w.Machines {
			before[m.ID] = stops(m)
		}
		w.Blame()
		r := must(t, w, reconcile, rotation.Rotated)
		everywhere(t, w)
		holds(t, w, 2, 0)
		if r.Counts.Proven != 6 || r.Counts.Behind != 0 {
			t.Errorf("%d of 6 are proven, %d behind", r.Counts.Proven, r.Counts.Behind)
		}
		for _, m := range w.Machines {
			want := btoi(m == straggler || m == drifted || m == newcomer)
			if got := stops(m) - before[m.ID]; got != want {
				t.Errorf("reconcile stopped %s %d times; want %d", m.ID, got, want)
			}
		}
		w.Advance(time.Hour)
		untouched(t, w, func() { must(t, w, reconcile, rotation.Nothing) })
	})
}

func TestReconcileLeavesMachinesAloneThatOpenWithCurrentThoughUnmarked(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		m := w.Add(rotation.Linux, rotation.Running) // made from an image that has it
		m.Live = w.Current()
		must(t, w, reconcile, rotation.Nothing)
		if stops(m) > 0 || m.Tags[rotation.MarkTag] != "2.ok" {
			t.Errorf("the machine that opens with current was stopped %d times, its mark is %q; want 0 and 2.ok", stops(m), m.Tags[rotation.MarkTag])
		}
	})
}

// Before the first rotation the secret holds what a person put there, and the machines are no business of relock's yet.
func TestReconcileBeforeTheFirstRotationTouchesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		untouched(t, w, func() {
			r := must(t, w, reconcile, rotation.Nothing)
			says(t, r.Why, "relock rotate")
		})
		must(t, w, rotation.Request{}, rotation.Rotated) // and is not in its way
		everywhere(t, w)
	})
}

func TestReconcileSendsWhatAPersonPutIntoCurrentOnceItIsKept(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		w.Human("Human-Pass-0001!")
		w.Blame()
		must(t, w, reconcile, rotation.Rotated)
		everywhere(t, w)
		if w.Current() != "Human-Pass-0001!" {
			t.Errorf("reconcile changed what a person put into current")
		}
		v := newest(t, w)
		if v.Generation != 3 || !v.Baseline || v.ID == string(rotation.Current) {
			t.Errorf("the newest version is %d (baseline %v, id %s); want 3, the person's value, kept", v.Generation, v.Baseline, v.ID)
		}
	})
}

func TestReconcileResumesWhatIsPending(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{Only: []string{"m1"}}, rotation.Incomplete)
		must(t, w, reconcile, rotation.Rotated)
		holds(t, w, 2, 0)
		everywhere(t, w)
	})
}

func TestReconcileOfMachinesHeldBackByPolicyDoesNotCallThemBehind(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	must(t, w, rotation.Request{}, rotation.Rotated)
	never := restart(rotation.RestartNever)
	untouched(t, w, func() { must(t, w, reconcile, rotation.Nothing, never) })
	w.Machines[1].Live = rotationtest.Baseline
	r := must(t, w, reconcile, rotation.Partial, never)
	if got := line(t, r, "m1"); got.State != rotation.StateHeld || !got.Counts {
		t.Errorf("m1, which refuses current and may not be stopped, is %s, counting %v; want held back, counting", got.State, got.Counts)
	}
	if stops(w.Machines[1]) != 1 {
		t.Error("m1 was stopped")
	}
}

// A login that cannot be tried, or fails for another reason, is no reason to take a machine down that was proven.
func TestReconcileDoesNotStopProvenMachinesForLoginsThatFail(t *testing.T) {
	for name, answer := range map[string]error{"cannot try": rotation.ErrCannotTry, "timeout": errTimeout} {
		t.Run(name, func(t *testing.T) {
			onEvery(t, func(t *testing.T, w *rotationtest.World) {
				add(w, 2, rotation.Running)
				must(t, w, rotation.Request{}, rotation.Rotated)
				untouched(t, w, func() {
					must(t, w, reconcile, rotation.Nothing, logins(func(rotation.Login) error { return answer }))
				})
			})
		})
	}
}

func TestReconcileWithoutLoginsRestsOnMarks(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	must(t, w, rotation.Request{}, rotation.Rotated)
	newcomer := w.Add(rotation.Linux, rotation.Running)
	must(t, w, reconcile, rotation.Rotated, noVerifier)
	everywhere(t, w)
	if stops(newcomer) != 1 || stops(w.Machines[0]) != 1 {
		t.Errorf("the newcomer was stopped %d times, a marked one %d; want once and not again", stops(newcomer), stops(w.Machines[0]))
	}
}
