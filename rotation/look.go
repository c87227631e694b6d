package rotation

import (
	"slices"
	"time"
)

// A lasting is what a run has seen of how long the operations of one kind take.
type lasting struct {
	low  time.Duration // the greatest age at which one had not ended
	high time.Duration // the smallest age at which one had; zero: none has been seen to end
}

// lastings are what a run has seen of each kind.
type lastings struct{ stop, reset, start, restart, lost lasting }

// of is what was seen of a kind. lost is for the requests whose answer was lost, when the driver does not tell their kind.
func (l *lastings) of(kind OpKind) *lasting {
	switch kind {
	case OpStop:
		return &l.stop
	case OpReset:
		return &l.reset
	case OpStart:
		return &l.start
	case OpRestart:
		return &l.restart
	}
	return &l.lost
}

// learn takes in a look at a machine that waits for the end of a request.
func (r *run) learn(m *machine, ended bool, now moment) {
	l, age := r.lasts.of(m.op), now.age-m.since
	switch {
	case !ended:
		l.low = max(l.low, age)
	case l.high == 0 || age < l.high:
		l.high = age
	}
}

// grain is how exactly the time of a look is chosen: what is due at about the same time shares its requests.
func (r *run) grain() time.Duration { return r.policy.PollInterval / 20 }

// nextLook is the run's age at which a machine that it watches is to be looked at again. At first every poll
// interval; once such an operation was seen to end, not before the earliest end that is likely, which half of the unknown
// makes exacter from one operation to the next. What takes less than a poll interval is still looked at after one: looking
// in its midst would tear a batch apart.
func (r *run) nextLook(m *machine) time.Duration {
	at := m.seen + r.policy.PollInterval
	if m.opState() {
		l, since := r.lasts.of(m.op), m.since
		first := l.high
		if l.low < l.high-r.grain() {
			first = max((l.low+l.high)/2, r.policy.PollInterval)
		}
		switch {
		case l.high == 0:
			at = max(m.seen, since) + r.policy.PollInterval
		case m.seen-since < first:
			at = since + first
		case m.seen-since < l.high:
			at = since + l.high
		}
	}
	if over := at % r.grain(); over > 0 {
		at += r.grain() - over
	}
	return at
}

// pause is how long nothing is to be done: until the next look, or until something is to be sent again.
func (r *run) pause(now moment) time.Duration {
	pause := r.policy.PollInterval
	for i := range r.machines {
		m := &r.machines[i]
		if r.watches(m, now) {
			pause = min(pause, max(r.nextLook(m)-now.age, 0))
		}
		if now.age < m.notBefore && (m.working() || m.note != "") {
			pause = min(pause, m.notBefore-now.age)
		}
	}
	return pause
}

// due returns what to ask each fleet about now, and counts it as looked at, whatever the answer: every machine that is due,
// by the request that it is part of. Nil means that nothing is due. What it returns is good until it is called again.
func (r *run) due(now moment) [][]Operation {
	var out [][]Operation
	keys, fleet := &r.room.ops, -1 // keys are those of the fleet that the machine before is in
	for i := range r.machines {
		m := &r.machines[i]
		if !m.doubt && (!r.watches(m, now) || now.age < r.nextLook(m)) {
			continue
		}
		if out == nil {
			out = r.room.due
			for f := range out {
				out[f] = out[f][:0]
			}
		}
		if m.fleet != fleet {
			keys.reset()
			fleet = m.fleet
		}
		m.seen = now.age
		key := opKey{kind: OpLook}
		if m.opState() {
			key = opKey{m.op, m.opID, m.opJob}
		}
		n, fresh := keys.of(key)
		if fresh {
			ops := slices.Grow(out[fleet], 1)[:n+1]
			ops[n] = Operation{Kind: key.kind, RequestID: key.id, Job: key.job, Sent: m.opSent, Instances: ops[n].Instances[:0]}
			out[fleet] = ops
		}
		op := &out[fleet][n]
		op.Instances = append(op.Instances, m.id)
	}
	return out
}

// opKey tells operations apart.
type opKey struct {
	kind    OpKind
	id, job string
}

// opState reports whether the machine waits for the end of a request.
func (m *machine) opState() bool {
	switch m.state {
	case StateStopping, StateSent, StateStarting, StateRestarting:
		return true
	}
	return false
}

// watches reports whether the run wants to know how the machine is.
func (r *run) watches(m *machine, now moment) bool {
	if m.unsureUp() {
		return true
	}
	switch m.state {
	case StateStopping, StateSent, StateStarting, StateRestarting:
		return true
	case StateToStart, StateToSend:
		_, limit := r.want(m, now)
		return limit == 0 // what only waits for its turn is not looked at
	case StatePlanned:
		return m.power == Changing || (m.owed || m.busy) && r.waits(m, now)
	}
	return m.doubt
}

// see takes one look at one machine into the run.
func (r *run) see(m *machine, res *Result, now moment) {
	if m.power != Running || m.busy {
		m.upAt = now.age
	}
	m.power, m.busy = res.Power, res.Busy
	m.up = m.power == Running && !m.busy && now.age-m.upAt >= r.lostAfter()
	if m.note == MarkUp && m.power != Running {
		m.note = "" // its mark has to go on saying that it is owed a start
	}
	if m.opState() {
		ended := !m.busy && (m.op == OpStop && m.power == Stopped || m.op != OpStop && m.power == Running) || m.op == OpReset && res.State == Done
		r.learn(m, ended, now)
	}
	if m.doubt && m.power != Running {
		m.owed = true
		m.start(m.state, now)
		return
	}
	switch m.state {
	case StateStopping:
		r.seeStopping(m, now)
	case StateSent:
		r.seeSent(m, res, now)
	case StateStarting, StateToStart:
		if m.power == Stopped && !m.busy && now.age-m.since >= r.lostAfter() {
			m.unsure = true // by now it would show that it starts
		}
		if m.up || m.power == Running && m.rises() {
			r.cameUp(m, now)
		}
	case StateRestarting:
		r.seeRestarting(m, res, now)
	case StateToSend:
		if m.needsStopped && m.up {
			// Somebody started it before its reset, perhaps after one of theirs. Else it has to be stopped again.
			m.check = r.logins
			r.runsAgain(m, StatePlanned, now)
		}
	}
}

// rises reports whether something is known to have started the machine: this run's start was taken, or the reset that is on
// record, where the provider does that. Then the first look at which it runs is believed.
func (m *machine) rises() bool { return !m.unsure && (m.state == StateStarting || m.recorded) }

func (r *run) seeStopping(m *machine, now moment) {
	switch {
	case m.power == Changing:
		m.moved = true
	case m.power == Stopped && !m.busy:
		m.enter(StateToSend, now)
	case m.up && m.moved && !m.unsure:
		// It was on its way down and runs again: there is nothing left to wait for.
		m.late = true
		m.fail(now, r.notDown())
	case m.up && m.unsure && (m.moved || now.age-m.since >= r.lostAfter()):
		// The answer to the stop was lost, and so was the stop; or it was somebody else's.
		r.runsAgain(m, StatePlanned, now)
	}
}

// lostAfter is how long a request whose answer was lost has to show an effect, and for how long a look may be out of date.
func (r *run) lostAfter() time.Duration { return min(3*r.policy.PollInterval, r.policy.ResetTimeout) }

func (r *run) seeSent(m *machine, res *Result, now moment) {
	switch {
	case m.needsStopped && m.up && res.State == Unseen && r.logins:
		// Somebody started it. Whether the reset took effect before that, a login tells without a further stop.
		m.cameUp(now)
		m.rejected = 0
		m.enter(StateVerifying, now)
	case res.Kind == OpReset && res.State == Done:
		m.recorded = true
		m.accepted = true
		r.applied(m, now)
	case res.Kind == OpReset && res.State == Failed:
		m.why = Refusal{
			Reason: "reset failed at the provider: " + res.Detail, Remedy: "relock reconcile",
			RequestID: res.RequestID,
		}
		if m.sends >= r.policy.MaxAttempts {
			m.fail(now, m.why)
			return
		}
		m.enter(StateToSend, now)
		m.later(now, r.policy.PollInterval, m.opID)
	case m.unsure && !m.busy && res.State == Unseen && now.age-m.since >= r.lostAfter():
		// The answer was lost and the record shows nothing: the same password goes out again.
		m.enter(StateToSend, now)
	}
}

func (r *run) seeRestarting(m *machine, res *Result, now moment) {
	switch {
	case res.State == Failed:
		m.fail(now, Refusal{Reason: "its restart failed at the provider: " + res.Detail, Remedy: "look at the machine, then: relock reconcile", RequestID: res.RequestID})
	case m.power == Running && !m.busy && res.State == Done:
		r.cameUp(m, now)
	case m.up && m.unsure && now.age-m.since >= r.lostAfter():
		m.cameUp(now)
		if m.tries >= r.policy.MaxAttempts {
			m.tooOften(now)
			return
		}
		m.enter(StateMarking, now)
	}
}
