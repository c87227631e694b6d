package rotation

import (
	"context"
	"errors"
	"fmt"
)

// resume goes on with what is pending. Some machines may have it already: only a login, or a mark that names this very
// candidate, tells.
func (e *engine) resume(ctx context.Context) (Outcome, error) {
	e.fix(*e.pending, true)
	switch e.request.Step {
	case StepCreate:
		return e.created(ctx, *e.pending, "pending already; set comes next")
	case StepTest, StepFinish:
		e.run.proveOnly = true
	}
	return e.set(ctx, true)
}

// reconcile brings machines to current. It sends what the store keeps as a generation, not the copy that consumers read.
func (e *engine) reconcile(ctx context.Context) (Outcome, error) {
	if e.current == nil {
		return e.nothing(ctx, "the secret has no current version yet: relock rotate makes the first")
	}
	if e.birth == "" {
		return e.nothing(ctx, "nothing was rotated yet, and current is what a person put there: relock rotate makes the first generation")
	}
	kept, err := e.propose(ctx, Version{
		Generation: e.current.Generation, Baseline: true, Username: e.current.Username, Password: e.current.Password,
	})
	if err != nil {
		return Failure, fmt.Errorf("keep the current value before it is sent: %w", err)
	}
	if kept.Generation != e.current.Generation || !kept.SamePassword(*e.current) {
		return Failure, fmt.Errorf("the current version changed while this run looked at it: %w", ErrConflict)
	}
	if err := e.again(ctx, func() error { return e.read(ctx) }); err != nil {
		return Failure, err
	}
	if e.pending != nil || e.current == nil || !e.current.SamePassword(kept) {
		return Failure, fmt.Errorf("the secret changed while this run looked at it: %w", ErrConflict)
	}
	e.distrust = true
	e.fix(kept, true)
	return e.set(ctx, false)
}

// verifyAll logs in everywhere with the current version and changes nothing.
func (e *engine) verifyAll(ctx context.Context) (Outcome, error) {
	if e.current == nil {
		e.why = "the secret has no current version yet: relock rotate makes the first"
		return Nothing, nil
	}
	if e.Verifier == nil {
		return Failure, fmt.Errorf("%w: RELOCK_SSH_KNOWN_HOSTS is not set: without a host key no login can be tried", ErrConfig)
	}
	e.distrust = true
	e.fix(*e.current, true)
	e.run.proveOnly, e.run.readOnly = true, true
	e.excusePending()
	if err := e.loop(ctx); err != nil {
		e.why = err.Error()
		return Incomplete, nil
	}
	counts := e.counts()
	switch {
	case counts.Drifted > 0:
		e.why = "the current password is refused by " + machines(counts.Drifted)
		return Drift, nil
	default:
		return Verified, nil
	}
}

// excusePending leaves out the machines that an unfinished rotation is setting: that they refuse current is no drift.
func (e *engine) excusePending() {
	if e.pending == nil {
		return
	}
	for i := range e.run.machines {
		if m := &e.run.machines[i]; m.state == StateChecking && e.inst(i).Mark.names(e.secretMark(), e.pending.Generation) {
			m.state = StateUnproven
			m.why = Refusal{Reason: fmt.Sprintf("is being set to generation %d, which is pending", e.pending.Generation), Remedy: "relock resume"}
		}
	}
}

// nothing ends a run that sets no version. Machines that are owed a start get it all the same.
func (e *engine) nothing(ctx context.Context, why string) (Outcome, error) {
	e.rescue(ctx)
	e.why = why
	if left := e.left(); len(left) > 0 {
		return Failure, fmt.Errorf("%s down and owed a start: %v", machines(len(left)), left)
	}
	return Nothing, nil
}

// rescue starts the machines that an earlier invocation stopped and did not start again, in the regions that answer.
// Without the store it cannot tell whose mark a machine has, and starts every one in the scope: no mark asks for less.
func (e *engine) rescue(ctx context.Context) {
	e.acted = true
	if e.dry || e.request.Action == Verify || e.described == nil {
		return
	}
	v := Version{}
	if e.current != nil {
		v.Generation = e.current.Generation
	}
	if !e.stored {
		for f := range e.described {
			for i := range e.described[f] {
				if e.described[f][i].Mark.State == MarkDown {
					e.described[f][i].Mark.Secret = e.secretMark()
				}
			}
		}
	}
	e.fix(v, false)
	e.run.proveOnly = true
	for f := range e.run.fleets {
		e.run.fleets[f].marks = e.run.fleets[f].marks && e.stored // what a mark says is not known without the store
	}
	for i := range e.run.machines {
		m := &e.run.machines[i]
		m.mayTouch = false
		if !m.owed && !m.state.Final() {
			m.state = StatePlanned
		}
	}
	if err := e.loop(ctx); err != nil {
		e.run.warn("starting the machines that are owed a start: " + err.Error())
	}
}

// set runs the machines through, and promotes when that is the request's part.
func (e *engine) set(ctx context.Context, promote bool) (Outcome, error) {
	e.acted = true
	early := e.loop(ctx)
	if early == nil {
		early = e.lookBack(ctx)
	}
	outcome, err := e.judge(early, promote)
	if outcome != Rotated || !promote {
		return outcome, err
	}
	switch e.request.Step {
	case StepSet:
		e.advanced, e.why = true, "every machine that counts has the pending password; test comes next"
		return Incomplete, nil
	case StepTest:
		e.advanced, e.why = true, "every machine that counts is proven; finish comes next"
		return Incomplete, nil
	}
	if err := e.again(ctx, func() error { return e.Store.Promote(ctx, e.Secret, e.version) }); err != nil {
		if errors.Is(err, ErrConflict) {
			e.why = "the machines have the password, and the store moved on: " + err.Error()
			return Incomplete, nil
		}
		return Failure, fmt.Errorf("the machines have the password, and making it current failed; running again goes on there: %w", err)
	}
	return Rotated, nil
}

// judge says how the work on the machines ended, and why. Rotated means that the version may become current.
func (e *engine) judge(early error, promote bool) (Outcome, error) {
	c := e.counts()
	switch {
	case e.run.denied:
		return Failure, errors.Join(ErrUnauthorized, errors.New(e.run.halted))
	case c.Scope == 0:
		e.why = e.emptyScope()
		return Nothing, nil
	case early != nil:
		e.why = fmt.Sprintf("%d of %d machines are not finished: %v", c.Unfinished, c.Scope, early)
		return Incomplete, nil
	case e.run.halted != "" && c.Proven+c.Accepted == 0 && c.Unfinished > 0 && e.run.halted != "interrupted":
		return Failure, errors.New(e.run.halted)
	case c.Unfinished > 0 && (e.request.Step == StepTest || e.request.Step == StepFinish):
		e.why = fmt.Sprintf("%d of %d machines are not proven: the step set comes first", c.Unfinished, c.Scope)
		return Partial, nil
	case c.Unfinished > 0 && e.run.full:
		e.why = fmt.Sprintf("%d of %d machines are not finished: %d are down and do not start, and RELOCK_MAX_UNAVAILABLE=%v allows no more: start them by hand, then: relock resume",
			c.Unfinished, c.Scope, len(e.left()), e.policy.MaxUnavailable)
		return Partial, nil
	case c.Unfinished > 0:
		e.why = fmt.Sprintf("%d of %d machines are not finished: %s", c.Unfinished, c.Scope, e.unfinished())
		return Incomplete, nil
	case c.Waiting > 0 && c.Behind-c.Waiting <= e.policy.MaxExceptions && c.Behind > e.policy.MaxExceptions:
		e.why = machines(c.Waiting) + " will have the new password at the next boot; the version stays pending until they are proven"
		return Incomplete, nil
	case c.Behind > e.policy.MaxExceptions:
		e.why = fmt.Sprintf("%s left behind, RELOCK_MAX_EXCEPTIONS=%d allows %d; the version stays pending: mend them and run relock resume, or set RELOCK_MAX_EXCEPTIONS=%d",
			machines(c.Behind), e.policy.MaxExceptions, e.policy.MaxExceptions, c.Behind)
		if !promote {
			e.why = machines(c.Behind) + " not on the current generation"
		}
		return Partial, nil
	case c.Proven+c.Accepted == 0:
		e.why = "no machine of the scope could be set"
		return Nothing, nil
	case !promote && e.run.untouched():
		e.why = "every machine that counts has the current password"
		return Nothing, nil
	}
	return Rotated, nil
}

// unfinished says why planned machines were not begun.
func (e *engine) unfinished() string {
	now := e.clock().Now()
	switch {
	case e.run.halted != "":
		return e.run.halted
	case !e.closes.IsZero() && !now.Before(e.closes):
		return "RELOCK_SETTLE before the deadline nothing new is begun; relock resume goes on"
	case !e.policy.Window.Open(now):
		return "outside RELOCK_WINDOW (" + e.policy.Window.String() + ") nothing is stopped; relock resume goes on"
	case len(e.request.Only) > 0:
		return "the run was narrowed to some machines, and a version becomes current when all of the scope have it; relock resume goes on"
	case e.run.proveOnly:
		return "they are not proven yet"
	}
	return "relock resume goes on"
}

// untouched reports whether the run sent nothing to any machine.
func (r *run) untouched() bool {
	for i := range r.machines {
		if m := &r.machines[i]; m.sends > 0 || m.stops > 0 {
			return false
		}
	}
	return true
}

// left returns the machines that are still owed a start.
func (e *engine) left() []string {
	var out []string
	for i := range e.run.machines {
		if m := &e.run.machines[i]; m.owed && m.power != Running {
			out = append(out, m.id)
		}
	}
	return out
}
