package simcloud

import (
	"slices"
	"sync"
	"time"
)

// A Request is one entry of a Log. It never holds a parameter's value.
type Request struct {
	Time    time.Time
	ID      string // the request id answered
	Service string // which of the vendor's APIs; empty when that could not be read
	Action  string
	Region  string
	IDs     int // how many machines were named
	// Code is the error code answered, or the fault's name when no API answer was given. Empty means success, and
	// before the effect that it is not known yet.
	Code string
	// Fault is what was made to go wrong, empty for nothing.
	Fault string
	// Applied reports that the request was accepted and had its effect, whatever the client was told.
	Applied bool
}

// A Log remembers requests. The zero Log is empty. It may be used concurrently.
type Log struct {
	mu   sync.Mutex
	all  []Request
	hook func(Request, bool)
}

// Requests returns every request so far, oldest first.
func (l *Log) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// OnRequest makes f be called twice for each request: before its effect, and after its effect but before the answer
// is sent. f may call the cloud, and may end the process. It replaces the function set before; nil removes it.
func (l *Log) OnRequest(f func(r Request, after bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hook = f
}

// Tell calls the function that OnRequest set, and remembers a request after its effect.
func (l *Log) Tell(r Request, after bool) {
	l.mu.Lock()
	if after {
		l.all = append(l.all, r)
	}
	hook := l.hook
	l.mu.Unlock()
	if hook != nil {
		hook(r, after)
	}
}
