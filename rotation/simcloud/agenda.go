package simcloud

import (
	"slices"
	"time"
)

// An Agenda is what will happen by itself to one thing of a simulated cloud. The zero Agenda is empty. It may not be used
// concurrently.
type Agenda struct{ events []event }

type event struct {
	at  time.Time
	run func(at time.Time)
}

// Settle makes everything happen that was due by now, in order.
func (a *Agenda) Settle(now time.Time) {
	for len(a.events) > 0 && !a.events[0].at.After(now) {
		e := a.events[0]
		a.events = a.events[1:]
		e.run(e.at)
	}
}

// Schedule makes run happen at a time, after what was scheduled for the same time before.
func (a *Agenda) Schedule(at time.Time, run func(at time.Time)) {
	i, _ := slices.BinarySearchFunc(a.events, at, func(e event, t time.Time) int {
		if e.at.After(t) {
			return 1
		}
		return -1
	})
	a.events = slices.Insert(a.events, i, event{at: at, run: run})
}

// Cancel forgets everything that has not happened yet.
func (a *Agenda) Cancel() { a.events = nil }

// A Timeline schedules one thing after the other.
type Timeline struct {
	agenda *Agenda
	at     time.Time
}

// From returns a Timeline that begins at a time.
func (a *Agenda) From(at time.Time) *Timeline { return &Timeline{agenda: a, at: at} }

// At is when what was scheduled last happens.
func (t *Timeline) At() time.Time { return t.at }

// After makes run happen d after what was scheduled before it.
func (t *Timeline) After(d time.Duration, run func(at time.Time)) {
	t.at = t.at.Add(d)
	t.agenda.Schedule(t.at, run)
}
