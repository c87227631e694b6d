package huaweisim

import (
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	// faultRefused is a machine of a batch reset that is refused for no reason that lists show.
	faultRefused = "reset-refused"
	// faultJobFails is a sub-job that ends FAIL without an effect.
	faultJobFails = "job-fails"
)

// Faults are probabilities, from 0 to 1, by a fault's name.
//
// Of a request: throttle, internal-error and busy refuse it; cut and bad-gateway (an HTTP 502 page) keep it from having
// an effect; lost-reply (the connection is cut), internal-error-applied and bad-gateway-applied spoil the answer after
// the effect; slow answers some seconds later. Of a machine: reset-fails accepts a password and never applies it, which
// nothing tells; reset-late hands it to the machine half a minute later; reset-twice hands it over again twenty seconds
// later, so that a further boot sets it again; reset-refused names the machine in internalError; job-fails ends a sub-job
// FAIL; stop-hangs leaves a soft stop or reboot under way for ever; stale-describe shows a change half a minute late.
// Times are scaled by Config.Scale.
type Faults = simcloud.Faults

func catalogue() simcloud.Catalogue {
	return simcloud.Catalogue{
		Requests: simcloud.RequestFaults(),
		Machines: []string{faultRefused, simcloud.ResetFails, simcloud.ResetLate, simcloud.ResetTwice, faultJobFails,
			simcloud.StopHangs, simcloud.Stale},
		Applies: applies,
	}
}

// FaultNames returns the name of every fault, sorted.
func FaultNames() []string { return catalogue().Names() }

// ParseFaults reads "throttle=0.05,lost-reply=0.01". Empty text is no faults.
func ParseFaults(text string) (Faults, error) { return catalogue().Parse(text) }

// applies reports whether a fault can befall an action.
func applies(fault, action string) bool {
	power := action == actionStop || action == actionStart || action == actionReboot
	switch fault {
	case simcloud.Busy:
		return power || action == actionReset
	case faultRefused, simcloud.ResetFails, simcloud.ResetLate, simcloud.ResetTwice:
		return action == actionReset
	case faultJobFails, simcloud.Stale:
		return power
	case simcloud.StopHangs:
		return action == actionStop || action == actionReboot
	default:
		return true
	}
}

// slowness is how much later a slow answer is sent.
func (c *Cloud) slowness() time.Duration { return c.lasting(3 * time.Second) }
