package simcloud

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The faults that any cloud can have, by name. Those of the first group befall a request, those of the second a machine
// within one.
const (
	Throttle      = "throttle"               // refused: too many requests
	Internal      = "internal-error"         // refused: the service's internal error, without an effect
	InternalAfter = "internal-error-applied" // the same error, after the effect
	Lost          = "lost-reply"             // applied, then the connection is cut
	Cut           = "cut"                    // the connection is cut before any effect
	BadGateway    = "bad-gateway"            // HTTP 502 with a page, without an effect
	GatewayAfter  = "bad-gateway-applied"    // the same page, after the effect
	Slow          = "slow"                   // applied, answered some seconds (times the time scale) later
	Busy          = "busy"                   // refused: another operation is in progress

	ResetFails = "reset-fails"    // the reset is accepted, and the password stays as before
	ResetLate  = "reset-late"     // takes thirty times as long
	ResetTwice = "reset-twice"    // lands again some twenty seconds (times the time scale) after its end
	StopHangs  = "stop-hangs"     // a soft stop never ends
	Stale      = "stale-describe" // what a machine does is shown half a minute (times the time scale) later
)

// Faults are probabilities, from 0 to 1, by a fault's name.
type Faults map[string]float64

// A Catalogue is the faults that one cloud can have.
type Catalogue struct {
	// Requests befall a request, in the order in which they are drawn: of two that hit, the earlier counts.
	Requests []string
	// Machines befall a machine in a request.
	Machines []string
	// Applies reports whether a fault can befall an action.
	Applies func(fault, action string) bool
}

// RequestFaults are those of every cloud, in the order in which they are drawn.
func RequestFaults() []string {
	return []string{Cut, BadGateway, Throttle, Internal, Busy, Lost, InternalAfter, GatewayAfter, Slow}
}

// Names returns the name of every fault, sorted.
func (k Catalogue) Names() []string {
	return slices.Sorted(slices.Values(slices.Concat(k.Requests, k.Machines)))
}

// Parse reads "throttle=0.05,lost-reply=0.01". Empty text is no faults.
func (k Catalogue) Parse(text string) (Faults, error) {
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
	if err := errors.Join(append(errs, k.Check(faults))...); err != nil {
		return nil, err
	}
	return faults, nil
}

// Check returns what is wrong with the names and probabilities.
func (k Catalogue) Check(f Faults) error {
	names := k.Names()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("fault %q: not known; the faults are %s", name, strings.Join(names, ", ")))
		}
		if p := f[name]; !(p >= 0 && p <= 1) {
			errs = append(errs, fmt.Errorf("fault %q: probability %v is not within 0 and 1", name, p))
		}
	}
	return errors.Join(errs...)
}

// Prevents reports whether a fault of a request keeps it from having an effect.
func Prevents(fault string) bool {
	return slices.Contains([]string{Cut, BadGateway, Throttle, Internal, Busy}, fault)
}

// DeliveryOf is how the answer to a request with a fault reaches the client; slowness says how long a slow one takes.
func DeliveryOf(fault string, slowness func() time.Duration) Delivery {
	d := Delivery{Cut: fault == Cut || fault == Lost, Gateway: fault == BadGateway || fault == GatewayAfter}
	if fault == Slow {
		d.Delay = slowness()
	}
	return d
}
