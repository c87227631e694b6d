package rotation

import (
	"fmt"
	"strings"
	"time"
)

// A Window is a time of day in which machines may be stopped; it may cross midnight. The zero Window is always open.
type Window struct {
	from, to time.Duration // since midnight
	zone     *time.Location
}

// ParseWindow reads "02:00-05:00 Asia/Shanghai"; without a zone the times are UTC. Empty is the zero Window.
func ParseWindow(s string) (Window, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Window{}, nil
	}
	times, zone, _ := strings.Cut(s, " ")
	from, to, ok := strings.Cut(times, "-")
	w := Window{zone: time.UTC}
	var err error
	if zone = strings.TrimSpace(zone); zone != "" {
		if w.zone, err = time.LoadLocation(zone); err != nil {
			return Window{}, fmt.Errorf("%q: unknown time zone %q: use a name such as Asia/Shanghai", s, zone)
		}
	}
	var okFrom, okTo bool
	w.from, okFrom = sinceMidnight(from)
	w.to, okTo = sinceMidnight(to)
	if !ok || !okFrom || !okTo || w.from == w.to {
		return Window{}, fmt.Errorf("%q: write two different times of day and a zone, as in 02:00-05:00 Asia/Shanghai", s)
	}
	return w, nil
}

func sinceMidnight(s string) (time.Duration, bool) {
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

// IsZero reports whether the window is always open.
func (w Window) IsZero() bool { return w.zone == nil }

// Open reports whether machines may be stopped at t.
func (w Window) Open(t time.Time) bool {
	if w.IsZero() {
		return true
	}
	hour, minute, second := t.In(w.zone).Clock()
	at := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if w.from < w.to {
		return at >= w.from && at < w.to
	}
	return at >= w.from || at < w.to
}

// Length is how long the window is open on a day; zero for the zero Window.
func (w Window) Length() time.Duration {
	if w.to >= w.from {
		return w.to - w.from
	}
	return w.to - w.from + 24*time.Hour
}

func (w Window) String() string {
	if w.IsZero() {
		return "always"
	}
	clock := func(d time.Duration) string {
		return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%s-%s %s", clock(w.from), clock(w.to), w.zone)
}
