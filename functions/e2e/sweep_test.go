package e2e_test

import (
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// histories is how many clouds there are at once: most of the time of each is waiting.
const histories = 6

// A point is a call of a process, and what goes wrong with it.
type point struct {
	name    string
	is      func(call) bool
	trouble string
	meets   func(victim *process) trouble
	short   bool // the platform gives the process little time
}

func (p point) String() string { return p.name + ", " + p.trouble }

// deadly is the point at which a process is killed.
func deadly(at place, after bool) point {
	kill := func(p *process) trouble { return killing(p, after) }
	return point{at.name, at.is, "kill -9" + when(after), kill, false}
}

// A place is a call of a process, by a name for people.
type place struct {
	name string
	is   func(call) bool
}

// everyPlace is each call, the first, the second and so on, until over says that there are no more.
func everyPlace(over func() bool) iter.Seq[place] {
	return func(yield func(place) bool) {
		for n := 1; !over(); n++ {
			if !yield(place{fmt.Sprintf("call %d", n), func(c call) bool { return c.n == n }}) {
				return
			}
		}
	}
}

// eachOf is each of the calls that there were.
func eachOf(calls []call) iter.Seq[place] {
	return func(yield func(place) bool) {
		for _, was := range calls {
			is := func(c call) bool { return c.action == was.action && c.nth == was.nth }
			if !yield(place{fmt.Sprintf("%s %d", was.action, was.nth), is}) {
				return
			}
		}
	}
}

// oneOfEachKind is one call of each action, in the midst of those that there were.
func oneOfEachKind(calls []call) iter.Seq[place] {
	count := map[string]int{}
	for _, c := range calls {
		count[c.action]++
	}
	return eachOf(slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return c.nth != (count[c.action]+1)/2 }))
}

// spread runs a test for each of the points, several at once.
func spread(t *testing.T, points iter.Seq[point], visit func(*testing.T, point)) {
	todo := make(chan point)
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
	all := programs()
	if full() {
		all = append(all, functions()...)
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			calls := undisturbed(t, p, killable)
			sweep(t, p, p.name, killable, oneOfEachKind(calls)).wantEvery(t, calls)
		})
	}
}

// The same where the rotation has to make room in the secret first.
func TestKilledWhileItMakesRoomARotationForgetsNothing(t *testing.T) {
	t.Parallel()
	serve := aged(t)
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			calls := undisturbed(t, p, serve)
			if !full() {
				calls = slices.DeleteFunc(calls, func(c call) bool { return c.action != "DeleteSecretVersion" && c.action != "PutSecretValue" })
			}
			sweep(t, p, p.name+" with a full secret", serve, oneOfEachKind(calls)).wantEvery(t, calls)
		})
	}
}

// sweep kills a program at every call of a rotation, before and after; a sample has those at some places alone. The calls
// of two rotations differ somewhat in number and order: the places of the sample are visited in any case.
func sweep(t *testing.T, p program, name string, serve func(testing.TB, *witness) *cloud, sample iter.Seq[place]) *tally {
	s := &tally{serve: serve}
	var beyond atomic.Int64 // rotations that ended before they came to their point: their lengths differ somewhat
	over := func() bool { return !full() || beyond.Load() >= 8 }
	spread(t, func(yield func(point) bool) {
		for _, places := range []iter.Seq[place]{sample, everyPlace(over)} {
			for at := range places {
				if !yield(deadly(at, false)) || !yield(deadly(at, true)) {
					return
				}
			}
		}
	}, func(t *testing.T, at point) {
		if !s.visit(t, p, at) {
			beyond.Add(1)
		}
	})
	s.tell(t, name)
	return s
}

// undisturbed returns the calls of a rotation that nothing happens to.
func undisturbed(t *testing.T, p program, serve func(testing.TB, *witness) *cloud) []call {
	t.Helper()
	w := newWitness(t)
	c := serve(t, w)
	d := c.ownDoor(t, w)
	c.OnLogin(d.logsIn)
	r := p.prepare(t, w, c.through(d), "rotate", patience).do()
	c.OnLogin(nil)
	if r.outcome != rotation.Rotated {
		t.Fatal(r.said)
	}
	(&tally{}).ends(t, history{p, w, c}, 0, 1)
	return d.calls
}

// visit makes a rotation meet a point, lets other processes go on, and reports whether the point came.
func (s *tally) visit(t *testing.T, p program, at point) bool {
	w := newWitness(t)
	c := s.serve(t, w)
	d := c.ownDoor(t, w)
	limit, vars := patience, c.through(d)
	if at.short {
		limit, vars = shortLimit, inShort(vars)
	}
	victim := p.prepare(t, w, vars, "rotate", limit)
	trouble := at.meets(victim.process)
	came := d.meets(trouble, at.is)
	c.OnLogin(d.logsIn)
	r := victim.do()
	c.OnLogin(nil)
	met, ok := came()
	switch {
	case r.killed != (ok && trouble.kills):
		t.Fatalf("killed: %t, the point came: %t\n%s", r.killed, ok, r.said)
	case !ok && r.outcome != rotation.Rotated && !at.short:
		t.Fatalf("nothing went wrong, and it was not rotated: %s", r.said)
	case r.took > victim.limit+noise:
		t.Errorf("it took %s; want no more than its %s", r.took, victim.limit)
	}
	if ok {
		s.visits(trouble.name, met.action)
	}
	c.wantAnswerable(t)
	h := history{p, w, c}
	s.ends(t, h, h.again(t), 2) // of one ambiguous outcome or death
	return ok
}
