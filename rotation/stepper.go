package rotation

import (
	"context"
	"fmt"
)

// A Stepper is a Store whose secrets manager runs rotations by itself: it calls the function for one step after another,
// under a token that names the version which it wants to become current. It is asked once per invocation, before
// anything else.
type Stepper interface {
	Store
	// Admit says what a request may do as things stand. It fails with ErrConfig or ErrConflict when the request's own
	// precondition does not hold, whatever other steps may have said.
	Admit(ctx context.Context, secret string, req Request) (Admission, error)
	// Fill makes v the value of the version that the token of the admitted request names. It may be repeated; it fails
	// with ErrConflict when that version has another value or is not the one that the secrets manager waits for.
	Fill(ctx context.Context, secret string, v Version) error
}

// An Admission is a Stepper's answer to a request. The zero Admission lets it go on.
type Admission struct {
	// Done says why there is nothing left to do.
	Done string
	// TestAlone reports that the step test comes without a rotation, to try whether one could work.
	TestAlone bool
}

// admit asks a store that runs rotations by itself. done reports that there is nothing to do.
func (e *engine) admit(ctx context.Context) (done bool, _ error) {
	s, ok := e.Store.(Stepper)
	if !ok {
		return false, nil
	}
	var a Admission
	err := e.again(ctx, func() (err error) {
		a, err = s.Admit(ctx, e.Secret, e.request)
		return err
	})
	if err != nil && e.request.Step != "" {
		err = fmt.Errorf("step %s: %w", e.request.Step, err)
	}
	if err != nil {
		return false, err
	}
	e.dry = e.dry || a.TestAlone
	if a.Done != "" {
		e.advanced, e.why = true, a.Done
	}
	return a.Done != "", nil
}

// created ends the step create: the secrets manager's version gets the candidate.
func (e *engine) created(ctx context.Context, v Version, why string) (Outcome, error) {
	if s, ok := e.Store.(Stepper); ok {
		if err := e.again(ctx, func() error { return s.Fill(ctx, e.Secret, v) }); err != nil {
			return Failure, fmt.Errorf("hand generation %d to the secrets manager's rotation: nothing was sent: %w", v.Generation, err)
		}
	}
	e.version, e.advanced, e.why = v, true, why
	return Incomplete, nil
}

// stepped returns the error of a step that did not get where the next one begins: whoever calls the steps must not go on.
func (e *engine) stepped(outcome Outcome) error {
	if e.request.Step == "" || e.advanced || e.dry || outcome != Incomplete && outcome != Nothing {
		return nil
	}
	return fmt.Errorf("%w: step %s: %s", ErrPartial, e.request.Step, e.why)
}
