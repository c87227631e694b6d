package rotation

import (
	"maps"
	"sync"
)

// Calls counts a run's requests per API; drivers add to it and the report shows it. The zero value is ready, and a nil
// *Calls counts nothing. It may be used by several goroutines.
type Calls struct {
	mu        sync.Mutex
	sent      map[string]int
	throttled int
}

// Add counts one request, named as a person would look it up: "cvm ResetInstancesPassword".
func (c *Calls) Add(api string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent == nil {
		c.sent = map[string]int{}
	}
	c.sent[api]++
}

// Throttled counts one request that the provider refused for its rate limit.
func (c *Calls) Throttled() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.throttled++
}

// Counts returns a copy of what was counted.
func (c *Calls) Counts() (sent map[string]int, throttled int) {
	if c == nil {
		return nil, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.sent), c.throttled
}
