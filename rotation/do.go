package rotation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Do runs one invocation. It always returns a Report, beside an error when the outcome is failed or partial; such an
// error matches ErrConfig when a person has to correct something and nothing was sent or stored. Running it again is
// always safe.
func (r *Rotator) Do(ctx context.Context, req Request) (*Report, error) {
	e := &engine{Rotator: r, request: req, policy: r.Policy.withDefaults(), began: r.clock().Now()}
	if e.request.Action == "" {
		e.request.Action = Rotate
	}
	e.dry = r.DryRun || req.DryRun || req.Action == Plan
	outcome, err := Failure, e.check(ctx)
	ctx, cancel := e.untilEnd(ctx)
	defer cancel()
	if err == nil {
		outcome, err = e.act(ctx)
	}
	if err != nil && !e.acted {
		e.rescue(ctx)
	}
	report := e.report(ctx, outcome, err)
	e.logDrift()
	if log := e.log(); log.Enabled(ctx, slog.LevelInfo) {
		log.Info("relock.report", report.headline("report", report.logged())...)
	}
	if err == nil && outcome == Partial {
		err = fmt.Errorf("%w: %s", ErrPartial, report.Why)
	}
	if err == nil {
		err = e.stepped(outcome)
	}
	return report, err
}

// act does what was asked, and says why the outcome is what it is in e.why.
func (e *engine) act(ctx context.Context) (Outcome, error) {
	if e.request.Ignored != "" {
		e.acted, e.why = true, e.request.Ignored
		return Nothing, nil
	}
	if done, err := e.admit(ctx); err != nil {
		return Failure, err
	} else if done {
		return Nothing, nil
	}
	// The store is read before the machines are described: the targets of a resumed rotation are thereby those that
	// exist after its candidate was read back.
	readErr := e.again(ctx, func() error { return e.read(ctx) })
	e.stored = readErr == nil
	if err := errors.Join(readErr, e.again(ctx, func() error { return e.describe(ctx) })); err != nil {
		return Failure, err
	}
	if err := e.checkOnly(); err != nil {
		return Failure, err
	}
	if err := e.preflight(ctx); err != nil {
		return Failure, err
	}
	switch {
	case e.request.Action == Verify:
		return e.verifyAll(ctx)
	case e.dry:
		return e.plan()
	case e.pending != nil && !e.request.NewCandidate && !e.mustSupersede():
		return e.resume(ctx)
	case e.request.Step != "" && e.request.Step != StepCreate:
		return e.tooEarly(ctx)
	case e.request.Action == Resume:
		return e.nothing(ctx, "nothing is pending")
	case e.request.Action == Reconcile:
		return e.reconcile(ctx)
	}
	return e.rotate(ctx)
}

// check refuses a request that cannot be carried out, before anything is asked of anyone.
func (e *engine) check(ctx context.Context) error {
	if err := e.request.Validate(); err != nil {
		return err
	}
	_, stepper := e.Store.(Stepper)
	if asked := stepper && e.request.Step != ""; !asked && e.request.Secret != "" && e.request.Secret != e.Secret {
		return fmt.Errorf("%w: the event names the secret %q, this function is for RELOCK_SECRET=%s: an event cannot choose another", ErrConfig, e.request.Secret, e.Secret)
	}
	if e.Scope.IsZero() {
		return fmt.Errorf("%w: neither RELOCK_INSTANCES nor RELOCK_TAGS is set: say which machines are meant", ErrConfig)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := deadline.Sub(e.began)
	e.ends = deadline.Add(-min(5*time.Second, left/10, e.policy.Settle/10))
	if e.dry || e.request.Action == Verify {
		return nil
	}
	if left <= e.policy.Settle {
		return fmt.Errorf("%w: the invocation has %s, and RELOCK_SETTLE keeps the last %s for what is in flight: raise the function's timeout or lower RELOCK_SETTLE", ErrConfig, left.Round(time.Second), e.policy.Settle)
	}
	e.closes = deadline.Add(-e.policy.Settle)
	return nil
}

// untilEnd returns a context that ends when the loop does: a request that is never answered must not take the time that
// the report needs, because the platform ends the function at its deadline.
func (e *engine) untilEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.ends.IsZero() {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, e.ends.Sub(e.began), errOutOfTime)
}

// checkOnly refuses ids outside the scope: an event can only narrow it.
func (e *engine) checkOnly() error {
	var outside []string
	for _, id := range e.request.Only {
		if !slices.ContainsFunc(e.described, func(insts []Instance) bool {
			return slices.ContainsFunc(insts, func(inst Instance) bool { return inst.ID == id })
		}) {
			outside = append(outside, id)
		}
	}
	if len(outside) > 0 {
		return fmt.Errorf("%w: only: %s: not in the configured scope (%s): a request can narrow it, never widen it", ErrConfig, strings.Join(outside, ", "), e.regions())
	}
	return nil
}

// read asks the store for all that it has, in one look: what is pending and what the next number is belong together.
func (e *engine) read(ctx context.Context) error {
	history, err := e.Store.History(ctx, e.Secret)
	if err != nil {
		return fmt.Errorf("read the secret: %w", err)
	}
	e.history, e.current, e.pending, e.birth = history, nil, nil, ""
	for i := range history {
		v := &history[i]
		switch v.Stage {
		case Current:
			e.current = v
		case Pending:
			e.pending = v
		}
	}
	e.birth = birthOf(history)
	return nil
}

// birthOf returns the secret's birth: that of the newest candidate. An invocation that knew of none, and was frozen since,
// may have stored another with a lower number. What a person stored says it when no candidate does.
func birthOf(history []Version) string {
	found := ""
	for _, v := range history {
		if v.Birth != "" && !v.Baseline {
			return v.Birth
		}
		if v.Birth != "" {
			found = v.Birth
		}
	}
	return found
}

// describe lists the machines of every fleet. After an error those that answered are still in e.described.
func (e *engine) describe(ctx context.Context) error {
	e.described = make([][]Instance, len(e.Fleets))
	errs := make([]error, len(e.Fleets))
	e.each(len(e.Fleets), func(f int) {
		insts, err := e.Fleets[f].Describe(ctx, e.Scope)
		if err != nil {
			errs[f] = fmt.Errorf("region %s: %w", e.Fleets[f].Region(), err)
			return
		}
		e.described[f] = e.inScope(insts)
		e.adopt(e.described[f])
		e.tellUnable(f)
	})
	return errors.Join(errs...)
}

// inScope returns those of the machines that are in the scope, each once and in the order of their ids. Mostly that is how
// they come.
func (e *engine) inScope(insts []Instance) []Instance {
	in, ascending := insts[:0], true
	for i := range insts {
		if inst := &insts[i]; e.Scope.Matches(inst.ID, inst.Tags) {
			ascending = ascending && (len(in) == 0 || in[len(in)-1].ID < inst.ID)
			in = append(in, *inst)
		}
	}
	clear(insts[len(in):])
	if ascending {
		return in
	}
	slices.SortFunc(in, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	// A machine that was created between two pages shifts the others: one of them is on both.
	return slices.CompactFunc(in, func(a, b Instance) bool { return a.ID == b.ID })
}

// mustSupersede reports whether the pending candidate breaks the rules of a machine that it is for. Only rotate may then
// make another, once.
func (e *engine) mustSupersede() bool {
	if e.request.Action != Rotate && e.request.Action != Plan || e.request.Step != "" && e.request.Step != StepCreate {
		return false
	}
	rules, _, err := join(e.everyRules())
	if err != nil || len(rules.Check(e.pending.Password)) == 0 || !rules.satisfiable() {
		return false
	}
	e.run.warn(fmt.Sprintf("generation %d was pending and breaks the rules of its machines: superseded", e.pending.Generation))
	return true
}

// tooEarly answers one of the later steps while nothing is pending: the rotation is over, or was never begun.
func (e *engine) tooEarly(ctx context.Context) (Outcome, error) {
	if why := e.seen(); why != "" {
		e.advanced = true
		return e.nothing(ctx, why)
	}
	return Failure, fmt.Errorf("step %s: nothing is pending, the step create comes first: %w", e.request.Step, ErrConflict)
}

// rotate begins a generation.
func (e *engine) rotate(ctx context.Context) (Outcome, error) {
	// An event whose own candidate is superseded is not done.
	if why := e.seen(); why != "" && !e.request.NewCandidate && e.pending == nil {
		e.advanced = true
		return e.nothing(ctx, why)
	}
	if e.total() > 0 {
		if err := e.refusal(); err != nil {
			return Failure, err
		}
	}
	if e.count() == 0 {
		return e.nothing(ctx, e.emptyScope())
	}
	v, err := e.candidate()
	if err != nil {
		return Failure, err
	}
	stored, err := e.propose(ctx, v)
	if err != nil {
		return Failure, fmt.Errorf("store generation %d: nothing was sent: %w", v.Generation, err)
	}
	e.birth = stored.Birth
	e.pending = &stored
	if len(e.history) == 0 || e.history[0].Generation < stored.Generation {
		e.history = append([]Version{stored}, e.history...) // what may open a machine from now on
	}
	e.log().Info("relock.candidate", "generation", stored.Generation, "token", stored.Token)
	if e.request.Step == StepCreate {
		return e.created(ctx, stored, "created; set comes next")
	}
	// The targets are those that exist now, after the candidate was read back. Later machines are newcomers.
	if err := e.again(ctx, func() error { return e.describe(ctx) }); err != nil {
		return Failure, err
	}
	e.fix(stored, !stored.SamePassword(v))
	return e.set(ctx, true)
}

// propose offers v to the store.
func (e *engine) propose(ctx context.Context, v Version) (stored Version, err error) {
	err = e.again(ctx, func() error {
		stored, err = e.Store.Propose(ctx, e.Secret, v)
		return err
	})
	return stored, err
}

// again repeats what may be repeated, a few times with growing pauses, while its error could be another one next time: for 7
// seconds, and for half a minute while the store is behind.
func (e *engine) again(ctx context.Context, f func() error) error {
	for try := 0; ; try++ {
		err := f()
		behind := errors.Is(err, errUnlisted)
		if err == nil || try == 5 || try == 3 && !behind || ctx.Err() != nil {
			return err
		}
		for _, final := range []error{ErrConfig, ErrUnauthorized, ErrNotFound, ErrConflict, ErrFull} {
			if errors.Is(err, final) && !behind {
				return err
			}
		}
		if e.clock().Wait(ctx, min(e.policy.PollInterval, time.Second)<<try) != nil {
			return err
		}
	}
}

// seen says why an event that comes a second time is done already; empty when it does not.
func (e *engine) seen() string {
	var newest time.Time
	for _, v := range e.history {
		if e.request.Token != "" && v.Token == e.request.Token {
			return fmt.Sprintf("this event's rotation has been: generation %d", v.Generation)
		}
		// One from the future was made by a clock that was wrong, and says nothing about this event.
		if v.Created.After(newest) && !v.Created.After(e.began) {
			newest = v.Created
		}
	}
	if !e.request.Time.IsZero() && !e.request.Time.After(newest) {
		return fmt.Sprintf("the event is of %s, and the newest generation was made at %s", e.request.Time.UTC().Format(time.RFC3339), newest.Format(time.RFC3339))
	}
	return ""
}

// candidate makes the version to propose.
func (e *engine) candidate() (_ Version, err error) {
	v := Version{Generation: 1, Username: e.Username, Token: e.request.Token, Birth: e.birth}
	if len(e.history) > 0 {
		v.Generation = e.history[0].Generation + 1
	}
	if e.current != nil {
		v.Extra = e.current.Extra
		if e.Username == "" {
			v.Username = e.current.Username
		}
	}
	if v.Password, err = e.generate(v.Username); err != nil {
		return Version{}, err
	}
	v.Created = e.began.UTC().Truncate(time.Second)
	if v.Token == "" {
		if v.Token, err = e.random(8); err != nil {
			return Version{}, err
		}
		v.Token = "manual:" + v.Created.Format(time.RFC3339) + ":" + v.Token
	}
	if v.Birth == "" {
		if v.Birth, err = e.random(6); err != nil {
			return Version{}, err
		}
	}
	return v, nil
}

// generate draws a password for the whole scope. That there is one, drawing it tells; rules tells why there is none.
func (e *engine) generate(user string) (Password, error) {
	rules, _, err := join(e.everyRules())
	if err == nil {
		if user != "" {
			rules = rules.WithUsers(user)
		}
		var drawn Password
		if drawn, err = rules.Generate(e.Recipe); err == nil {
			return drawn, nil
		}
	}
	if _, none := e.rules(); none != nil {
		return Password{}, none
	}
	return Password{}, fmt.Errorf("generate a password: %w", err)
}

// count is how many machines of the scope a rotation could set now.
func (e *engine) count() int {
	n := 0
	for f, insts := range e.described {
		for i := range insts {
			if e.standing(f, &insts[i]).state == StatePlanned {
				n++
			}
		}
	}
	return n
}

// total is how many machines the scope has.
func (e *engine) total() int {
	n := 0
	for _, insts := range e.described {
		n += len(insts)
	}
	return n
}

func (e *engine) emptyScope() string {
	total := e.total()
	if total == 0 {
		return fmt.Sprintf("no machine in %s matches RELOCK_INSTANCES and RELOCK_TAGS: correct them if there should be some", e.regions())
	}
	return fmt.Sprintf("none of the %d machines of the scope can be reset now", total)
}
