package rotation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The kinds of failure that the engine tells apart, with errors.Is. A driver joins one of them to its cause; an error
// that matches none of them is ambiguous: the request may or may not have had its effect.
var (
	// ErrNotFound: there is no such secret, version or stage.
	ErrNotFound = errors.New("not found")
	// ErrExists: a version of that name is there already. A Shelf says it; nothing was written.
	ErrExists = errors.New("exists already")
	// ErrConflict: the store holds something that this run did not expect, such as a newer generation. Nothing was
	// changed; running again looks again.
	ErrConflict = errors.New("conflict")
	// ErrFull: the store has no room for another version. Nothing was written.
	ErrFull = errors.New("store is full")
	// ErrNotApplied: the request definitely had no effect on any machine. ErrThrottled and ErrUnauthorized imply it.
	ErrNotApplied = errors.New("not applied")
	// ErrThrottled: the provider refused for its rate limit; the same request may be sent later.
	ErrThrottled = errors.New("throttled")
	// ErrUnauthorized: the credentials may not do this. The run stops at once.
	ErrUnauthorized = errors.New("not authorized")
	// ErrPasswordRefused: the provider says that the password breaks its rules. The candidate is superseded.
	ErrPasswordRefused = errors.New("password refused by the provider")
	// ErrRejected: the machine refused this password at a login.
	ErrRejected = errors.New("login rejected")
	// ErrCannotTry: a login could not be tried: stopped, no port, no password method, unknown host key.
	ErrCannotTry = errors.New("login cannot be tried")
	// ErrConfig: the configuration or the request is wrong; no password was sent or stored. A person has to act.
	ErrConfig = errors.New("configuration")
	// ErrPartial: the rotation is left pending because too many machines stay behind.
	ErrPartial = errors.New("partial")
)

// DefinitelyNotApplied reports whether err is on the short list of errors after which nothing happened. Everything
// else, unknown errors included, is ambiguous.
func DefinitelyNotApplied(err error) bool {
	return errors.Is(err, ErrNotApplied) || errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnauthorized)
}

// RefusalKind is what a refusal means for the machine.
type RefusalKind string

const (
	// RefusedBusy: something else is happening to the machine; the same request may succeed later.
	RefusedBusy RefusalKind = "busy"
	// RefusedState: the machine is not in the power state that the request needs: running for a reset, stopped for
	// a stop. Look again and go on from there.
	RefusedState RefusalKind = "state"
	// RefusedUnable: the provider does not do this to such a machine, whoever asks and however often.
	RefusedUnable RefusalKind = "unable"
	// RefusedPassword: the provider does not take this password for it.
	RefusedPassword RefusalKind = "password"
)

// A Refusal says why a provider does not do what was asked to one machine, and what a person can do about it.
// The zero Refusal is none.
type Refusal struct {
	Kind      RefusalKind `json:"kind,omitempty"`
	Reason    string      `json:"reason,omitempty"` // for people: "isolated for arrears"
	Remedy    string      `json:"remedy,omitempty"` // for people: "renew it, then: relock reconcile"; may be empty
	Code      string      `json:"code,omitempty"`   // the provider's
	RequestID string      `json:"requestId,omitempty"`
}

// A RefusedError is a request that the provider refused as a whole because of some of its machines. It names those that
// it can; none named means that the provider did not say which. Of a batch of several, the machines that are not named
// are unknown: the providers do not promise that a refused batch had no effect on any of them.
type RefusedError struct {
	Machines map[string]Refusal // by instance id; may be empty
	Refusal  Refusal            // what the provider said of the request as a whole
	Err      error              // the cause; may be nil
}

func (e *RefusedError) Error() string {
	ids := make([]string, 0, len(e.Machines))
	for id := range e.Machines {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) == 0 {
		return fmt.Sprintf("refused: %s (%s)", e.Refusal.Reason, e.Refusal.Code)
	}
	return fmt.Sprintf("refused for %s: %s (%s)", strings.Join(ids, ", "), e.Refusal.Reason, e.Refusal.Code)
}

func (e *RefusedError) Unwrap() error { return e.Err }
