package rotationtest_test

import (
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// firstAt gives the first call of a site a fault.
func firstAt(site string, f rotationtest.Fault) func(int, string) rotationtest.Fault {
	done := false
	return func(_ int, at string) rotationtest.Fault {
		if done || at != site {
			return rotationtest.NoFault
		}
		done = true
		return f
	}
}

// during runs one invocation with another one frozen at the first call of a site, and fails when there was no such call.
func during(t *testing.T, w *rotationtest.World, frozen rotation.Request, site string, other func()) {
	t.Helper()
	ran := false
	w.Meanwhile(func() { ran = true; other() })
	w.Run(w.Rotator(), frozen, firstAt(site, rotationtest.Overtaken))
	if !ran {
		t.Fatalf("there was no %s to be frozen at", site)
	}
}

// V3 d: a reconcile that read what was current before a rotation sends it after that rotation. Both passwords stay readable,
// and the next reconcile heals it.
func TestReconcileThatIsLateIsHealed(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		m := w.Add(rotation.Linux, rotation.Running)
		do(t, w, rotation.Request{}, rotation.Rotated)
		old := w.Current()
		w.Console(m, "Console-Pass-0001")
		during(t, w, rotation.Request{Action: rotation.Reconcile}, "mark-down", func() { do(t, w, rotation.Request{}, rotation.Rotated) })
		if w.Current() == old {
			t.Fatal("the rotation that came between is undone")
		}
		answerable(t, w)
		w.Advance(time.Hour)
		w.Run(w.Rotator(), rotation.Request{Action: rotation.Reconcile}, nil)
		w.CheckEnd()
	})
}

// V15: a machine is proven, and before its version is promoted another invocation's newer password lands on it. Nothing is
// lost, and running again ends on the newer one.
func TestNewerPasswordThatLandsBeforeAPromotionIsFinished(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		m := w.Add(rotation.Linux, rotation.Running)
		during(t, w, rotation.Request{}, "mark-ok", func() {
			w.Run(w.Rotator(), rotation.Request{NewCandidate: true}, firstAt("start", rotationtest.KillBefore))
		})
		answerable(t, w)
		w.Advance(time.Hour)
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		if m.Live != w.Current() {
			t.Errorf("the machine opens with %q; want the newest generation, which is current", m.Live)
		}
		w.CheckEnd()
	})
}

// V14: of two invocations at once each stops a machine at most once where nothing fails.
func TestTwoAtOnceStopAMachineOnceEach(t *testing.T) {
	for _, site := range []string{"mark-down", "stop", "reset", "start", "verify", "mark-ok"} {
		t.Run(site, func(t *testing.T) {
			onEvery(t, func(t *testing.T, w *rotationtest.World) {
				m := w.Add(rotation.Linux, rotation.Running)
				during(t, w, rotation.Request{}, site, func() { w.Run(w.Rotator(), rotation.Request{}, nil) })
				w.Advance(time.Hour)
				w.Run(w.Rotator(), rotation.Request{Action: rotation.Resume}, nil)
				if n := stops(m); n > 2 {
					t.Errorf("the machine was stopped %d times; want once for each invocation at most", n)
				}
				w.CheckEnd()
			})
		})
	}
}
