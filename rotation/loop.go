package rotation

import (
	"context"
	"errors"
	"sort"
	"strings"
	"time"
)

// index finds a machine; run.machines are sorted by fleet and id.
func (e *engine) index(fleet int, id string) (at int, ok bool) {
	first := e.firsts[fleet]
	at, ok = sort.Find(len(e.described[fleet]), func(i int) int { return strings.Compare(id, e.run.machines[first+i].id) })
	return first + at, ok
}

// now is the time in the run.
func (e *engine) now() moment { return e.run.moment(e.clock().Now()) }

// loop runs ticks until nothing is left to do or to wait for, or time is up. It returns the reason for ending early.
func (e *engine) loop(ctx context.Context) error {
	e.loops++
	for {
		now := e.now()
		e.run.tick = now
		e.ticks(now)
		if e.outOfTime(now.Time) {
			return errOutOfTime
		}
		if e.interrupted() {
			e.run.halt("interrupted")
		}
		if due := e.run.due(now); due != nil {
			now = e.observe(ctx, due)
		}
		calls := e.run.decide(now)
		if len(calls) > 0 {
			for i, o := range e.issue(ctx, calls, now.Time) {
				if !o.at.IsZero() {
					e.run.fold(calls[i], o, e.run.moment(o.at))
				}
			}
		}
		e.tell()
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if len(calls) > 0 {
			continue
		}
		if e.run.settled(now) {
			return nil
		}
		if err := e.clock().Wait(ctx, e.run.pause(now)); err != nil {
			return err
		}
	}
}

// lookBack looks once more at the machines that this run took down or whose mark it wrote: its stop may have come late, and
// another invocation may have noted one of them as down just before, and died. A machine that was running is running when we
// are done with it.
func (e *engine) lookBack(ctx context.Context) error {
	for i := range e.run.machines {
		m := &e.run.machines[i]
		m.doubt = (m.wrote || m.stops > 0) && m.was == Running && !m.owed && !m.working()
	}
	if due := e.run.due(e.now()); due != nil {
		e.observe(ctx, due)
	}
	for i := range e.run.machines {
		e.run.machines[i].doubt = false
	}
	return e.loop(ctx)
}

var errOutOfTime = errors.New("the invocation's time is up")

// outOfTime reports whether what is left of the invocation is needed for the report.
func (e *engine) outOfTime(now time.Time) bool { return !e.ends.IsZero() && !now.Before(e.ends) }

func (e *engine) interrupted() bool {
	select {
	case <-e.Interrupt:
		return true
	default:
		return false
	}
}

func (e *engine) tell() {
	if e.Progress == nil {
		return
	}
	p := Progress{Generation: e.run.generation}
	for i := range e.run.machines {
		m := &e.run.machines[i]
		if m.mayTouch || m.state == StateProven {
			p.Targets++
			if m.state.Final() {
				p.Ended++
			}
		}
		if m.good() {
			p.Proven++
		}
		if !m.downSince.IsZero() || m.owed {
			p.Down++
		}
	}
	e.Progress(p)
}
