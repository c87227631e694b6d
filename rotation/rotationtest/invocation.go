package rotationtest

// invocation is what the world knows of one invocation of relock.
type invocation struct {
	calls  int
	faults func(n int, site string) Fault // nil means none
	// read holds the passwords that it read from the store (S0).
	read map[string]bool
	// only narrows what it may send to (S5); nil means all of the scope.
	only []string
	// setting names the generation that it last noted machines as down for (S8).
	setting string
	// yield hands over to whoever else runs; false means that it dies. Nil means that nobody else does.
	yield func() bool
	task  *task // nil when it takes no turns
}

func newInvocation(only []string, faults func(int, string) Fault) *invocation {
	return &invocation{faults: faults, read: map[string]bool{}, only: only}
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
		panic(Killed{})
	}
}

// enter makes i the invocation that runs; what it returns goes back to the one before.
func (w *World) enter(i *invocation) (leave func()) {
	before := w.inv
	w.inv = i
	return func() { w.inv = before }
}
