package rotation

import (
	"context"
	"errors"
	"fmt"
)

// An Answer says which passwords may open a machine.
type Answer struct {
	Instance Instance
	// Versions are ordered, likeliest first, and hold every one that relock ever kept. Current and Pending are the
	// generations of those stages; zero without one.
	Versions []Version
	Current  int
	Pending  int
	// Why says what the order rests on.
	Why string
	// Unknown adds "or one that relock never knew": the machine was never proven.
	Unknown bool
}

// Lookup says which passwords may open the machine of that id, which must be in the scope. It changes nothing.
func (r *Rotator) Lookup(ctx context.Context, id string) (Answer, error) {
	e, err := r.ask(ctx)
	if err != nil {
		return Answer{}, err
	}
	for _, insts := range e.described {
		for _, inst := range insts {
			if inst.ID == id {
				return e.answer(inst), nil
			}
		}
	}
	return Answer{}, fmt.Errorf("%w: %s is not in the configured scope (%s)", ErrConfig, id, e.regions())
}

// ask reads the secret and describes the machines, for questions that change nothing.
func (r *Rotator) ask(ctx context.Context) (*engine, error) {
	e := &engine{Rotator: r, policy: r.Policy.withDefaults(), began: r.clock().Now()}
	if err := e.again(ctx, func() error { return e.read(ctx) }); err != nil {
		return nil, err
	}
	return e, e.again(ctx, func() error { return e.describe(ctx) })
}

func (e *engine) answer(inst Instance) Answer {
	a := Answer{Instance: inst, Versions: candidates(e.history, e.current, nil, inst.Mark, e.secretMark())}
	ours := e.birth != "" && inst.Mark.Secret == e.secretMark()
	a.Unknown = !ours || inst.Mark.State != MarkOK || e.policy.Proof == ProofAccepted
	switch {
	case ours && inst.Mark.State == MarkOK && e.policy.Proof == ProofAccepted:
		a.Why = "its mark says that the provider accepted the first"
	case ours && inst.Mark.State == MarkOK:
		a.Why = "its mark says that it was proven on the first"
	case ours && inst.Mark.State != "":
		a.Why = "its mark says that it was being set to the first"
	default:
		a.Why = "it has no mark of this secret: current first"
	}
	if e.current != nil {
		a.Current = e.current.Generation
	}
	if e.pending != nil {
		a.Pending = e.pending.Generation
	}
	return a
}

// An Overview is what the secret holds.
type Overview struct {
	Versions []Version // newest first
	// Generations of the stages; zero without one.
	Current, Pending, Previous int
	Stored                     *Stored // nil when the store does not tell
}

// Status returns what the secret holds. It changes nothing.
func (r *Rotator) Status(ctx context.Context) (Overview, error) {
	e := &engine{Rotator: r, policy: r.Policy.withDefaults()}
	if err := e.again(ctx, func() error { return e.read(ctx) }); err != nil {
		return Overview{}, err
	}
	o := Overview{Versions: e.history}
	if e.current != nil {
		o.Current = e.current.Generation
	}
	if e.pending != nil {
		o.Pending = e.pending.Generation
	}
	previous, err := e.Store.Get(ctx, e.Secret, Previous)
	if err == nil {
		o.Previous = previous.Generation
	} else if !errors.Is(err, ErrNotFound) {
		return Overview{}, err
	}
	o.Stored, err = e.usage(ctx)
	return o, err
}

// Inventory returns a line per machine of the scope: which generation its mark says that it has, and why it would stay
// behind. It logs in nowhere and changes nothing.
func (r *Rotator) Inventory(ctx context.Context) ([]MachineReport, error) {
	e, err := r.ask(ctx)
	if err != nil {
		return nil, err
	}
	v := Version{}
	switch {
	case e.pending != nil:
		v = *e.pending
	case e.current != nil:
		v = *e.current
	}
	e.fix(v, false)
	var out []MachineReport
	for i := range e.run.machines {
		out = append(out, e.machineReport(i))
	}
	return out, nil
}
