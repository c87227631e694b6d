package rotation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestResumeGoesOnAfterTheDeadlineWithoutASecondStop(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.AtMost(2)
		add(w, 9, rotation.Running)
		for run := 0; ; run++ {
			if run == 9 {
				t.Fatalf("not done after %d invocations", run)
			}
			began := w.Now()
			var late []string
			settle := policy(func(p *rotation.Policy) { p.Settle = 3 * time.Minute })
			r, err := within(t, w, 5*time.Minute, rotation.Request{}, settle, before(w, func(s rotationtest.Sent) error {
				begins := map[string]string{"stop": "stop", "restart": "reset"}[takesDown(t)]
				if s.Site == begins && w.Now().Sub(began) >= 2*time.Minute {
					late = append(late, s.IDs...)
				}
				return nil
			}))
			if err != nil || len(late) > 0 {
				t.Fatalf("ended %v; stopped within RELOCK_SETTLE of the deadline: %v", err, late)
			}
			if used := w.Now().Sub(began); used > 5*time.Minute {
				t.Fatalf("the run used %v of 5m", used)
			}
			for _, m := range w.Machines {
				if m.Power != rotation.Running {
					t.Errorf("%s is left %s", m.ID, m.Power)
				}
			}
			if r.Outcome == rotation.Rotated {
				if run == 0 {
					t.Error("nothing was left to another invocation: the deadline was not near enough to try it")
				}
				break
			}
			if r.Outcome != rotation.Incomplete {
				t.Fatalf("ended %s: %s; want incomplete", r.Outcome, r.Why)
			}
			says(t, r.Why, "RELOCK_SETTLE", "relock resume")
			w.Advance(5 * time.Minute)
		}
		everywhere(t, w)
		for _, m := range w.Machines {
			if stops(m) != 1 {
				t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
			}
		}
	})
}

func TestDeadlineShorterThanSettleIsRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	for _, d := range []time.Duration{8 * time.Minute, time.Minute, 0} {
		untouched(t, w, func() {
			_, err := within(t, w, d, rotation.Request{})
			refused(t, err, "RELOCK_SETTLE", "8m0s")
		})
	}
	if _, err := within(t, w, 8*time.Minute+time.Second, rotation.Request{Action: rotation.Verify}); err != nil {
		t.Errorf("verify, which stops nothing: %v", err)
	}
}

// able is a fleet that can do all that a graceful restart takes.
type able interface {
	rotation.Fleet
	rotation.Power
	rotation.Marker
}

// silent is a fleet that never answers a reset.
type silent struct{ able }

func (silent) Reset(ctx context.Context, _ []rotation.Instance, _ rotation.Credential) (rotation.Operation, error) {
	<-ctx.Done()
	return rotation.Operation{}, ctx.Err()
}

// The platform ends a function at its deadline: a report that is not given until then is never given.
func TestRunReportsBeforeItsDeadlineAlthoughARequestIsNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, whenStopped)
		add(w, 2, rotation.Stopped)
		r := w.Rotator()
		r.Clock = nil // the time of the bubble, as that of contexts
		for i, f := range r.Fleets {
			r.Fleets[i] = silent{f.(able)}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		report, err, _ := w.RunContext(ctx, r, rotation.Request{}, nil)
		if err != nil || report.Outcome != rotation.Incomplete || ctx.Err() != nil {
			t.Errorf("ended %s: %s, %v, and its deadline: %v; want incomplete, before that", report.Outcome, report.Why, err, ctx.Err())
		}
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		everywhere(t, w)
	})
}

// A context that ends while machines are down leaves them to the next run.
func TestRunThatIsCancelledIsResumed(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		ctx, cancel := context.WithCancelCause(t.Context())
		r := w.Rotator()
		w.Tap(r, rotationtest.Tap{Before: func(s rotationtest.Sent) error {
			if s.Site == takesDown(t) {
				cancel(errors.New("the platform ends it"))
			}
			return nil
		}})
		report, err, _ := w.RunContext(ctx, r, rotation.Request{}, nil)
		if report.Outcome != rotation.Incomplete || err != nil || !strings.Contains(report.Why, "the platform ends it") {
			t.Errorf("ended %s: %s, %v; want incomplete with the cause", report.Outcome, report.Why, err)
		}
		w.Advance(time.Hour)
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		everywhere(t, w)
	})
}

func TestInterruptedRunBeginsNothingMoreAndEndsWhatItBegan(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 4, rotation.Running)
		interrupt := make(chan struct{})
		closed := false
		r := must(t, w, rotation.Request{}, rotation.Incomplete, func(r *rotation.Rotator) { r.Interrupt = interrupt }, before(w, func(s rotationtest.Sent) error {
			if s.Site == takesDown(t) && !closed {
				close(interrupt)
				closed = true
			}
			return nil
		}))
		says(t, r.Why, "interrupted")
		down := 0
		for _, m := range w.Machines {
			down += stops(m)
			if m.Power != rotation.Running {
				t.Errorf("%s is left %s", m.ID, m.Power)
			}
		}
		// Where the reset takes effect at the next boot, a restart that was not taken yet is left to the next run.
		if down > 1 || takesDown(t) == "stop" && w.Machines[0].Live == rotationtest.Baseline {
			t.Errorf("%d machines were stopped; want the canary alone, and it set", down)
		}
		for _, m := range w.Machines {
			if strings.Contains(m.Tags[rotation.MarkTag], "down") {
				t.Errorf("%s runs, and its mark %s says that a start is owed", m.ID, m.Tags[rotation.MarkTag])
			}
		}
	})
}
