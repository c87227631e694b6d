package rotation

import (
	"fmt"
	"time"
)

// maxSends is how often one run sends its reset to one machine before that is a failure.
const maxSends = 5

// expire ends waiting that has lasted too long.
func (r *run) expire(m *machine, now moment) {
	if m.note == "" && (m.state.Final() || m.state == StatePlanned && !m.busy && m.power != Changing) {
		return
	}
	age := now.age - m.since
	p := &r.policy
	if m.unsureUp() && age >= p.SoftStopTimeout {
		m.note = ""
	}
	switch m.state {
	case StatePlanned:
		if r.waits(m, now) && (m.busy || m.power == Changing) && now.age >= p.SoftStopTimeout {
			m.fail(now, Refusal{Reason: "busy: the provider has had an operation in progress since this run began", Remedy: "relock reconcile, once it is over"})
		}
	case StateToStop, StateToRestart:
		if age >= p.SoftStopTimeout {
			m.fail(now, Refusal{Reason: "the provider did not take its stop: " + m.why.Reason, Remedy: "relock reconcile", Code: m.why.Code, RequestID: m.why.RequestID})
		}
	case StateStopping:
		if age >= p.SoftStopTimeout {
			m.late = true
			m.fail(now, r.notDown())
		}
	case StateToSend:
		if age >= 2*p.ResetTimeout || m.sends >= maxSends {
			if m.why.Reason == "" {
				m.why = Refusal{Reason: "the provider did not take its reset", Remedy: "relock reconcile"}
			}
			m.fail(now, m.why)
		}
	case StateSent:
		r.expireSent(m, now, age)
	case StateRestarting:
		if age >= p.StartTimeout+p.SoftStopTimeout {
			m.fail(now, Refusal{Reason: "did not come back from its restart", Remedy: "look at the machine, then: relock reconcile"})
		}
	case StateStarting:
		if age >= p.StartTimeout/2 && m.power == Stopped && !m.busy {
			m.enter(StateToStart, now) // the start was lost
		}
		r.expireStart(m, now)
	case StateToStart:
		r.expireStart(m, now)
	}
}

// notDown is why a machine is given up that did not stop.
func (r *run) notDown() Refusal {
	return Refusal{
		Reason: fmt.Sprintf("did not shut down in %s (%s stop)", r.policy.SoftStopTimeout, r.force()),
		Remedy: "shut it down by hand, then: relock reconcile",
	}
}

// expireSent handles a reset that the provider's record leaves open. The same password is sent again; after that the
// machine goes on without a record, to be proven by a login if at all.
func (r *run) expireSent(m *machine, now moment, age time.Duration) {
	if age < r.policy.ResetTimeout || m.busy && age < 3*r.policy.ResetTimeout {
		return
	}
	if m.busy {
		m.fail(now, Refusal{Reason: "its reset does not end", Remedy: "relock reconcile, once it is over"})
		return
	}
	if m.sends < 2 || !m.accepted {
		r.single(m)
		m.enter(StateToSend, now)
		return
	}
	r.applied(m, now)
}

// single has a machine's next reset sent about it alone, if its last one was accepted: the provider may record what is done
// to a machine of a batch under an id of its own, and with one machine there is only one.
func (r *run) single(m *machine) {
	if m.accepted && m.own == 0 {
		r.parts++
		m.own = r.parts
	}
}

// expireStart gives up waiting for a start. The start stays owed, and the mark says so to the next invocation.
func (r *run) expireStart(m *machine, now moment) {
	if now.age-m.owedSince < r.policy.StartTimeout+r.policy.SoftStopTimeout {
		return
	}
	if m.starts == 0 && m.power == Stopped && !m.busy {
		return // nobody has asked for its start yet
	}
	why := "does not start"
	if m.why.Reason != "" {
		why = m.why.Reason + ", and does not start again"
	}
	m.why = Refusal{Reason: why, Remedy: "start it by hand, then: relock reconcile", RequestID: m.opID, Code: m.why.Code}
	m.enter(StateFailed, now)
	m.note, m.found.State = MarkDown, "" // another invocation may have noted meanwhile that it runs
}

// applied goes on with a machine whose reset has ended, or was accepted where the provider reports nothing more.
func (r *run) applied(m *machine, now moment) {
	switch {
	case m.owed:
		m.start("", now)
		m.notBefore = now.age + m.bootDelay
	case m.atBoot && m.power == Running && r.policy.Restart != RestartNever && m.tries < r.policy.MaxAttempts:
		m.enter(StateMarking, now)
		m.notBefore = now.age + m.bootDelay
	case m.atBoot && r.policy.Proof != ProofAccepted:
		r.waitForBoot(m, now)
	default:
		r.verify(m, now)
	}
}

// waitForBoot leaves a machine whose accepted password takes effect when somebody restarts it. Its mark says so: the next
// invocation neither sends it again nor tries it more often than is good for the account.
func (r *run) waitForBoot(m *machine, now moment) {
	m.why = waits
	m.note = MarkWait
	m.enter(StateWaiting, now)
}

var waits = Refusal{Reason: "waits for its next boot: the password takes effect then", Remedy: "restart it, then: relock resume"}

// verify tries a login where that is asked for and possible, and else concludes at once.
func (r *run) verify(m *machine, now moment) {
	m.enter(StateVerifying, now)
	m.rejected = 0
	if r.policy.Proof != ProofLogin || !r.logins || m.power != Running {
		r.conclude(m, now, Refusal{Reason: "no login could be tried and the provider keeps no record of its reset", Remedy: "log in by hand"})
	}
}

// conclude decides without a login: by the provider's record of this run's own request, or by acceptance where the
// policy takes that for enough.
func (r *run) conclude(m *machine, now moment, why Refusal) {
	switch {
	case r.policy.Proof == ProofAccepted && m.accepted:
		m.evidence, m.note, m.why = ByAccepted, MarkOK, Refusal{} // all that this policy asks for
		m.enter(StateAccepted, now)
	case m.recorded:
		r.proven(m, ByRecord, now)
	case m.reported && m.accepted && m.own == 0 && m.tries < r.policy.MaxAttempts && r.open(now):
		r.single(m) // that can be proven by the record
		m.enter(StatePlanned, now)
	default:
		m.end(StateUnproven, now, why)
	}
}

func (r *run) proven(m *machine, by Evidence, now moment) {
	m.evidence, m.note, m.why, m.known = by, MarkOK, Refusal{}, true
	m.enter(StateProven, now)
}

// cameUp goes on with a machine that runs again.
func (r *run) cameUp(m *machine, now moment) {
	m.cameUp(now)
	if m.then != "" {
		m.enter(m.then, now)
		m.then = ""
		m.noteUp()
		return
	}
	r.verify(m, now)
}
