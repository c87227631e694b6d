package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// histories is how many clouds there are at once: most of the time of each is waiting.
const histories = 6

// A point is a place in the life of a process: before one of its calls has an effect, or after that and before the answer.
type point struct {
	name  string
	is    func(call) bool
	after bool
}

func (p point) String() string { return p.name + when(p.after) }

// everyPoint are those before and after each call, of the first, the second and so on, until over says that there are no
// more.
func everyPoint(over func() bool) func(yield func(point) bool) {
	return func(yield func(point) bool) {
		for n := 1; !over(); n++ {
			is := func(c call) bool { return c.n == n }
			if name := fmt.Sprintf("call %d", n); !yield(point{name, is, false}) || !yield(point{name, is, true}) {
				return
			}
		}
	}
}

// oneOfEachKind are the points before and after one call of each action, in the midst of those that there were.
func oneOfEachKind(calls []call) func(yield func(point) bool) {
	return func(yield func(point) bool) {
		count := map[string]int{}
		for _, c := range calls {
			count[c.action]++
		}
		for _, action := range slices.Sorted(maps.Keys(count)) {
			nth := (count[action] + 1) / 2
			is := func(c call) bool { return c.action == action && c.nth == nth }
			if name := fmt.Sprintf("%s %d", action, nth); !yield(point{name, is, false}) || !yield(point{name, is, true}) {
				return
			}
		}
	}
}

// spread runs a test for each of the points, several at once.
func spread[P fmt.Stringer](t *testing.T, points func(yield func(P) bool), visit func(*testing.T, P)) {
	todo := make(chan P)
	var workers sync.WaitGroup
	for range histories {
		workers.Go(func() {
			for p := range todo {
				t.Run(p.String(), func(t *testing.T) { visit(t, p) })
			}
		})
	}
	for p := range points {
		todo <- p
	}
	close(todo)
	workers.Wait()
}

// Every call of a rotation in turn is the last of its process: what goes on is another process, and nothing is lost.
func TestKilledAtAnyCallARotationGoesOnAndNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := &tally{}
			var beyond atomic.Bool // a rotation ended without having come to its point
			calls := undisturbed(t, p)
			points := oneOfEachKind(calls)
			if full() {
				points = everyPoint(beyond.Load)
			}
			spread(t, points, func(t *testing.T, at point) {
				if !killed(t, p, at, s) {
					beyond.Store(true)
				}
			})
			s.tell(t, "kill -9 of "+p.name)
			s.wantEvery(t, calls)
		})
	}
}

// undisturbed returns the calls of a rotation that nothing happens to.
func undisturbed(t *testing.T, p program) []call {
	t.Helper()
	w := newWitness(t)
	c := killable(t, w)
	d := c.ownDoor(t, w)
	_, run := p.prepare(t, w, c.through(d), "rotate", patience)
	c.OnLogin(d.logsIn)
	r := run()
	c.OnLogin(nil)
	if r.outcome != rotation.Rotated {
		t.Fatal(r.said)
	}
	(&tally{}).ends(t, history{p, w, c}, 0, 1)
	return d.calls
}

// killed kills a rotation at a point, lets other processes go on, and reports whether the point came.
func killed(t *testing.T, p program, at point, s *tally) bool {
	w := newWitness(t)
	c := killable(t, w)
	d := c.ownDoor(t, w)
	victim, run := p.prepare(t, w, c.through(d), "rotate", patience)
	came := d.meets(killing(victim, at.after), at.is)
	c.OnLogin(d.logsIn)
	r := run()
	c.OnLogin(nil)
	met, ok := came()
	if r.killed != ok || !ok && r.outcome != rotation.Rotated {
		t.Fatalf("killed: %t, the point came: %t\n%s", r.killed, ok, r.said)
	}
	if ok {
		s.visits(met.action, at.after)
	}
	c.wantAnswerable(t)
	h := history{p, w, c}
	s.ends(t, h, h.again(t), 2) // a death is one ambiguous outcome
	return ok
}
