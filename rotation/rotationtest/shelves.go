package rotationtest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// shelf is a secrets manager in memory, without faults.
type shelf interface {
	list() []rotation.Slot
	read(name string) (rotation.Slot, string, error)
	create(name, value string) error
	point(to string, from rotation.Slot, value string)
	remove(name string)
	// values are all that a person with the store's credentials could read now.
	values() []string
	// human puts a value into current as a person would.
	human(value string)
	// edition grows with every change.
	edition() int
	// clone and digest are World.clone and World.digest of the shelf.
	clone() shelf
	digest(*digest)
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

func (s *absentShelf) point(_ string, _ rotation.Slot, value string) { s.human(value) }

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

// labelShelf is like Huawei CSMS: immutable versions, labels that move blindly, and a version without a label vanishes
// at once.
type labelShelf struct {
	edits
	all    []string       // values, by version number
	labels map[string]int // label -> version number
}

func newLabelShelf(current string) *labelShelf {
	return &labelShelf{all: []string{current}, labels: map[string]int{"current": 0}}
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
	s.all = append(s.all, value)
	s.labels[name] = len(s.all) - 1
	s.n++
	return nil
}

func (s *labelShelf) point(to string, _ rotation.Slot, _ string) {
	if n, ok := s.labels[to]; ok {
		s.labels["current"] = n
		s.n++
	}
}

func (s *labelShelf) label(version, name string) {
	for n := range s.all {
		if versionID(n) == version {
			s.labels[name] = n
			s.n++
		}
	}
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

// boundary is a shelf whose every call leaves the process.
type boundary struct{ w *World }

var _ rotation.Shelf = boundary{}

func (b boundary) List(context.Context, string) (out []rotation.Slot, err error) {
	err = b.w.ask("store-list", func(bool) error {
		out = b.w.shelf.list()
		return nil
	})
	return out, err
}

func (b boundary) Read(_ context.Context, _, name string) (slot rotation.Slot, value []byte, err error) {
	err = b.w.ask("store-read", func(bool) error {
		var s string
		var err error
		slot, s, err = b.w.shelf.read(name)
		for _, p := range b.w.passwords(s) {
			b.w.inv.read[p] = true
		}
		value = []byte(s)
		return err
	})
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	return slot, value, nil
}

func (b boundary) Create(_ context.Context, _, name string, value []byte) error {
	return b.w.call("store-create", func(bool) error { return b.w.shelf.create(name, string(value)) })
}

func (b boundary) Point(_ context.Context, _, to string, from rotation.Slot, value []byte) error {
	if _, ok := b.w.shelf.(*labelShelf); ok && from.Name != "" {
		if err := (labelBoundary{b}).previous(from); err != nil {
			return err
		}
	}
	return b.w.call("store-point", func(bool) error {
		b.w.shelf.point(to, from, string(value))
		b.w.checkPromotion()
		return nil
	})
}

func (b boundary) Remove(_ context.Context, _, name string) error {
	return b.w.call("store-remove", func(bool) error { b.w.shelf.remove(name); return nil })
}

// labelBoundary adds what a store of labels can do.
type labelBoundary struct{ boundary }

var _ rotation.Labeler = labelBoundary{}

func (b labelBoundary) Label(_ context.Context, _ string, version rotation.Slot, name string) error {
	return b.w.call("store-label", func(bool) error {
		b.w.shelf.(*labelShelf).label(version.Version, name)
		return nil
	})
}

// previous is the first of the two calls that make a version current.
func (b labelBoundary) previous(from rotation.Slot) error {
	return b.w.call("store-previous", func(bool) error {
		b.w.shelf.(*labelShelf).label(from.Version, "previous")
		return nil
	})
}

// passwords returns every password in a stored value, however deep: it knows nothing of how relock stores them.
func (w *World) passwords(value string) []string {
	if found, ok := w.dug[value]; ok {
		return found
	}
	var any any
	if json.Unmarshal([]byte(value), &any) != nil {
		return nil
	}
	w.dug[value] = dig(any, nil)
	return w.dug[value]
}

func dig(value any, out []string) []string {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			out = dig(item, out)
		}
	case map[string]any:
		for name, item := range v {
			if s, ok := item.(string); ok && name == "password" {
				out = append(out, s)
			}
			out = dig(item, out)
		}
	}
	return out
}
