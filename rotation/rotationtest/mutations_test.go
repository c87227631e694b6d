package rotationtest_test

import (
	"context"
	"errors"
	"strings"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// A mutation breaks the engine, the ledger, a store, a fleet or a verifier at its seam. Each must be caught, by the
// invariant that it is against.
type mutation struct {
	name, invariant string
	build           func(*rotationtest.World)
	change          func(*rotation.Rotator)
}

// store replaces the Store, shelf the Shelf below the Ledger, fleets every Fleet.
func store(with func(rotation.Store) rotation.Store) func(*rotation.Rotator) {
	return func(r *rotation.Rotator) { r.Store = with(r.Store) }
}

func shelf(with func(rotation.Shelf) rotation.Shelf) func(*rotation.Rotator) {
	return func(r *rotation.Rotator) {
		l := r.Store.(*rotation.Ledger)
		l.Shelf = with(l.Shelf)
	}
}

func fleets(with func(*mutant)) func(*rotation.Rotator) {
	return func(r *rotation.Rotator) {
		for i, f := range r.Fleets {
			m := &mutant{Fleet: f}
			with(m)
			r.Fleets[i] = m
		}
	}
}

// two are a machine that runs and one that does not and takes no logins.
func two(w *rotationtest.World) {
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Windows, rotation.Stopped)
}

// oneBroken are two machines of which one fails every reset, and may.
func oneBroken(w *rotationtest.World) {
	w.Allow(1)
	w.Add(rotation.Linux, rotation.Stopped)
	w.Add(rotation.Linux, rotation.Stopped).Broken = true
}

func mutations() []mutation {
	return []mutation{
		{"a store that keeps nothing of what it says is pending", "S0", two,
			store(func(s rotation.Store) rotation.Store { return hollowStore{s} })},
		{"a shelf that drops the last generation for the next", "S1", oneBroken,
			shelf(func(s rotation.Shelf) rotation.Shelf { return dropShelf{s} })},
		{"a history without what is neither current nor pending", "S2", two,
			store(func(s rotation.Store) rotation.Store { return forgetfulStore{s} })},
		{"a store that promotes what is proposed", "S3", two,
			store(func(s rotation.Store) rotation.Store { return hastyStore{s} })},
		{"a verifier that says yes", "S3", two,
			func(r *rotation.Rotator) { r.Verifier = yes{} }},
		{"a shelf that removes the baseline once it was replaced", "S4", two,
			shelf(func(s rotation.Shelf) rotation.Shelf { return tidyShelf{s} })},
		{"a fleet that resets a machine more than it is told to", "S5",
			func(w *rotationtest.World) {
				two(w)
				w.Add(rotation.Linux, rotation.Stopped).Tags = map[string]string{"rotate": "no"}
			},
			fleets(func(m *mutant) { m.all = true })},
		{"a fleet that takes more machines in one request than it may", "S6",
			func(w *rotationtest.World) {
				for range 6 {
					w.Add(rotation.Linux, rotation.Stopped)
				}
			},
			fleets(func(m *mutant) { m.batch = 100 })},
		{"an engine that takes down more machines than configured", "S6",
			func(w *rotationtest.World) {
				w.AtMost(1)
				for range 3 {
					w.Add(rotation.Linux, rotation.Running)
				}
			},
			func(r *rotation.Rotator) {
				r.Policy.MaxUnavailable, r.Policy.Canary = rotation.Share{Number: 10}, -1
			}},
		{"a fleet that does not show its marks", "S8", two,
			fleets(func(m *mutant) { m.unmarked = true })},
		{"a fleet that says of every start that it is done", "S8", two,
			fleets(func(m *mutant) { m.unstarted = true })},
		{"a store that never promotes", "L1", two,
			store(func(s rotation.Store) rotation.Store { return lazyStore{s} })},
		{"a fleet that one broken machine brings to a stop", "L2", oneBroken,
			fleets(func(m *mutant) { m.hostage = true })},
	}
}

// hollowStore answers a proposal without storing it.
type hollowStore struct{ rotation.Store }

func (s hollowStore) Propose(ctx context.Context, secret string, v rotation.Version) (rotation.Version, error) {
	if v.Baseline {
		return s.Store.Propose(ctx, secret, v)
	}
	return v, nil
}

// forgetfulStore knows only what is current and pending.
type forgetfulStore struct{ rotation.Store }

func (s forgetfulStore) History(ctx context.Context, secret string) ([]rotation.Version, error) {
	all, err := s.Store.History(ctx, secret)
	var out []rotation.Version
	for _, v := range all {
		if v.Stage != "" {
			out = append(out, v)
		}
	}
	return out, err
}

// hastyStore makes current what it is offered.
type hastyStore struct{ rotation.Store }

func (s hastyStore) Propose(ctx context.Context, secret string, v rotation.Version) (rotation.Version, error) {
	stored, err := s.Store.Propose(ctx, secret, v)
	if err == nil && !stored.Baseline {
		err = s.Promote(ctx, secret, stored)
	}
	return stored, err
}

// lazyStore leaves everything pending.
type lazyStore struct{ rotation.Store }

func (lazyStore) Promote(context.Context, string, rotation.Version) error { return nil }

// dropShelf keeps one generation.
type dropShelf struct{ rotation.Shelf }

func (s dropShelf) Create(ctx context.Context, secret, name string, value []byte) error {
	if err := s.Shelf.Create(ctx, secret, name, value); err != nil {
		return err
	}
	slots, err := s.List(ctx, secret)
	for _, slot := range slots {
		if slot.Name != name && strings.HasPrefix(slot.Name, "g") {
			err = errors.Join(err, s.Remove(ctx, secret, slot.Name))
		}
	}
	return err
}

// tidyShelf removes the first generation when another one becomes current.
type tidyShelf struct{ rotation.Shelf }

func (s tidyShelf) Point(ctx context.Context, secret, to string, from rotation.Slot, value []byte) error {
	if err := s.Shelf.Point(ctx, secret, to, from, value); err != nil {
		return err
	}
	return s.Remove(ctx, secret, "g00000001")
}

// overwritingShelf stores under a name that is taken.
type overwritingShelf struct{ rotation.Shelf }

func (s overwritingShelf) Create(ctx context.Context, secret, name string, value []byte) error {
	err := s.Shelf.Create(ctx, secret, name, value)
	if errors.Is(err, rotation.ErrExists) {
		if err := s.Remove(ctx, secret, name); err != nil {
			return err
		}
		return s.Shelf.Create(ctx, secret, name, value)
	}
	return err
}

// yes takes every login for one that succeeded.
type yes struct{}

func (yes) Verify(_ context.Context, logins []rotation.Login) []error {
	return make([]error, len(logins))
}

// mutant is a fleet that does one thing wrong.
type mutant struct {
	rotation.Fleet
	all, unmarked, unstarted, hostage bool
	batch                             int
}

func (m *mutant) Describe(ctx context.Context, sel rotation.Selector) ([]rotation.Instance, error) {
	insts, err := m.Fleet.Describe(ctx, sel)
	for i := range insts {
		if m.batch > 0 {
			insts[i].Terms.MaxBatch = m.batch
		}
		if m.unmarked {
			insts[i].Mark = rotation.Mark{}
		}
	}
	return insts, err
}

func (m *mutant) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	if m.hostage {
		return rotation.Operation{}, rotation.ErrNotApplied
	}
	if m.all {
		other, err := m.Fleet.Describe(ctx, rotation.Selector{Tags: map[string][]string{"rotate": {"no"}}})
		if err != nil {
			return rotation.Operation{}, err
		}
		batch = append(batch[:len(batch):len(batch)], other...)
	}
	return m.Fleet.Reset(ctx, batch, c)
}

func (m *mutant) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return m.Fleet.(rotation.Power).Stop(ctx, batch, how)
}

func (m *mutant) Restart(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return m.Fleet.(rotation.Power).Restart(ctx, batch, how)
}

func (m *mutant) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	if m.unstarted {
		return rotation.Operation{Kind: rotation.OpStart}, nil
	}
	return m.Fleet.(rotation.Power).Start(ctx, batch)
}

func (m *mutant) Mark(ctx context.Context, batch []rotation.Instance, mark rotation.Mark) error {
	return m.Fleet.(rotation.Marker).Mark(ctx, batch, mark)
}
