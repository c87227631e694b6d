package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Why nothing is known of a machine, besides what a Verifier says.
var (
	errOutside   = fmt.Errorf("%w: the machine is not in the scope any more", ErrCannotTry)
	errClaimed   = fmt.Errorf("%w: the machine carries another secret's mark", ErrCannotTry)
	errNoLogins  = fmt.Errorf("%w: RELOCK_SSH_KNOWN_HOSTS is not set", ErrCannotTry)
	errUnderWay  = errors.New("the provider has an operation in progress on it, which may be a reset")
	errUnsettled = errors.New("its mark says that an older generation was being set, and not how that ended")
)

// witnesses asks every machine of the scope, and the marks of those that have left it.
func (e *engine) witnesses(ctx context.Context, f *Forgetting) error {
	inside := slices.Concat(e.described...)
	var outside []Instance
	err := e.again(ctx, func() (err error) {
		outside, err = e.strays(ctx, inside)
		return err
	})
	if err != nil {
		return err
	}
	answers := e.tryCurrent(ctx, inside)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for i, inst := range inside {
		f.add(e.witness(inst, f.Before, answers[i]))
	}
	for _, inst := range outside {
		f.add(e.witness(inst, f.Before, errOutside))
	}
	return nil
}

// strays returns the machines that carry this secret's mark and are not among those given.
func (e *engine) strays(ctx context.Context, inside []Instance) ([]Instance, error) {
	if e.birth == "" {
		return nil, nil // no machine was ever marked
	}
	known := map[string]bool{}
	for _, inst := range inside {
		known[inst.ID] = true
	}
	found, errs := make([][]Instance, len(e.Fleets)), make([]error, len(e.Fleets))
	marked := Selector{Tags: map[string][]string{SecretTag: e.secretMarks()}}
	e.each(len(e.Fleets), func(i int) {
		insts, err := e.Fleets[i].Describe(ctx, marked)
		if err != nil {
			errs[i] = fmt.Errorf("region %s: %w", e.Fleets[i].Region(), err)
		}
		e.adopt(insts)
		found[i] = slices.DeleteFunc(insts, func(inst Instance) bool {
			return known[inst.ID] || inst.Mark.Secret != e.secretMark()
		})
	})
	return slices.Concat(found...), errors.Join(errs...)
}

// tryCurrent logs in to machines with the current version, at most twice where there is no answer: it may have been a
// refusal.
func (e *engine) tryCurrent(ctx context.Context, insts []Instance) []error {
	answers := make([]error, len(insts))
	var open []int
	for i := range insts {
		switch {
		case e.claimed(&insts[i]):
			answers[i] = errClaimed
		case e.Verifier == nil:
			answers[i] = errNoLogins
		default:
			open = append(open, i)
		}
	}
	for try := 0; try < 2 && len(open) > 0; try++ {
		if try > 0 && e.clock().Wait(ctx, e.policy.PollInterval) != nil {
			break
		}
		logins := make([]Login, len(open))
		for n, i := range open {
			logins[n] = Login{Instance: insts[i], Credential: e.current.For(insts[i])}
		}
		for n, err := range e.Verifier.Verify(ctx, logins) {
			answers[open[n]] = err
		}
		open = slices.DeleteFunc(open, func(i int) bool {
			return answers[i] == nil || errors.Is(answers[i], ErrRejected) || errors.Is(answers[i], ErrCannotTry)
		})
	}
	return answers
}

// witness says what is known of a machine whose login with the current version was answered so: proven on a generation
// that is not below before, drifted, or unproven.
func (e *engine) witness(inst Instance, before int, answer error) MachineReport {
	m := MachineReport{
		ID: inst.ID, Name: inst.Name, Region: inst.Region, OS: inst.OS, State: StateUnproven, Power: inst.Power, Was: inst.Power,
		Counts: !errors.Is(answer, errOutside),
	}
	noted, ok := e.noted(inst.Mark, before)
	switch {
	case errors.Is(answer, ErrRejected):
		m.State = StateDrifted
		m.Reason = fmt.Sprintf("refuses generation %d, the current one", e.current.Generation)
		m.Remedy = "relock recover " + inst.ID + " finds which one opens it, relock reconcile sets the current one"
	case inst.Busy || inst.Power == Changing || inst.Terms.Refuse.Kind == RefusedBusy:
		answer = errUnderWay
	case e.unsettled(inst.Mark, before):
		answer = errUnsettled
	case answer == nil:
		m.State, m.Evidence, m.Generations = StateProven, ByLogin, []int{e.current.Generation}
		return m
	case ok:
		m.State, m.Evidence, m.Generations = StateProven, ByMark, []int{noted}
		return m
	}
	if m.State == StateUnproven {
		m.Reason = answer.Error()
	}
	if m.State == StateUnproven && m.Counts && inst.Terms.Refuse.Kind == RefusedUnable {
		m.Reason, m.Remedy = inst.Terms.Refuse.Reason, inst.Terms.Refuse.Remedy
	}
	for _, v := range candidates(e.history, e.current, nil, inst.Mark, e.secretMark()) {
		m.Generations = append(m.Generations, v.Generation)
	}
	m.Unknown = true
	return m
}

// noted returns the generation that a mark proves, if it is not below before, whichever of those kept the mark means.
func (e *engine) noted(mark Mark, before int) (int, bool) {
	if e.policy.Proof == ProofAccepted || mark.State != MarkOK {
		return 0, false // a mark then says no more than that the provider accepted
	}
	of := e.meant(mark)
	if len(of) == 0 || of[len(of)-1] < before {
		return 0, false
	}
	return of[0], true
}

// unsettled reports whether a mark speaks of a reset with a generation below before, whose outcome nobody noted.
func (e *engine) unsettled(mark Mark, before int) bool {
	of := e.meant(mark)
	return len(of) > 0 && of[len(of)-1] < before && (mark.State == MarkDown || mark.State == MarkUp)
}

// meant returns the kept generations that a mark of this secret may mean, newest first: it holds them modulo 140.
func (e *engine) meant(mark Mark) []int {
	var out []int
	for _, v := range e.history {
		if e.birth != "" && mark.names(e.secretMark(), v.Generation) {
			out = append(out, v.Generation)
		}
	}
	return out
}
