package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// preflight asks the fleets that can tell which machines a reset would not reach, before anything is proposed or sent. What
// they say stands for the whole run. It is economy: what is not known is found out by the reset itself.
func (e *engine) preflight(ctx context.Context) error {
	if !e.sends() {
		return nil
	}
	e.unable = map[string]Refusal{}
	for f, fleet := range e.Fleets {
		p, ok := fleet.(Preflighter)
		if !ok {
			continue
		}
		for batch := range slices.Chunk(e.untold(f), e.batch(f)) {
			refused, err := p.Preflight(ctx, batch)
			if errors.Is(err, ErrUnauthorized) || ctx.Err() != nil {
				return fmt.Errorf("region %s: check the machines before a reset: %w", fleet.Region(), err)
			}
			if err != nil {
				e.run.warn(fmt.Sprintf("%s of %s could not be checked before the reset: %v", machines(len(batch)), fleet.Region(), err))
			}
			for _, inst := range batch {
				if why, ok := refused[inst.ID]; ok {
					why.Kind = RefusedUnable
					e.unable[inst.ID] = why
				}
			}
		}
		e.tellUnable(f)
	}
	return nil
}

// sends reports whether the request may send a password.
func (e *engine) sends() bool {
	switch {
	case e.request.Action == Verify, e.request.Step == StepTest, e.request.Step == StepFinish:
		return false
	case e.request.Action == Resume:
		return e.pending != nil
	}
	return true
}

// untold are the machines of a fleet that may be sent a password and are not proven on it already.
func (e *engine) untold(fleet int) []Instance {
	var out []Instance
	for i := range e.described[fleet] {
		inst := &e.described[fleet][i]
		if e.standing(fleet, inst).state == StatePlanned && e.asked(inst.ID) && !e.proven(inst) {
			out = append(out, *inst)
		}
	}
	return out
}

// proven reports whether the machine's mark says that it is proven on what this run would send, or waits for its boot with
// it: a mark of the pending generation, or else of current's.
func (e *engine) proven(inst *Instance) bool {
	v := e.pending
	if v == nil && e.request.Action == Reconcile {
		v = e.current
	}
	return v != nil && !e.request.NewCandidate && inst.Mark.names(e.secretMark(), v.Generation) &&
		(inst.Mark.State == MarkOK || inst.Mark.State == MarkWait)
}

// batch is how many machines one request of a fleet may name.
func (e *engine) batch(fleet int) int {
	limit := 1
	for i := range e.described[fleet] {
		limit = max(limit, e.described[fleet][i].Terms.MaxBatch)
	}
	if e.policy.BatchSize > 0 {
		limit = min(limit, e.policy.BatchSize)
	}
	return limit
}

// tellUnable adds what was found out to what the provider's list says.
func (e *engine) tellUnable(fleet int) {
	for i := range e.described[fleet] {
		inst := &e.described[fleet][i]
		if why, ok := e.unable[inst.ID]; ok && inst.Terms.Refuse.Kind != RefusedUnable {
			inst.Terms.Refuse = why
		}
	}
}
