package tencentsim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The faults, by name. Those of the first group befall a request, those of the second a machine within one.
const (
	faultThrottle      = "throttle"               // refused: RequestLimitExceeded
	faultInternal      = "internal-error"         // refused: the service's internal error, without an effect
	faultInternalAfter = "internal-error-applied" // the same error, after the effect
	faultLost          = "lost-reply"             // applied, then the connection is cut
	faultCut           = "cut"                    // the connection is cut before any effect
	faultGateway       = "bad-gateway"            // HTTP 502 with a page, without an effect
	faultGatewayAfter  = "bad-gateway-applied"    // the same page, after the effect
	faultSlow          = "slow"                   // applied, answered some seconds (times Scale) later
	faultBusy          = "busy"                   // refused: another operation is in progress

	faultResetFails = "reset-fails"    // the reset is accepted and ends FAILED; the password is as before
	faultResetNever = "reset-never"    // accepted, then OPERATING for ever
	faultResetLate  = "reset-late"     // takes thirty times as long
	faultResetTwice = "reset-twice"    // lands again some twenty seconds (times Scale) after its end
	faultStopHangs  = "stop-hangs"     // a soft stop never ends: STOPPING for ever
	faultStale      = "stale-describe" // the operation shows in LatestOperation half a minute (times Scale) later
)

// Faults are probabilities, from 0 to 1, by a fault's name.
//
// Of a request: throttle, internal-error and busy refuse it; cut and bad-gateway (an HTTP 502 page) keep it from having
// an effect; lost-reply (the connection is cut), internal-error-applied and bad-gateway-applied spoil the answer after
// the effect; slow answers some seconds later. Of a machine in an operation: reset-fails ends FAILED without an effect;
// reset-never stays OPERATING for ever, and a machine stopped for it stays down; reset-late takes thirty times as long;
// reset-twice sets the same password again twenty seconds after its end; stop-hangs leaves a softly stopped machine
// STOPPING for ever; stale-describe shows the operation half a minute late. Times are scaled by Config.Scale.
type Faults map[string]float64

// FaultNames returns the name of every fault, sorted.
func FaultNames() []string {
	names := slices.Concat(requestFaults(), machineFaults())
	slices.Sort(names)
	return names
}

// requestFaults are in the order in which they are drawn: of two that hit, the earlier counts.
func requestFaults() []string {
	return []string{faultCut, faultGateway, faultThrottle, faultInternal, faultBusy,
		faultLost, faultInternalAfter, faultGatewayAfter, faultSlow}
}

func machineFaults() []string {
	return []string{faultResetNever, faultResetFails, faultResetLate, faultResetTwice, faultStopHangs, faultStale}
}

// ParseFaults reads "throttle=0.05,lost-reply=0.01". Empty text is no faults.
func ParseFaults(text string) (Faults, error) {
	var faults Faults
	var errs []error
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("fault %q: want name=probability", part))
			continue
		}
		p, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			errs = append(errs, fmt.Errorf("fault %q: %q is no number", strings.TrimSpace(name), value))
			continue
		}
		if faults == nil {
			faults = make(Faults)
		}
		faults[strings.TrimSpace(name)] = p
	}
	if err := errors.Join(append(errs, faults.check())...); err != nil {
		return nil, err
	}
	return faults, nil
}

// check returns what is wrong with the names and probabilities.
func (f Faults) check() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !slices.Contains(FaultNames(), name) {
			errs = append(errs, fmt.Errorf("fault %q: not known; the faults are %s", name, strings.Join(FaultNames(), ", ")))
		}
		if p := f[name]; !(p >= 0 && p <= 1) {
			errs = append(errs, fmt.Errorf("fault %q: probability %v is not within 0 and 1", name, p))
		}
	}
	return errors.Join(errs...)
}

// applies reports whether a fault can befall an action.
func applies(fault, action string) bool {
	switch fault {
	case faultBusy, faultStale:
		return isOperation(action)
	case faultResetFails, faultResetNever, faultResetLate, faultResetTwice:
		return action == actionReset
	case faultStopHangs:
		return action == actionStop || action == actionReboot
	default:
		return true
	}
}

func isOperation(action string) bool {
	return action == actionReset || action == actionStop || action == actionStart || action == actionReboot
}

// SetFaults replaces Config.Faults; nil ends them. What FailNext arranged, and what already went wrong, stays. It panics
// on faults that New refuses.
func (c *Cloud) SetFaults(f Faults) {
	if err := f.check(); err != nil {
		panic("tencentsim: " + err.Error())
	}
	f = maps.Clone(f)
	c.faults.Store(&f)
}

// An injection is one FailNext that has not happened yet.
type injection struct {
	action, fault string
	calls         int // coming calls of the action until it happens
}

// FailNext makes the n-th coming call of an action have a fault, counting from 1 the calls that are authentic and within
// the rate limit. A fault that befalls machines befalls all machines of that call. It panics when there is no such fault, when it cannot befall
// that action, or when n is below 1: a test that injects nothing would prove nothing.
func (c *Cloud) FailNext(action string, n int, fault string) {
	if !slices.Contains(FaultNames(), fault) || !applies(fault, action) || n < 1 {
		panic(fmt.Sprintf("tencentsim: fault %q at call %d of %q: not possible; the faults are %s",
			fault, n, action, strings.Join(FaultNames(), ", ")))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.injections = append(c.injections, injection{action: action, fault: fault, calls: n})
}

// draw decides what goes wrong with a call: the request's fault, and the fault forced on all its machines.
func (c *Cloud) draw(action string) (fault, forced string) {
	c.mu.Lock()
	kept := c.injections[:0]
	for _, in := range c.injections {
		if in.action != action {
			kept = append(kept, in)
			continue
		}
		if in.calls--; in.calls > 0 {
			kept = append(kept, in)
		} else if slices.Contains(machineFaults(), in.fault) {
			forced = in.fault
		} else {
			fault = in.fault
		}
	}
	c.injections = kept
	c.mu.Unlock()
	if fault == "" {
		fault = c.hit(requestFaults(), action)
	}
	return fault, forced
}

// befall decides what goes wrong with one machine of a call.
func (c *Cloud) befall(k *call) string {
	if k.forced != "" {
		return k.forced
	}
	return c.hit(machineFaults(), k.Action)
}

func (c *Cloud) hit(names []string, action string) string {
	faults := *c.faults.Load()
	for _, name := range names {
		if p := faults[name]; p > 0 && applies(name, action) && c.random.chance(p) {
			return name
		}
	}
	return ""
}

// slowness is how much later a slow answer is sent.
func (c *Cloud) slowness() time.Duration {
	return c.scaled(c.random.around(3 * time.Second))
}

// internalError is the code by which each service says that it failed itself.
func internalError(service string) *apiError {
	if service == "cvm" {
		return refuse("InternalServerError", "An internal error has occurred. Retry your request.")
	}
	return refuse("InternalError", "An internal error has occurred. Retry your request.")
}
