package rotationtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A Scenario is a history without faults, into which a Loop puts one at every call in turn.
type Scenario struct {
	Name string
	Kind Kind
	// Answers are what the vendors' documents leave open.
	Answers Answers
	// Generations is how many rotations there were before the history begins.
	Generations int
	// Build makes the world's machines.
	Build func(*World)
	// Change alters each run's Rotator; nil means that it is as World.Rotator makes it.
	Change func(*rotation.Rotator)
	// Runs are the invocations in order. A nil Request is a person who puts another password into current.
	Runs []*rotation.Request
	// Other is what runs while an invocation is Overtaken. Nil means a further rotation.
	Other *rotation.Request
	// Algorithm makes another algorithm for a world, to see that a wrong one is caught; nil means the engine.
	Algorithm func(*World) func(*World) error

	// Until ends a loop with the first history that breaks this invariant; empty means that nothing does.
	Until string

	tell bool // the world keeps a trace
	dies int  // the call after which the other invocation dies; zero: it lives
}

// Failure is a history in which an invariant did not hold.
type Failure struct {
	Faults []string
	// After is how many histories, or states of a Search, it took to find it.
	After int
	// History is what a Search follows to come here again.
	History    string
	Violations []string
	Trace      []string
}

// Visit is what a loop went through.
type Visit struct {
	Histories int
	Calls     int
	Sites     map[string]int // boundary calls by name, without faults
	Failures  []Failure
	Coverage  Coverage
}

func (v *Visit) add(s Scenario, at map[int]Fault) {
	w := s.play(at)
	v.Histories++
	if v.Coverage == nil {
		v.Coverage = Coverage{}
	}
	v.Coverage.Add(w)
	v.fail(s.failures(w, at)...)
}

// SingleFaults runs the scenario once without a fault, and then once for every call and kind of fault. Each history is
// brought to its end by running again without faults, as the schedules of deploy/ do.
func SingleFaults(s Scenario) Visit {
	w := s.play(nil)
	v := Visit{Histories: 1, Calls: w.calls, Sites: w.Sites, Coverage: Coverage{}}
	v.fail(s.failures(w, nil)...)
	for n := 1; n <= v.Calls && !v.broke(s.Until); n++ {
		for _, f := range s.Kind.FaultsAt(w.order[n-1]) {
			at := map[int]Fault{n: f}
			v.add(s, at)
		}
	}
	return v
}

// DyingOthers runs the scenario with its invocation overtaken at every call in turn by another one, which dies after each
// of its own calls in turn: two invocations at once, and a crash.
func DyingOthers(s Scenario) Visit {
	w := s.play(nil)
	v := Visit{Histories: 1, Calls: w.calls, Sites: w.Sites}
	v.fail(s.failures(w, nil)...)
	for n := 1; n <= v.Calls && !v.broke(s.Until); n++ {
		for m := 1; ; m++ {
			s.dies = m
			at := map[int]Fault{n: Overtaken}
			w := s.play(at)
			v.Histories++
			for _, f := range s.failures(w, at) {
				f.Faults = append(f.Faults, fmt.Sprintf("the other dies after its call %d", m))
				v.fail(f)
			}
			if w.otherCalls < m {
				break // it ended before it could die
			}
		}
	}
	return v
}

func (v *Visit) fail(failures ...Failure) {
	for _, f := range failures {
		f.After = v.Histories
		v.Failures = append(v.Failures, f)
	}
}

// Replay runs the scenario with these faults, by the number of the call.
func (s Scenario) Replay(faults map[int]Fault) Failure {
	w := s.play(faults)
	return Failure{Violations: w.Violations, Trace: w.Trace}
}

// broke reports whether a history broke the invariant.
func (v *Visit) broke(invariant string) bool {
	return invariant != "" && slices.ContainsFunc(v.Failures, func(f Failure) bool {
		return slices.ContainsFunc(f.Violations, func(text string) bool { return strings.HasPrefix(text, invariant+":") })
	})
}

// failures is what went wrong in a history, which is played once more to be told.
func (s Scenario) failures(w *World, at map[int]Fault) []Failure {
	if len(w.Violations) == 0 {
		return nil
	}
	s.tell = true
	w = s.play(at)
	f := Failure{Violations: w.Violations, Trace: w.Trace}
	for n, fault := range at {
		f.Faults = append(f.Faults, fmt.Sprintf("%s at call %d", fault, n))
	}
	return []Failure{f}
}

// play runs the scenario with faults at the numbered calls, counted over the whole history.
func (s Scenario) play(at map[int]Fault) *World {
	w := NewWorld(s.Kind)
	w.hushed = !s.tell
	w.Answer(s.Answers)
	s.Build(w)
	w.other = func() { s.other(w) }
	for _, f := range at {
		if f == Overtaken && len(at) > 1 {
			// Overtaken and something else besides: the promise for invocations at once, as in random histories.
			w.overlap = 2
		}
	}
	if s.Algorithm != nil {
		w.algorithm = s.Algorithm(w)
	}
	for range s.Generations {
		s.run(w, rotation.Request{Action: rotation.Rotate}, nil)
	}
	w.forget()
	for i, req := range s.Runs {
		if req == nil {
			w.Human(fmt.Sprintf("Human-Pass-%04d", i))
			continue
		}
		s.run(w, *req, at)
		for try := 0; try < 4 && w.unfinished(); try++ {
			w.Advance(5 * time.Minute)
			s.run(w, rotation.Request{Action: rotation.Resume}, at)
		}
		w.Advance(24 * time.Hour)
	}
	w.Land()
	// Faults have stopped. The next scheduled runs must end with nothing pending and every machine on current (L1).
	for range 4 {
		s.run(w, rotation.Request{Action: rotation.Reconcile}, nil)
		w.Advance(time.Hour)
	}
	w.CheckEnd()
	if w.unfinished() && !w.excused {
		w.violate("L1", "a version is still pending")
	}
	s.checkLookup(w)
	return w
}

func (s Scenario) run(w *World, req rotation.Request, at map[int]Fault) {
	before := w.calls
	var fault func(int, string) Fault
	if at != nil {
		fault = func(n int, _ string) Fault { return at[before+n] }
	}
	if w.algorithm != nil {
		w.Try(w.algorithm, fault)
		return
	}
	w.Run(s.rotator(w), req, fault)
}

func (s Scenario) rotator(w *World) *rotation.Rotator {
	r := w.Rotator()
	if s.Change != nil {
		s.Change(r)
	}
	return r
}

// other is the invocation that overtakes another. It sees the same schedule a day later, and goes on until it is done.
func (s Scenario) other(w *World) {
	req := rotation.Request{Action: rotation.Rotate, Token: "other"}
	if s.Other != nil {
		req = *s.Other
	}
	if s.dies > 0 {
		before := w.calls
		s.run(w, req, map[int]Fault{before + s.dies: KillAfter})
		w.otherCalls = w.calls - before
		return
	}
	s.run(w, req, nil)
	for try := 0; try < 3 && w.unfinished(); try++ {
		w.Advance(5 * time.Minute)
		s.run(w, rotation.Request{Action: rotation.Resume}, nil)
	}
}

// Human is a person who puts another password into current.
func (w *World) Human(password string) {
	w.trace("a person puts another password into current")
	old := w.Current()
	if !w.kept(old) {
		w.lost[old] = true // relock never had a chance to keep what this person overwrites
	}
	w.shelf.human(fmt.Sprintf(`{"username":"","password":%q}`, password))
	w.current = password
}

// kept reports whether a generation of relock's holds the password.
func (w *World) kept(password string) bool {
	versions, err := w.quiet().History(context.Background(), Secret)
	return err == nil && slices.ContainsFunc(versions, func(v rotation.Version) bool {
		return v.ID != string(rotation.Current) && v.Password.Reveal() == password
	})
}

// unfinished reports whether a schedule would have something to go on with: a version that is pending, or a machine
// that is owed a start.
func (w *World) unfinished() bool {
	for _, m := range w.Machines {
		if m.Power != m.Was && !m.woken {
			return true
		}
	}
	if w.seen(); w.pending == nil {
		_, err := w.quiet().Get(context.Background(), Secret, rotation.Pending)
		pending := err == nil
		w.pending = &pending
	}
	return *w.pending
}

// quiet is the store without boundaries: asking it is no part of the history. What it has read it need not read again until
// the store changes.
func (w *World) quiet() *rotation.Ledger {
	if w.seen(); w.reader == nil {
		copied := &World{kind: w.kind, shelf: w.shelf, inv: newInvocation(nil, nil), atMost: w.atMost, view: w.view, hushed: true}
		copied.current = copied.Current()
		w.reader = copied.Ledger()
	}
	return w.reader
}

// checkLookup holds S2: the answer of lookup contains what opens the machine.
func (s Scenario) checkLookup(w *World) {
	for _, m := range w.Machines {
		if m.Tags["rotate"] != "yes" {
			continue
		}
		a, err := s.rotator(w).Lookup(context.Background(), m.ID)
		if err != nil {
			w.violate("S2", "lookup %s: %v", m.ID, err)
			continue
		}
		found := false
		for _, v := range a.Versions {
			found = found || v.Password.Reveal() == m.Live
		}
		if !found && !w.lost[m.Live] {
			w.violate("S2", "lookup %s does not hold what opens it", m.ID)
		}
	}
}
