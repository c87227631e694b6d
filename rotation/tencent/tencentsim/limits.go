package tencentsim

import (
	"sync"
	"time"
)

// limits counts accepted requests per action and region in a sliding window of one second.
//
// The documents give a rate "per API, region and account" and no word on the window. Counting refused requests too
// would starve a client that never pauses, so only accepted ones count.
type limits struct {
	factor float64
	mu     sync.Mutex
	recent map[string][]time.Time
}

func newLimits(factor float64) *limits {
	return &limits{factor: factor, recent: make(map[string][]time.Time)}
}

// take counts one request at now, or refuses it when rate of them were accepted within the second before.
func (l *limits) take(key string, rate int, now time.Time) *apiError {
	allowed := max(1, int(float64(rate)*l.factor))
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.recent[key]
	for len(times) > 0 && now.Sub(times[0]) >= time.Second {
		times = times[1:]
	}
	if len(times) >= allowed {
		l.recent[key] = times
		return tooOften(len(times)+1, allowed)
	}
	l.recent[key] = append(times, now)
	return nil
}

// tooOften is the refusal as clients report it: https://github.com/cloud-barista/cb-spider/issues/654.
func tooOften(n, allowed int) *apiError {
	return refuse("RequestLimitExceeded", "Your current request times equals to `%d` in a second, which exceeds the "+
		"frequency limit `%d` for a second. Please reduce the frequency of calls.", n, allowed)
}
