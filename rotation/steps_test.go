package rotation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// Each of the four steps proves its own precondition: nothing is remembered between them.
func TestFourStepsRotate(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		step := func(s rotation.Step) rotation.Request { return rotation.Request{Step: s, Token: "a"} }
		for range 2 {
			must(t, w, step(rotation.StepCreate), rotation.Incomplete)
			holds(t, w, 1, 2)
			if n := w.Sites["stop"] + w.Sites["reset"] + w.Sites["restart"]; n > 0 {
				t.Fatalf("create sent %d requests to machines", n)
			}
		}
		for range 2 {
			r := must(t, w, step(rotation.StepSet), rotation.Incomplete)
			says(t, r.Why, "test comes next")
			holds(t, w, 1, 2)
		}
		for range 2 {
			untouched(t, w, func() {
				r := must(t, w, step(rotation.StepTest), rotation.Incomplete)
				says(t, r.Why, "finish comes next")
			})
		}
		holds(t, w, 1, 2)
		must(t, w, step(rotation.StepFinish), rotation.Rotated)
		holds(t, w, 2, 0)
		everywhere(t, w)
		for _, s := range []rotation.Step{rotation.StepFinish, rotation.StepTest, rotation.StepSet, rotation.StepCreate} {
			untouched(t, w, func() { must(t, w, step(s), rotation.Nothing) })
		}
		for _, m := range w.Machines {
			if stops(m) != 1 {
				t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
			}
		}
	})
}

func TestStepWithoutItsPreconditionChangesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		for _, s := range []rotation.Step{rotation.StepSet, rotation.StepTest, rotation.StepFinish} {
			untouched(t, w, func() {
				_, err := do(w, rotation.Request{Step: s, Token: "a"})
				if !errors.Is(err, rotation.ErrConflict) || !strings.Contains(err.Error(), "create") {
					t.Errorf("%s with nothing pending: %v; want ErrConflict, that create comes first", s, err)
				}
			})
		}
		must(t, w, rotation.Request{Step: rotation.StepCreate, Token: "a"}, rotation.Incomplete)
		for _, s := range []rotation.Step{rotation.StepTest, rotation.StepFinish} {
			untouched(t, w, func() {
				r, err := do(w, rotation.Request{Step: s, Token: "a"})
				if err == nil || r.Outcome == rotation.Rotated {
					t.Errorf("%s before set ended %s, %v; want an error", s, r.Outcome, err)
				}
			})
			holds(t, w, 1, 2)
		}
	})
}

func TestStepAfterSetFailsWhileAMachineIsNotSet(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Stopped) // no login tells
		must(t, w, rotation.Request{Step: rotation.StepCreate, Token: "a"}, rotation.Incomplete)
		for _, s := range []rotation.Step{rotation.StepTest, rotation.StepFinish} {
			untouched(t, w, func() {
				r := must(t, w, rotation.Request{Step: s, Token: "a"}, rotation.Partial)
				says(t, r.Why, "the step set comes first")
			})
		}
		holds(t, w, 1, 2)
	})
}

func TestFinishProvesByItself(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{Step: rotation.StepCreate, Token: "a"}, rotation.Incomplete)
		must(t, w, rotation.Request{Step: rotation.StepSet, Token: "a"}, rotation.Incomplete)
		w.Machines[1].Live = rotationtest.Baseline
		delete(w.Machines[1].Tags, rotation.MarkTag)
		r, err := do(w, rotation.Request{Step: rotation.StepFinish, Token: "a"})
		if err == nil || r.Outcome == rotation.Rotated {
			t.Errorf("finish ended %s, %v, with a machine that refuses the candidate", r.Outcome, err)
		}
		if got := line(t, r, "m1"); strings.Contains(got.Reason, "current") {
			t.Errorf("m1: %q; it is the candidate that it refuses", got.Reason)
		}
		holds(t, w, 1, 2)
	})
}

func TestTestStepSendsNothingToThoseThatFail(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{Step: rotation.StepCreate, Token: "a"}, rotation.Incomplete)
		_, err := do(w, rotation.Request{Step: rotation.StepSet, Token: "a", Only: []string{"m0", "m2"}})
		if !errors.Is(err, rotation.ErrPartial) || !strings.Contains(err.Error(), "1 of 3") {
			t.Errorf("set of 2 machines of 3 = %v; want ErrPartial, so that nobody calls the next step", err)
		}
		got := changes(w, func() { do(w, rotation.Request{Step: rotation.StepTest, Token: "a"}) })
		for _, site := range []string{"reset", "stop", "restart", "store-point", "store-create"} {
			if got[site] > 0 {
				t.Errorf("the step test changed the world: %v", got)
			}
		}
	})
}

func TestMachineOfAnInterruptedStepIsNamed(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	w.Blame()
	must(t, w, rotation.Request{Step: rotation.StepCreate, Token: "a"}, rotation.Incomplete)
	r := must(t, w, rotation.Request{Step: rotation.StepSet, Token: "a"}, rotation.Partial, unlucky("m1"))
	if !slices.Contains(r.Next, "relock lookup m1") {
		t.Errorf("next is %q; want relock lookup m1 in it", r.Next)
	}
}
