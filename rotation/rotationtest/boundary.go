package rotationtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// staleFor is how long a store that is stale stays so.
const staleFor = 20 * time.Second

// staleness is what the store's readers see that it does not hold any more.
type staleness struct {
	before       shelf     // as it was before its last change; nil: it has not changed
	lists, reads time.Time // until when they see that
	hidden       string    // a name that is listed and cannot be read
	hiddenUntil  time.Time
}

// seenBy is the shelf that a call sees which may be out of date until then.
func (w *World) seenBy(until time.Time) shelf {
	if w.now.Before(until) {
		return w.stale.before
	}
	return w.shelf
}

// change makes a change of the store, and keeps what it was before.
func (w *World) change(f func() error) error {
	before, edition := w.shelf.clone(), w.shelf.edition()
	err := f()
	if w.shelf.edition() != edition && !w.now.Before(w.stale.lists) && !w.now.Before(w.stale.reads) {
		w.stale.before = before
	}
	return err
}

// boundary is a shelf whose every call leaves the process.
type boundary struct{ w *World }

var _ rotation.Shelf = boundary{}

func (b boundary) List(context.Context, string) (out []rotation.Slot, err error) {
	w := b.w
	err = w.ask("store-list", func(f Fault) error {
		if f == StaleStore && w.stale.before != nil {
			w.stale.lists = w.now.Add(staleFor)
		}
		out = slices.Clone(w.seenBy(w.stale.lists).list())
		return nil
	})
	return out, err
}

func (b boundary) Read(_ context.Context, _, name string) (slot rotation.Slot, value []byte, err error) {
	w := b.w
	w.name(name)
	err = w.ask("store-read", func(f Fault) error {
		switch {
		case f == StaleStore && w.stale.before != nil:
			w.stale.reads = w.now.Add(staleFor)
		case f == Unreadable && !isStage(name):
			w.stale.hidden, w.stale.hiddenUntil = name, w.now.Add(staleFor)
		}
		if name == w.stale.hidden && w.now.Before(w.stale.hiddenUntil) {
			return rotation.ErrNotFound
		}
		var found *dug
		var err error
		if slot, found, err = w.seenBy(w.stale.reads).read(name); err != nil {
			return err
		}
		for _, p := range found.passwords {
			w.inv.read.add(p)
		}
		value = found.bytes
		return nil
	})
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	return slot, value, nil
}

func isStage(name string) bool {
	return name == string(rotation.Current) || name == string(rotation.Previous)
}

func (b boundary) Create(_ context.Context, _, name string, value []byte) error {
	b.w.name(name)
	return b.w.call("store-create", func(f Fault) error {
		return b.w.change(func() error {
			if f == Raced {
				rivalName, rivalValue := b.w.rival(name, value)
				if err := b.w.shelf.create(rivalName, rivalValue); err != nil {
					return err
				}
			}
			return b.w.shelf.create(name, string(value))
		})
	})
}

// rival is what somebody else would create at the same time: the same, but for a candidate's password and, where names
// differ, its name.
func (w *World) rival(name string, value []byte) (string, string) {
	var v map[string]any
	if err := json.Unmarshal(value, &v); err != nil {
		panic(err)
	}
	password, ok := v["password"].(string)
	if !ok || strings.Contains(name, "-b") || v["baseline"] == true {
		return name, string(value)
	}
	letters := []byte(password)
	slices.Reverse(letters)
	v["password"] = string(letters)
	other, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if generation, suffix, ok := strings.Cut(name, "-c"); ok && suffix != "0" {
		w.suffixes++
		name = fmt.Sprintf("%s-cf%05x", generation, w.suffixes)
	}
	return name, string(other)
}

func (b boundary) Point(_ context.Context, _, to string, from rotation.Slot, value []byte) error {
	w := b.w
	if l, ok := w.shelf.(*labelShelf); ok && !l.compares && from.Name != "" {
		if err := (labelBoundary{b}).previous(from); err != nil {
			return err
		}
	}
	w.name(to)
	return w.call("store-point", func(f Fault) error {
		if f == LostRace {
			return rotation.ErrConflict
		}
		err := w.change(func() error { return w.shelf.point(to, from, string(value)) })
		w.checkPromotion()
		return err
	})
}

func (b boundary) Remove(_ context.Context, _, name string) error {
	b.w.name(name)
	return b.w.call("store-remove", func(Fault) error {
		return b.w.change(func() error { b.w.shelf.remove(name); return nil })
	})
}

// labelBoundary adds what a store of labels can do.
type labelBoundary struct{ boundary }

var _ rotation.Labeler = labelBoundary{}

func (b labelBoundary) Label(_ context.Context, _ string, version rotation.Slot, name string) error {
	b.w.name(name)
	return b.w.call("store-label", func(f Fault) error {
		if f == LostRace {
			return rotation.ErrExists
		}
		return b.w.change(func() error { return b.w.shelf.(*labelShelf).label(version.Version, name) })
	})
}

// previous is the first of the two calls that make a version current where labels move blindly.
func (b labelBoundary) previous(from rotation.Slot) error {
	return b.w.call("store-previous", func(Fault) error {
		return b.w.change(func() error { return b.w.shelf.(*labelShelf).label(from.Version, "previous") })
	})
}

// name notes which name a call is about.
func (w *World) name(name string) {
	if !w.hushed {
		w.inv.about = " " + name
	}
}

// dug is a stored value as a reader gets it, who does not write to it, and every password in it, however deep: it knows
// nothing of how relock stores them. A value that is no JSON has none.
type dug struct {
	text      string
	bytes     []byte
	passwords []string
}

func dig(value string) *dug {
	d := &dug{text: value, bytes: []byte(value)}
	if json.Valid(d.bytes) {
		d.passwords = passwordsOf(value)
	}
	return d
}

// passwordsOf returns the texts in JSON whose name is password.
func passwordsOf(value string) (out []string) {
	name := "" // of what comes next
	for at := 0; at < len(value); at++ {
		switch value[at] {
		case '"':
			begin := at
			for at++; value[at] != '"'; at++ {
				if value[at] == '\\' {
					at++
				}
			}
			text := unquoted(value[begin : at+1])
			if rest := strings.TrimLeft(value[at+1:], " \t\r\n"); strings.HasPrefix(rest, ":") {
				name = text
			} else if name == "password" {
				out = append(out, text)
			}
		case '{', '[', ',':
			name = ""
		}
	}
	return out
}

func unquoted(text string) string {
	if !strings.Contains(text, `\`) {
		return text[1 : len(text)-1]
	}
	var out string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		panic(err)
	}
	return out
}
