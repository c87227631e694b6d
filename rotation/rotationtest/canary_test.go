package rotationtest_test

import (
	"fmt"
	"os"
	"slices"
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
				Name: c.name,
				Build: func(w *rotationtest.World) {
					w.Add(rotation.Linux, rotation.Running)
					w.Add(rotation.Linux, rotation.Stopped)
				},
				Runs: []*rotation.Request{rotate("a"), rotate("b")},
				Algorithm: func(w *rotationtest.World) func(*rotationtest.World) error {
					return c.algorithm(&wrong{w: w})
				},
			})
			f, ok := caught(v, c.invariant)
			if !ok {
				t.Fatalf("%d histories, and none broke %s: the loop cannot see this mistake", v.Histories, c.invariant)
			}
			faults := strings.Join(f.Faults, ", ")
			if faults == "" {
				faults = "no fault at all"
			}
			fmt.Fprintf(os.Stderr, "canary %-26s caught in %d of %d histories, first with %s: %s\n",
				c.name+":", count(v, c.invariant), v.Histories, faults, f.Violations[0])
		})
	}
}

// count is in how many histories the invariant was broken.
func count(v rotationtest.Visit, invariant string) int {
	n := 0
	for _, f := range v.Failures {
		if slices.ContainsFunc(f.Violations, func(text string) bool { return strings.HasPrefix(text, invariant+":") }) {
			n++
		}
	}
	return n
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
