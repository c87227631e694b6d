package rotationtest

import (
	"context"
	"encoding/json"

	"github.com/relock-project/relock/rotation"
)

// Console is a person who changes a machine's password on the machine itself: no store has it.
func (w *World) Console(m *Machine, password string) {
	w.trace("a person changes the password of %s", m.ID)
	w.lost[password] = true
	m.set(password)
}

// Reboot is a person who restarts a machine, or starts one that is off, without relock.
func (w *World) Reboot(m *Machine) {
	w.trace("a person restarts %s", m.ID)
	m.Power, m.Was = rotation.Running, rotation.Running
	if m.Next != "" {
		m.set(m.Next)
		m.Next = ""
	}
}

// GiveUp is an operator's word that these passwords may go from the store, whatever they open.
func (w *World) GiveUp(passwords ...string) {
	for _, p := range passwords {
		w.lost[p] = true
	}
}

// Readable reports whether somebody with the store's credentials could read this password now.
func (w *World) Readable(password string) bool { return w.readable().has(password) }

// Stale is an invocation that was frozen for long, and now writes the generation that it was promoting over current. A
// store that compares refuses that, and it is false.
func (w *World) Stale(generation int) bool {
	versions, err := w.quiet().History(context.Background(), Secret)
	if err != nil {
		panic(err)
	}
	for _, v := range versions {
		if v.Generation == generation {
			w.trace("a stale write makes generation %d current", generation)
			err := w.shelf.point(v.ID, rotation.Slot{Name: "stale"}, copyOf(v))
			w.current = w.Current()
			return err == nil
		}
	}
	panic("no such generation")
}

// copyOf is the copy of a version that consumers read.
func copyOf(v rotation.Version) string {
	value, err := v.Encode()
	if err != nil {
		panic(err)
	}
	var all map[string]any
	if err := json.Unmarshal(value, &all); err != nil {
		panic(err)
	}
	all["previous"] = v.Generation - 1
	if value, err = json.Marshal(all); err != nil {
		panic(err)
	}
	return string(value)
}

// Meanwhile sets what runs while an invocation is Overtaken.
func (w *World) Meanwhile(other func()) { w.other = other }
