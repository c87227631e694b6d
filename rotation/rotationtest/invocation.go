package rotationtest

import (
	"context"
	"time"
)

// invocation is what the world knows of one invocation of relock.
type invocation struct {
	calls  int
	faults func(n int, site string) Fault // nil means none
	// read holds the passwords that it read from the store (S0).
	read words
	// only narrows what it may send to (S5); nil means all of the scope.
	only []string
	over bool // it has ended
	// operator says that it may forget (S4): it is no run.
	operator bool
	// setting names the generation that it last noted machines as down for (S8).
	setting string
	// yield hands over to whoever else runs; false means that it dies. Nil means that nobody else does.
	yield func() bool
	task  *task // nil when it takes no turns
	name  string
	about string // what its next call is about, for the trace
	// ctx ends when its time is up; nil until it is needed.
	ctx  context.Context
	stop context.CancelFunc
	// skew is how far its clock is ahead.
	skew time.Duration
	// deadline is when its platform kills it; zero means never.
	deadline time.Time
	// unseen are the machines that the last description of their region left out.
	unseen map[*Machine]bool
}

// misses notes that a description left a machine out.
func (i *invocation) misses(m *Machine) {
	if i.unseen == nil {
		i.unseen = map[*Machine]bool{}
	}
	i.unseen[m] = true
}

// under gives the invocation a context of its own.
func (i *invocation) under(parent context.Context) context.Context {
	i.ctx, i.stop = context.WithCancel(parent)
	return i.ctx
}

// end is the end of its time.
func (i *invocation) end() {
	if i.ctx == nil {
		i.under(context.Background()) // it is no engine's, and does not look
	}
	i.stop()
}

// late reports whether its time is up.
func (i *invocation) late() bool { return i.ctx != nil && i.ctx.Err() != nil }

func newInvocation(only []string, faults func(int, string) Fault) *invocation {
	return &invocation{faults: faults, read: make(words, 0, 8), only: only}
}

func (i *invocation) fault(n int, site string) Fault {
	if i.faults == nil {
		return NoFault
	}
	return i.faults(n, site)
}

// turn lets others run before the next call.
func (i *invocation) turn(w *World) {
	if i.yield == nil {
		return
	}
	alive := i.yield()
	w.inv = i
	if !alive {
		w.die()
	}
}

// enter makes i the invocation that runs; what it returns goes back to the one before.
func (w *World) enter(i *invocation) (leave func()) {
	before := w.inv
	w.inv = i
	return func() { w.inv = before }
}
