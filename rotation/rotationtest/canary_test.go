package rotationtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// TestCanaryWrongAlgorithmsAreCaught runs the algorithms that others have shipped through the same loop as the engine. A
// harness that has never failed proves nothing.
func TestCanaryWrongAlgorithmsAreCaught(t *testing.T) {
	for _, c := range []struct {
		name, invariant string
		loop            func(rotationtest.Scenario) rotationtest.Visit
		algorithm       func(*wrong) func(*rotationtest.World) error
	}{
		{"reset before store", "S0", rotationtest.SingleFaults, func(a *wrong) func(*rotationtest.World) error { return a.resetThenStore }},
		{"fresh candidate on retry", "S1", rotationtest.SingleFaults, func(a *wrong) func(*rotationtest.World) error { return a.freshOnRetry }},
		{"drop on error", "S1", rotationtest.SingleFaults, func(a *wrong) func(*rotationtest.World) error { return a.dropOnError }},
		{"blind put", "S1", rotationtest.DyingOthers, func(a *wrong) func(*rotationtest.World) error { return a.blindPut }},
		{"promote unverified", "S3", rotationtest.SingleFaults, func(a *wrong) func(*rotationtest.World) error { return a.promoteUnverified }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := c.loop(rotationtest.Scenario{
				Name: c.name, Until: c.invariant,
				Build: func(w *rotationtest.World) {
					w.Add(rotation.Linux, rotation.Running)
					w.Add(rotation.Linux, rotation.Stopped)
				},
				Runs: []*rotation.Request{rotate("a"), rotate("b")},
				Algorithm: func(w *rotationtest.World) func(*rotationtest.World) error {
					return c.algorithm(&wrong{w: w})
				},
			})
			tell(t, c.name, c.invariant, v)
		})
	}
}

// TestCanaryMutationsAreCaught breaks the engine or what is around it, once against each invariant.
func TestCanaryMutationsAreCaught(t *testing.T) {
	covered := map[string]bool{}
	for _, m := range mutations() {
		covered[m.invariant] = true
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tell(t, m.name, m.invariant, rotationtest.SingleFaults(rotationtest.Scenario{
				Name: m.name, Build: m.build, Change: m.change, Until: m.invariant, Runs: []*rotation.Request{rotate("a"), rotate("b")},
			}))
		})
	}
	for _, invariant := range []string{"S0", "S1", "S2", "S3", "S4", "S5", "S6", "S8", "L1", "L2"} {
		if !covered[invariant] {
			t.Errorf("no mutation is against %s", invariant)
		}
	}
}

// TestCanaryOverlapIsCaught takes create-if-absent away from two invocations at once.
func TestCanaryOverlapIsCaught(t *testing.T) {
	t.Parallel()
	s := searches()["overlap "+rotationtest.Kind{}.String()]
	s.Switches = 1
	s.Change = func(r *rotation.Rotator) {
		impatient(r)
		shelf(func(s rotation.Shelf) rotation.Shelf { return overwritingShelf{s} })(r)
	}
	f := s.Run()
	tell(t, "a shelf that overwrites", "S1", rotationtest.Visit{Histories: f.States, Failures: f.Failures})
}

// tell prints how a mistake was caught, and fails when it was not.
func tell(t *testing.T, name, invariant string, v rotationtest.Visit) {
	t.Helper()
	f, ok := caught(v, invariant)
	if !ok {
		t.Fatalf("%d histories, and none broke %s: the loop cannot see this mistake", v.Histories, invariant)
	}
	faults := strings.Join(f.Faults, ", ")
	if faults == "" {
		faults = "no fault at all"
	}
	if f.History != "" {
		faults += " (" + f.History + ")"
	}
	fmt.Fprintf(os.Stderr, "canary %s: %s, with %s, after %d histories: %s\n", name, invariant, faults, f.After, f.Violations[0])
}

// caught returns the first history in which the invariant was broken.
func caught(v rotationtest.Visit, invariant string) (rotationtest.Failure, bool) {
	for _, f := range v.Failures {
		for _, text := range f.Violations {
			if strings.HasPrefix(text, invariant+":") {
				f.Violations = []string{text}
				return f, true
			}
		}
	}
	return rotationtest.Failure{}, false
}
