package e2e_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A machine that is owed a start gets it although another region does not answer, and nothing else happens.
func TestMachineLeftDownIsStartedAlthoughARegionDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := killable(t, w)
	victim, run := prepareCommand(t, w, c.through(c.door), "rotate", patience)
	c.door.meets(killing(victim, true), func(c call) bool { return c.action == "StopInstances" })
	run()
	vars := inCommand(c.through(c.door))
	var left string
	for _, m := range c.Machines() {
		if m.Stops > 0 {
			left = m.ID
		}
	}
	away := c.regions[0]
	if c.machines[left].Region == away {
		away = c.regions[1]
	}
	c.outage.Store(&outage{away, gone()["it fails"]})
	c.heard = len(c.Requests())
	w.relock(t, vars, "resume").want(t, 1, away)
	c.wantPower(t)
	for _, r := range c.sent() {
		if r.Action != "StartInstances" && !strings.Contains(r.Action, "ResourcesTag") {
			t.Errorf("sent %s; want the start alone, and its mark", r.Action)
		}
	}
	c.outage.Store(nil)
	w.relock(t, vars, "resume").want(t, 0)
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 2)
}

// Both have seen that nothing is pending before either stores a candidate: they adopt the same one.
func TestTwoRotationsAtOnceMakeOneGeneration(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := killable(t, w)
	vars := inCommand(c.through(c.door))
	var arrived sync.WaitGroup
	arrived.Add(2)
	var count atomic.Int64
	c.OnRequest(func(r tencentsim.Request, after bool) {
		if r.Action == "PutSecretValue" && !after && count.Add(1) <= 2 {
			arrived.Done()
			arrived.Wait()
		}
	})
	var both [2]*process
	for i := range both {
		both[i] = w.prepare(t, binary(t, relockBinary), vars, "rotate", "--verbose")
		both[i].start(t)
	}
	for _, p := range both {
		status := p.wait(t)
		t.Logf("ended with status %d: %s", status, last(p.stdout.String()))
		if status != 0 && status != 3 {
			t.Errorf("%s ended with status %d; want 0 or 3\n%s%s", p.stdout.name, status, p.stdout, p.stderr)
		}
	}
	c.OnRequest(nil)
	w.relock(t, vars, "resume").want(t, 0)
	c.wantRotated(t, 2)
	c.wantOpen(t)
	c.wantStops(t, 1, 2) // once more for the overlapping invocation
	w.relock(t, vars, "verify").want(t, 0)
}

// last is the last line of a text.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
