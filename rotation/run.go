package rotation

import (
	"fmt"
	"hash/fnv"
	"time"
)

// run is the whole state of an invocation's work on machines, as plain data: two equal runs go on equally. The engine
// looks, asks run.decide for all calls of the tick, issues them and folds their results back in, in order.
type run struct {
	policy     Policy
	generation int       // of the version that is being set; zero when nothing is sent
	secret     string    // MarkSecret of the secret
	tick       moment    // when the tick that is under way began
	closes     time.Time // nothing is begun from here on; zero means never
	capacity   int       // machines that may be down at once
	logins     bool      // there is a Verifier
	proveOnly  bool      // nothing is sent: the machines are only tried
	readOnly   bool      // not even a start or a mark
	full       bool      // so many machines are down for good that no other may be taken down
	// halted says why nothing new is begun any more; empty means that it is.
	halted string
	// denied reports that the halt came from missing authorization.
	denied bool
	lasts  lastings
	parts  int // the last number given to a part of a split batch
	peak   int // the most machines that were down at once
	fleets []fleetTraits
	// machines are in the order of fleet and id.
	machines []machine
	warnings []string
	room     room
}

// A moment is a time, and how old the run is then. All that the run waits for is measured by its age.
type moment struct {
	time.Time
	age time.Duration
}

// moment is a time in the tick that is under way. What is more than a tick can take is not counted: the process was frozen
// or its clock was set, and nobody looked at a machine meanwhile.
func (r *run) moment(t time.Time) moment {
	most := r.policy.PollInterval + min(time.Minute, r.policy.SoftStopTimeout/4)
	return moment{t, r.tick.age + min(max(t.Sub(r.tick.Time), 0), most)}
}

// room is what each tick makes use of again. What is in it says nothing to the next one.
type room struct {
	calls   []call
	open    []int
	batches ordinals[batchKey]
	due     [][]Operation
	ops     ordinals[opKey]
}

// fleetTraits is what a fleet can do.
type fleetTraits struct{ marks bool }

// machine is one machine's part of a run.
type machine struct {
	id           string
	fleet        int
	maxBatch     int
	needsStopped bool
	atBoot       bool // a reset takes effect at the next boot
	goesDown     bool // setting its password takes it down when it runs
	bootDelay    time.Duration
	reported     bool
	mayTouch     bool // in the (narrowed) scope, and nothing forbids it
	counts       bool // behind, it is an exception
	known        bool // was proven on some generation once

	state State
	then  State         // what it becomes once it is started again; empty: it goes on to be proven
	since time.Duration // the run's age when it came into its state
	seen  time.Duration // the run's age at the last look at it; zero: there was none
	upAt  time.Duration // the run's age at the first of the last looks that all showed it running and not busy
	up    bool          // they did for so long that not all of them can be out of date
	power PowerState
	was   PowerState
	busy  bool
	rest  State     // where it stays when the run has no business with it; empty: planned
	check bool      // it may have the version: a login tells before it is begun
	found Mark      // what its mark says, of this secret, as far as is known; zero: nothing
	owed  bool      // relock took it down, or may have: a start is owed
	wrote bool      // this run wrote its mark
	doubt bool      // another invocation may have taken it down meanwhile
	moved bool      // it was seen on its way down
	again bool      // its stop was refused as busy: it is marked again before the next try
	late  bool      // its stop was given up and may still land: its mark stays
	note  MarkState // a mark that is still to be written; empty: none

	tries     int // stops for this generation, by all invocations
	stops     int // stops by this run
	sends     int // resets that may have had an effect, by this run
	rejected  int // logins that were refused since it came up
	refused   int // when one was that a machine which waits for its boot may have refused; see Mark.Refused
	part      int // machines of different parts do not share a batch
	own       int // a part that its resets share with nobody; zero: they share their batches
	backoff   int
	notBefore time.Duration // the run's age from which its request may be sent again
	unsure    bool          // the answer to the last request was lost
	accepted  bool          // a reset by this run was accepted
	recorded  bool          // the provider's record says that this run's reset succeeded
	half      bool          // it was in a stop or restart that was refused because of others, and that may have been carried out on it
	owedSince time.Duration // the run's age when its start became due
	starts    int           // requests to start it, since it is owed one
	downSince time.Time     // zero: it is not down because of us
	down      time.Duration

	op       OpKind
	opID     string
	opJob    string
	opSent   time.Time
	evidence Evidence
	why      Refusal
}

// enter moves the machine on.
func (m *machine) enter(s State, now moment) {
	m.state, m.since, m.notBefore, m.backoff = s, now.age, 0, 0
}

// later makes the machine wait before its request is sent again: exponentially, capped, with a jitter that depends on
// nothing but the try and on whom it waits with. What was one batch stays one: sent again machine by machine it would be
// throttled all the more.
func (m *machine) later(now moment, poll time.Duration, with string) {
	base := min(poll, time.Second)
	wait := min(base<<min(m.backoff, 10), 30*time.Second)
	m.backoff++
	h := fnv.New32a()
	h.Write([]byte(with))
	h.Write([]byte{byte(m.backoff)})
	m.notBefore = now.age + wait/2 + wait*time.Duration(h.Sum32()%1000)/2000
}

// request notes the operation that the machine is part of.
func (m *machine) request(op Operation) {
	m.op, m.opID, m.opJob, m.opSent = op.Kind, op.RequestID, op.Job, op.Sent
}

// fail ends the machine's rotation. A machine that is owed a start is started first.
func (m *machine) fail(now moment, why Refusal) { m.end(StateFailed, now, why) }

func (m *machine) end(s State, now moment, why Refusal) {
	if why.RequestID == "" && m.op != OpLook {
		why.RequestID = m.opID
	}
	m.why = why
	if m.owed {
		m.start(s, now)
		return
	}
	m.enter(s, now)
	m.noteUp()
}

// start has the machine started, which is then in that state; empty: it goes on to be proven. Its time for that begins once.
func (m *machine) start(then State, now moment) {
	m.then = then
	if !m.starting() {
		m.owedSince = now.age
	}
	m.enter(StateToStart, now)
}

// starting reports whether the machine is to be started, or was asked to.
func (m *machine) starting() bool { return m.state == StateToStart || m.state == StateStarting }

// noteUp plans the mark that says that the machine runs again, unless its mark has to go on saying that it is owed a
// start.
func (m *machine) noteUp() {
	if (m.tries > 0 || m.found.State == MarkDown) && m.power == Running && !m.late && m.state != StateWaiting {
		m.note = MarkUp
	}
}

// unsureUp reports whether the machine is to be noted as running and is not known to be: it was refused as busy, so
// somebody may have taken it down since the last look.
func (m *machine) unsureUp() bool { return m.note == MarkUp && m.busy }

// disruptive reports whether setting the password takes the machine down.
func (m *machine) disruptive() bool { return m.goesDown && m.power == Running }

// isDown reports whether the machine counts against the capacity: down, about to be, or found on its way.
func (m *machine) isDown() bool {
	if m.owed || !m.downSince.IsZero() {
		return true
	}
	switch m.state {
	case StateMarking, StateToStop, StateStopping, StateToRestart, StateRestarting:
		return true
	case StateToSend, StateSent:
		if m.atBoot && m.disruptive() {
			return true // its restart follows
		}
	}
	return m.power == Changing && !m.state.Final()
}

// working reports whether the run waits for something to happen to the machine.
func (m *machine) working() bool { return m.state != StatePlanned && !m.state.Final() }

// idle reports whether nothing is to be asked about the machine: it was not begun, waits for the end of a request, or is
// done with.
func (m *machine) idle() bool {
	return m.note == "" && (m.state == StatePlanned || m.opState() || m.state.Final())
}

// good reports whether the machine has the version, as far as the policy asks.
func (m *machine) good() bool {
	return m.state == StateProven || m.state == StateAccepted
}

// tookDown notes that the machine is down from now on.
func (m *machine) tookDown(now moment) {
	if m.downSince.IsZero() {
		m.downSince = now.Time
	}
	m.owed = true
}

// cameUp notes that the machine runs again.
func (m *machine) cameUp(now moment) {
	if !m.downSince.IsZero() {
		m.down += now.Sub(m.downSince)
	}
	m.downSince, m.owed, m.starts = time.Time{}, false, 0
}

// halt stops the run from beginning anything; what is under way is brought to an end. The first reason stays.
func (r *run) halt(why string) {
	if r.halted == "" {
		r.halted = why
	}
}

// open reports whether machines may be begun.
func (r *run) open(now moment) bool {
	return r.halted == "" && !r.proveOnly && (r.closes.IsZero() || now.Before(r.closes))
}

// down counts the machines that are down; gone are those of them that this run does not wait for.
func (r *run) down() (down, gone int) {
	for i := range r.machines {
		m := &r.machines[i]
		if !m.isDown() {
			continue
		}
		down++
		if m.state.Final() || m.state == StatePlanned && !m.owed && !m.mayTouch {
			gone++
		}
	}
	return down, gone
}

// settled reports whether nothing is left to wait for.
func (r *run) settled(now moment) bool {
	waiting := false
	for i := range r.machines {
		m := &r.machines[i]
		if m.working() || m.note != "" {
			return false
		}
		if r.waits(m, now) {
			if m.owed || m.busy || m.power == Changing || now.age < m.notBefore {
				return false // that ends, or runs out of time
			}
			waiting = true
		}
	}
	if waiting {
		// Nothing is under way, and still none of them was begun.
		down, _ := r.down()
		r.halt(fmt.Sprintf("RELOCK_MAX_UNAVAILABLE allows %d machines to be down at once, and %d are", r.capacity, down))
	}
	return true
}

// waits reports whether a planned machine will be begun by this run once something else has happened.
func (r *run) waits(m *machine, now moment) bool {
	if m.state != StatePlanned {
		return false
	}
	if m.owed {
		return !r.readOnly
	}
	if !m.mayTouch || !r.open(now) {
		return false
	}
	return !m.disruptive() || r.policy.Window.Open(now.Time) && !r.full
}

// mark is the note for a machine of this run.
func (r *run) mark(m *machine, s MarkState) Mark {
	out := Mark{Secret: r.secret, Generation: r.generation % markModulo, State: s, Tries: m.tries}
	switch s {
	case MarkOK:
		out.Tries = 0
	case MarkWait:
		out.Refused = m.refused
	case MarkDown:
		if out.Tries = m.tries + 1; m.state != StateMarking {
			out.Tries = max(1, m.tries)
		}
	case MarkUp:
		if m.found.State == MarkDown || m.found.State == MarkUp {
			// It says for which generation, and how often, the machine was stopped: that is not to be forgotten.
			out.Generation, out.Tries = m.found.Generation, m.found.Tries
		} else {
			out.Tries = max(1, m.tries)
		}
	}
	return out
}
