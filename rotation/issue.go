package rotation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// issue makes the calls of a tick, several of each kind at once so that no kind waits for the quota of another, and
// returns their outcomes in order. After a fraction of a poll interval none is begun any more: the zero outcome stands for
// those, and the next tick decides anew. They are good until it is called again.
func (e *engine) issue(ctx context.Context, calls []call, now time.Time) []outcome {
	e.outcomes = slices.Grow(e.outcomes[:0], len(calls))[:len(calls)]
	clear(e.outcomes)
	until := now.Add(e.run.grain())
	if e.concurrency() == 1 || len(calls) == 1 {
		for i := range calls {
			e.begin(ctx, &calls[i], &e.outcomes[i], i == 0, until)
		}
	} else {
		e.issueAtOnce(ctx, calls, until)
	}
	return e.outcomes
}

func (e *engine) issueAtOnce(ctx context.Context, calls []call, until time.Time) {
	kinds := map[callKind][]int{}
	for i, c := range calls {
		kinds[c.kind] = append(kinds[c.kind], i)
	}
	var wg sync.WaitGroup
	for _, same := range kinds {
		wg.Go(func() {
			e.each(len(same), func(i int) { e.begin(ctx, &calls[same[i]], &e.outcomes[same[i]], i == 0, until) })
		})
	}
	wg.Wait()
}

// begin makes one call unless it is too late for that. The first is made in any case.
func (e *engine) begin(ctx context.Context, c *call, o *outcome, first bool, until time.Time) {
	if first || e.clock().Now().Before(until) {
		e.send(ctx, c, o)
		o.at = e.clock().Now()
	}
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
func (e *engine) send(ctx context.Context, c *call, o *outcome) {
	batch := e.asSeen(c.machines)
	switch c.kind {
	case callVerify:
		o.answers = e.logIn(ctx, batch)
		return
	case callMark:
		o.err = e.Fleets[c.fleet].(Marker).Mark(ctx, batch, c.mark)
	case callReset:
		o.op, o.err = e.reset(ctx, c, batch)
	default:
		o.op, o.err = e.power(ctx, c, batch)
	}
	e.logCall(ctx, c, o)
}

// inst is what the fleet says of a machine of the run.
func (e *engine) inst(at int) *Instance {
	f := e.run.machines[at].fleet
	return &e.described[f][at-e.firsts[f]]
}

// asSeen returns machines of the run, in its order, as they were seen last. Neighbours need no copy.
func (e *engine) asSeen(machines []int) []Instance {
	for _, at := range machines {
		e.inst(at).Power = e.run.machines[at].power
	}
	first, last := machines[0], machines[len(machines)-1]
	if f := e.run.machines[first].fleet; f == e.run.machines[last].fleet && last-first == len(machines)-1 {
		return e.described[f][first-e.firsts[f] : last-e.firsts[f]+1 : last-e.firsts[f]+1]
	}
	batch := make([]Instance, len(machines))
	for i, at := range machines {
		batch[i] = *e.inst(at)
	}
	return batch
}

func (e *engine) reset(ctx context.Context, c *call, batch []Instance) (Operation, error) {
	// What is sent is the version that was read back from the store, and nothing else.
	return e.Fleets[c.fleet].Reset(ctx, batch, e.version.For(batch[0]))
}

func (e *engine) power(ctx context.Context, c *call, batch []Instance) (Operation, error) {
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
	for i := range batch {
		logins[i].Instance, logins[i].Credential = batch[i], e.version.For(batch[i])
	}
	return e.Verifier.Verify(ctx, logins)
}

func (e *engine) logCall(ctx context.Context, c *call, o *outcome) {
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

// look is what a fleet answered to an Observe.
type look struct {
	results []Result
	err     error
}

// observe asks each fleet what run.due said, and returns when it had the answers.
func (e *engine) observe(ctx context.Context, due [][]Operation) moment {
	e.looks = slices.Grow(e.looks[:0], len(due))[:len(due)]
	defer clear(e.looks)
	e.each(len(due), func(f int) {
		if len(due[f]) > 0 {
			e.looks[f].results, e.looks[f].err = e.Fleets[f].Observe(ctx, due[f])
		}
	})
	now := e.now()
	for f, a := range e.looks {
		if a.err != nil {
			// What could not be seen is looked at again; what takes too long ends by its own time limits.
			e.log().Warn("relock.observe", "region", e.Fleets[f].Region(), "error", a.err.Error())
			if errors.Is(a.err, ErrUnauthorized) {
				e.run.denied = true
				e.run.halt("not authorized: " + a.err.Error())
			}
		}
		for i := range a.results {
			res := &a.results[i]
			if at, ok := e.index(f, res.Instance); ok {
				e.run.see(&e.run.machines[at], res, now)
			}
		}
	}
	return now
}
