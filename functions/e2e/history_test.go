package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// killable serves a small fleet of every sort, of which few may be down at once.
func killable(t testing.TB, w *witness) *cloud {
	t.Helper()
	c := w.serve(t, tencentsim.Config{Scale: 0.003})
	for i := range 6 {
		m := tencentsim.Machine{ID: fmt.Sprintf("ins-kill000%d", i), Region: c.regions[i%2],
			Tags: map[string]string{tencentsim.FleetTagKey: tencentsim.FleetTagValue}}
		switch i {
		case 3:
			m.OSName = "Windows Server 2022 Datacenter 64bit English"
		case 4:
			m.State = "STOPPED"
		}
		c.Add(m)
	}
	c.remember()
	return c
}

// aged rotates a killable fleet until the next rotation has to make room in the secret, and returns what serves such ones.
func aged(t *testing.T) func(testing.TB, *witness) *cloud {
	w := newWitness(t)
	c := killable(t, w)
	for c.next < 7 {
		w.relock(t, inCommand(c.through(c.door)), "rotate").want(t, 0)
		c.remember()
	}
	machines, secret := c.Machines(), c.secret
	return func(t testing.TB, w *witness) *cloud {
		c := w.serve(t, tencentsim.Config{Scale: 0.003})
		for _, m := range machines {
			c.Add(m)
		}
		c.PutSecret(tencentsim.DemoSecret, secret)
		c.remember()
		return c
	}
}

// ownDoor opens one more door to the cloud.
func (c *cloud) ownDoor(t testing.TB, w *witness) *door { return w.opening(t, c) }

// through are relock's variables for a process behind a door to a killable fleet.
func (c *cloud) through(d *door) map[string]string {
	return with(c.vars(), "RELOCK_TENCENT_ENDPOINT", d.url, "RELOCK_MAX_UNAVAILABLE", "2")
}

// A history is one cloud, and what processes of a program do to it.
type history struct {
	program
	w *witness
	c *cloud
}

// again runs it until nothing is pending, as a schedule or a person does, and returns how often.
func (h history) again(t *testing.T) int {
	t.Helper()
	action, said := "resume", ""
	for n := 1; n <= 5; n++ {
		r := h.prepare(t, h.w, h.c.through(h.c.ownDoor(t, h.w)), action, patience).do()
		current, _ := h.c.version(t, tencentsim.DemoVersion)
		_, begun := h.c.version(t, slot(h.c.next))
		switch {
		case r.outcome == rotation.Rotated, r.outcome == rotation.Nothing && current.Generation == h.c.next:
			return n
		case r.outcome == rotation.Nothing && !begun:
			action = "rotate" // resume begins nothing
		}
		said += r.said
	}
	t.Fatalf("it does not come to an end\n%s", said)
	return 0
}

// wantAnswerable fails the test unless the store holds the password of every machine now.
func (c *cloud) wantAnswerable(t testing.TB) (lost int) {
	t.Helper()
	machines := c.Machines() // in this order: what is set in between was stored before
	known := c.stored()
	for _, m := range machines {
		if !slices.Contains(known, m.Password) {
			lost++
			t.Errorf("machine %s has a password that the store does not hold", m.ID)
		}
	}
	return lost
}

// A tally adds up what a sweep visited and how its histories ended.
type tally struct {
	serve func(testing.TB, *witness) *cloud // the fleet of each history

	mu         sync.Mutex
	visited    map[string]map[string]int // points, by trouble and by what was called
	machines   int                       // of all histories
	most       int                       // runs that a history took to its end, after the trouble
	lost, down int                       // machines
	unmarked   int                       // machines that are down without a mark, which two invocations at once can leave
	again      int                       // machines that were stopped more than once
}

func (s *tally) visits(trouble, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.visited == nil {
		s.visited = map[string]map[string]int{}
	}
	if s.visited[trouble] == nil {
		s.visited[trouble] = map[string]int{}
	}
	s.visited[trouble][action]++
}

// unmarked are the machines that ran, are down, and of which no mark says so. When two invocations work on one machine at
// once and one of them dies between its mark and its stop, the other may have replaced the mark: a tag has no
// compare-and-set. Nothing else may leave a machine like that.
func (c *cloud) unmarked() (ids []string) {
	for id, m := range c.byID() {
		if c.machines[id].State == "RUNNING" && m.State == "STOPPED" && rotation.ParseMark(m.Tags).State != rotation.MarkDown {
			ids = append(ids, id)
		}
	}
	return ids
}

// endsBeside holds the end of a history of which two invocations at once were part.
func (s *tally) endsBeside(t *testing.T, h history, runs int) {
	t.Helper()
	if ids := h.c.unmarked(); len(ids) > 0 {
		t.Logf("left down without a mark: %q", ids)
		lost := h.c.wantAnswerable(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lost, s.unmarked, s.machines = s.lost+lost, s.unmarked+len(ids), s.machines+len(h.c.machines)
		return
	}
	s.ends(t, h, runs, 3) // once more for the overlapping invocation, and for a death
}

// ends holds the end of a history: nothing is pending, every machine has what the store calls current and opens with it,
// what ran before runs, and none was stopped more often than it may be.
func (s *tally) ends(t *testing.T, h history, runs, stops int) {
	t.Helper()
	lost := h.c.wantAnswerable(t) + h.c.wantOpen(t)
	down := h.c.wantPower(t)
	if h.c.next == 2 {
		h.c.wantRotated(t, 2)
	}
	h.c.wantCurrent(t, h.c.next)
	h.c.wantStops(t, 1, stops)
	again := 0
	for id, m := range h.c.byID() {
		if m.Stops-h.c.machines[id].Stops > 1 {
			again++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machines, s.most = s.machines+len(h.c.machines), max(s.most, runs)
	s.lost, s.down, s.again = s.lost+lost, s.down+down, s.again+again
}

// tell prints the tally.
func (s *tally) tell(t *testing.T, program string) {
	t.Helper()
	how := "all that there are"
	if !full() {
		how = "a sample, make e2e visits all"
	}
	troubles := slices.Sorted(maps.Keys(s.visited))
	total, actions := map[string]int{}, map[string]bool{}
	for trouble, kinds := range s.visited {
		for action, n := range kinds {
			actions[action] = true
			total[trouble] += n
			total[""] += n
		}
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(first string, cell func(trouble string) string) {
		fmt.Fprint(w, first, "\t")
		for _, trouble := range troubles {
			fmt.Fprint(w, cell(trouble), "\t")
		}
		fmt.Fprintln(w)
	}
	row("", func(trouble string) string { return trouble })
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		row(action, func(trouble string) string { return strconv.Itoa(s.visited[trouble][action]) })
	}
	row("all", func(trouble string) string { return strconv.Itoa(total[trouble]) })
	w.Flush()
	if s.unmarked > 0 {
		how += fmt.Sprintf("; %d left down without a mark, which only two invocations at once can do", s.unmarked)
	}
	t.Logf("%s: %d points, %s; %d machines lost, %d left down, %d of %d stopped twice; at most %d runs to the end\n%s",
		program, total[""], how, s.lost, s.down, s.again, s.machines, s.most, &table)
}

// wantEvery fails the test unless every trouble befell a call of every action.
func (s *tally) wantEvery(t *testing.T, calls []call) {
	t.Helper()
	for trouble, kinds := range s.visited {
		for _, c := range calls {
			if c.nth == 1 && kinds[c.action] == 0 {
				t.Errorf("%s befell no %s", trouble, c.action)
			}
		}
	}
}
