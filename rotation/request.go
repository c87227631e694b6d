package rotation

import (
	"fmt"
	"slices"
	"time"
)

// Action is what a run is asked to do.
type Action string

const (
	Rotate    Action = "rotate"    // rotate, or go on with what is pending
	Resume    Action = "resume"    // go on with what is pending; never starts a generation
	Reconcile Action = "reconcile" // bring stragglers, newcomers and drifted machines to current
	Verify    Action = "verify"    // log in everywhere with current; changes nothing
	Plan      Action = "plan"      // what rotate would do; changes nothing
)

// Actions are all of them.
func Actions() []Action { return []Action{Rotate, Resume, Reconcile, Verify, Plan} }

// Step is one of the four steps in which a secrets manager may call a rotation. Empty means all of them.
type Step string

const (
	StepCreate Step = "create"
	StepSet    Step = "set"
	StepTest   Step = "test"
	StepFinish Step = "finish"
)

// A Request is one event, whatever its source.
type Request struct {
	// Action is what to do. Empty means Rotate.
	Action Action
	// Step narrows Rotate to one of its four steps. Empty means all.
	Step Step
	// Secret must be the configured secret when set: an event cannot choose another.
	Secret string
	// Token names the rotation that the event asks for; an event whose token a version has already is done. Empty means
	// that the caller makes no such promise, and one is made up.
	Token string
	// Proof is what a secrets manager that calls a step gives along, to know its own again. It is secret.
	Proof Password
	// Time is when the event was due; zero means unknown. An event that is no newer than the newest generation is done.
	Time time.Time
	// Only narrows the scope to these machines. Empty means all of the scope. It never widens.
	Only []string
	// DryRun sends nothing and stores nothing. It can be turned on, never off.
	DryRun bool

	// Ignored says why the event asks for nothing, where a source sends such events beside others: the run ends with
	// Nothing and touches nothing. Empty means that it asks for something.
	Ignored string

	// Operator's wishes: no event source sets these.

	// NewCandidate supersedes a pending candidate by a new one.
	NewCandidate bool
	// TakeOver releases machines that another secret's mark claims; "all" releases every one.
	TakeOver []string
}

// Validate reports what is wrong with the request by itself.
func (r Request) Validate() error {
	if r.Action != "" && !slices.Contains(Actions(), r.Action) {
		return fmt.Errorf("%w: action %q: use one of %v", ErrConfig, r.Action, Actions())
	}
	if r.Step != "" && r.Action != "" && r.Action != Rotate {
		return fmt.Errorf("%w: step %q goes with the action rotate only", ErrConfig, r.Step)
	}
	if r.NewCandidate && r.Action != "" && r.Action != Rotate && r.Action != Plan {
		return fmt.Errorf("%w: a new candidate goes with the action rotate only, not with %s", ErrConfig, r.Action)
	}
	switch r.Step {
	case "", StepCreate, StepSet, StepTest, StepFinish:
		return nil
	}
	return fmt.Errorf("%w: step %q: use create, set, test or finish", ErrConfig, r.Step)
}
