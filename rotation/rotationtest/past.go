package rotationtest

import "github.com/relock-project/relock/rotation"

// shown is what a provider shows of a machine.
type shown struct {
	power rotation.PowerState // empty: it has not changed that often
	busy  bool
	tags  map[string]string
	// stale reports that the record of the last reset is not shown.
	stale bool
}

// remember notes what the machine shows, before a change.
func (m *Machine) remember() {
	m.past[0], m.past[1] = m.past[1], shown{m.Power, m.op != nil, m.Tags, true}
}

// shown is what the provider shows now, or what it showed before.
func (m *Machine) shown(w *World, stale bool) shown {
	if stale && m.past[0].power != "" {
		return m.past[0]
	}
	now := shown{m.Power, m.op != nil, m.Tags, false}
	if w.answers.LooksLate && m.op != nil && w.now.Before(m.op.began.Add(looksLate)) {
		now.busy = false
		if m.op.kind != rotation.OpReset {
			now.power = m.past[1].power
		}
	}
	if w.answers.LooksLate && w.now.Before(m.record.at.Add(looksLate)) {
		now.stale = true
	}
	if w.answers.MarksLate && m.oldTags != nil && w.now.Before(m.tagsAt.Add(marksLate)) {
		now.tags = m.oldTags
	}
	return now
}

// result is what a look at the machine tells of an operation.
func (m *Machine) result(op rotation.Operation, now shown) rotation.Result {
	r := rotation.Result{Instance: m.ID, Kind: op.Kind, State: rotation.Unseen, Power: now.power, Busy: now.busy, RequestID: op.RequestID}
	switch {
	case op.Kind == rotation.OpReset && op.RequestID != "" && m.record.id == op.RequestID && !now.stale && m.op == nil:
		r.State = m.record.state
	case now.busy && m.op != nil && m.op.id == op.RequestID:
		r.State = rotation.InProgress
	case now.stale:
	case m.op == nil && (op.Kind == rotation.OpRestart || op.Kind == rotation.OpStart) && m.Power == rotation.Running:
		r.State = rotation.Done
	case m.op == nil && op.Kind == rotation.OpStop && m.Power == rotation.Stopped:
		r.State = rotation.Done
	}
	if r.State == rotation.Failed {
		r.Detail = "guest agent timeout"
	}
	return r
}
