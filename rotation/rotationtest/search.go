package rotationtest

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
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
	// Rival says that Other makes generations of its own: the promise is then that for invocations at once.
	Rival bool
	// Faults is how many there may be, of these Kinds; none means all.
	Faults int
	Kinds  []Fault
	// Loose makes time pass for each invocation by itself. What is under way at a provider ends at any time, but before
	// anybody has waited. Else a wait takes its time for all.
	Loose bool
	// Switches is how often an invocation that could go on may be put off for another one; one that waits is put off for
	// nothing. Zero means any number of times.
	Switches int
	// Limit is how many states of one lane may be visited before no further first fault is begun. Zero means all.
	Limit int
}

// Found is what a Search went through.
type Found struct {
	States, Steps int
	// Histories is how many different ones the states stand for.
	Histories float64
	// Whole reports that all were visited. Else Begun of Firsts are: first faults, of three faults the first two, with all
	// that may come after them.
	Whole         bool
	Begun, Firsts int
	// Calls is how many different ones the engine made: it need not run again for each history.
	Calls int
	// Wrong is how many histories broke the promise. Failures are the first of them.
	Wrong    int
	Failures []Failure
	// Excused is how many left a machine down in the one way that marks cannot prevent.
	Excused int
}

func (f Found) String() string {
	how := "all visited"
	if !f.Whole {
		how = fmt.Sprintf("visited %d of %d beginnings, each with all that may follow it", f.Begun, f.Firsts)
	}
	return fmt.Sprintf("%s: %.4g histories in %d states and %d steps, %d left down within the documented window, %d violations",
		how, f.Histories, f.States, f.Steps, f.Excused, f.Wrong)
}

// search is a Search under way.
type search struct {
	Search
	Found
	template *World
	actors   map[[3]int]*actor
	numbers  map[*invocation]int
	nodes    int
	seed     maphash.Seed
	visited  map[uint64]float64
	path     []choice
	tell     bool // the world keeps a trace
}

// moment is one state.
type moment struct {
	w      *World
	lanes  []lane
	faults int // that may still come
	// frozen is the lane that is Overtaken, or -1; since is when that was.
	frozen int
	since  time.Time
	// overtaken is how often a lane was.
	overtaken int
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

// Run goes through all of it, or through as many first faults as the Limit allows, spread evenly, with everything that may
// come after each of them.
func (s Search) Run() Found {
	x := s.open(false)
	defer x.close()
	m := x.first()
	if len(x.Lanes) == 1 && x.Faults > 0 && x.Limit > 0 {
		x.sample(m)
	} else {
		x.Whole = true
		x.Histories = x.visit(m)
	}
	x.States, x.Calls = len(x.visited), x.nodes
	return x.Found
}

func (s Search) open(tell bool) *search {
	if s.Kinds == nil {
		s.Kinds = basicFaults()
	}
	x := &search{Search: s, tell: tell, seed: maphash.MakeSeed(), visited: map[uint64]float64{}, actors: map[[3]int]*actor{}, numbers: map[*invocation]int{}}
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
	w.hushed = !x.tell
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
	for n := range 4 {
		out = append(out, Leg{Request: &rotation.Request{Action: rotation.Reconcile}, Quiet: true, Pause: time.Hour})
		if n == 1 && x.Faults > 2 {
			// Three faults can use up RELOCK_MAX_ATTEMPTS of one machine: the operator does what the report says.
			again := &rotation.Request{Action: rotation.Rotate, NewCandidate: true}
			out = append(out, Leg{Request: again, Pending: true, Quiet: true, Pause: time.Hour})
		}
	}
	return out
}

func (x *search) first() *moment {
	m := &moment{w: x.world(), lanes: make([]lane, len(x.Lanes)+2), faults: x.Faults, frozen: -1, switches: x.Switches}
	for i := range x.Lanes {
		x.goOn(m, i)
	}
	x.finish(m)
	return m
}

// finish begins the end once all lanes have ended.
func (x *search) finish(m *moment) {
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
		l.a = x.actor(m, i, l.leg-1, leg)
		if l.at = l.a.start(); l.at.ended {
			l.at = nil
		}
	}
}

// actor is the invocation of a leg. It is the same one in all histories, but another one each time that Other runs.
func (x *search) actor(m *moment, lane, leg int, what Leg) *actor {
	key := [3]int{lane, leg}
	if lane == len(x.Lanes) {
		key[2] = m.overtaken
	}
	if a, ok := x.actors[key]; ok {
		return a
	}
	a := &actor{
		number: 10_000*key[2] + 100*lane + leg + 1, nodes: &x.nodes, dated: x.Kind.Boot,
		seed: x.seed, known: map[uint64]*node{},
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
	x.actors[key] = a
	return a
}

// key is equal for states after which nothing can differ.
func (x *search) key(m *moment) uint64 {
	var d digest
	d.SetSeed(x.seed)
	d.number = func(i *invocation) int { return x.numbers[i] }
	d.asked = func(request string) bool { return x.asked(m, request) }
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

// asked reports whether an invocation that is at work has made the request with that id: nobody else knows of it.
func (x *search) asked(m *moment, id string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(id, "r"), "-")
	n, _ := strconv.Atoi(number)
	return slices.ContainsFunc(m.lanes, func(l lane) bool { return l.at != nil && l.a.number == n/manyRequests })
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
	histories := 0.0
	if len(choices) == 0 {
		x.over(m)
		if histories = 1; len(m.w.Violations) > 0 {
			x.fail(m.w)
		}
	}
	for i, ch := range choices {
		next := m
		if i < len(choices)-1 {
			next = m.clone()
		}
		x.path = append(x.path, ch)
		x.take(next, ch)
		histories += x.onward(next)
		x.path = x.path[:len(x.path)-1]
	}
	x.visited[key] = histories
	return histories
}

// onward visits what comes after a choice, unless something is wrong already.
func (x *search) onward(m *moment) float64 {
	if len(m.w.Violations) > 0 {
		x.fail(m.w)
		return 1
	}
	return x.visit(m)
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
