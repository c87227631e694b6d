package e2e_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// together makes two processes wait for each other before either stores anything: both have seen that nothing is pending.
// One that has ended is not waited for.
func (c *cloud) together(one, other *process) {
	both := make(chan struct{})
	var arrived atomic.Int64
	c.OnRequest(func(r tencentsim.Request, after bool) {
		if r.Action != "PutSecretValue" || after {
			return
		}
		if arrived.Add(1) == 2 {
			close(both)
		}
		select {
		case <-both:
		case <-one.done:
		case <-other.done:
		}
	})
}

// They adopt the same candidate.
func TestTwoRotationsAtOnceMakeOneGeneration(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := killable(t, w)
	vars := inCommand(c.through(c.door))
	var both [2]*process
	for i := range both {
		both[i] = w.prepare(t, binary(t, relockBinary), vars, "rotate", "--verbose")
	}
	c.together(both[0], both[1])
	for _, p := range both {
		p.start(t)
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

// Two binaries rotate at once, and one of them is killed at any of its calls.
func TestKilledBesideAnotherRotationNothingIsLost(t *testing.T) {
	t.Parallel()
	all := append(programs(), bootstrap())
	for i, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			rival, s := all[(i+1)%len(all)], &tally{serve: killable}
			calls := slices.DeleteFunc(undisturbed(t, p, killable), func(c call) bool { return c.action == login })
			places := oneOfEachKind(calls)
			if full() {
				places = eachOf(calls)
			}
			n := i
			spread(t, func(yield func(point) bool) {
				for at := range places {
					n++
					for _, after := range []bool{false, true} {
						if (full() || after == (n%2 == 0)) && !yield(deadly(at, after)) {
							return
						}
					}
				}
			}, func(t *testing.T, at point) { s.beside(t, p, rival, at) })
			s.tell(t, p.name+" beside "+rival.name)
		})
	}
}

// beside kills a rotation at a point while another one is under way, and lets further processes go on.
func (s *tally) beside(t *testing.T, p, rival program, at point) {
	w := newWitness(t)
	c := s.serve(t, w)
	d := c.ownDoor(t, w)
	victim := p.prepare(t, w, c.through(d), "rotate", patience)
	other := rival.prepare(t, w, c.through(c.ownDoor(t, w)), "rotate", patience)
	came := d.meets(at.meets(victim.process), at.is)
	c.together(victim.process, other.process)
	victim.begin()
	other.begin()
	ended, survivor := victim.end(), other.end()
	c.OnRequest(nil)
	met, ok := came()
	if ended.killed != ok || survivor.killed {
		t.Fatalf("killed: %t, the point came: %t, the other was killed: %t\n%s\n%s", ended.killed, ok, survivor.killed, ended.said, survivor.said)
	}
	if ok {
		s.visits(at.trouble, met.action)
	}
	c.wantAnswerable(t)
	h := history{p, w, c}
	s.endsBeside(t, h, h.again(t))
}
