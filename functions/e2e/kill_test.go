package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A moment is when a process is killed: at the n-th request of an action, before that has its effect, which it then never
// has, or after.
type moment struct {
	action string
	n      int
	after  bool
}

func (m moment) String() string {
	when := "before"
	if m.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, m.action, m.n)
}

// moments are some before and after everything that a rotation writes; with time for it, all of them.
func moments(t *testing.T) []moment {
	if full() {
		return allMoments(t)
	}
	return []moment{
		{"PutSecretValue", 1, false},         // nothing has happened
		{"PutSecretValue", 1, true},          // what was found is kept
		{"PutSecretValue", 2, true},          // the candidate is stored
		{"AttachResourcesTag", 1, true},      // a machine is about to be stopped
		{"StopInstances", 1, true},           // it is down
		{"ResetInstancesPassword", 1, false}, //
		{"ResetInstancesPassword", 1, true},  // it has the new password, or will have
		{"StartInstances", 1, false},         //
		{"StartInstances", 1, true},          // it runs again
		{"ModifyResourcesTagValue", 1, true}, // it is noted as proven
		{"StopInstances", 3, true},           // in the midst of the fleet
		{"ResetInstancesPassword", 3, true},  //
		{"StartInstances", 3, false},         //
		{"UpdateSecret", 1, false},           // all are proven
		{"UpdateSecret", 1, true},            // and the password is current
	}
}

// allMoments are those before and after each request of a rotation that nothing disturbs.
func allMoments(t *testing.T) []moment {
	w := newWitness(t)
	c, vars := killable(t, w)
	w.relock(t, vars, "rotate").want(t, 0)
	var all []moment
	count := map[string]int{}
	for _, r := range c.Requests() {
		count[r.Action]++
		all = append(all, moment{r.Action, count[r.Action], false})
		if !reads(r) {
			all = append(all, moment{r.Action, count[r.Action], true})
		}
	}
	return all
}

// killable serves a small fleet of every sort, of which few may be down at once, and returns variables for it.
func killable(t testing.TB, w *witness) (*cloud, map[string]string) {
	t.Helper()
	c := w.serve(t, tencentsim.Config{Scale: 0.003})
	tags := map[string]string{tencentsim.FleetTagKey: tencentsim.FleetTagValue}
	for i := range 8 {
		m := tencentsim.Machine{ID: fmt.Sprintf("ins-kill000%d", i), Region: c.regions[i%2], Tags: tags}
		switch i {
		case 4:
			m.OSName = "Windows Server 2022 Datacenter 64bit English"
		case 5, 6:
			m.State = "STOPPED"
		}
		c.Add(m)
	}
	c.remember()
	return c, with(c.inCommand(), "RELOCK_MAX_UNAVAILABLE", "2", "RELOCK_BATCH_SIZE", "1", "RELOCK_RESET_TIMEOUT", "2s")
}

// at calls f at a moment, while the request waits; before its effect, it is lost then. It returns whether the moment came.
func (c *cloud) at(m moment, f func()) (came func() bool) {
	var requests atomic.Int64
	var did atomic.Bool
	c.OnRequest(func(r tencentsim.Request, after bool) {
		if r.Action == m.action && after == m.after && requests.Add(1) == int64(m.n) {
			did.Store(true)
			f()
			if !after {
				panic(http.ErrAbortHandler)
			}
		}
	})
	return did.Load
}

// killedAt rotates with the command until that is killed at a moment, and reports whether it was. Whether a rotation has
// as many requests as another one depends on time.
func (c *cloud) killedAt(t testing.TB, w *witness, vars map[string]string, m moment) bool {
	t.Helper()
	p := w.prepare(t, binary(t, relockBinary), vars, "rotate", "--verbose")
	killed := c.at(m, p.kill)
	p.start(t)
	status := p.wait(t)
	c.OnRequest(nil)
	switch {
	case killed() && status == -1:
		return true
	case full() && !killed() && status == 0:
		t.Logf("it ended before the moment %s came", m)
		return false
	}
	t.Fatalf("it ended with status %d and was not killed %s\n%s", status, m, p.stderr)
	return false
}

func TestKilledRotationGoesOnWithTheSamePassword(t *testing.T) {
	t.Parallel()
	for _, m := range moments(t) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			w := newWitness(t)
			c, vars := killable(t, w)
			if !c.killedAt(t, w, vars, m) {
				return
			}
			candidate := c.Secret(tencentsim.DemoSecret)[slot(2)]

			w.relock(t, vars, "resume", "--verbose").want(t, 0)
			if candidate == "" { // it had chosen none, and resume makes none
				if c.wantPower(t); len(c.Secret(tencentsim.DemoSecret)) > 2 {
					t.Error("resume stored something; want nothing")
				}
				w.relock(t, vars, "rotate", "--verbose").want(t, 0)
			} else if c.Secret(tencentsim.DemoSecret)[slot(2)] != candidate {
				t.Error("the candidate is not what it was")
			}
			c.wantRotated(t, 2)
			c.wantOpen(t)
			c.wantStops(t, 1, 2) // a death is one ambiguous outcome
			if n := c.stops() - 6; n > 2 {
				t.Errorf("%d stops more than machines; want no more than the 2 that were on their way", n)
			}
			w.relock(t, vars, "verify").want(t, 0)
			w.relock(t, vars, "resume").want(t, 0, "nothing")
		})
	}
}

// stops adds up how often machines were stopped.
func (c *cloud) stops() int {
	n := 0
	for id, m := range c.byID() {
		n += m.Stops - c.machines[id].Stops
	}
	return n
}

// The function is killed at its time limit as well, and the next invocation is another process.
func TestKilledFunctionLeavesNoMachineDown(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c, _ := killable(t, w)
	vars := with(c.inSCF(), "RELOCK_MAX_UNAVAILABLE", "2")
	p := w.function(t)
	killed := c.at(moment{"StopInstances", 2, true}, p.kill)
	p.Go("Function.Invoke", request(t, timer(t, "monthly", time.Now(), ""), vars, patience), &messages.InvokeResponse{}, nil)
	<-p.done
	c.OnRequest(nil)
	if !killed() {
		t.Fatalf("the function ended before it was killed: %s", p.stderr)
	}
	candidate := c.Secret(tencentsim.DemoSecret)[slot(2)]

	wantReport(t, w.function(t).invoke(t, `{"action":"resume"}`, vars, patience), rotation.Rotated)
	if c.Secret(tencentsim.DemoSecret)[slot(2)] != candidate {
		t.Error("the candidate is not what it was")
	}
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 1)
}

// A machine that is owed a start gets it although another region does not answer, and nothing else happens.
func TestMachineLeftDownIsStartedAlthoughARegionDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c, vars := killable(t, w)
	c.killedAt(t, w, vars, moment{"StopInstances", 1, true})
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
	c, vars := killable(t, w)
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
