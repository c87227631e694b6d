package wire

import (
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A Kind is what a provider's code means for the request.
type Kind int

const (
	Ambiguous    Kind = iota // it may have had its effect
	Throttled                // too many requests
	Unauthorized             // the credentials may not do this
	Parameter                // the request is wrong; definitely without effect
	Password                 // the password breaks the provider's rules
	Config                   // a person has to correct something; definitely without effect
	Missing                  // no such secret, version or tag
	Exists                   // there is one of that name
	Full                     // no room for another
	Busy                     // a machine is doing something else
	State                    // a machine is in another power state
	Unable                   // a machine that this is never done to as it is
)

// sentinels are the errors of package rotation that a failure of this kind matches. Refusals of machines have none: a
// *rotation.RefusedError says more, and the providers do not promise that a refused batch had no effect at all.
func (k Kind) sentinels() []error {
	switch k {
	case Throttled:
		return []error{rotation.ErrThrottled}
	case Unauthorized:
		return []error{rotation.ErrUnauthorized}
	case Parameter:
		return []error{rotation.ErrNotApplied}
	case Password:
		return []error{rotation.ErrPasswordRefused, rotation.ErrNotApplied}
	case Config:
		return []error{rotation.ErrConfig, rotation.ErrNotApplied}
	case Missing:
		return []error{rotation.ErrNotFound}
	case Exists:
		return []error{rotation.ErrExists}
	case Full:
		return []error{rotation.ErrFull}
	}
	return nil
}

// refusal is the kind as a machine's, empty when it is none.
func (k Kind) refusal() rotation.RefusalKind {
	switch k {
	case Busy:
		return rotation.RefusedBusy
	case State:
		return rotation.RefusedState
	case Unable:
		return rotation.RefusedUnable
	}
	return ""
}

// A Meaning is what a code says, for package rotation and for people. The zero Meaning is ambiguous.
type Meaning struct {
	Kind   Kind
	Reason string
	Remedy string
}

// Refusal is m of one machine. Its kind is empty when nobody has foreseen that a machine is refused so.
func (m Meaning) Refusal(code, requestID string) rotation.Refusal {
	kind := m.Kind.refusal()
	switch m.Kind {
	case Password:
		kind = rotation.RefusedPassword
	case Throttled:
		kind = rotation.RefusedBusy
	}
	return rotation.Refusal{Kind: kind, Reason: m.Reason, Remedy: m.Remedy, Code: code, RequestID: requestID}
}

// Codes is a provider's table of codes. What it does not have is ambiguous.
type Codes struct {
	Exact    map[string]Meaning
	Families map[string]Meaning // by how a code begins; the longest counts
}

// Meaning looks a code up: itself, or the longest family that it belongs to.
func (c Codes) Meaning(code string) Meaning {
	if m, ok := c.Exact[code]; ok {
		return m
	}
	var found Meaning
	longest := 0
	for prefix, m := range c.Families {
		if len(prefix) > longest && strings.HasPrefix(code, prefix) {
			found, longest = m, len(prefix)
		}
	}
	return found
}
