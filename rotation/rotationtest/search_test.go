package rotationtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// scheduled are rotations, each with the schedule that goes on with it while something is left to go on with.
func scheduled(tokens ...string) []rotationtest.Leg {
	var out []rotationtest.Leg
	for _, token := range tokens {
		out = append(out, rotationtest.Leg{Request: rotate(token), Pause: 24 * time.Hour})
		for range 4 {
			resume := &rotation.Request{Action: rotation.Resume}
			out = append(out, rotationtest.Leg{Request: resume, Pending: true, Pause: 5 * time.Minute})
		}
	}
	return out
}

// single is one invocation.
func single(token string) []rotationtest.Leg {
	return []rotationtest.Leg{{Request: rotate(token)}}
}

// unlike are two machines that are treated differently.
func unlike(k rotationtest.Kind) func(*rotationtest.World) {
	return func(w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		if k.Boot {
			w.Add(rotation.Linux, rotation.Running)
		} else {
			w.Add(rotation.Windows, rotation.Stopped)
		}
	}
}

// alike are two machines that share every request.
func alike(w *rotationtest.World) {
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Linux, rotation.Running).Region = w.Machines[0].Region
}

// impatient makes an invocation look seldom and give up early: what it waits for has ended by the next look.
func impatient(r *rotation.Rotator) {
	r.Policy.Canary = -1
	r.Policy.PollInterval, r.Policy.LoginTimeout = time.Minute, time.Minute
	r.Policy.SoftStopTimeout, r.Policy.StartTimeout, r.Policy.ResetTimeout = 2*time.Minute, 2*time.Minute, 2*time.Minute
}

// searches are all that are gone through: by name, so that a history of one can be kept.
func searches() map[string]rotationtest.Search {
	out := map[string]rotationtest.Search{}
	for _, k := range []rotationtest.Kind{{}, {Labels: true}, {Boot: true}, {Labels: true, Boot: true}} {
		out["faults "+k.String()] = rotationtest.Search{
			Kind: k, Build: unlike(k), Lanes: [][]rotationtest.Leg{scheduled("a", "b")}, Other: scheduled("other"),
		}
		out["late "+k.String()] = rotationtest.Search{
			Kind: k, Build: func(w *rotationtest.World) { w.Add(rotation.Linux, rotation.Running) },
			Lanes: [][]rotationtest.Leg{scheduled("a")}, Other: scheduled("b", "c"), Rival: true,
		}
		out["overlap "+k.String()] = rotationtest.Search{
			Kind: k, Build: alike, Change: impatient, Lanes: [][]rotationtest.Leg{single("a"), single("b")}, Loose: true,
		}
	}
	return out
}

// search runs one, prints what it went through and fails with the first histories that broke the promise.
func search(t *testing.T, what, name string, change func(*rotationtest.Search)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		s := searches()[name]
		change(&s)
		f := s.Run()
		fmt.Fprintf(os.Stderr, "%s, %s: %v\n", what, name, f)
		for i, f := range f.Failures[:min(3, len(f.Failures))] {
			keep(t, fmt.Sprintf("%s, %s-%d", what, name, i), f.Violations[0], "search: "+name, "history: "+f.History)
			t.Errorf("%v:\n%s\n%s\nhistory: %s", f.Faults, strings.Join(f.Violations, "\n"), strings.Join(f.Trace, "\n"), f.History)
		}
	})
}

func kindsOf(what string) []string {
	var out []string
	for _, k := range []rotationtest.Kind{{}, {Labels: true}, {Boot: true}, {Labels: true, Boot: true}} {
		out = append(out, what+" "+k.String())
	}
	return out
}

// TestNoPairOfFaultsBreaksThePromise fails every two calls of two machines' two generations, in every way.
func TestNoPairOfFaultsBreaksThePromise(t *testing.T) {
	for _, name := range kindsOf("faults") {
		search(t, "pairs of faults", name, func(s *rotationtest.Search) { s.Faults, s.Limit = 2, *budget })
	}
}

// TestNoThreeFaultsBreakThePromise goes through as many of three faults as the budget allows.
func TestNoThreeFaultsBreakThePromise(t *testing.T) {
	for _, name := range kindsOf("faults") {
		search(t, "three faults", name, func(s *rotationtest.Search) { s.Faults, s.Limit = 3, *budget })
	}
}

// TestNoLateInvocationBreaksThePromise freezes an invocation at every call until others have made two generations, and then
// with any one fault before, meanwhile or after.
func TestNoLateInvocationBreaksThePromise(t *testing.T) {
	for _, name := range kindsOf("late") {
		search(t, "two generations late", name, func(s *rotationtest.Search) {
			s.Faults, s.Kinds = 1, []rotationtest.Fault{rotationtest.Overtaken}
		})
		search(t, "two generations late, one fault", name, func(s *rotationtest.Search) { s.Faults, s.Limit = 2, *budget })
	}
}

// TestNoOverlapBreaksThePromise lets two invocations make their calls in any order.
func TestNoOverlapBreaksThePromise(t *testing.T) {
	for _, name := range kindsOf("overlap") {
		search(t, fmt.Sprintf("two at once, put off %d times", *switches), name, func(s *rotationtest.Search) { s.Switches = *switches })
		if n := *switches - 2; n > 0 { // each costs as much as two more switches
			search(t, fmt.Sprintf("two at once, put off %d times, one fault", n), name, func(s *rotationtest.Search) {
				s.Switches, s.Faults = n, 1
			})
		}
	}
}
