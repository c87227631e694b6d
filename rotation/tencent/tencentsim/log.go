package tencentsim

import (
	"slices"
	"time"
)

// A Request is one entry of the log. It never holds a parameter's value.
type Request struct {
	Time    time.Time
	ID      string // the RequestId answered
	Service string // cvm, ssm or tag, from the credential scope; empty when that could not be read
	Action  string
	Region  string
	IDs     int // how many InstanceIds or ResourceIds were named
	// Code is the error code answered, or the fault's name when no API answer was given. Empty means success, and
	// before the effect that it is not known yet.
	Code string
	// Fault is what was made to go wrong, empty for nothing.
	Fault string
	// Applied reports that the request was accepted and had its effect, whatever the client was told.
	Applied bool
}

// Requests returns every request so far, oldest first.
func (c *Cloud) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// OnRequest makes f be called twice for each request: before its effect, and after its effect but before the answer
// is sent. f may call the Cloud, and may end the process. It replaces the function set before; nil removes it.
func (c *Cloud) OnRequest(f func(r Request, after bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = f
}

func (c *Cloud) tell(r Request, after bool) {
	c.mu.Lock()
	if after {
		c.log = append(c.log, r)
	}
	hook := c.hook
	c.mu.Unlock()
	if hook != nil {
		hook(r, after)
	}
}
