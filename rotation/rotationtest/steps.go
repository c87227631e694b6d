package rotationtest

import (
	"context"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A Vault is a secrets manager that is not the world's own, with a driver over it.
type Vault struct {
	// Labels are the values that nothing takes away, by the names of their slots, with "current" among them.
	Labels func() map[string]string
	// Human puts a value into current as a person would.
	Human func(value string)
	// Open returns the store as one invocation has it. Every request of it has to pass World.Boundary.
	Open func() rotation.Store
}

// NewWorldOver is NewWorld with its secret in a Vault, whose current value is the Baseline.
func NewWorldOver(v Vault) *World {
	w := NewWorld(Kind{CompareAndSet: true})
	w.shelf = &vaultShelf{Vault: v, known: map[string]*dug{}}
	return w
}

// RotatorOver returns World.Rotator with the Vault's store.
func (w *World) RotatorOver() *rotation.Rotator {
	r := w.Rotator()
	r.Store = w.shelf.(*vaultShelf).Open()
	return r
}

// Boundary is a call that leaves the process: the fault that is due befalls it, and what is promised is held after its
// effect. It panics with Killed when the process dies there.
func (w *World) Boundary(site string, effect func() error) error {
	return w.call(site, func(Fault) error {
		err := effect()
		w.checkPromotion()
		return err
	})
}

// GaveBack notes that the invocation has read a value from the store: what is in it may be sent (S0).
func (w *World) GaveBack(value string) {
	for _, p := range dig(value).passwords {
		w.inv.read.add(p)
	}
}

// Steps is one attempt of a rotation that a secrets manager runs: it calls the steps in order, each in an invocation of its
// own, and stops at one that fails or dies. at has the faults by the number of the call over the whole history.
func (w *World) Steps(token string, at map[int]Fault) (ok bool) {
	for _, step := range []rotation.Step{rotation.StepCreate, rotation.StepSet, rotation.StepTest, rotation.StepFinish} {
		if _, err, killed := w.Over(rotation.Request{Action: rotation.Rotate, Step: step, Token: token}, at); err != nil || killed {
			return false
		}
	}
	return true
}

// Over is Run of one request with the Vault's store.
func (w *World) Over(req rotation.Request, at map[int]Fault) (report *rotation.Report, err error, killed bool) {
	before := w.calls
	return w.RunContext(context.Background(), w.RotatorOver(), req, func(n int, _ string) Fault { return at[before+n] })
}

// vaultShelf shows a Vault to what holds the invariants.
type vaultShelf struct {
	Vault
	asked int
	known map[string]*dug // by what is stored
}

// edition is never the same: the world does not see what others write.
func (s *vaultShelf) edition() int {
	s.asked++
	return s.asked
}

func (s *vaultShelf) list() (out []rotation.Slot) {
	for name := range s.Labels() {
		if name[0] == 'g' || name[0] == 'a' {
			out = append(out, rotation.Slot{Name: name})
		}
	}
	slices.SortFunc(out, func(a, b rotation.Slot) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (s *vaultShelf) read(name string) (rotation.Slot, *dug, error) {
	value, ok := s.Labels()[name]
	if !ok {
		return rotation.Slot{}, nil, rotation.ErrNotFound
	}
	return rotation.Slot{Name: name}, s.dig(value), nil
}

func (s *vaultShelf) values() (out []*dug) {
	for _, value := range s.Labels() {
		out = append(out, s.dig(value))
	}
	return out
}

// dig digs in every value once.
func (s *vaultShelf) dig(value string) *dug {
	if s.known[value] == nil {
		s.known[value] = dig(value)
	}
	return s.known[value]
}

func (s *vaultShelf) human(value string) { s.Human(value) }

// What only the driver does, and what only searches need.
func (s *vaultShelf) create(string, string) error               { panic(writtenByItsDriver) }
func (s *vaultShelf) point(string, rotation.Slot, string) error { panic(writtenByItsDriver) }
func (s *vaultShelf) remove(string)                             { panic(writtenByItsDriver) }
func (s *vaultShelf) answer(Answers)                            {}
func (s *vaultShelf) clone() shelf                              { panic(notSearched) }
func (s *vaultShelf) digest(*digest)                            { panic(notSearched) }

const (
	writtenByItsDriver = "rotationtest: a vault is written by its driver"
	notSearched        = "rotationtest: a vault is not searched"
)
