package rotationtest

import (
	"slices"
	"time"
)

// choices are all that may happen next.
func (x *search) choices(m *moment) []choice {
	var out []choice
	only, held := x.alone(m), x.held(m)
	for i, l := range m.lanes {
		if l.at == nil || m.frozen == i && m.lanes[len(x.Lanes)].at != nil || only >= 0 && only != i || held && only < 0 && m.last != i || x.Loose && l.at.asks.do == nil && m.w.underWay() {
			continue
		}
		out = append(out, choice{lane: i})
		if m.frozen == i || m.faults == 0 || x.legs(i)[l.leg-1].Quiet || l.at.asks.do == nil || l.at.asks.site == "person" {
			continue
		}
		for _, f := range x.Kinds {
			switch {
			case f == Overtaken && (i > 0 || len(x.Other) == 0 || m.frozen >= 0):
			case f == Late && l.at.asks.site != "reset": // as FailAfter
			default:
				out = append(out, choice{i, f})
			}
		}
	}
	if !x.Loose || only >= 0 {
		return out
	}
	if m.w.underWay() {
		out = append(out, choice{lane: ends})
	}
	if slices.ContainsFunc(m.w.Machines, func(m *Machine) bool { return len(m.lateSets) > 0 }) {
		out = append(out, choice{lane: lands})
	}
	return out
}

// alone is a lane whose next call may as well come before everything else: it reads a version, which nobody changes, so
// that neither its answer nor anything that others see depends on when it comes. -1 is none.
func (x *search) alone(m *moment) int {
	if len(x.Lanes) == 1 {
		return -1
	}
	for i, l := range m.lanes[:len(x.Lanes)] {
		switch {
		case l.at == nil:
		case l.at.asks.do == nil:
			if x.Loose && !m.w.underWay() {
				return i
			}
		case l.at.asks.version != "":
			if _, _, err := m.w.shelf.read(l.at.asks.version); err == nil {
				return i
			}
		}
	}
	return -1
}

// underWay reports whether a provider is at work on a machine.
func (w *World) underWay() bool {
	return slices.ContainsFunc(w.Machines, func(m *Machine) bool { return m.op != nil })
}

// held reports that the lane that made the last call must go on, because there were switches enough.
func (x *search) held(m *moment) bool {
	if x.Switches == 0 || m.switches > 0 || m.frozen >= 0 {
		return false
	}
	at := m.lanes[m.last].at
	return at != nil && at.asks.do != nil
}

// take makes one choice happen to m.
func (x *search) take(m *moment, ch choice) {
	x.Steps++
	switch ch.lane {
	case lands:
		m.w.Land()
		return
	case ends:
		m.w.Advance(time.Hour)
		return
	}
	l := &m.lanes[ch.lane]
	if x.Switches > 0 && x.alone(m) < 0 {
		if at := m.lanes[m.last].at; ch.lane != m.last && at != nil && at.asks.do != nil && at.before != nil {
			m.switches--
		}
		m.last = ch.lane
	}
	if ch.fault != NoFault {
		m.faults--
		if ch.fault == Overtaken {
			m.overtaken++
		}
		if m.overtaken > 0 && (x.Rival || m.faults < x.Faults-1) {
			// Overtaken and something else besides: the promise is that for invocations at once.
			m.w.overlap = 2
		}
	}
	if ch.fault == Overtaken {
		m.w.faults++
		m.w.trace("call %d of %s: %s", l.at.calls+1, l.at.asks.site, ch.fault)
		m.frozen, m.since = ch.lane, m.w.now
		m.lanes[len(x.Lanes)].leg = 0
		x.goOn(m, len(x.Lanes))
		return
	}
	x.step(m, l, ch)
	if l.at == nil {
		x.goOn(m, ch.lane)
	}
	x.finish(m)
}

// step is one call of an invocation.
func (x *search) step(m *moment, l *lane, ch choice) {
	w, n := m.w, l.at
	x.overlap(m)
	if n.asks.do == nil {
		if !x.Loose {
			w.Advance(n.asks.wait)
		}
		l.a.inv.calls, l.a.inv.read, l.a.inv.setting, l.a.sent = n.calls, n.read, n.setting, n.requests
		l.at = l.a.after(n, reply{passed: n.asks.wait})
	} else {
		frozen := time.Duration(0)
		if m.frozen == ch.lane {
			frozen, m.frozen = w.now.Sub(m.since), -1
		}
		r, dead := l.a.perform(w, n, ch.fault)
		if dead {
			l.at = nil
			return
		}
		r.passed = frozen
		l.at = l.a.after(n, r)
	}
	if l.at.ended {
		l.at = nil
	}
}

// overlap notes how many invocations are at work at once.
func (x *search) overlap(m *moment) {
	if len(x.Lanes) == 1 {
		return
	}
	n := 0
	for _, l := range m.lanes[:len(x.Lanes)] {
		if l.at != nil && l.at.before != nil {
			n++
		}
	}
	m.w.overlap = max(m.w.overlap, n)
}
