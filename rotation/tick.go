package rotation

import (
	"fmt"
	"strings"
	"time"
)

// ticks tells Ticks where the run is.
func (e *engine) ticks(now moment) {
	if e.Ticks == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %d %s ", e.loops, e.version.ID, e.version.Generation, e.version.Token)
	r := e.run
	r.machines, r.warnings, r.peak, r.room = nil, nil, 0, room{} // the first follow; the others are for the report, or say nothing
	r.tick = moment{age: min(now.age, r.policy.SoftStopTimeout)} // no more is asked of it
	r.closes = ago(now.Time, r.closes, 0)
	fmt.Fprintf(&b, "%v", r)
	for _, m := range e.run.machines {
		fmt.Fprintf(&b, "%v", r.value(m, now))
	}
	e.Ticks(b.String())
}

// value is a machine as far as it decides how the run goes on: how long ago things were, as far as that is asked, and nothing
// that only the report tells.
func (r *run) value(m machine, now moment) machine {
	ago := func(age, most time.Duration) time.Duration { return max(age-now.age, -most) }
	m.since, m.notBefore = ago(m.since, longest), ago(m.notBefore, 0)
	if m.state.Final() {
		m.since = 0
	}
	if m.opState() {
		m.seen = ago(m.seen, longest)
	} else {
		m.seen, m.op, m.opID, m.opJob = ago(m.seen, r.policy.PollInterval), "", "", ""
	}
	if m.starting() {
		m.owedSince = ago(m.owedSince, longest)
	} else {
		m.owedSince = 0
	}
	if m.upAt = ago(m.upAt, r.lostAfter()); m.up || m.power != Running || m.busy {
		m.upAt = 0
	}
	m.downSince, m.opSent = once(m.downSince), time.Time{}
	m.down, m.why.RequestID = 0, ""
	return m
}

// once is a time of which only matters whether there was one.
func once(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Unix(0, 0).UTC()
}

// longest is more than any age that a run compares with one of its time limits.
const longest = 24 * time.Hour

// ago makes a time comparable between runs that began at different times. An age counts up to a limit, and what is still to
// come in full.
func ago(now, t time.Time, limit time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Unix(0, 0).UTC().Add(max(t.Sub(now), -limit))
}
