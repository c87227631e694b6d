package e2e_test

import (
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// graphRun is one event of an invocation of the bootstrap, which a point may kill.
func (w *witness) graphRun(t *testing.T, vars map[string]string, limit time.Duration, action string) (g *graph, run func() (outcome rotation.Outcome, killed bool)) {
	g = w.graph(t, vars, strconv.Itoa(int((limit + time.Second).Seconds()))) // a second of it is for its answer
	return g, func() (rotation.Outcome, bool) {
		g.start(t)
		defer g.kill()
		e, ok := g.invoke(t, `{"action":"`+action+`"}`)
		switch {
		case !ok:
			return "", true
		case e.failed:
			return "", false
		}
		return graphReport(t, e.body).Outcome, false
	}
}

// A graphTally adds up what was visited of Huawei's cloud, and how often the function ran afterwards.
type graphTally struct {
	visited, runs atomic.Int64
	beyond        atomic.Bool // a rotation ended before it came to its point
}

// visit makes a rotation meet a point, and lets others go on.
func (s *graphTally) visit(t *testing.T, at point) {
	w := newWitness(t)
	c := smallHuawei(t, w)
	d := w.opening(t, c)
	vars, limit := c.vars(d), patience
	if at.short {
		vars, limit = inShort(vars), shortLimit
	}
	victim, run := w.graphRun(t, vars, limit, "rotate")
	limit += time.Second // of which the bootstrap keeps one for its answer
	trouble := at.meets(victim.process)
	came := d.meets(trouble, at.is)
	c.OnLogin(d.logsIn)
	began := time.Now()
	outcome, killed := run()
	took := time.Since(began)
	c.OnLogin(nil)
	_, met := came()
	switch {
	case killed != (met && trouble.kills), !met && outcome != rotation.Rotated && !at.short:
		t.Fatalf("the point came: %t, killed: %t, %s\n%s", met, killed, outcome, victim.stderr)
	case took > limit+noise:
		t.Errorf("it took %s; want no more than its %s", took, limit)
	case met:
		s.visited.Add(1)
	default:
		s.beyond.Store(true)
	}
	c.wantAnswerable(t)
	s.runs.Add(int64(c.goesOn(t, w)))
	c.wantRotated(t, 2, 2)
}

func (s *graphTally) tell(t *testing.T) {
	t.Helper()
	if t.Logf("functiongraph: %d points, %d runs after them", s.visited.Load(), s.runs.Load()); s.visited.Load() == 0 {
		t.Error("no point was visited")
	}
}

// Every call of a rotation in turn is the last of the bootstrap: what goes on is another one, and nothing is lost.
func TestFunctionGraphKilledAtAnyCallGoesOnAndNothingIsLost(t *testing.T) {
	t.Parallel()
	s := &graphTally{}
	places := oneOfEachKind(undisturbedGraph(t))
	if full() {
		places = everyPlace(s.beyond.Load)
	}
	spread(t, func(yield func(point) bool) {
		for at := range places {
			if !yield(deadly(at, false)) || !yield(deadly(at, true)) {
				return
			}
		}
	}, s.visit)
	s.tell(t)
}

// Whatever becomes of a call to Huawei Cloud and of its answer, nothing is lost.
func TestFunctionGraphsSpoiledCallsLoseNothing(t *testing.T) {
	t.Parallel()
	s := &graphTally{}
	calls := slices.DeleteFunc(undisturbedGraph(t), func(c call) bool { return c.action == login })
	p := bootstrap()
	p.limited = full() // a sample meets silence, which costs a whole time limit, with Tencent's machines
	spread(t, spoilings(p, calls, 0), s.visit)
	s.tell(t)
}

// goesOn runs the function until nothing is pending, as its timers do, and returns how often.
func (c *huaweiCloud) goesOn(t *testing.T, w *witness) int {
	t.Helper()
	action := "resume"
	for n := 1; n <= 5; n++ {
		_, run := w.graphRun(t, c.vars(w.opening(t, c)), patience, action)
		switch outcome, _ := run(); {
		case c.current(t).Generation == 2 && (outcome == rotation.Rotated || outcome == rotation.Nothing):
			return n
		case outcome == rotation.Nothing:
			action = "rotate" // resume begins nothing
		}
	}
	t.Fatal("it does not come to an end")
	return 0
}

// undisturbedGraph returns the calls of a rotation that nothing happens to.
func undisturbedGraph(t *testing.T) []call {
	t.Helper()
	w := newWitness(t)
	c := smallHuawei(t, w)
	d := w.opening(t, c)
	_, run := w.graphRun(t, c.vars(d), patience, "rotate")
	c.OnLogin(d.logsIn)
	began := time.Now()
	if outcome, _ := run(); outcome != rotation.Rotated {
		t.Fatalf("%s after %s; want rotated", outcome, time.Since(began))
	}
	c.OnLogin(nil)
	c.wantRotated(t, 2, 1)
	return d.calls
}
