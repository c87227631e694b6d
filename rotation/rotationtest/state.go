package rotationtest

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
)

// clone copies a world, so that both can go on by themselves. What only counts or remembers is shared: Sites, view and pending.
func (w *World) clone() *World {
	c := *w
	c.Machines = make([]*Machine, len(w.Machines))
	for i, m := range w.Machines {
		c.Machines[i] = m.clone()
	}
	c.shelf = w.shelf.clone()
	c.lost = maps.Clone(w.lost)
	c.setters = maps.Clone(w.setters)
	for setting, by := range c.setters {
		c.setters[setting] = maps.Clone(by)
	}
	c.reader = nil // it reads from the shelf of w
	c.Trace, c.Violations, c.dead, c.order = slices.Clip(w.Trace), slices.Clip(w.Violations), slices.Clip(w.dead), nil
	return &c
}

func (m *Machine) clone() *Machine {
	c := *m
	c.Stops = maps.Clone(m.Stops) // Tags are not written to, but replaced
	c.ever, c.inflight = maps.Clone(m.ever), maps.Clone(m.inflight)
	c.lateSets = slices.Clip(m.lateSets)
	if m.op != nil {
		op := *m.op
		c.op = &op
	}
	return &c
}

func (s *absentShelf) clone() shelf {
	c := *s
	return &c
}

func (s *labelShelf) clone() shelf {
	c := *s
	c.all, c.taken = slices.Clip(s.all), slices.Clip(s.taken)
	return &c
}

// A digest leaves out what shows only with faults and answers that no search has: the past of machines and store, a clock
// that is wrong, a context that has ended.
//
// A digest is equal for worlds that cannot be told apart from now on: by what an invocation will see, by what a check
// will say. The time of day is left out, and how long an operation still takes is not.
type digest struct {
	maphash.Hash
	// number tells invocations apart.
	number func(*invocation) int
	// asked reports whether anybody may still ask for a request with that id.
	asked func(id string) bool
}

// request adds the id of a request.
func (d *digest) request(id string) {
	if id == "" || !d.asked(id) {
		id = "nobody's"
	}
	put(d, id)
}

// put adds any value that can be compared.
func put[T comparable](d *digest, v T) { maphash.WriteComparable(&d.Hash, v) }

// putMap adds a map: the order of its entries does not matter.
func putMap[K cmp.Ordered, V comparable](d *digest, m map[K]V) {
	type entry struct {
		key   K
		value V
	}
	sum := uint64(len(m))
	for key, value := range m {
		sum += maphash.Comparable(d.Seed(), entry{key, value})
	}
	put(d, sum)
}

func (w *World) digest(d *digest) {
	put(d, [3]int{w.faults, w.overlap, len(w.Violations)})
	put(d, w.excused)
	put(d, w.current)
	putMap(d, w.lost)
	for _, setting := range slices.Sorted(maps.Keys(w.setters)) {
		put(d, setting)
		by := map[int]bool{}
		for i := range w.setters[setting] {
			by[d.number(i)] = true
		}
		putMap(d, by)
	}
	for _, m := range w.Machines {
		m.digest(d, w)
	}
	w.shelf.digest(d)
}

func (m *Machine) digest(d *digest, w *World) {
	put(d, [4]string{string(m.Power), m.Live, m.Next, string(m.Refuse.Kind)})
	put(d, m.landed)
	d.request(m.record.id)
	put(d, m.record.state)
	m.digestStop(d, w)
	if m.op == nil {
		put(d, 0)
	} else {
		put(d, m.op.ends.Sub(w.now))
		put(d, [2]string{string(m.op.kind), m.op.password})
		d.request(m.op.id)
	}
	for _, p := range m.lateSets {
		put(d, p)
	}
	putMap(d, m.Tags)
	putMap(d, m.Stops)
	putMap(d, m.ever)
	putMap(d, m.inflight)
}

// digestStop adds what excuses that the machine is down: who stopped it, whether that one died, and whether it wrote the mark;
// and who knows of it.
func (m *Machine) digestStop(d *digest, w *World) {
	for _, i := range m.found {
		put(d, d.number(i))
	}
	switch same := m.marker == m.stopper; {
	case m.stopper == nil:
		put(d, 0)
	case slices.Contains(w.dead, m.stopper):
		put(d, same)
	default:
		put(d, d.number(m.stopper))
		put(d, same)
	}
}

func (s *absentShelf) digest(d *digest) {
	for _, v := range s.versions {
		put(d, [2]string{v.name, v.value.text})
	}
	put(d, len(s.versions))
}

func (s *labelShelf) digest(d *digest) {
	put(d, len(s.all))
	s.labels.digest(d)
	for _, l := range s.labels {
		put(d, [2]string{s.all[l.value].id, s.all[l.value].value.text})
	}
}
