package rotationtest

import (
	"strconv"

	"github.com/relock-project/relock/rotation"
)

// labelShelf is like Huawei CSMS: immutable versions, labels that move blindly, and a version without a label vanishes
// at once. With compares it is like AWS Secrets Manager, and forgets as soon.
type labelShelf struct {
	edits
	all    []string       // values, by version number
	labels map[string]int // label -> version number
	empty  bool           // it lists a label of somebody else's that is on no value
	// compares makes it one whose labels move only from where the mover believes them to be, and whose names are taken
	// for good; follows makes previous move with current.
	compares, follows bool
	taken             map[string]bool
}

func newLabelShelf(current string) *labelShelf {
	return &labelShelf{all: []string{current}, labels: map[string]int{"current": 0}, taken: map[string]bool{}}
}

func versionID(n int) string { return "v" + strconv.Itoa(n+1) }

func (s *labelShelf) slot(label string) rotation.Slot {
	return rotation.Slot{Name: label, Version: versionID(s.labels[label]), Order: int64(s.labels[label] + 1)}
}

func (s *labelShelf) list() []rotation.Slot {
	return s.once(func() (out []rotation.Slot) {
		for label := range s.labels {
			if label != "current" && label != "previous" {
				out = append(out, s.slot(label))
			}
		}
		if s.empty {
			out = append(out, rotation.Slot{Name: "AWSPENDING"})
		}
		return out
	})
}

func (s *labelShelf) read(name string) (rotation.Slot, string, error) {
	n, ok := s.labels[name]
	if !ok {
		return rotation.Slot{}, "", rotation.ErrNotFound
	}
	return s.slot(name), s.all[n], nil
}

func (s *labelShelf) create(name, value string) error {
	if s.compares && s.taken[name] {
		return rotation.ErrExists
	}
	s.all = append(s.all, value)
	s.labels[name], s.taken[name] = len(s.all)-1, true
	s.n++
	return nil
}

func (s *labelShelf) point(to string, from rotation.Slot, _ string) error {
	n, ok := s.labels[to]
	if !ok {
		return rotation.ErrNotFound
	}
	old, had := s.labels["current"]
	if s.compares && had != (from.Name != "") || s.compares && had && versionID(old) != from.Version {
		return rotation.ErrConflict
	}
	if s.follows && had && old != n {
		s.labels["previous"] = old
	}
	s.labels["current"] = n
	s.n++
	return nil
}

func (s *labelShelf) answer(a Answers) {
	s.empty, s.follows = a.EmptyLabel, s.compares || a.PreviousFollows
	s.n++
}

// label names a version. A name that is on another version moves, unless the store compares.
func (s *labelShelf) label(version, name string) error {
	n := -1
	for at := range s.all {
		if versionID(at) == version {
			n = at
		}
	}
	if n < 0 {
		return rotation.ErrNotFound
	}
	if on, ok := s.labels[name]; s.compares && ok && on != n {
		return rotation.ErrExists
	}
	s.labels[name], s.taken[name] = n, true
	s.n++
	return nil
}

func (s *labelShelf) remove(name string) {
	delete(s.labels, name)
	s.n++
}

func (s *labelShelf) human(value string) {
	s.all = append(s.all, value)
	if n, ok := s.labels["current"]; ok {
		s.labels["previous"] = n
	}
	s.labels["current"] = len(s.all) - 1
	s.n++
}

func (s *labelShelf) values() []string {
	var out []string
	for _, n := range s.labels {
		out = append(out, s.all[n])
	}
	return out
}
