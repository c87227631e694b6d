package rotation_test

import (
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// window reads a Window, which must be one.
func window(t *testing.T, s string) rotation.Window {
	t.Helper()
	w, err := rotation.ParseWindow(s)
	if err != nil {
		t.Fatalf("ParseWindow(%q) = %v", s, err)
	}
	return w
}

func TestWindowIsOpenFromItsFirstMinuteToBeforeItsLast(t *testing.T) {
	for _, row := range []struct {
		window, at string
		open       bool
	}{
		{"", "2026-11-21T12:00:00Z", true},
		{"02:00-05:00", "2026-11-21T01:59:59Z", false},
		{"02:00-05:00", "2026-11-21T02:00:00Z", true},
		{"02:00-05:00", "2026-11-21T04:59:59Z", true},
		{"02:00-05:00", "2026-11-21T05:00:00Z", false},
		{"02:00-05:00 Asia/Shanghai", "2026-11-20T18:00:00Z", true},
		{"02:00-05:00 Asia/Shanghai", "2026-11-20T21:00:00Z", false},
		{"02:00-05:00 Asia/Shanghai", "2026-11-21T02:00:00Z", false},
		// across midnight
		{"22:30-01:15", "2026-11-21T22:29:59Z", false},
		{"22:30-01:15", "2026-11-21T22:30:00Z", true},
		{"22:30-01:15", "2026-11-21T23:59:59Z", true},
		{"22:30-01:15", "2026-11-22T00:00:00Z", true},
		{"22:30-01:15", "2026-11-22T01:14:59Z", true},
		{"22:30-01:15", "2026-11-22T01:15:00Z", false},
		{"22:30-01:15", "2026-11-22T12:00:00Z", false},
		// a day of 23 hours: 02:00 to 03:00 in Berlin does not happen, and 03:00 follows 01:59
		{"02:00-05:00 Europe/Berlin", "2026-03-29T00:59:59Z", false},
		{"02:00-05:00 Europe/Berlin", "2026-03-29T01:00:00Z", true},
		{"02:00-05:00 Europe/Berlin", "2026-03-29T02:59:59Z", true},
		{"02:00-05:00 Europe/Berlin", "2026-03-29T03:00:00Z", false},
		// a day of 25 hours: 02:00 to 03:00 happens twice
		{"02:00-05:00 Europe/Berlin", "2026-10-25T00:00:00Z", true},
		{"02:00-05:00 Europe/Berlin", "2026-10-25T01:30:00Z", true},
		{"02:00-05:00 Europe/Berlin", "2026-10-25T03:59:59Z", true},
		{"02:00-05:00 Europe/Berlin", "2026-10-25T04:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, row.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := window(t, row.window).Open(at); got != row.open {
			t.Errorf("%q at %s is open: %v; want %v", row.window, row.at, got, row.open)
		}
	}
}

func TestWindowSaysWhatItIs(t *testing.T) {
	for _, row := range []struct {
		in, out string
		length  time.Duration
	}{
		{"", "always", 0},
		{" 02:00-05:00 Asia/Shanghai ", "02:00-05:00 Asia/Shanghai", 3 * time.Hour},
		{"02:00-05:30", "02:00-05:30 UTC", 3*time.Hour + 30*time.Minute},
		{"22:30-01:15", "22:30-01:15 UTC", 2*time.Hour + 45*time.Minute},
	} {
		w := window(t, row.in)
		if w.String() != row.out || w.Length() != row.length || w.IsZero() != (row.in == "") {
			t.Errorf("ParseWindow(%q) is %s for %v; want %s for %v", row.in, w, w.Length(), row.out, row.length)
		}
	}
}

func TestWindowThatSaysNothingIsRefused(t *testing.T) {
	for _, s := range []string{
		"02:00", "02:00-", "-05:00", "02:00-02:00", "02:00-25:00", "02:00-24:00", "2-5", "02:00 - 05:00", "02:00-05:00 Mars/Olympus",
		"02:00-05:00 ../../etc/passwd", "always", "02:00-05:00-06:00", "02:60-05:00",
	} {
		if w, err := rotation.ParseWindow(s); err == nil {
			t.Errorf("ParseWindow(%q) = %v; want an error", s, w)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"", "02:00-05:00 Asia/Shanghai", "22:30-01:15", "02:00-02:00", "-", "a-b c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := rotation.ParseWindow(s)
		if err != nil || w.IsZero() {
			return
		}
		if again, err := rotation.ParseWindow(w.String()); err != nil || again.String() != w.String() {
			t.Errorf("ParseWindow(%q) is %v, which reads back as %v, %v", s, w, again, err)
		}
		if l := w.Length(); l <= 0 || l >= 24*time.Hour {
			t.Errorf("ParseWindow(%q) is open for %v of a day", s, l)
		}
	})
}

// open is a window that is open for so long from now.
func open(t *testing.T, w *rotationtest.World, d time.Duration) change {
	t.Helper()
	from, to := w.Now(), w.Now().Add(d)
	return policy(func(p *rotation.Policy) { p.Window = window(t, from.Format("15:04")+"-"+to.Format("15:04")) })
}

// shut is a window that opens in an hour.
func shut(t *testing.T, w *rotationtest.World) change {
	t.Helper()
	from := w.Now().Add(time.Hour)
	return policy(func(p *rotation.Policy) {
		p.Window = window(t, from.Format("15:04")+"-"+from.Add(time.Hour).Format("15:04"))
	})
}

func TestNothingIsStoppedOutsideTheWindow(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		r := must(t, w, rotation.Request{}, rotation.Incomplete, shut(t, w))
		says(t, r.Why, "outside RELOCK_WINDOW", "relock resume")
		for _, m := range w.Machines {
			if stops(m) > 0 {
				t.Errorf("%s was stopped outside the window", m.ID)
			}
		}
		holds(t, w, 1, 2)
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, open(t, w, time.Hour))
		everywhere(t, w)
	})
}

func TestStoppedMachinesAreSetOutsideTheWindow(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	add(w, 2, rotation.Stopped)
	r := must(t, w, rotation.Request{}, rotation.Incomplete, shut(t, w))
	for _, m := range w.Machines[1:] {
		if m.Live != newest(t, w).Password.Reveal() || line(t, r, m.ID).State != rotation.StateProven {
			t.Errorf("%s is stopped anyway and was not set (%s)", m.ID, line(t, r, m.ID).State)
		}
	}
}

func TestWindowThatClosesEndsNewStopsOnly(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 6, rotation.Running)
		began := w.Now()
		closes := began.Add(2 * time.Minute)
		var late []string
		w.AtMost(1)
		must(t, w, rotation.Request{}, rotation.Incomplete, open(t, w, 2*time.Minute), before(w, func(s rotationtest.Sent) error {
			if (s.Site == "stop" || s.Site == "restart") && !w.Now().Before(closes) {
				late = append(late, s.IDs...)
			}
			return nil
		}))
		if len(late) > 0 {
			t.Errorf("%v were stopped after the window had closed", late)
		}
		done := 0
		for _, m := range w.Machines {
			if m.Power != rotation.Running {
				t.Errorf("%s is left %s", m.ID, m.Power)
			}
			done += btoi(m.Live != rotationtest.Baseline)
		}
		if done == 0 || done == len(w.Machines) {
			t.Errorf("%d of %d machines were set in two minutes; want some", done, len(w.Machines))
		}
		w.Advance(began.Add(24 * time.Hour).Sub(w.Now()))
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, open(t, w, time.Hour))
		for _, m := range w.Machines {
			if stops(m) != 1 {
				t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
			}
		}
	})
}

// A stop that the provider throttles until the window has closed is not sent afterwards.
func TestThrottledStopIsNotSentOnceTheWindowHasClosed(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	closes := w.Now().Add(time.Minute)
	must(t, w, rotation.Request{}, rotation.Incomplete, open(t, w, time.Minute), before(w, func(s rotationtest.Sent) error {
		if s.Site == "stop" && w.Now().Before(closes) {
			return rotation.ErrThrottled
		}
		return nil
	}))
	if m := w.Machines[0]; stops(m) > 0 || m.Power != rotation.Running {
		t.Errorf("the machine was stopped %d times, and is %s; want left alone outside the window", stops(m), m.Power)
	}
	// Nothing took it down: when its owner shuts it down, it stays down.
	if got := w.Machines[0].Tags[rotation.MarkTag]; got == "2.down.1" {
		t.Errorf("its mark is %q: a start would be owed", got)
	}
	must(t, w, rotation.Request{}, rotation.Rotated)
}
