package rotationtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// fleet is one machine of each kind that is treated differently.
func fleet(w *rotationtest.World) {
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Linux, rotation.Stopped)
	w.Add(rotation.Windows, rotation.Running)
	isolated := w.Add(rotation.Linux, rotation.Stopped)
	isolated.Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Code: "Shutdown", Reason: "isolated for arrears"}
	other := w.Add(rotation.Linux, rotation.Running)
	other.Tags = map[string]string{"rotate": "no"}
}

func rotate(token string) *rotation.Request {
	return &rotation.Request{Action: rotation.Rotate, Token: token}
}

// scenarios are run for every kind of cloud whose answers they suit.
func scenarios() []rotationtest.Scenario {
	var out []rotationtest.Scenario
	for _, labels := range []bool{false, true} {
		kind := rotationtest.Kind{Labels: labels}
		for _, proof := range []rotation.Proof{rotation.ProofLogin, rotation.ProofProvider} {
			change := func(r *rotation.Rotator) { r.Policy.Proof = proof }
			out = append(out,
				rotationtest.Scenario{Name: "two rotations/" + string(proof), Kind: kind, Build: fleet, Change: change,
					Runs: []*rotation.Request{rotate("a"), rotate("b")}},
				rotationtest.Scenario{Name: "a person between/" + string(proof), Kind: kind, Build: fleet, Change: change,
					Runs: []*rotation.Request{rotate("a"), nil, rotate("b")}},
			)
		}
		out = append(out, rotationtest.Scenario{Name: "effect at boot", Kind: rotationtest.Kind{Labels: labels, Boot: true},
			Build: func(w *rotationtest.World) {
				w.Add(rotation.Linux, rotation.Running)
				w.Add(rotation.Linux, rotation.Running)
			},
			Runs: []*rotation.Request{rotate("a"), rotate("b")}})
	}
	return out
}

// TestNoDyingRivalBreaksThePromise runs two invocations at once, one of which dies: at every call of the one, after every
// call of the other.
func TestNoDyingRivalBreaksThePromise(t *testing.T) {
	for _, labels := range []bool{false, true} {
		s := rotationtest.Scenario{Name: "one rotation", Kind: rotationtest.Kind{Labels: labels}, Runs: []*rotation.Request{rotate("a")},
			Build: func(w *rotationtest.World) { w.Add(rotation.Linux, rotation.Running) }}
		t.Run(s.Kind.String(), func(t *testing.T) {
			t.Parallel()
			report(t, "dying rival", s, rotationtest.DyingOthers(s))
		})
	}
}

// report prints what a loop visited and fails with the first histories that broke the promise.
func report(t *testing.T, loop string, s rotationtest.Scenario, v rotationtest.Visit) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "%s %s %s: %d calls, %d histories, %d violations\n", loop, s.Kind, s.Name, v.Calls, v.Histories, len(v.Failures))
	for i, f := range v.Failures {
		if i == 3 {
			t.Fatalf("… and %d more", len(v.Failures)-3)
		}
		t.Errorf("%v:\n%s\n%s", f.Faults, strings.Join(f.Violations[:min(5, len(f.Violations))], "\n"), strings.Join(f.Trace, "\n"))
	}
}

// TestNoSingleFaultBreaksThePromise fails every boundary call in turn, in every way, and holds S0-S8 after each step and
// L1 at the end.
func TestNoSingleFaultBreaksThePromise(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.Kind.String()+"/"+s.Name, func(t *testing.T) {
			t.Parallel()
			report(t, fmt.Sprintf("single faults (%d kinds)", len(rotationtest.Faults())), s, rotationtest.SingleFaults(s))
		})
	}
}
