package rotation

import (
	"context"
	"time"
)

// Stage is a version's place in the life of a secret.
type Stage string

const (
	Pending  Stage = "pending"  // the candidate of a rotation that has not ended
	Current  Stage = "current"  // what consumers read
	Previous Stage = "previous" // what was current before
)

// A Store keeps the versions of a secret and forgets none. Every method may be repeated.
type Store interface {
	// Get returns the version at stage, or an error matching ErrNotFound. A stage label without a value is
	// ErrNotFound. Of a current value that is no kept version it returns what keeping it would make: a baseline with
	// the next generation.
	Get(ctx context.Context, secret string, stage Stage) (Version, error)
	// Propose offers v as the pending version and returns, as read back, the version to send: v, or the candidate of a
	// concurrent or earlier rotation that the caller must adopt. It replaces a pending version only when v's
	// generation is higher (supersede); the old one stays in History. When current is at or above v's generation it
	// fails with ErrConflict and the caller sends nothing. A current value that is not yet kept is kept first. Offered
	// a baseline, it only does that, and returns it.
	Propose(ctx context.Context, secret string, v Version) (Version, error)
	// Promote makes v current and what was current previous; on what is already current it succeeds and changes
	// nothing. No reader ever finds no current. It refuses with ErrConflict when it reads something above v, pending
	// or current. On a store without compare-and-set a stale write can still land: it is found by the read-back or by
	// the next run.
	Promote(ctx context.Context, secret string, v Version) error
	// History returns every version ever stored, archived ones included, newest generation first, and which of them are
	// current and pending, all from one look.
	History(ctx context.Context, secret string) ([]Version, error)
}

// A Fleet is one provider's machines in one region. A Rotator has several. What it is handed is read during the call, and
// neither kept nor changed.
type Fleet interface {
	// Region names the fleet in reports; no two fleets of a Rotator share it.
	Region() string
	// Describe returns the machines that sel matches, all pages, in a stable order, with their Terms and Marks. Ids
	// that do not exist here are left out.
	Describe(ctx context.Context, sel Selector) ([]Instance, error)
	// Reset asks the provider to set one password on the machines of a batch; it returns once the request is accepted.
	// A *RefusedError names machines that were refused and why. Any other error is ambiguous unless
	// DefinitelyNotApplied says otherwise. The Operation's RequestID is set where the provider gave one, also beside
	// an error.
	Reset(ctx context.Context, batch []Instance, c Credential) (Operation, error)
	// Observe reports how far each operation is on each of its machines, in as few requests as the provider allows.
	// The results are in the order of ops and of their Instances; a machine that is gone is left out.
	Observe(ctx context.Context, ops []Operation) ([]Result, error)
}

// Force is how a machine is stopped.
type Force string

const (
	Soft Force = "soft" // never pulls the plug
	Hard Force = "hard" // may lose data
)

// A Power is a Fleet that can stop and start machines. Its errors mean what Reset's mean.
type Power interface {
	Stop(ctx context.Context, batch []Instance, how Force) (Operation, error)
	Start(ctx context.Context, batch []Instance) (Operation, error)
	Restart(ctx context.Context, batch []Instance, how Force) (Operation, error)
}

// A Marker is a Fleet that can note a Mark on machines, as provider tags; the next Describe sees it. It may be repeated.
// After an error some of the machines may have it.
type Marker interface {
	Mark(ctx context.Context, batch []Instance, m Mark) error
}

// A Preflighter is a Fleet that can tell, without an effect, which machines a reset would be refused for, or accepted and
// never carried out. It may send throwaway passwords, never a stored one.
type Preflighter interface {
	// Preflight returns the machines of a batch that cannot be reset, and why. After an error some may be missing.
	Preflight(ctx context.Context, batch []Instance) (map[string]Refusal, error)
}

// OpKind is what an operation does.
type OpKind string

const (
	OpLook    OpKind = "look" // nothing was asked; only the machine's power is wanted
	OpReset   OpKind = "reset"
	OpStop    OpKind = "stop"
	OpStart   OpKind = "start"
	OpRestart OpKind = "restart"
)

// An Operation is a request that a provider accepted, or may have.
type Operation struct {
	Kind OpKind
	// RequestID is what the provider calls the request; empty when it is not known, or for OpLook.
	RequestID string
	// Job is a provider's handle for polling, where it has one besides the request id.
	Job       string
	Instances []string
	// Sent is when the request was made.
	Sent time.Time
}

// OpState is how far an operation is on one machine.
type OpState string

const (
	InProgress OpState = "in progress"
	Done       OpState = "done"
	Failed     OpState = "failed"
	// Unseen: the provider's record does not speak of this request: not yet, or no longer. It proves nothing.
	Unseen OpState = "unseen"
)

// A Result is one look at one machine.
type Result struct {
	Instance string
	Kind     OpKind
	State    OpState
	Power    PowerState
	Busy     bool
	// Detail is the provider's message for a failure; it never holds a password.
	Detail    string
	RequestID string
}

// A Credential is what a machine is set to.
type Credential struct {
	// Username is the account; empty means each machine's LoginUser.
	Username string
	Password Password
}

// A Login asks whether a credential opens a machine.
type Login struct {
	Instance   Instance
	Credential Credential
}

// A Verifier proves which credentials open which machines, one answer per login, in order: nil; ErrRejected (the
// machine refused this password); ErrCannotTry (stopped, no port, no password method, unknown host key); else unknown.
// It may fan out.
type Verifier interface {
	Verify(ctx context.Context, logins []Login) []error
}

// A Clock is the engine's only time, so that a deterministic world can own it.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or with the context's cause when that ends first.
	Wait(ctx context.Context, d time.Duration) error
}

// SystemClock is the Clock of a real run.
type SystemClock struct{}

// Now returns the time of day.
func (SystemClock) Now() time.Time { return time.Now() }

// Wait waits for d or the end of ctx.
func (SystemClock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
