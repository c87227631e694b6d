package rotationtest

import (
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A Leg is one invocation of a lane.
type Leg struct {
	// Request is what it is asked. Nil is a person who puts another password into current.
	Request *rotation.Request
	// Pending leaves the leg out unless something is left to go on with.
	Pending bool
	// Quiet says that it gets no fault; what is late lands before it.
	Quiet bool
	// Pause is the time before it.
	Pause time.Duration
}

// A Search goes through every history of invocations that make their calls in any order, and get faults at any of them.
// Two histories go on alike that led to the same world with every invocation having got the same answers: of them it
// follows one.
type Search struct {
	Kind  Kind
	Build func(*World)
	// Change alters each invocation's Rotator; nil means that it is as World.Rotator makes it.
	Change func(*rotation.Rotator)
	// Lanes are at work at once; the legs of a lane come one after the other. A lane whose turn does not come for long is
	// frozen.
	Lanes [][]Leg
	// Other is what runs while the only lane is Overtaken. None means that it never is.
	Other []Leg
	// Faults is how many there may be, of these Kinds; none means all.
	Faults int
	Kinds  []Fault
	// Loose makes time pass for each invocation by itself. What is under way at a provider ends at any time, but before
	// anybody has waited. Else a wait takes its time for all.
	Loose bool
	// Switches is how often an invocation that could go on may be put off for another one; one that waits is put off for
	// nothing. Zero means any number of times.
	Switches int
	// Limit is how many states may be visited. Zero means all.
	Limit int
}

// Found is what a Search went through.
type Found struct {
	States, Steps int
	// Histories is how many different ones the states stand for.
	Histories float64
	// Whole reports that all were visited. Else Begun of Firsts are: first faults, with all that may come after them.
	Whole         bool
	Begun, Firsts int
	Calls         int // of the engine, in all that it was run
	Failures      []Failure
	Excused       int
}

func (f Found) String() string {
	text := fmt.Sprintf("%d states, %d steps, standing for %.3g histories; %d calls of the engine", f.States, f.Steps, f.Histories, f.Calls)
	if !f.Whole {
		text += fmt.Sprintf("; NOT WHOLE: visited %d of %d first faults", f.Begun, f.Firsts)
	}
	return text
}

// search is a Search under way.
type search struct {
	Search
	Found
	template *World
	actors   map[[2]int]*actor
	numbers  map[*invocation]int
	nodes    int
	seed     maphash.Seed
	visited  map[uint64]float64
	path     []choice
	tracing  bool
}

// moment is one state.
type moment struct {
	w      *World
	lanes  []lane
	faults int // that may still come
	// frozen is the lane that is Overtaken, or -1; since is when that was.
	frozen int
	since  time.Time
	// overtaken reports that a lane was.
	overtaken bool
	// last is the lane that made the last call, switches how often that may still change while it could go on.
	last, switches int
}

// lane is where a lane is in its legs.
type lane struct {
	leg int
	a   *actor
	at  *node // nil when no invocation is under way
}

// choice is what happens next: one call of one lane, or what happens by itself.
type choice struct {
	lane  int
	fault Fault
}

// What happens by itself: a reset that is late lands, what is under way at the provider ends.
const (
	lands = -1
	ends  = -2
)

// Run goes through all of it.
func (s Search) Run() Found {
	x := s.open()
	defer x.close()
	m := x.first()
	x.Whole = true
	x.Histories = x.visit(m)
	x.States = len(x.visited)
	x.Calls = x.nodes
	return x.Found
}

func (s Search) open() *search {
	if s.Kinds == nil {
		s.Kinds = Faults()
	}
	x := &search{Search: s, seed: maphash.MakeSeed(), visited: map[uint64]float64{}, actors: map[[2]int]*actor{}, numbers: map[*invocation]int{}}
	x.template = x.world()
	return x
}

func (x *search) close() {
	for _, a := range x.actors {
		a.end()
	}
}

// simple are rules that are drawn from quickly.
var simple = &rotation.Rules{Name: "simple", MinLength: 16, MaxLength: 16, Characters: "0123456789abcdef"}

func (x *search) world() *World {
	w := NewWorld(x.Kind)
	w.linux, w.windows = simple, simple
	x.Build(w)
	return w
}

// legs are those of a lane. After the lanes comes Other, and after that what runs in the end, when faults have stopped.
func (x *search) legs(i int) []Leg {
	switch {
	case i < len(x.Lanes):
		return x.Lanes[i]
	case i == len(x.Lanes):
		return x.Other
	}
	var out []Leg
	for range 4 {
		out = append(out, Leg{Request: &rotation.Request{Action: rotation.Reconcile}, Quiet: true, Pause: time.Hour})
	}
	return out
}

func (x *search) first() *moment {
	m := &moment{w: x.world(), lanes: make([]lane, len(x.Lanes)+2), faults: x.Faults, frozen: -1, switches: x.Switches}
	for i := range x.Lanes {
		x.goOn(m, i)
	}
	x.close_(m)
	return m
}

// close_ begins the end once all lanes have ended.
func (x *search) close_(m *moment) {
	for i := range len(x.Lanes) + 1 {
		if m.lanes[i].at != nil {
			return
		}
	}
	if end := len(x.Lanes) + 1; m.lanes[end].at == nil {
		x.goOn(m, end)
	}
}

// goOn begins a lane's next invocation, if it has one.
func (x *search) goOn(m *moment, i int) {
	l := &m.lanes[i]
	for legs := x.legs(i); l.at == nil && l.leg < len(legs); {
		leg := legs[l.leg]
		l.leg++
		if leg.Pending && !m.w.unfinished() {
			continue
		}
		m.w.Advance(leg.Pause)
		if leg.Quiet {
			m.w.Land()
		}
		l.a = x.actor(i, l.leg-1, leg)
		if l.at = l.a.start(); l.at.ended {
			l.at = nil
		}
	}
}

// actor is the invocation of a leg. It is the same one in all histories.
func (x *search) actor(lane, leg int, what Leg) *actor {
	if a, ok := x.actors[[2]int{lane, leg}]; ok {
		return a
	}
	a := &actor{
		number: len(x.numbers) + 1, nodes: &x.nodes,
		known: map[string]*node{},
		began: x.template.now.Add(time.Duration(leg) * 24 * time.Hour),
	}
	if what.Request == nil {
		a.inv = newInvocation(nil, nil)
		a.run = func(a *actor) {
			a.call("person", func(w *World) reply { w.Human(fmt.Sprintf("Human-Pass-%04d", a.number)); return reply{} })
		}
	} else {
		a.inv = newInvocation(what.Request.Only, nil)
		a.run = func(a *actor) {
			r := a.rotator(x.template)
			if x.Change != nil {
				x.Change(r)
			}
			_, _ = r.Do(background, *what.Request)
		}
	}
	x.numbers[a.inv] = a.number
	x.actors[[2]int{lane, leg}] = a
	return a
}

// choices are all that may happen next.
func (x *search) choices(m *moment) []choice {
	var out []choice
	only, held := x.alone(m), x.held(m)
	for i, l := range m.lanes {
		if l.at == nil || m.frozen == i && m.lanes[len(x.Lanes)].at != nil || only >= 0 && only != i || held && only < 0 && m.last != i || x.Loose && l.at.asks.wait > 0 && m.w.underWay() {
			continue
		}
		out = append(out, choice{lane: i})
		if m.frozen == i || m.faults == 0 || x.legs(i)[l.leg-1].Quiet || l.at.asks.site == "wait" || l.at.asks.site == "person" {
			continue
		}
		for _, f := range x.Kinds {
			switch {
			case f == Overtaken && (i > 0 || len(x.Other) == 0 || m.frozen >= 0):
			case f == Late && l.at.asks.site != "reset": // as FailAfter
			default:
				out = append(out, choice{i, f})
			}
		}
	}
	if !x.Loose || only >= 0 {
		return out
	}
	if m.w.underWay() {
		out = append(out, choice{lane: ends})
	}
	if slices.ContainsFunc(m.w.Machines, func(m *Machine) bool { return len(m.lateSets) > 0 }) {
		out = append(out, choice{lane: lands})
	}
	return out
}

// alone is a lane whose next call may as well come before everything else: it reads a version, which nobody changes, so
// that neither its answer nor anything that others see depends on when it comes. -1 is none.
func (x *search) alone(m *moment) int {
	for i, l := range m.lanes[:len(x.Lanes)] {
		switch {
		case l.at == nil:
		case l.at.asks.wait > 0:
			if x.Loose && !m.w.underWay() {
				return i
			}
		case l.at.asks.version != "":
			if _, _, err := m.w.shelf.read(l.at.asks.version); err == nil {
				return i
			}
		}
	}
	return -1
}

// underWay reports whether a provider is at work on a machine.
func (w *World) underWay() bool {
	return slices.ContainsFunc(w.Machines, func(m *Machine) bool { return m.op != nil })
}

// held reports that the lane that made the last call must go on, because there were switches enough.
func (x *search) held(m *moment) bool {
	if x.Switches == 0 || m.switches > 0 || m.frozen >= 0 {
		return false
	}
	at := m.lanes[m.last].at
	return at != nil && at.asks.wait == 0
}

// take makes one choice happen to m.
func (x *search) take(m *moment, ch choice) {
	x.Steps++
	switch ch.lane {
	case lands:
		m.w.Land()
		return
	case ends:
		m.w.Advance(time.Hour)
		return
	}
	l := &m.lanes[ch.lane]
	if x.Switches > 0 && x.alone(m) < 0 {
		if at := m.lanes[m.last].at; ch.lane != m.last && at != nil && at.asks.wait == 0 && at.before != nil {
			m.switches--
		}
		m.last = ch.lane
	}
	if ch.fault != NoFault {
		m.faults--
		m.overtaken = m.overtaken || ch.fault == Overtaken
		if m.overtaken && m.faults < x.Faults-1 {
			// Overtaken and something else besides: the promise is that for invocations at once.
			m.w.overlap = 2
		}
	}
	if ch.fault == Overtaken {
		m.w.faults++
		m.w.trace("call %d of %s: %s", l.at.calls+1, l.at.asks.site, ch.fault)
		m.frozen, m.since = ch.lane, m.w.now
		m.lanes[len(x.Lanes)].leg = 0
		x.goOn(m, len(x.Lanes))
		return
	}
	x.step(m, l, ch)
	if l.at == nil {
		x.goOn(m, ch.lane)
	}
	x.close_(m)
}

// step is one call of an invocation.
func (x *search) step(m *moment, l *lane, ch choice) {
	w, n := m.w, l.at
	x.overlap(m)
	if n.asks.wait > 0 {
		if !x.Loose {
			w.Advance(n.asks.wait)
		}
		l.a.inv.calls, l.a.inv.read, l.a.inv.setting, l.a.sent = n.calls, n.read, n.setting, n.requests
		l.at = l.a.after(n, reply{passed: n.asks.wait})
	} else {
		frozen := time.Duration(0)
		if m.frozen == ch.lane {
			frozen, m.frozen = w.now.Sub(m.since), -1
		}
		r, dead := l.a.perform(w, n, ch.fault)
		if dead {
			l.at = nil
			return
		}
		r.passed = frozen
		l.at = l.a.after(n, r)
	}
	if l.at.ended {
		l.at = nil
	}
}

// overlap notes how many invocations are at work at once.
func (x *search) overlap(m *moment) {
	if len(x.Lanes) == 1 {
		return
	}
	n := 0
	for _, l := range m.lanes[:len(x.Lanes)] {
		if l.at != nil && l.at.before != nil {
			n++
		}
	}
	m.w.overlap = max(m.w.overlap, n)
}

// key is equal for states after which nothing can differ.
func (x *search) key(m *moment) uint64 {
	var d digest
	d.SetSeed(x.seed)
	d.number = func(i *invocation) int { return x.numbers[i] }
	m.w.digest(&d)
	put(&d, [2]int{m.faults, m.frozen})
	put(&d, m.overtaken)
	put(&d, [2]int{m.last, m.switches})
	if m.frozen >= 0 {
		put(&d, m.w.now.Sub(m.since))
	}
	for _, l := range m.lanes {
		id := 0
		if l.at != nil {
			id = l.at.id
		}
		put(&d, [2]int{l.leg, id})
	}
	return d.Sum64()
}

// visit goes through all histories from m, which it may change, and returns how many there are.
func (x *search) visit(m *moment) float64 {
	key := x.key(m)
	if n, ok := x.visited[key]; ok {
		if n < 0 {
			m.w.violate("L1", "invocations go round in a circle")
			x.fail(m.w)
		}
		return n
	}
	x.visited[key] = -1
	choices := x.choices(m)
	if len(choices) == 0 {
		x.over(m)
		if len(m.w.Violations) > 0 {
			x.fail(m.w)
		}
		x.visited[key] = 1
		return 1
	}
	histories := 0.0
	for i, ch := range choices {
		if x.Limit > 0 && len(x.visited) > x.Limit {
			x.Whole = false
			break
		}
		next := m
		if i < len(choices)-1 {
			next = m.clone()
		}
		x.path = append(x.path, ch)
		x.take(next, ch)
		if len(next.w.Violations) > 0 {
			x.fail(next.w)
		} else {
			histories += x.visit(next)
		}
		x.path = x.path[:len(x.path)-1]
	}
	x.visited[key] = histories
	return histories
}

func (m *moment) clone() *moment {
	c := *m
	c.w = m.w.clone()
	c.lanes = slices.Clone(m.lanes)
	return &c
}

// over holds what must hold in the end.
func (x *search) over(m *moment) {
	w := m.w
	w.CheckEnd()
	if w.unfinished() && !w.excused {
		w.violate("L1", "a version is still pending")
	}
	w.checkAnswers()
	if w.excused {
		x.Excused++
	}
}

// fail notes the history that led to here, as a run that follows it alone tells it.
func (x *search) fail(w *World) {
	f := x.replay(x.path)
	if len(f.Violations) == 0 {
		f.Violations = append([]string{"when it is replayed, nothing is wrong"}, w.Violations...)
	}
	x.Failures = append(x.Failures, f)
}

// replay follows one history.
func (s Search) replay(path []choice) Failure {
	x := s.open()
	defer x.close()
	m := x.first()
	f := Failure{}
	for i, ch := range path {
		if ch.fault != NoFault {
			f.Faults = append(f.Faults, fmt.Sprintf("%s at call %d", ch.fault, i+1))
		}
		switch {
		case ch.lane == lands:
			m.w.trace("- what is late lands")
		case ch.lane == ends:
			m.w.trace("- the provider ends what it does")
		default:
			at := m.lanes[ch.lane].at
			if at == nil {
				m.w.trace("- %c has ended", 'a'+ch.lane)
				break
			}
			m.w.trace("- %c %d %s %s", 'a'+ch.lane, at.calls+1, at.asks.site, ch.fault)
		}
		x.take(m, ch)
	}
	if len(m.w.Violations) == 0 && len(x.choices(m)) == 0 {
		x.over(m)
	}
	f.Violations, f.Trace = m.w.Violations, m.w.Trace
	return f
}
