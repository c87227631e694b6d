package rotation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// issue makes the calls of a tick, several of each kind at once so that no kind waits for the quota of another, and
// returns their outcomes in order. After a poll interval none is begun any more: nil stands for those, and the next tick
// decides anew.
func (e *engine) issue(ctx context.Context, calls []call) []*outcome {
	out := make([]*outcome, len(calls))
	until := e.clock().Now().Add(e.run.grain())
	begin := func(i int, first bool) {
		if first || e.clock().Now().Before(until) {
			o := e.send(ctx, calls[i])
			o.at = e.clock().Now()
			out[i] = &o
		}
	}
	if e.concurrency() == 1 {
		e.each(len(calls), func(i int) { begin(i, i == 0) })
		return out
	}
	kinds := map[callKind][]int{}
	for i, c := range calls {
		kinds[c.kind] = append(kinds[c.kind], i)
	}
	var wg sync.WaitGroup
	for _, same := range kinds {
		wg.Go(func() { e.each(len(same), func(i int) { begin(same[i], i == 0) }) })
	}
	wg.Wait()
	return out
}

// each runs f for 0 to n-1, at most Concurrency at once; with 1, in order on this goroutine.
func (r *Rotator) each(n int, f func(int)) {
	if r.concurrency() == 1 || n == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.concurrency())
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// send makes one call.
func (e *engine) send(ctx context.Context, c call) (o outcome) {
	batch := make([]Instance, len(c.machines))
	for i, at := range c.machines {
		batch[i] = e.insts[at]
		batch[i].Power = e.run.machines[at].power
	}
	switch c.kind {
	case callVerify:
		o.answers = e.logIn(ctx, batch)
		return o
	case callMark:
		o.err = e.Fleets[c.fleet].(Marker).Mark(ctx, batch, c.mark)
	case callReset:
		o.op, o.err = e.reset(ctx, c, batch)
	default:
		o.op, o.err = e.power(ctx, c, batch)
	}
	e.logCall(ctx, c, o)
	return o
}

func (e *engine) reset(ctx context.Context, c call, batch []Instance) (Operation, error) {
	// What is sent is the version that was read back from the store, and nothing else.
	return e.Fleets[c.fleet].Reset(ctx, batch, e.version.For(batch[0]))
}

func (e *engine) power(ctx context.Context, c call, batch []Instance) (Operation, error) {
	p := e.Fleets[c.fleet].(Power)
	switch c.kind {
	case callStop:
		return p.Stop(ctx, batch, c.force)
	case callStart:
		return p.Start(ctx, batch)
	case callRestart:
		return p.Restart(ctx, batch, c.force)
	}
	return Operation{}, fmt.Errorf("call %q: %w", c.kind, ErrNotApplied)
}

func (e *engine) logIn(ctx context.Context, batch []Instance) []error {
	logins := make([]Login, len(batch))
	for i, inst := range batch {
		logins[i] = Login{Instance: inst, Credential: e.version.For(inst)}
	}
	return e.Verifier.Verify(ctx, logins)
}

func (e *engine) logCall(ctx context.Context, c call, o outcome) {
	level, log := slog.LevelDebug, e.log()
	if o.err != nil {
		level = slog.LevelWarn
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []any{"call", c.kind, "region", e.Fleets[c.fleet].Region(), "machines", len(c.machines), "request", o.op.RequestID}
	if o.err != nil {
		attrs = append(attrs, "error", o.err.Error())
	}
	log.Log(ctx, level, "relock.call", attrs...)
}

// observe looks at everything that the run waits for.
func (e *engine) observe(ctx context.Context) {
	now := e.clock().Now()
	results := make([][]Result, len(e.Fleets))
	errs := make([]error, len(e.Fleets))
	asked := make([][]Operation, len(e.Fleets))
	for f := range e.Fleets {
		asked[f] = e.run.ops(f, now)
	}
	e.each(len(e.Fleets), func(f int) {
		if len(asked[f]) > 0 {
			results[f], errs[f] = e.Fleets[f].Observe(ctx, asked[f])
		}
	})
	now = e.clock().Now()
	for f := range e.Fleets {
		if errs[f] != nil {
			// What could not be seen is looked at again; what takes too long ends by its own time limits.
			e.log().Warn("relock.observe", "region", e.Fleets[f].Region(), "error", errs[f].Error())
			if errors.Is(errs[f], ErrUnauthorized) {
				e.run.denied = true
				e.run.halt("not authorized: " + errs[f].Error())
			}
		}
		for _, res := range results[f] {
			if at, ok := e.index(f, res.Instance); ok {
				e.run.see(&e.run.machines[at], res, now)
			}
		}
	}
}
