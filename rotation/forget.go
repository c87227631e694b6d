package rotation

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Forgotten is the Outcome of a Forget that dropped generations.
const Forgotten Outcome = "forgotten"

// ForgetOptions are what the operator has decided.
type ForgetOptions struct {
	// AcceptUnknown is how many machines may have a password that goes, of which nothing is known: exactly as many as a
	// dry run says. Zero means none.
	AcceptUnknown int
	// DryRun drops nothing. It still logs in.
	DryRun bool
}

// A Forgetting is what a Forget found and did. It holds no secret.
type Forgetting struct {
	Secret    string  `json:"secret"`
	StoreName string  `json:"store,omitempty"`
	Outcome   Outcome `json:"outcome"` // Forgotten, Planned, Nothing or Failure
	Why       string  `json:"why,omitempty"`
	DryRun    bool    `json:"dryRun,omitempty"`
	// Before is the lowest generation that stays. Generations went, or would go, newest first.
	Before      int   `json:"before"`
	Current     int   `json:"current"`
	Generations []int `json:"generations"`

	Counts ForgetCounts `json:"counts"`
	// Machines are those of the scope, and after them those outside of it that carry the secret's mark. A machine is
	// proven on a generation that stays, drifted, or unproven.
	Machines []MachineReport `json:"machines"`
	Stored   *Stored         `json:"stored,omitempty"` // what the secret holds now
}

// ForgetCounts adds up a Forgetting's machines.
type ForgetCounts struct {
	Machines int `json:"machines"`
	Login    int `json:"provenByLogin"`
	Mark     int `json:"provenByMark"`
	// Unknown may have a password that goes. Refuse refuse the current one.
	Unknown int `json:"unknown"`
	Refuse  int `json:"refuse"`
}

// A forgetter is a Store that can drop generations for good.
type forgetter interface {
	Forgettable(ctx context.Context, secret string, before int) ([]int, error)
	Forget(ctx context.Context, secret string, before int) error
}

var _ forgetter = (*Ledger)(nil)

// Forget drops the generations below before, for good, after it has logged in to every machine of the scope with the
// current password. It refuses, matching ErrConfig, while a machine refuses that password, when another number of machines
// is unknown than was accepted, while a version is pending, and what would drop current or previous. A machine's mark
// counts for what it says. Nobody can know of machines outside of the scope without a mark, of regions that are not
// configured, or of a reset that was sent long ago and has not landed yet. The Forgetting is there beside an error, too.
func (r *Rotator) Forget(ctx context.Context, before int, o ForgetOptions) (*Forgetting, error) {
	f := &Forgetting{
		Secret: r.Secret, StoreName: r.StoreName, Outcome: Failure, DryRun: o.DryRun || r.DryRun, Before: before,
		Generations: []int{}, Machines: []MachineReport{},
	}
	err := r.forget(ctx, f, o)
	if err != nil {
		f.Why = err.Error()
	}
	r.log().Info("relock.forget", "secret", r.Secret, "before", before, "generations", len(f.Generations), "outcome", string(f.Outcome),
		"unknown", f.Counts.Unknown, "refuse", f.Counts.Refuse)
	return f, err
}

func (r *Rotator) forget(ctx context.Context, f *Forgetting, o ForgetOptions) error {
	store, ok := r.Store.(forgetter)
	switch {
	case !ok:
		return fmt.Errorf("%w: this store forgets nothing", ErrConfig)
	case r.Scope.IsZero():
		return fmt.Errorf("%w: neither RELOCK_INSTANCES nor RELOCK_TAGS is set: say which machines are meant", ErrConfig)
	}
	e, err := r.ask(ctx)
	if err != nil {
		return err
	}
	if e.current != nil {
		f.Current = e.current.Generation
	}
	if err := e.forgettable(ctx, f, store); err != nil {
		return err
	}
	if len(f.Generations) == 0 {
		f.Outcome, f.Why, f.Generations = Nothing, fmt.Sprintf("the secret holds no generation before %d", f.Before), []int{}
		return nil
	}
	if e.total() == 0 {
		return fmt.Errorf("%w: %s: nobody would speak for what is left", ErrConfig, e.emptyScope())
	}
	if missing := e.missing(); len(missing) > 0 {
		return fmt.Errorf("%w: RELOCK_INSTANCES names machines that do not exist in %s: %s: correct or remove them", ErrConfig, e.regions(), strings.Join(missing, ", "))
	}
	if err := e.witnesses(ctx, f); err != nil {
		return err
	}
	if f.DryRun {
		f.Outcome = Planned
	}
	if err := f.refusal(o); err != nil || f.DryRun {
		return err
	}
	if err := e.again(ctx, func() error { return store.Forget(ctx, r.Secret, f.Before) }); err != nil {
		return fmt.Errorf("some generations may be gone, and forgetting again goes on there: %w", err)
	}
	f.Outcome = Forgotten
	if f.Stored, err = e.usage(ctx); err != nil {
		f.Stored, f.Why = nil, "how full the store is could not be read: "+err.Error()
	}
	return nil
}

// forgettable asks the store what would go, and whether it may.
func (e *engine) forgettable(ctx context.Context, f *Forgetting, store forgetter) error {
	err := e.again(ctx, func() (err error) {
		f.Generations, err = store.Forgettable(ctx, e.Secret, f.Before)
		return err
	})
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("%w: %w", ErrConfig, err) // nothing was done yet: it is a person's to correct
	}
	return err
}

// refusal returns why nothing may be dropped as things stand, or nil.
func (f *Forgetting) refusal(o ForgetOptions) error {
	var problems []string
	if n := f.Counts.Refuse; n > 0 {
		problems = append(problems, fmt.Sprintf("machines that refuse generation %d, the current one, and may have one that would go: %d (%s); relock recover ID finds which one opens a machine, relock reconcile sets the current one",
			f.Current, n, f.ids(StateDrifted)))
	}
	switch n := f.Counts.Unknown; {
	case n == o.AcceptUnknown:
	case o.AcceptUnknown == 0:
		problems = append(problems, fmt.Sprintf("machines that may have a generation that would go, because nothing is known of them: %d (%s); bring them to the current one, or give their passwords up with --accept-unknown %d",
			n, f.ids(StateUnproven), n))
	default:
		problems = append(problems, fmt.Sprintf("--accept-unknown %d was given, and of %d nothing is known: look at them again", o.AcceptUnknown, n))
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrConfig, strings.Join(problems, "; "))
}

// ids names a few of the machines in a state.
func (f *Forgetting) ids(s State) string {
	const few = 5
	var ids []string
	more := 0
	for _, m := range f.Machines {
		if m.State == s && len(ids) < few {
			ids = append(ids, m.ID)
		} else if m.State == s {
			more++
		}
	}
	if more > 0 {
		ids = append(ids, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(ids, ", ")
}

// add takes in what is known of a machine.
func (f *Forgetting) add(m MachineReport) {
	f.Machines = append(f.Machines, m)
	f.Counts.Machines++
	switch {
	case m.State == StateDrifted:
		f.Counts.Refuse++
	case m.State == StateUnproven:
		f.Counts.Unknown++
	case m.Evidence == ByLogin:
		f.Counts.Login++
	default:
		f.Counts.Mark++
	}
}
