package rotation

import (
	"slices"
	"time"
)

// OS is the family of a machine's operating system.
type OS string

const (
	Linux   OS = "linux"
	Windows OS = "windows"
)

// PowerState is whether a machine runs.
type PowerState string

const (
	Running  PowerState = "running"
	Stopped  PowerState = "stopped"
	Changing PowerState = "changing" // starting, stopping, restarting: look again
)

// Effect is when an accepted reset becomes the password in force.
type Effect string

const (
	AtOnce     Effect = "at once"
	AtNextBoot Effect = "at next boot"
)

// An Instance is one machine as its provider describes it now.
type Instance struct {
	ID     string
	Name   string
	Region string
	OS     OS
	Power  PowerState
	// Busy reports that the provider has an operation in progress on it.
	Busy bool
	// LoginUser is the administrator account that a reset without a user name changes.
	LoginUser string
	// Addresses are tried in order for a login; none means that it cannot be logged in to.
	Addresses []string
	// Port is where it takes logins; zero means 22.
	Port      int
	CreatedAt time.Time
	// KeyPair names what binds the machine to key logins; empty means none.
	KeyPair string
	Tags    map[string]string
	Mark    Mark
	Terms   Terms
}

// Terms is all that the engine knows of how a provider treats one machine.
type Terms struct {
	// Rules are the passwords that a reset of this machine accepts. Not nil.
	Rules *Rules
	// MaxBatch is how many machines one request may name. Zero means 1.
	MaxBatch int
	// NeedsStopped reports that a reset is refused while the machine runs.
	NeedsStopped bool
	// Effect is when an accepted reset takes effect. Empty means AtOnce.
	Effect Effect
	// BootDelay is how long an accepted reset with the effect AtNextBoot is left alone before that boot. Zero means not at
	// all.
	BootDelay time.Duration
	// Reported reports that Observe tells whether a reset succeeded. Where it does not, only a login proves.
	Reported bool
	// Refuse says why the provider would not reset this machine now; zero means that it would.
	Refuse Refusal
}

// A Selector is which machines of a fleet are meant. IDs and Tags intersect when both are set. The zero Selector
// matches nothing: "all machines" cannot be said by accident.
type Selector struct {
	IDs []string
	// Tags must all match: a key's value is one of those listed; an empty list matches any value.
	Tags map[string][]string
	// ExcludeTags leave a machine out when any of them matches in the same sense.
	ExcludeTags map[string][]string
}

// IsZero reports whether nothing is selected.
func (s Selector) IsZero() bool { return len(s.IDs) == 0 && len(s.Tags) == 0 }

// Matches reports whether the machine with this id and these tags is selected. Drivers ask the provider for as little
// as it lets them, and the engine checks every machine again: a provider's filter cannot widen a scope.
func (s Selector) Matches(id string, tags map[string]string) bool {
	if s.IsZero() {
		return false
	}
	if len(s.IDs) > 0 && !slices.Contains(s.IDs, id) {
		return false
	}
	for key, values := range s.Tags {
		if !tagMatches(tags, key, values) {
			return false
		}
	}
	for key, values := range s.ExcludeTags {
		if tagMatches(tags, key, values) {
			return false
		}
	}
	return true
}

func tagMatches(tags map[string]string, key string, values []string) bool {
	v, ok := tags[key]
	return ok && (len(values) == 0 || slices.Contains(values, v))
}
