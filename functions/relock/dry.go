package main

import (
	"context"
	"fmt"
	"time"

	"github.com/relock-project/relock/rotation"
)

// isDry reports whether a run sends nothing.
func (f fleet) isDry(req rotation.Request) bool {
	return req.DryRun || f.rotator.DryRun || req.Action == rotation.Plan
}

// foresee is the dry run of resume and reconcile while nothing is pending. The core's dry run tells what a rotation would
// do, and neither of the two begins one.
func (o *options) foresee(ctx context.Context, f fleet, req rotation.Request, overview rotation.Overview) (*rotation.Report, error) {
	now := time.Now().UTC()
	r := &rotation.Report{
		Secret: f.rotator.Secret, StoreName: f.rotator.StoreName, Action: req.Action, Outcome: rotation.Nothing, DryRun: true,
		Generation: overview.Current, From: overview.Current, Started: now, Ended: now, Stored: overview.Stored,
	}
	var err error
	if r.Machines, err = o.inventory(ctx, f); err != nil {
		r.Outcome, r.Why = rotation.Failure, err.Error()
		return r, err
	}
	for _, m := range r.Machines {
		tally(&r.Counts, m.State)
	}
	switch {
	case req.Action == rotation.Resume:
		r.Why = "nothing is pending"
	case overview.Current == 0:
		r.Why = "the secret has no current version yet: relock rotate makes the first"
	default:
		r.Outcome = rotation.Planned
		r.Why = fmt.Sprintf("would set generation %d on the %s not noted as having it, and try the others by login", r.Generation,
			counted(r.Counts.Unfinished, "machine"))
	}
	return r, nil
}

// tally counts a machine that nobody has touched.
func tally(c *rotation.Counts, s rotation.State) {
	c.Scope++
	switch s {
	case rotation.StateProven:
		c.Proven++
		c.Mark++
	case rotation.StateUnable:
		c.Unable++
	case rotation.StateHeld:
		c.Held++
	case rotation.StateFailed:
		c.Failed++
	default:
		c.Unfinished++
	}
}
