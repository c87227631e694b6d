package rotationtest

import (
	"slices"
	"strconv"

	"github.com/relock-project/relock/rotation"
)

// labelShelf is like Huawei CSMS: immutable versions, labels that move blindly, and a version without a label vanishes
// at once. With compares it is like AWS Secrets Manager, and forgets as soon.
type labelShelf struct {
	edits
	all    []stored   // by version number
	labels named[int] // label -> version number
	empty  bool       // it lists a label of somebody else's that is on no value
	// compares makes it one whose labels move only from where the mover believes them to be, and whose names are taken
	// for good; follows makes previous move with current.
	compares, follows bool
	taken             words
}

// stored is a version.
type stored struct {
	id    string
	value *dug
}

func newLabelShelf(current string) *labelShelf {
	s := &labelShelf{}
	s.labels = s.labels.with("current", s.put(current))
	return s
}

func versionID(n int) string { return "v" + strconv.Itoa(n+1) }

// put adds a version without a label.
func (s *labelShelf) put(value string) (n int) {
	s.all = append(s.all, stored{versionID(len(s.all)), dig(value)})
	return len(s.all) - 1
}

func (s *labelShelf) slot(label string, n int) rotation.Slot {
	return rotation.Slot{Name: label, Version: s.all[n].id, Order: int64(n + 1)}
}

func (s *labelShelf) list() []rotation.Slot {
	return s.once(func() []rotation.Slot {
		out := make([]rotation.Slot, 0, len(s.labels)+1)
		if s.empty {
			out = append(out, rotation.Slot{Name: "AWSPENDING"}) // before the letters that others begin with
		}
		for _, l := range s.labels {
			if !isStage(l.name) {
				out = append(out, s.slot(l.name, l.value))
			}
		}
		return out
	})
}

func (s *labelShelf) read(name string) (rotation.Slot, *dug, error) {
	n, ok := s.labels.get(name)
	if !ok {
		return rotation.Slot{}, nil, rotation.ErrNotFound
	}
	return s.slot(name, n), s.all[n].value, nil
}

func (s *labelShelf) create(name, value string) error {
	if s.compares && s.taken.has(name) {
		return rotation.ErrExists
	}
	s.move(name, s.put(value))
	return nil
}

func (s *labelShelf) point(to string, from rotation.Slot, _ string) error {
	n, ok := s.labels.get(to)
	if !ok {
		return rotation.ErrNotFound
	}
	old, had := s.labels.get("current")
	if s.compares && had != (from.Name != "") || s.compares && had && s.all[old].id != from.Version {
		return rotation.ErrConflict
	}
	if s.follows && had && old != n {
		s.labels = s.labels.with("previous", old)
	}
	s.labels = s.labels.with("current", n)
	s.n++
	return nil
}

func (s *labelShelf) answer(a Answers) {
	s.empty, s.follows = a.EmptyLabel, s.compares || a.PreviousFollows
	s.n++
}

// label names a version. A name that is on another version moves, unless the store compares.
func (s *labelShelf) label(version, name string) error {
	n := slices.IndexFunc(s.all, func(v stored) bool { return v.id == version })
	if n < 0 {
		return rotation.ErrNotFound
	}
	if on, ok := s.labels.get(name); s.compares && ok && on != n {
		return rotation.ErrExists
	}
	s.move(name, n)
	return nil
}

// move puts a label on a version.
func (s *labelShelf) move(name string, n int) {
	s.labels = s.labels.with(name, n)
	s.taken.add(name)
	s.n++
}

func (s *labelShelf) remove(name string) {
	s.labels = s.labels.without(name)
	s.n++
}

func (s *labelShelf) human(value string) {
	if n, ok := s.labels.get("current"); ok {
		s.labels = s.labels.with("previous", n)
	}
	s.labels = s.labels.with("current", s.put(value))
	s.n++
}

func (s *labelShelf) values() []*dug {
	out := make([]*dug, len(s.labels))
	for i, l := range s.labels {
		out[i] = s.all[l.value].value
	}
	return out
}
