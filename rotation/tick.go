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
	r.began = ago(now.Time, r.began, longest)
	r.closes = ago(now.Time, r.closes, 0)
	fmt.Fprintf(&b, "%v", r)
	for _, m := range e.run.machines {
		fmt.Fprintf(&b, "%v", m.value(now))
	}
	e.Ticks(b.String())
}

// value is the machine as far as it decides how the run goes on: times as ages, and nothing that only the report tells.
func (m machine) value(now moment) machine {
	m.upSince, m.owedSince = ago(now.Time, m.upSince, longest), ago(now.Time, m.owedSince, longest)
	m.since, m.seen = max(m.since-now.age, -longest), max(m.seen-now.age, -longest)
	m.downSince, m.notBefore, m.opSent = ago(now.Time, m.downSince, 0), ago(now.Time, m.notBefore, 0), time.Time{}
	m.down, m.why.RequestID = 0, ""
	if m.state.Final() {
		m.since = 0
	}
	if !m.opState() {
		m.op, m.opID, m.opJob = "", "", ""
	}
	return m
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
