package rotationtest

import (
	"slices"

	"github.com/relock-project/relock/rotation"
)

// shelf is a secrets manager in memory, without faults.
type shelf interface {
	// list is in the order of the names. Nobody writes to it.
	list() []rotation.Slot
	read(name string) (rotation.Slot, *dug, error)
	create(name, value string) error
	point(to string, from rotation.Slot, value string) error
	remove(name string)
	// values are all that a person with the store's credentials could read now.
	values() []*dug
	// human puts a value into current as a person would.
	human(value string)
	// edition grows with every change.
	edition() int
	// answer sets what the documents leave open.
	answer(Answers)
	// clone and digest are World.clone and World.digest of the shelf.
	clone() shelf
	digest(*digest)
}

func newShelf(k Kind, current string) shelf {
	switch {
	case k.CompareAndSet:
		s := newLabelShelf(current)
		s.compares, s.follows = true, true
		return s
	case k.Labels:
		return newLabelShelf(current)
	}
	return newAbsentShelf(current)
}

// edits counts changes.
type edits struct {
	n      int
	listed []rotation.Slot // of edition at; nobody writes to it
	at     int
}

func (e *edits) edition() int { return e.n }

// once lists the slots, once for an edition.
func (e *edits) once(slots func() []rotation.Slot) []rotation.Slot {
	if e.listed == nil || e.at != e.n {
		e.listed, e.at = slots(), e.n
	}
	return e.listed
}

// named is a small map in the order of its names. A change makes a new one: whoever has the old one keeps it as it was.
type named[V comparable] []entry[V]

type entry[V comparable] struct {
	name  string
	value V
}

func (n named[V]) find(name string) (at int, ok bool) {
	for at < len(n) && n[at].name < name {
		at++
	}
	return at, at < len(n) && n[at].name == name
}

func (n named[V]) get(name string) (value V, ok bool) {
	at, ok := n.find(name)
	if ok {
		value = n[at].value
	}
	return value, ok
}

func (n named[V]) with(name string, value V) named[V] {
	at, ok := n.find(name)
	out := append(make(named[V], 0, len(n)+1), n...)
	if !ok {
		out = slices.Insert(out, at, entry[V]{})
	}
	out[at] = entry[V]{name, value}
	return out
}

func (n named[V]) without(name string) named[V] {
	at, ok := n.find(name)
	if !ok {
		return n
	}
	return slices.Concat(n[:at], n[at+1:])
}

func (n named[V]) digest(d *digest) {
	for _, e := range n {
		put(d, e)
	}
	put(d, len(n))
}

// absentShelf is like Tencent Secrets Manager: at most 10 named versions, create-if-absent, and current is a copy.
type absentShelf struct {
	edits
	versions named[*dug]
}

func newAbsentShelf(current string) *absentShelf {
	return &absentShelf{versions: named[*dug]{{"current", dig(current)}}}
}

func (s *absentShelf) list() []rotation.Slot {
	return s.once(func() []rotation.Slot {
		out := make([]rotation.Slot, len(s.versions))
		for i, v := range s.versions {
			out[i].Name = v.name
		}
		return out
	})
}

func (s *absentShelf) read(name string) (rotation.Slot, *dug, error) {
	value, ok := s.versions.get(name)
	if !ok {
		return rotation.Slot{}, nil, rotation.ErrNotFound
	}
	return rotation.Slot{Name: name}, value, nil
}

func (s *absentShelf) create(name, value string) error {
	if _, ok := s.versions.get(name); ok {
		return rotation.ErrExists
	}
	if len(s.versions) >= 10 {
		return rotation.ErrFull
	}
	s.versions = s.versions.with(name, dig(value))
	s.n++
	return nil
}

func (s *absentShelf) point(_ string, _ rotation.Slot, value string) error {
	s.human(value)
	return nil
}

func (s *absentShelf) answer(Answers) {}

func (s *absentShelf) remove(name string) {
	s.versions = s.versions.without(name)
	s.n++
}

func (s *absentShelf) human(value string) {
	s.versions = s.versions.with("current", dig(value))
	s.n++
}

func (s *absentShelf) values() []*dug {
	out := make([]*dug, len(s.versions))
	for i, v := range s.versions {
		out[i] = v.value
	}
	return out
}
