package rotationtest_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
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
	for _, kind := range []rotationtest.Kind{{}, {Labels: true}, {CompareAndSet: true}} {
		for _, proof := range []rotation.Proof{rotation.ProofLogin, rotation.ProofProvider} {
			change := func(r *rotation.Rotator) { r.Policy.Proof = proof }
			two := rotationtest.Scenario{Name: "two rotations/" + string(proof), Kind: kind, Build: fleet, Change: change,
				Runs: []*rotation.Request{rotate("a"), rotate("b")}}
			person := rotationtest.Scenario{Name: "a person between/" + string(proof), Kind: kind, Build: fleet, Change: change,
				Runs: []*rotation.Request{rotate("a"), nil, rotate("b")}}
			if *full || proof == rotation.ProofLogin {
				out = append(out, two)
			}
			if *full || proof == rotation.ProofProvider {
				out = append(out, person)
			}
		}
		out = append(out, compaction(kind))
		out = append(out, rotationtest.Scenario{Name: "effect at boot", Kind: rotationtest.Kind{Labels: kind.Labels, CompareAndSet: kind.CompareAndSet, Boot: true},
			Build: func(w *rotationtest.World) {
				w.Add(rotation.Linux, rotation.Running)
				w.Add(rotation.Linux, rotation.Running)
			},
			Runs: []*rotation.Request{rotate("a"), rotate("b")}})
	}
	return append(out, unproven())
}

// compaction is two rotations that have to make room first.
func compaction(kind rotationtest.Kind) rotationtest.Scenario {
	return rotationtest.Scenario{Name: "compaction", Kind: kind, Generations: 5,
		Build: func(w *rotationtest.World) { w.Add(rotation.Linux, rotation.Stopped) },
		Runs:  []*rotation.Request{rotate("a"), rotate("b")}}
}

// unproven has a machine that nobody can tell of: no login, and a provider that reports nothing.
func unproven() rotationtest.Scenario {
	return rotationtest.Scenario{Name: "unproven", Kind: rotationtest.Kind{Boot: true},
		Build: func(w *rotationtest.World) {
			w.Allow(1)
			w.Add(rotation.Linux, rotation.Running)
			w.Add(rotation.Linux, rotation.Running).NoLogin = true
		},
		Runs: []*rotation.Request{rotate("a")}}
}

// TestNoOpenQuestionBreaksThePromise answers each question that the vendors' documents leave open otherwise than is
// likeliest, one at a time, and fails every call in every way.
func TestNoOpenQuestionBreaksThePromise(t *testing.T) {
	for _, q := range rotationtest.OpenQuestions() {
		for _, kind := range []rotationtest.Kind{{}, {Labels: true}, {CompareAndSet: true}, {Boot: true}} {
			if !q.Kinds(kind) {
				continue
			}
			s := rotationtest.Scenario{Name: q.Name, Kind: kind, Build: fleet, Runs: []*rotation.Request{rotate("a")}}
			if kind.Boot {
				s.Build = running
			}
			q.Answer(&s.Answers)
			t.Run(kind.String()+"/"+q.Name, func(t *testing.T) {
				t.Parallel()
				report(t, "open question", s, rotationtest.SingleFaults(s))
			})
			if !q.Store {
				break // one kind of store is enough
			}
		}
	}
}

// running are machines that are treated alike.
func running(w *rotationtest.World) {
	for range 3 {
		w.Add(rotation.Linux, rotation.Running)
	}
}

// TestNoDyingRivalBreaksThePromise runs two invocations at once, one of which dies: at every call of the one, after every
// call of the other.
func TestNoDyingRivalBreaksThePromise(t *testing.T) {
	for _, kind := range []rotationtest.Kind{{}, {Labels: true}, {CompareAndSet: true}} {
		s := rotationtest.Scenario{Name: "one rotation", Kind: kind, Runs: []*rotation.Request{rotate("a")},
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
		if !strings.Contains(strings.Join(f.Faults, ""), "the other") {
			keep(t, fmt.Sprintf("%s/%s-%d", s.Kind, s.Name, i), f.Violations[0],
				"scenario: "+s.Kind.String()+"/"+s.Name, "faults: "+strings.Join(f.Faults, ", "))
		}
		t.Errorf("%v:\n%s\n%s", f.Faults, strings.Join(f.Violations[:min(5, len(f.Violations))], "\n"), strings.Join(f.Trace, "\n"))
	}
}

// TestNoSingleFaultBreaksThePromise fails every boundary call in turn, in every way, and holds S0-S8 after each step and
// L1 at the end.
func TestNoSingleFaultBreaksThePromise(t *testing.T) {
	var mu sync.Mutex
	all := rotationtest.Coverage{}
	ran := 0
	t.Cleanup(func() {
		if ran < len(scenarios()) {
			return // only some were asked for
		}
		fmt.Fprintf(os.Stderr, "single faults by call:\n%s\n", all.Table())
		for _, cell := range all.Empty() {
			t.Errorf("%s was never tried at a %s", cell.Fault, cell.Site)
		}
	})
	for _, s := range scenarios() {
		t.Run(s.Kind.String()+"/"+s.Name, func(t *testing.T) {
			t.Parallel()
			v := rotationtest.SingleFaults(s)
			report(t, "single faults", s, v)
			mu.Lock()
			defer mu.Unlock()
			all.Sum(v.Coverage)
			ran++
		})
	}
}
