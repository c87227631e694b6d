package rotationtest

import (
	"context"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// knobs are what a test can set of a World. The zero knobs are the world as it is.
type knobs struct{ batch int }

// Batch sets how many machines one request may name. A new world takes 2.
func (w *World) Batch(n int) { w.batch = n }

func (w *World) maxBatch() int {
	if w.batch == 0 {
		return 2
	}
	return w.batch
}

// AtMost sets how many machines may be down at once (S6); World.Rotator is made to keep to it.
func (w *World) AtMost(n int) { w.atMost = n }

// Blame counts a fault that the test makes by itself: each may cost one machine one further stop (S8).
func (w *World) Blame() { w.faults++ }

// HumanValue is a person who puts any text into current, which may hold no password at all.
func (w *World) HumanValue(value string) {
	w.trace("a person puts another value into current")
	if old := w.Current(); !w.kept(old) {
		w.lost[old] = true
	}
	w.shelf.human(value)
	w.current = w.Current()
}

// RunContext is Run with a context, whose deadline the engine keeps to.
func (w *World) RunContext(ctx context.Context, r *rotation.Rotator, req rotation.Request, fault func(n int, site string) Fault) (report *rotation.Report, err error, killed bool) {
	inv := newInvocation(req.Only, fault)
	inv.name = string(req.Action)
	ctx = inv.under(ctx)
	defer func() { inv.over = true }()
	defer inv.stop()
	defer w.enter(inv)()
	defer func() {
		switch p := recover(); p.(type) {
		case nil:
		case Killed:
			killed = true
			w.trace("killed")
		default:
			panic(p)
		}
	}()
	w.trace("run %s %s", req.Action, strings.Join(req.Only, ","))
	report, err = r.Do(ctx, req)
	w.trace("ended %s: %s", report.Outcome, report.Why)
	return report, err, false
}

// A Tap sits between a Rotator and the fleets of its World: a test sees every request, and may answer it in the
// provider's place.
type Tap struct {
	// Before sees a request before the world does. Its error is the answer, and nothing happens; it is a fault (S8).
	Before func(Sent) error
	// Instance alters what a machine is described as, Result what is observed of it.
	Instance func(*rotation.Instance)
	Result   func(*rotation.Result)
}

// Sent is one request to a fleet.
type Sent struct {
	// Site is what World calls it: describe, observe, reset, stop, start, restart, mark.
	Site, Region string
	IDs          []string
	Mark         rotation.Mark // of a mark
	Force        rotation.Force
}

// Tap puts t in front of every fleet of r.
func (w *World) Tap(r *rotation.Rotator, t Tap) {
	for i, f := range r.Fleets {
		r.Fleets[i] = &tapped{f, w, t}
	}
}

type tapped struct {
	rotation.Fleet
	w   *World
	tap Tap
}

var (
	_ rotation.Fleet  = (*tapped)(nil)
	_ rotation.Power  = (*tapped)(nil)
	_ rotation.Marker = (*tapped)(nil)
)

func (f *tapped) ask(s Sent, batch []rotation.Instance) error {
	s.Region = f.Region()
	for _, inst := range batch {
		s.IDs = append(s.IDs, inst.ID)
	}
	if f.tap.Before == nil {
		return nil
	}
	err := f.tap.Before(s)
	if err != nil {
		f.w.Blame()
		f.w.trace("%s of %v is answered: %v", s.Site, s.IDs, err)
	}
	return err
}

func (f *tapped) Describe(ctx context.Context, sel rotation.Selector) ([]rotation.Instance, error) {
	if err := f.ask(Sent{Site: "describe"}, nil); err != nil {
		return nil, err
	}
	insts, err := f.Fleet.Describe(ctx, sel)
	for i := range insts {
		if f.tap.Instance != nil {
			f.tap.Instance(&insts[i])
		}
	}
	return insts, err
}

func (f *tapped) Observe(ctx context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	s := Sent{Site: "observe"}
	for _, op := range ops {
		s.IDs = append(s.IDs, op.Instances...)
	}
	if err := f.ask(s, nil); err != nil {
		return nil, err
	}
	results, err := f.Fleet.Observe(ctx, ops)
	for i := range results {
		if f.tap.Result != nil {
			f.tap.Result(&results[i])
		}
	}
	return results, err
}

func (f *tapped) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	if err := f.ask(Sent{Site: "reset"}, batch); err != nil {
		return rotation.Operation{}, err
	}
	return f.Fleet.Reset(ctx, batch, c)
}

func (f *tapped) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	if err := f.ask(Sent{Site: "stop", Force: how}, batch); err != nil {
		return rotation.Operation{}, err
	}
	return f.Fleet.(rotation.Power).Stop(ctx, batch, how)
}

func (f *tapped) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	if err := f.ask(Sent{Site: "start"}, batch); err != nil {
		return rotation.Operation{}, err
	}
	return f.Fleet.(rotation.Power).Start(ctx, batch)
}

func (f *tapped) Restart(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	if err := f.ask(Sent{Site: "restart", Force: how}, batch); err != nil {
		return rotation.Operation{}, err
	}
	return f.Fleet.(rotation.Power).Restart(ctx, batch, how)
}

func (f *tapped) Mark(ctx context.Context, batch []rotation.Instance, m rotation.Mark) error {
	if err := f.ask(Sent{Site: "mark", Mark: m}, batch); err != nil {
		return err
	}
	return f.Fleet.(rotation.Marker).Mark(ctx, batch, m)
}
