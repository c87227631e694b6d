package rotation

import (
	"fmt"
	"slices"
)

// call is one request that the run wants to make.
type call struct {
	batchKey
	machines []int
}

// batchKey is what machines that share a request have in common.
type batchKey struct {
	kind  callKind
	fleet int // of all kinds but callVerify
	part  int
	mark  Mark
	force Force
}

type callKind string

const (
	callMark    callKind = "mark"
	callStop    callKind = "stop"
	callReset   callKind = "reset"
	callStart   callKind = "start"
	callRestart callKind = "restart"
	callVerify  callKind = "verify"
)

// takesDown reports whether the request takes a machine down.
func (k callKind) takesDown() bool { return k == callStop || k == callRestart }

// decide ends what has run out of time, begins what may be begun, and returns every call that can be made now. It
// depends on nothing but the run and the time. The calls are good until it is called again.
func (r *run) decide(now moment) []call {
	for i := range r.machines {
		r.expire(&r.machines[i], now)
	}
	r.admit(now)
	down, _ := r.down()
	r.peak = max(r.peak, down)
	return r.calls(now)
}

// calls gathers what each machine wants into as few requests as the limits allow.
func (r *run) calls(now moment) []call {
	out, open, keys := r.room.calls[:0], r.room.open[:0], &r.room.batches
	keys.reset()
	// open holds of each key the call that is not full, as its index in out.
	for i := range r.machines {
		m := &r.machines[i]
		if m.idle() {
			continue
		}
		key, limit := r.want(m, now)
		if limit == 0 {
			continue
		}
		n, fresh := keys.of(key)
		if fresh {
			open = append(open, len(out))
		} else if len(out[open[n]].machines) >= limit {
			open[n] = len(out)
		}
		if open[n] == len(out) {
			out = slices.Grow(out, 1)[:len(out)+1]
			out[open[n]] = call{key, out[open[n]].machines[:0]}
		}
		c := &out[open[n]]
		c.machines = append(c.machines, i)
	}
	r.room.calls, r.room.open = out, open
	return out
}

// want returns the call that a machine which is not idle is ready for, and how many machines may share it; zero when it is
// ready for none.
func (r *run) want(m *machine, now moment) (c batchKey, limit int) {
	if now.age < m.notBefore {
		return c, 0
	}
	c.fleet, c.part, limit = m.fleet, m.part, r.batch(m)
	switch m.state {
	case StateMarking:
		c.kind, c.mark = callMark, r.mark(m, MarkDown)
	case StateToStop, StateToRestart:
		c.kind, c.force = callStop, r.force()
		if m.state == StateToRestart {
			c.kind = callRestart
		}
		if m.again {
			// Whoever was busy with it may have noted meanwhile that it runs: our stop would leave it down without a mark.
			c.kind, c.force, c.mark = callMark, "", r.mark(m, MarkDown)
		}
	case StateToSend:
		if m.busy || m.needsStopped && m.power != Stopped {
			return c, 0
		}
		c.kind = callReset
		if m.own != 0 {
			c.part = m.own
		}
	case StateToStart:
		if m.power != Stopped || m.busy {
			return c, 0
		}
		c.kind = callStart
	case StateChecking, StateVerifying:
		c.kind, c.fleet, limit = callVerify, 0, len(r.machines)
	default:
		if r.readOnly || !r.fleets[m.fleet].marks || r.mark(m, m.note) == m.found {
			m.note = ""
			return c, 0
		}
		if m.unsureUp() {
			return c, 0
		}
		c.kind, c.mark = callMark, r.mark(m, m.note)
	}
	return c, limit
}

func (r *run) force() Force {
	if r.policy.Restart == RestartForce {
		return Hard
	}
	return Soft
}

// admit begins machines: first those that are down already, then the canary, then waves within the capacity.
func (r *run) admit(now moment) {
	down, gone := r.down()
	r.full = gone >= r.capacity
	for i := range r.machines {
		if m := &r.machines[i]; m.state == StatePlanned && m.owed && !r.readOnly {
			r.takeOver(m, now)
		}
	}
	r.recall(now)
	if !r.open(now) {
		return
	}
	r.giveUp(now)
	room := r.canaryRoom()
	if room <= 0 {
		return
	}
	free := r.waveRoom(now, r.capacity-down, r.capacity-gone)
	for i := range r.machines {
		m := &r.machines[i]
		if room <= 0 {
			return
		}
		if !r.admissible(m, now) {
			continue
		}
		if m.disruptive() {
			if free <= 0 {
				continue
			}
			free--
		}
		room--
		r.begin(m, now)
	}
}

// giveUp ends the machines that were taken down as often as is allowed. They take nobody's place: not a canary's either.
func (r *run) giveUp(now moment) {
	for i := range r.machines {
		if m := &r.machines[i]; m.tries >= r.policy.MaxAttempts && m.disruptive() && r.admissible(m, now) {
			m.tooOften(now)
		}
	}
}

// takeOver goes on with a machine that an earlier invocation left on its way: when it is down already, its reset costs
// no further stop.
func (r *run) takeOver(m *machine, now moment) {
	switch {
	case m.up:
		r.runsAgain(m, m.home(), now)
		m.noteUp()
	case m.power != Stopped || m.busy:
	case r.open(now) && m.mayTouch:
		m.enter(StateToSend, now)
	default:
		m.start(m.home(), now)
	}
}

// runsAgain has a machine that somebody else started begun anew from a state, or tried first, if it may have been set.
func (r *run) runsAgain(m *machine, from State, now moment) {
	m.cameUp(now)
	m.enter(from, now)
	if m.check {
		m.state = StateChecking
	}
}

// home is where a machine goes that the run has no further business with.
func (m *machine) home() State {
	if m.rest == "" {
		return StatePlanned
	}
	return m.rest
}

// recall takes back machines that were admitted but not yet asked to stop, once they would not be admitted any more.
func (r *run) recall(now moment) {
	if r.open(now) && r.policy.Window.Open(now.Time) {
		return
	}
	for i := range r.machines {
		switch m := &r.machines[i]; m.state {
		case StateMarking, StateToStop, StateToRestart:
			if !m.atBoot {
				m.enter(StatePlanned, now)
				m.noteUp()
			} else if r.halted != "" || !r.policy.Window.Open(now.Time) {
				r.waitForBoot(m, now) // its reset was accepted
				m.noteUp()
			}
		case StateToSend:
			if r.halted == "" {
				continue
			}
			if !m.owed {
				m.enter(StatePlanned, now)
			} else if r.denied {
				m.start(StatePlanned, now)
			}
		}
	}
}

// admissible reports whether a machine could be begun now, capacity aside.
func (r *run) admissible(m *machine, now moment) bool {
	if m.state != StatePlanned || !m.mayTouch || m.owed || m.busy || m.power == Changing || now.age < m.notBefore {
		return false
	}
	return !m.disruptive() || r.policy.Window.Open(now.Time)
}

// canaryRoom is how many machines may be begun now because of the canary; all once enough are proven. Machines that
// fail are replaced one for one, until so many that were running did that the fault is not theirs.
func (r *run) canaryRoom() int {
	targets, planned, good, working, broken := 0, 0, 0, 0, 0
	for i := range r.machines {
		m := &r.machines[i]
		switch {
		case m.state == StatePlanned:
			planned++
		case m.good() || m.state == StateWaiting:
			good++
		case m.working() && m.sendsSomething():
			working++
		case m.state.Final() && m.stops > 0:
			broken++
		}
		if m.mayTouch {
			targets++
		}
	}
	want := min(r.policy.Canary, targets)
	if good >= want {
		return planned
	}
	if broken >= want+2 {
		r.halt(fmt.Sprintf("%d machines in a row were not proven after their stop and none was: the fault is not one machine's", broken))
		return 0
	}
	return want - good - working
}

// sendsSomething reports whether the machine is being set, not only tried.
func (m *machine) sendsSomething() bool { return m.state != StateChecking }

// waveRoom holds a wave back until a request about it would be full, or half of the capacity that can become free is:
// many small batches cost more calls and bring nothing.
func (r *run) waveRoom(now moment, free, usable int) int {
	want, full := 0, 1
	for i := range r.machines {
		if m := &r.machines[i]; m.disruptive() && r.admissible(m, now) {
			want++
			full = max(full, r.batch(m))
		}
	}
	if free < min(want, full, (usable+1)/2) {
		return 0
	}
	return free
}

// batch is how many machines may share a request about this one.
func (r *run) batch(m *machine) int {
	if limit := max(1, m.maxBatch); r.policy.BatchSize <= 0 || limit < r.policy.BatchSize {
		return limit
	}
	return r.policy.BatchSize
}

// begin sends a machine on its way.
func (r *run) begin(m *machine, now moment) {
	m.note = "" // that it runs: soon it will not
	if m.power == Running && m.needsStopped {
		m.enter(StateMarking, now)
		return
	}
	m.enter(StateToSend, now)
}

// tooOften gives up a machine that was marked for a stop as often as is allowed for this generation. Whether each came about
// is not always known.
func (m *machine) tooOften(now moment) {
	m.fail(now, Refusal{
		Reason: fmt.Sprintf("is not proven after %d attempts at this generation, all that RELOCK_MAX_ATTEMPTS allows", m.tries),
		Remedy: "look at the machine, then: relock rotate --new-candidate",
	})
}
