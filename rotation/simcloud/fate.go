package simcloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Fate decides what goes wrong with requests. It may be used concurrently.
type Fate struct {
	catalogue Catalogue
	random    *Random

	mu         sync.Mutex
	faults     Faults
	injections []injection
}

// An injection is one FailNext that has not happened yet.
type injection struct {
	action, fault string
	calls         int // coming calls of the action until it happens
}

// NewFate returns a Fate under which nothing goes wrong.
func NewFate(k Catalogue, r *Random) *Fate { return &Fate{catalogue: k, random: r} }

// SetFaults replaces the probabilities; nil ends them. What FailNext arranged, and what already went wrong, stays. It
// panics on faults that the catalogue does not have.
func (f *Fate) SetFaults(faults Faults) {
	if err := f.catalogue.Check(faults); err != nil {
		panic("simcloud: " + err.Error())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = maps.Clone(faults)
}

// FailNext makes the n-th coming call of an action have a fault, counting from 1 the calls that are authentic and within
// the rate limit. A fault that befalls machines befalls all machines of that call. It panics when there is no such fault,
// when it cannot befall that action, or when n is below 1: a test that injects nothing would prove nothing.
func (f *Fate) FailNext(action string, n int, fault string) {
	if names := f.catalogue.Names(); !slices.Contains(names, fault) || !f.catalogue.Applies(fault, action) || n < 1 {
		panic(fmt.Sprintf("simcloud: fault %q at call %d of %q: not possible; the faults are %s",
			fault, n, action, strings.Join(names, ", ")))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.injections = append(f.injections, injection{action: action, fault: fault, calls: n})
}

// Draw decides what goes wrong with a call: the request's fault, and the fault forced on all its machines.
func (f *Fate) Draw(action string) (fault, forced string) {
	f.mu.Lock()
	kept := f.injections[:0]
	for _, in := range f.injections {
		if in.action != action {
			kept = append(kept, in)
			continue
		}
		if in.calls--; in.calls > 0 {
			kept = append(kept, in)
		} else if slices.Contains(f.catalogue.Machines, in.fault) {
			forced = in.fault
		} else {
			fault = in.fault
		}
	}
	f.injections = kept
	f.mu.Unlock()
	if fault == "" {
		fault = f.hit(f.catalogue.Requests, action)
	}
	return fault, forced
}

// Befall decides what goes wrong with one machine of a call: what is forced, if anything is.
func (f *Fate) Befall(action, forced string) string {
	if forced != "" {
		return forced
	}
	return f.hit(f.catalogue.Machines, action)
}

func (f *Fate) hit(names []string, action string) string {
	f.mu.Lock()
	faults := f.faults
	f.mu.Unlock()
	for _, name := range names {
		if p := faults[name]; p > 0 && f.catalogue.Applies(name, action) && f.random.Chance(p) {
			return name
		}
	}
	return ""
}
