package rotation

import (
	"errors"
	"fmt"
	"time"
)

// outcome is what came of a call.
type outcome struct {
	op      Operation
	err     error
	answers []error   // of callVerify, one per machine
	at      time.Time // zero: it was not made
}

// fold takes the outcome of a call into the run.
func (r *run) fold(c call, o outcome, now moment) {
	switch c.kind {
	case callMark:
		r.foldMark(c, o.err, now)
	case callVerify:
		for i, at := range c.machines {
			r.foldLogin(&r.machines[at], o.answers[i], now)
		}
	default:
		r.foldRequest(c, o, now)
	}
	if o.err != nil && errors.Is(o.err, ErrUnauthorized) {
		r.denied = true
		r.halt("not authorized: " + o.err.Error())
	}
}

// maxMarkTries is how often a mark is written before the run does without it, or does not stop the machine.
const maxMarkTries = 6

func (r *run) foldMark(c call, err error, now moment) {
	lasting := err != nil && !errors.Is(err, ErrThrottled) && !errors.Is(err, ErrUnauthorized)
	if lasting && len(c.machines) > 1 && r.machines[c.machines[0]].backoff > 0 {
		// One machine that cannot be marked must not hold up the others.
		r.split(c.machines)
		r.eachOf(c, func(m *machine) { m.backoff = 0 })
	}
	for _, at := range c.machines {
		m := &r.machines[at]
		begins := m.state == StateMarking
		if err == nil {
			m.found, m.part = c.mark, 0
		}
		switch {
		case err == nil && begins:
			m.tries++
			m.enter(StateToStop, now)
			if m.atBoot {
				m.state = StateToRestart
			}
		case err == nil && c.mark.State == MarkDown:
			m.note, m.again = "", false
		case err == nil:
			m.note, m.wrote = "", true
		case m.backoff < maxMarkTries && !errors.Is(err, ErrUnauthorized):
			m.later(now, r.policy.PollInterval, r.lead(c))
		case begins:
			// Without the mark nobody would know that it is owed a start.
			m.fail(now, Refusal{Reason: "could not be marked, so it was not stopped: " + err.Error(), Remedy: "allow the tags " + MarkTag + " and " + SecretTag})
		default:
			r.warn("the mark of " + m.id + " could not be written: " + err.Error())
			m.note, m.again = "", false
		}
	}
}

func (r *run) warn(text string) {
	if len(r.warnings) < 20 {
		r.warnings = append(r.warnings, text)
	}
}

// foldRequest takes in the answer to a stop, reset, start or restart.
func (r *run) foldRequest(c call, o outcome, now moment) {
	if c.kind == callStart {
		r.eachOf(c, func(m *machine) { m.starts++ })
	}
	if o.err == nil {
		r.eachOf(c, func(m *machine) {
			m.unsure, m.half, m.accepted, m.part = false, false, m.accepted || c.kind == callReset, 0
			r.taken(c, m, o.op, now)
		})
		return
	}
	var refused *RefusedError
	switch {
	case errors.As(o.err, &refused):
		r.foldRefusal(c, o.op, refused, now)
	case errors.Is(o.err, ErrPasswordRefused):
		r.foldRefusal(c, o.op, &RefusedError{Refusal: Refusal{
			Kind: RefusedPassword, Reason: "the provider refuses this password",
			Remedy: "set RELOCK_PASSWORD_RULES to its image's rules, then: relock rotate --new-candidate", RequestID: o.op.RequestID,
		}}, now)
	case DefinitelyNotApplied(o.err):
		r.eachOf(c, func(m *machine) { r.notTaken(c, m, o.err, now) })
	default:
		// The answer was lost: the request may have been taken. What the machine does next tells.
		r.eachOf(c, func(m *machine) {
			m.unsure = true
			r.taken(c, m, o.op, now)
		})
	}
}

func (r *run) eachOf(c call, f func(*machine)) {
	for _, at := range c.machines {
		f(&r.machines[at])
	}
}

// lead is the first machine of a call: what its machines do together they do by it.
func (r *run) lead(c call) string { return r.machines[c.machines[0]].id }

// taken moves a machine on after a request that was accepted, or may have been.
func (r *run) taken(c call, m *machine, op Operation, now moment) {
	m.request(op)
	switch c.kind {
	case callStop:
		m.moved = false
		m.stops++
		m.tookDown(now)
		m.enter(StateStopping, now)
	case callReset:
		m.sends++
		m.enter(StateSent, now)
		if m.reported {
			return
		}
		if !m.unsure {
			r.applied(m, now)
			return
		}
		// Nobody will ever tell whether it was taken: the same password again.
		m.enter(StateToSend, now)
		m.later(now, r.policy.PollInterval, r.lead(c))
	case callStart:
		m.enter(StateStarting, now)
	case callRestart:
		m.stops++
		m.tookDown(now)
		m.enter(StateRestarting, now)
	}
}

// notTaken moves a machine on after a request that definitely had no effect.
func (r *run) notTaken(c call, m *machine, err error, now moment) {
	m.later(now, r.policy.PollInterval, r.lead(c))
	switch {
	case errors.Is(err, ErrThrottled):
		m.why = Refusal{Reason: "throttled for the provider's rate limit", Remedy: "relock reconcile"}
	case errors.Is(err, ErrUnauthorized):
		if c.kind == callStart {
			m.why = Refusal{Reason: "could not be started: " + err.Error(), Remedy: "start it by hand"}
		}
	case c.kind == callReset:
		m.why = Refusal{Reason: "the provider refused its reset: " + err.Error()}
		m.sends++
	case m.backoff > maxMarkTries && c.kind != callStart:
		m.fail(now, Refusal{Reason: fmt.Sprintf("the provider refused its %s: %v", c.kind, err)})
	}
}

// foldRefusal handles a batch that was refused because of some of its machines. Those are dealt with; the others are
// sent again, with the same password, and when none is named the batch is split: only a batch of one is definite.
func (r *run) foldRefusal(c call, op Operation, refused *RefusedError, now moment) {
	named := false
	for _, at := range c.machines {
		m := &r.machines[at]
		if why, ok := refused.Machines[m.id]; ok {
			named = true
			r.refused(c, m, why, now)
		}
	}
	if named {
		r.eachOf(c, func(m *machine) {
			_, itself := refused.Machines[m.id]
			m.half = c.kind.takesDown() && (m.half || !itself)
		})
		return
	}
	if len(c.machines) == 1 {
		why := refused.Refusal
		if why.RequestID == "" {
			why.RequestID = op.RequestID
		}
		r.refused(c, &r.machines[c.machines[0]], why, now)
		return
	}
	r.split(c.machines)
	if refused.Refusal.Kind == RefusedBusy {
		r.eachOf(c, func(m *machine) { m.later(now, r.policy.PollInterval, r.lead(c)) })
	}
}

// split makes two batches of one.
func (r *run) split(machines []int) {
	r.parts += 2
	for i, at := range machines {
		r.machines[at].part = r.parts - 1 + 2*i/len(machines)
	}
}

// refused handles the refusal of one machine.
func (r *run) refused(c call, m *machine, why Refusal, now moment) {
	switch why.Kind {
	case RefusedBusy:
		if m.half && c.kind.takesDown() {
			// It may be busy with the stop or restart that was refused for others.
			m.unsure, m.half, m.check = true, false, r.logins
			r.taken(c, m, Operation{Kind: OpKind(c.kind)}, now)
			return
		}
		if c.kind == callStart {
			m.starts-- // that was no try
		}
		if c.kind == callStop { // what a restart waits for is this run's own reset
			m.again, m.check = true, r.logins
		}
		m.why = why
		m.busy = true // until the next look
		m.later(now, r.policy.PollInterval, r.lead(c))
	case RefusedState:
		// It is in another power state than we thought. The next look tells in which.
		m.why, m.power = why, Changing
		switch c.kind {
		case callStop:
			m.tookDown(now)
			m.enter(StateStopping, now)
			m.unsure, m.check = true, r.logins
		case callStart:
			m.enter(StateStarting, now)
		default:
			m.later(now, r.policy.PollInterval, r.lead(c))
		}
	case RefusedPassword:
		m.fail(now, why)
	default:
		if c.kind == callStart { // it is owed one, so it is asked for until the time is up
			m.why = why
			m.later(now, r.policy.PollInterval, r.lead(c))
			return
		}
		if why.Kind == RefusedUnable {
			m.end(StateUnable, now, why)
			return
		}
		m.fail(now, why) // for a reason that nobody has foreseen: it counts
	}
}

// otherProof is what a person can do about a machine that takes no logins.
func (r *run) otherProof(m *machine) string {
	if m.reported {
		return "log in by hand, or set RELOCK_PROOF=provider"
	}
	return "log in by hand, or set RELOCK_PROOF=accepted"
}

// maxRejected is how often a new password is tried on a machine that refuses it: more could lock the account.
const maxRejected = 3

// foldLogin takes in the answer to one login.
func (r *run) foldLogin(m *machine, err error, now moment) {
	if m.state == StateChecking {
		r.foldCheck(m, err, now)
		return
	}
	tooLate := now.age-m.since >= r.policy.LoginTimeout
	switch {
	case err == nil:
		r.proven(m, ByLogin, now)
	case errors.Is(err, ErrCannotTry):
		r.conclude(m, now, Refusal{Reason: err.Error(), Remedy: r.otherProof(m)})
	case errors.Is(err, ErrRejected):
		m.rejected++
		if m.rejected < maxRejected && !tooLate {
			m.later(now, r.policy.PollInterval, m.id)
			m.notBefore = max(m.notBefore, now.age+r.pace(m))
			return
		}
		r.setAgain(m, now)
	case !tooLate:
		m.later(now, r.policy.PollInterval, m.id)
	default:
		m.end(StateUnproven, now, Refusal{Reason: "does not answer logins: " + err.Error(), Remedy: "check the way to its port, then: relock resume"})
	}
}

// pace is how long after a refused login the next one is tried. Where a boot sets the password, that comes some time after
// the machine takes logins: the tries are spread over the time that it has for it.
func (r *run) pace(m *machine) time.Duration {
	if m.atBoot {
		return max(r.policy.PollInterval, r.policy.LoginTimeout/maxRejected)
	}
	return r.policy.PollInterval
}

// setAgain plans a further try for a machine that refuses the password which it was set to.
func (r *run) setAgain(m *machine, now moment) {
	why := Refusal{Reason: "refuses the password that it was set to", Remedy: "look at the machine, then: relock reconcile", RequestID: m.opID}
	if m.sends >= 2 || m.tries >= r.policy.MaxAttempts || !r.open(now) {
		m.fail(now, why)
		return
	}
	m.why, m.recorded, m.accepted = why, false, false
	m.enter(StatePlanned, now)
}

// foldCheck decides about a machine that may have the version already.
func (r *run) foldCheck(m *machine, err error, now moment) {
	switch {
	case err == nil:
		r.proven(m, ByLogin, now)
	case r.proveOnly:
		r.foldVerifyOnly(m, err, now)
	case m.evidence == ByMark && !errors.Is(err, ErrRejected):
		// Only a refusal outweighs the mark: it stays as it was, and is not taken down for a login that failed.
		m.mayTouch, m.why = false, Refusal{}
		m.enter(r.policy.byMark(), now)
	case errors.Is(err, ErrCannotTry) && m.mayTouch && r.hopeless(m):
		m.end(StateUnproven, now, unprovable)
	case errors.Is(err, ErrRejected), errors.Is(err, ErrCannotTry):
		if errors.Is(err, ErrRejected) {
			m.refused = refusedAt(now.Time)
		}
		m.enter(m.home(), now)
	case m.tries > 0 && now.age-m.since < r.policy.LoginTimeout:
		// It was stopped for this version once: it may still be booting, and a further stop would be one too many.
		m.later(now, r.policy.PollInterval, m.id)
	default:
		m.enter(m.home(), now)
	}
}

// foldVerifyOnly ends a machine in a run that only verifies.
func (r *run) foldVerifyOnly(m *machine, err error, now moment) {
	switch {
	case errors.Is(err, ErrRejected) && r.readOnly:
		m.why = Refusal{Reason: "refuses the current password", Remedy: "relock reconcile sets it again; relock recover finds which one opens it"}
		m.enter(StateDrifted, now)
	case errors.Is(err, ErrRejected):
		m.why = Refusal{Reason: "refuses the pending password", Remedy: "relock resume sets it"}
		m.enter(StateDrifted, now)
	case m.evidence == ByMark && errors.Is(err, ErrCannotTry):
		m.why = Refusal{}
		m.enter(r.policy.byMark(), now)
	default:
		m.why = Refusal{Reason: err.Error()}
		m.enter(StateUnproven, now)
	}
}
