package tencentsim

import (
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// faultResetNever is a reset that is accepted, and then OPERATING for ever.
const faultResetNever = "reset-never"

// Faults are probabilities, from 0 to 1, by a fault's name.
//
// Of a request: throttle, internal-error and busy refuse it; cut and bad-gateway (an HTTP 502 page) keep it from having
// an effect; lost-reply (the connection is cut), internal-error-applied and bad-gateway-applied spoil the answer after
// the effect; slow answers some seconds later. Of a machine in an operation: reset-fails ends FAILED without an effect;
// reset-never stays OPERATING for ever, and a machine stopped for it stays down; reset-late takes thirty times as long;
// reset-twice sets the same password again twenty seconds after its end; stop-hangs leaves a softly stopped machine
// STOPPING for ever; stale-describe shows the operation half a minute late. Times are scaled by Config.Scale.
type Faults = simcloud.Faults

func catalogue() simcloud.Catalogue {
	return simcloud.Catalogue{
		Requests: simcloud.RequestFaults(),
		Machines: []string{faultResetNever, simcloud.ResetFails, simcloud.ResetLate, simcloud.ResetTwice, simcloud.StopHangs, simcloud.Stale},
		Applies:  applies,
	}
}

// FaultNames returns the name of every fault, sorted.
func FaultNames() []string { return catalogue().Names() }

// ParseFaults reads "throttle=0.05,lost-reply=0.01". Empty text is no faults.
func ParseFaults(text string) (Faults, error) { return catalogue().Parse(text) }

// applies reports whether a fault can befall an action.
func applies(fault, action string) bool {
	switch fault {
	case simcloud.Busy, simcloud.Stale:
		return isOperation(action)
	case simcloud.ResetFails, faultResetNever, simcloud.ResetLate, simcloud.ResetTwice:
		return action == actionReset
	case simcloud.StopHangs:
		return action == actionStop || action == actionReboot
	default:
		return true
	}
}

func isOperation(action string) bool {
	return action == actionReset || action == actionStop || action == actionStart || action == actionReboot
}

// slowness is how much later a slow answer is sent.
func (c *Cloud) slowness() time.Duration { return c.lasting(3 * time.Second) }

// internalError is the code by which each service says that it failed itself.
func internalError(service string) *apiError {
	if service == "cvm" {
		return refuse("InternalServerError", "An internal error has occurred. Retry your request.")
	}
	return refuse("InternalError", "An internal error has occurred. Retry your request.")
}
