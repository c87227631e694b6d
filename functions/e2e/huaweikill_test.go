package e2e_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// graphRun is one event of an invocation of the bootstrap, which a point may kill.
func (w *witness) graphRun(t *testing.T, c *huaweiCloud, d *door, action string) (g *graph, run func() (outcome rotation.Outcome, killed bool)) {
	g = w.graph(t, c.vars(d), "120")
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

// Every call of a rotation in turn is the last of the bootstrap: what goes on is another one, and nothing is lost.
func TestFunctionGraphKilledAtAnyCallGoesOnAndNothingIsLost(t *testing.T) {
	t.Parallel()
	var visited, runs atomic.Int64
	var beyond atomic.Bool
	places := oneOfEachKind(undisturbedGraph(t))
	if full() {
		places = everyPlace(beyond.Load)
	}
	spread(t, func(yield func(point) bool) {
		for at := range places {
			for _, after := range []bool{false, true} {
				kill := func(p *process) trouble { return killing(p, after) }
				if !yield(point{name: at.name, is: at.is, trouble: "kill -9" + when(after), meets: kill}) {
					return
				}
			}
		}
	}, func(t *testing.T, at point) {
		w := newWitness(t)
		c := smallHuawei(t, w)
		d := w.opening(t, c)
		victim, run := w.graphRun(t, c, d, "rotate")
		came := d.meets(at.meets(victim.process), at.is)
		c.OnLogin(d.logsIn)
		outcome, killed := run()
		c.OnLogin(nil)
		if _, met := came(); met != killed || !met && outcome != rotation.Rotated {
			t.Fatalf("the point came: %t, killed: %t, %s\n%s", met, killed, outcome, victim.stderr)
		} else if !met {
			beyond.Store(true)
		} else {
			visited.Add(1)
		}
		c.wantAnswerable(t)
		runs.Add(int64(c.goesOn(t, w)))
		c.wantRotated(t, 2, 2)
	})
	if t.Logf("functiongraph: %d points, %d runs after them", visited.Load(), runs.Load()); visited.Load() == 0 {
		t.Error("no point was visited")
	}
}

// goesOn runs the function until nothing is pending, as its timers do, and returns how often.
func (c *huaweiCloud) goesOn(t *testing.T, w *witness) int {
	t.Helper()
	action := "resume"
	for n := 1; n <= 5; n++ {
		_, run := w.graphRun(t, c, w.opening(t, c), action)
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
	_, run := w.graphRun(t, c, d, "rotate")
	c.OnLogin(d.logsIn)
	began := time.Now()
	if outcome, _ := run(); outcome != rotation.Rotated {
		t.Fatalf("%s after %s; want rotated", outcome, time.Since(began))
	}
	c.OnLogin(nil)
	c.wantRotated(t, 2, 1)
	return d.calls
}
