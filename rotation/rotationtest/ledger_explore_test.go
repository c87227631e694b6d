package rotationtest_test

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// An overlap is invocations of the real Ledger at work at once, in lanes: a lane's invocations come one after the other,
// and every call of a lane may come at any moment of the others. A lane whose turn does not come for long is frozen.
type overlap struct {
	capacity
	// before prepares the store; nobody else is at work.
	before func(t *testing.T, c *cabinet)
	lanes  [][]invocation
	// frozen stops the first lane, which is alone at first, at a call; then comes meanwhile, and then the others begin.
	// Nil means that all begin at once.
	frozen    func(r request) bool
	meanwhile func(t *testing.T, c *cabinet)
	// deaths is how many invocations may die, losses how many calls may lose their reply or fail.
	deaths, losses int
	// mayBeFull allows an invocation to end because the store is full.
	mayBeFull bool
	// holds is what must hold after every step, besides what always does. Nil means nothing.
	holds func(m *moment) error
	// end is what must hold once all lanes have ended. It may change the store: it is a copy. Nil means nothing.
	end func(m *moment) error
}

// A moment is one state of an overlap.
type moment struct {
	c              *cabinet
	lanes          []lane
	deaths, losses int // that may still come
	// raced is a password that was never sent and whose slot was removed between its storing and the remover's look.
	raced string
}

// A lane is where it is in its invocations.
type lane struct {
	began   int
	at      *node // nil when all have ended
	results []string
	sent    []sending // by those that ended
}

// A fate is what happens to a call.
type fate string

const (
	happens fate = ""
	lost    fate = "its reply is lost"
	fails   fate = "it fails without effect"
	dies    fate = "the process dies before it"
)

// A choice is what happens next: one call of one lane.
type choice struct {
	lane int
	fate fate
}

// A play is an overlap under way.
type play struct {
	overlap
	actors [][]*actor
	nodes  int
	seed   maphash.Seed
}

func (o overlap) open(t *testing.T) (*play, *moment) {
	t.Helper()
	p := &play{overlap: o, seed: maphash.MakeSeed()}
	m := &moment{c: newCabinet(o.capacity), deaths: o.deaths, losses: o.losses, lanes: make([]lane, len(o.lanes))}
	if o.before != nil {
		o.before(t, m.c)
	}
	for i, todo := range o.lanes {
		var actors []*actor
		for n, run := range todo {
			actors = append(actors, &actor{run: run, name: fmt.Sprintf("%x%x", 10+i, n), cloud: o.capacity, nodes: &p.nodes})
		}
		p.actors = append(p.actors, actors)
		p.goOn(m, i)
	}
	for p.frozen != nil && m.lanes[0].at != nil && !p.frozen(m.lanes[0].at.asks) {
		var err error
		if m, err = p.take(m, choice{0, happens}); err != nil {
			t.Fatal(err)
		}
	}
	if p.meanwhile != nil {
		p.meanwhile(t, m.c)
	}
	t.Cleanup(func() {
		for _, a := range slices.Concat(p.actors...) {
			a.end()
		}
	})
	return p, m
}

// goOn begins a lane's next invocations, up to one that asks for something.
func (p *play) goOn(m *moment, i int) {
	l := &m.lanes[i]
	for l.at == nil || l.at.ended {
		if l.at != nil {
			l.results = append(slices.Clip(l.results), l.at.result)
			l.sent = append(slices.Clip(l.sent), l.at.sent...)
			l.at = nil
		}
		if l.began == len(p.actors[i]) {
			return
		}
		l.at = p.actors[i][l.began].start()
		l.began++
	}
}

// choices are all that may happen next. A process that dies after reading only never was.
func (m *moment) choices() []choice {
	var out []choice
	for i, l := range m.lanes {
		if l.at == nil {
			continue
		}
		out = append(out, choice{i, happens})
		if m.losses > 0 && l.at.asks.site != "human" {
			out = append(out, choice{i, fails})
			if l.at.asks.writes() {
				out = append(out, choice{i, lost})
			}
		}
		if m.deaths > 0 && l.at.wrote {
			out = append(out, choice{i, dies})
		}
	}
	return out
}

// take makes one call happen. It returns the next moment, and what does not hold in it.
func (p *play) take(was *moment, ch choice) (*moment, error) {
	m := &moment{c: was.c.clone(), lanes: slices.Clone(was.lanes), deaths: was.deaths, losses: was.losses}
	l := &m.lanes[ch.lane]
	asks := l.at.asks
	switch ch.fate {
	case dies:
		m.deaths--
		l.results, l.sent = append(slices.Clip(l.results), "died"), append(slices.Clip(l.sent), l.at.sent...)
		l.at = nil
		p.goOn(m, ch.lane)
		return m, nil
	case happens:
		if err := l.at.blind(was.c); err != nil {
			return m, err
		}
		m.raced = l.at.raced(was.c)
		l.at = p.actors[ch.lane][l.began-1].after(l.at, m.c.serve(asks))
	case lost:
		m.losses--
		_ = m.c.serve(asks)
		l.at = p.actors[ch.lane][l.began-1].after(l.at, reply{err: errNoReply})
	case fails:
		m.losses--
		l.at = p.actors[ch.lane][l.began-1].after(l.at, reply{err: errNoReply})
	}
	p.goOn(m, ch.lane)
	return m, p.check(was, m)
}

// blind holds that a promotion does not replace a value that it read and that is nowhere else: a person put it there.
func (n *node) blind(c *cabinet) error {
	if n.asks.site != "current" || c.current() == "" || slices.Contains(c.kept(false), c.current()) {
		return nil
	}
	for _, r := range slices.Backward(n.replies) {
		if r.slot.Name == "current" {
			if slices.Contains(c.known.dug[c.known.id(r.value)], c.current()) {
				return fmt.Errorf("%q was read as current, is not kept, and is replaced", c.current())
			}
			return nil
		}
	}
	return fmt.Errorf("current is replaced by somebody who never read it")
}

// raced is a password that a removal takes with it although its slot was compared just before: no secrets manager that
// creates only what is absent can remove only what was read. Under the name of a generation that was compacted, somebody
// frozen since then stored a candidate. He reads what is current before he sends it, and sends nothing.
func (n *node) raced(c *cabinet) string {
	if c.labels || n.asks.site != "remove" || c.version(n.asks.name) < 0 {
		return ""
	}
	last := n.replies[len(n.replies)-1]
	now := c.version(n.asks.name)
	if last.slot.Name == n.asks.name && last.value != c.text(now) {
		return c.passwords(now)[0]
	}
	return ""
}

// check holds after every step: what was kept stays readable, a reader finds a current, and of one generation one
// password is sent, which the store holds.
func (p *play) check(was, m *moment) error {
	now := m.c.kept(true)
	for _, password := range was.c.kept(false) {
		if !slices.Contains(now, password) && password != m.raced {
			return fmt.Errorf("%q was kept, and is nowhere", password)
		}
	}
	if was.c.current() != "" && m.c.current() == "" {
		return fmt.Errorf("a reader finds no current")
	}
	passwords := map[int]string{}
	for i, l := range m.lanes {
		if !p.mayBeFull && strings.Contains(m.results(i), rotation.ErrFull.Error()) {
			return rotation.ErrFull
		}
		sent := l.sent
		if l.at != nil {
			sent = append(slices.Clip(sent), l.at.sent...)
		}
		for _, s := range sent {
			if !slices.Contains(now, s.password) {
				return fmt.Errorf("%q was sent, and is nowhere", s.password)
			}
			if one, ok := passwords[s.generation]; ok && one != s.password {
				return fmt.Errorf("two passwords of generation %d were sent", s.generation)
			}
			passwords[s.generation] = s.password
		}
	}
	if p.holds != nil {
		return p.holds(m)
	}
	return nil
}

// over holds once nothing is left to happen.
func (p *play) over(m *moment) error {
	if p.overlap.end == nil {
		return nil
	}
	if err := p.overlap.end(&moment{c: m.c.clone(), lanes: m.lanes}); err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	return nil
}

// key is equal for moments after which nothing can differ.
func (p *play) key(m *moment) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	m.c.hash(&h)
	maphash.WriteComparable(&h, [2]int{m.deaths, m.losses})
	for _, l := range m.lanes {
		id := 0
		if l.at != nil {
			id = l.at.id
		}
		maphash.WriteComparable(&h, [2]int{l.began, id})
		for _, r := range l.results {
			_, _ = h.WriteString(r)
		}
		for _, s := range l.sent {
			maphash.WriteComparable(&h, s)
		}
	}
	return h.Sum64()
}

// results are what the invocations of a lane came to.
func (m *moment) results(lane int) string { return strings.Join(m.lanes[lane].results, "; ") }

// limit is how many states an overlap may have; more would take too long.
const limit = 400_000

// explore goes through every history. Two histories that lead to the same store, with every invocation having seen the
// same, go on alike.
func (o overlap) explore(t *testing.T) {
	t.Helper()
	p, first := o.open(t)
	visited := map[uint64]bool{}
	var path []choice
	var visit func(m *moment)
	visit = func(m *moment) {
		key := p.key(m)
		if visited[key] {
			return
		}
		if visited[key] = true; len(visited) > limit {
			t.Fatalf("more than %d states", limit)
		}
		choices := m.choices()
		if len(choices) == 0 {
			if err := p.over(m); err != nil {
				p.tell(t, first, path, err)
			}
		}
		for _, ch := range choices {
			path = append(path, ch)
			next, err := p.take(m, ch)
			if err != nil {
				p.tell(t, first, path, err)
			}
			visit(next)
			path = path[:len(path)-1]
		}
	}
	visit(first)
	t.Logf("%d states; %d of the invocations", len(visited), p.nodes)
}

// wander goes through some histories of an overlap that has too many, always the same ones.
func (o overlap) wander(t *testing.T, histories int) {
	t.Helper()
	p, first := o.open(t)
	chance := rand.New(rand.NewPCG(1, uint64(o.slots)))
	for range histories {
		m := first
		var path []choice
		for choices := m.choices(); len(choices) > 0; choices = m.choices() {
			// Long stretches of one lane are where the others are frozen.
			ch := choices[chance.IntN(len(choices))]
			for n := chance.IntN(30); n >= 0 && m.lanes[ch.lane].at != nil; n-- {
				var err error
				path = append(path, ch)
				if m, err = p.take(m, ch); err != nil {
					p.tell(t, first, path, err)
				}
				ch.fate = happens
			}
		}
		if err := p.over(m); err != nil {
			p.tell(t, first, path, err)
		}
	}
}

// tell fails the test with a history, call by call.
func (p *play) tell(t *testing.T, m *moment, path []choice, wrong error) {
	t.Helper()
	var trace strings.Builder
	for _, ch := range path {
		l := m.lanes[ch.lane]
		fmt.Fprintf(&trace, "%s %s %s %s\n", p.actors[ch.lane][l.began-1].name, l.at.asks.site, l.at.asks.name, ch.fate)
		m, _ = p.take(m, ch)
	}
	for i := range m.lanes {
		fmt.Fprintf(&trace, "%x: %s\n", 10+i, m.results(i))
	}
	for _, n := range m.c.names {
		fmt.Fprintf(&trace, "%s (%d): %s\n", n.name, n.version, m.c.text(n.version))
	}
	t.Fatalf("%v\n%s", wrong, trace.String())
}
