package rotationtest

import (
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// shelf is a secrets manager in memory, without faults.
type shelf interface {
	list() []rotation.Slot
	read(name string) (rotation.Slot, string, error)
	create(name, value string) error
	point(to string, from rotation.Slot, value string) error
	remove(name string)
	// values are all that a person with the store's credentials could read now.
	values() []string
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
	listed []rotation.Slot // of edition at
	at     int
}

func (e *edits) edition() int { return e.n }

// once lists the slots by name, once for an edition.
func (e *edits) once(slots func() []rotation.Slot) []rotation.Slot {
	if e.listed == nil || e.at != e.n {
		e.listed, e.at = slots(), e.n
		slices.SortFunc(e.listed, func(a, b rotation.Slot) int { return strings.Compare(a.Name, b.Name) })
	}
	return slices.Clone(e.listed)
}

// absentShelf is like Tencent Secrets Manager: at most 10 named versions, create-if-absent, and current is a copy.
type absentShelf struct {
	edits
	versions map[string]string
}

func newAbsentShelf(current string) *absentShelf {
	return &absentShelf{versions: map[string]string{"current": current}}
}

func (s *absentShelf) list() []rotation.Slot {
	return s.once(func() (out []rotation.Slot) {
		for name := range s.versions {
			out = append(out, rotation.Slot{Name: name})
		}
		return out
	})
}

func (s *absentShelf) read(name string) (rotation.Slot, string, error) {
	value, ok := s.versions[name]
	if !ok {
		return rotation.Slot{}, "", rotation.ErrNotFound
	}
	return rotation.Slot{Name: name}, value, nil
}

func (s *absentShelf) create(name, value string) error {
	if _, ok := s.versions[name]; ok {
		return rotation.ErrExists
	}
	if len(s.versions) >= 10 {
		return rotation.ErrFull
	}
	s.versions[name] = value
	s.n++
	return nil
}

func (s *absentShelf) point(_ string, _ rotation.Slot, value string) error {
	s.human(value)
	return nil
}

func (s *absentShelf) answer(Answers) {}

func (s *absentShelf) remove(name string) {
	delete(s.versions, name)
	s.n++
}

func (s *absentShelf) human(value string) {
	s.versions["current"] = value
	s.n++
}

func (s *absentShelf) values() []string {
	var out []string
	for _, slot := range s.list() {
		out = append(out, s.versions[slot.Name])
	}
	return out
}
