package rotationtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation"
)

// rotator is w.Rotator for an actor: every call of it is a request.
func (a *actor) rotator(w *World) *rotation.Rotator {
	r := w.Rotator()
	store := w.Ledger()
	l := &rotation.Ledger{Shelf: farShelf{a}, Slots: store.Slots, CompactAt: store.CompactAt, MaxBytes: store.MaxBytes}
	if store.Suffix != nil {
		n := 0
		l.Shelf = farLabels{farShelf{a}}
		l.Suffix = func() string { n++; return fmt.Sprintf("%06x%02x", a.number, n) }
	}
	for i, f := range r.Fleets {
		r.Fleets[i] = &farFleet{a, f.Region()}
	}
	r.Store, r.Verifier, r.Clock = l, farVerifier{a}, farClock{a}
	r.Ticks = func(tick string) { a.tick = tick }
	r.Rand = a.random()
	r.Recipe = rotation.Recipe{Length: 16, AnyMix: true, MinBits: 1, Rand: r.Rand}
	return r
}

func (a *actor) call(site string, do func(*World) reply) reply {
	return a.ask(request{site: site, do: do})
}

// farClock waits by asking for it.
type farClock struct{ a *actor }

func (c farClock) Now() time.Time { return c.a.clock }

func (c farClock) Wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.a.ask(request{site: "wait", wait: d})
	return nil
}

// farFleet asks for what a fleet does.
type farFleet struct {
	a      *actor
	region string
}

var (
	_ rotation.Fleet  = (*farFleet)(nil)
	_ rotation.Power  = (*farFleet)(nil)
	_ rotation.Marker = (*farFleet)(nil)
)

func (f *farFleet) Region() string { return f.region }

func (f *farFleet) Describe(ctx context.Context, sel rotation.Selector) ([]rotation.Instance, error) {
	r := f.a.call("describe", func(w *World) (r reply) {
		r.insts, r.err = (&fleet{w, f.region}).Describe(ctx, sel)
		return r
	})
	return slices.Clone(r.insts), r.err
}

func (f *farFleet) Observe(ctx context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	ops = slices.Clone(ops) // the reply may be asked for again when the engine has gone on
	for i := range ops {
		ops[i].Instances = slices.Clone(ops[i].Instances)
	}
	r := f.a.call("observe", func(w *World) (r reply) {
		r.results, r.err = (&fleet{w, f.region}).Observe(ctx, ops)
		return r
	})
	return slices.Clone(r.results), r.err
}

// each is one request about a batch.
func (f *farFleet) each(site string, do func(*fleet) (rotation.Operation, error)) (rotation.Operation, error) {
	sent := f.a.clock
	r := f.a.call(site, func(w *World) (r reply) {
		r.op, r.err = do(&fleet{w, f.region})
		return r
	})
	r.op.Sent = sent
	return r.op, r.err
}

func (f *farFleet) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	return f.each("reset", func(f *fleet) (rotation.Operation, error) { return f.Reset(ctx, batch, c) })
}

func (f *farFleet) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.each("stop", func(f *fleet) (rotation.Operation, error) { return f.Stop(ctx, batch, how) })
}

func (f *farFleet) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	return f.each("start", func(f *fleet) (rotation.Operation, error) { return f.Start(ctx, batch) })
}

func (f *farFleet) Restart(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.each("restart", func(f *fleet) (rotation.Operation, error) { return f.Restart(ctx, batch, how) })
}

func (f *farFleet) Mark(ctx context.Context, batch []rotation.Instance, m rotation.Mark) error {
	_, err := f.each("mark", func(f *fleet) (rotation.Operation, error) { return rotation.Operation{}, f.Mark(ctx, batch, m) })
	return err
}

// farVerifier asks for one login at a time.
type farVerifier struct{ a *actor }

func (v farVerifier) Verify(ctx context.Context, logins []rotation.Login) []error {
	out := make([]error, len(logins))
	for i := range logins {
		r := v.a.call("verify", func(w *World) reply { return reply{err: verifier{w}.Verify(ctx, logins[i:i+1])[0]} })
		out[i] = r.err
	}
	return out
}

// farShelf asks for what a shelf does.
type farShelf struct{ a *actor }

var _ rotation.Shelf = farShelf{}

func (s farShelf) List(ctx context.Context, secret string) ([]rotation.Slot, error) {
	r := s.a.call("store-list", func(w *World) (r reply) {
		r.slots, r.err = boundary{w}.List(ctx, secret)
		return r
	})
	return slices.Clone(r.slots), r.err
}

func (s farShelf) Read(ctx context.Context, secret, name string) (rotation.Slot, []byte, error) {
	ask := request{site: "store-read", do: func(w *World) (r reply) {
		var value []byte
		r.slot, value, r.err = boundary{w}.Read(ctx, secret, name)
		r.value = string(value)
		return r
	}}
	if name != string(rotation.Current) && name != string(rotation.Previous) {
		ask.version = name
	}
	r := s.a.ask(ask)
	if r.err != nil {
		return rotation.Slot{}, nil, r.err
	}
	if ask.version != "" {
		s.a.slots[name] = r.value
	}
	return r.slot, []byte(r.value), nil
}

func (s farShelf) Create(ctx context.Context, secret, name string, value []byte) error {
	return s.a.call("store-create", func(w *World) reply { return reply{err: boundary{w}.Create(ctx, secret, name, value)} }).err
}

// Point is two calls on a shelf of labels.
func (s farShelf) Point(ctx context.Context, secret, to string, from rotation.Slot, value []byte) error {
	point := func(w *World) reply { return reply{err: boundary{w}.Point(ctx, secret, to, rotation.Slot{}, value)} }
	return s.a.call("store-point", point).err
}

func (s farShelf) Remove(ctx context.Context, secret, name string) error {
	return s.a.call("store-remove", func(w *World) reply { return reply{err: boundary{w}.Remove(ctx, secret, name)} }).err
}

// farLabels asks for what a shelf of labels does.
type farLabels struct{ farShelf }

var _ rotation.Labeler = farLabels{}

func (s farLabels) Point(ctx context.Context, secret, to string, from rotation.Slot, value []byte) error {
	if from.Name != "" {
		r := s.a.call("store-previous", func(w *World) reply { return reply{err: labelBoundary{boundary{w}}.previous(from)} })
		if r.err != nil {
			return r.err
		}
	}
	return s.farShelf.Point(ctx, secret, to, from, value)
}

func (s farLabels) Label(ctx context.Context, secret string, version rotation.Slot, name string) error {
	return s.a.call("store-label", func(w *World) reply { return reply{err: labelBoundary{boundary{w}}.Label(ctx, secret, version, name)} }).err
}
