package simcloud

import (
	"sync"
	"time"
)

// Rates counts accepted requests by key in sliding windows of one second. It may be used concurrently.
//
// Vendors give a rate and no word on the window. Counting refused requests too would starve a client that never pauses, so
// only accepted ones count.
type Rates struct {
	factor float64
	mu     sync.Mutex
	recent map[string][]time.Time
}

// NewRates returns limits that are factor times the rates given to Take.
func NewRates(factor float64) *Rates {
	return &Rates{factor: factor, recent: make(map[string][]time.Time)}
}

// Take counts one request at now. It reports false when rate of them were accepted within the second before; n is how many
// there would have been with this one, and allowed how many there may be.
func (l *Rates) Take(key string, rate int, now time.Time) (n, allowed int, ok bool) {
	allowed = max(1, int(float64(rate)*l.factor))
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.recent[key]
	for len(times) > 0 && now.Sub(times[0]) >= time.Second {
		times = times[1:]
	}
	ok = len(times) < allowed
	n = len(times) + 1
	if ok {
		times = append(times, now)
	}
	l.recent[key] = times
	return n, allowed, ok
}
