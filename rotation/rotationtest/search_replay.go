package rotationtest

import (
	"fmt"
	"strconv"
	"strings"
)

// fail notes the history that led to here, as a run that follows it alone tells it.
func (x *search) fail(w *World) {
	if x.Wrong++; x.Wrong > 10 {
		return
	}
	f, err := x.Follow(written(x.path))
	if err == nil && len(f.Violations) == 0 {
		f.Violations = append([]string{"when it is replayed, nothing is wrong; in the search:"}, w.Violations...)
	}
	f.After = len(x.visited)
	x.Failures = append(x.Failures, f)
}

// A history is written as what happens in it: a22 is 22 calls of the first lane, b1:kill-before a call of the second that
// gets this fault, ends and lands what happens by itself. The lane of Other, and that of the end, have the letters after
// those of the lanes.

// written is a history as text.
func written(path []choice) string {
	var out []string
	for i := 0; i < len(path); {
		ch, n := path[i], 1
		for ch.lane >= 0 && ch.fault == NoFault && i+n < len(path) && path[i+n] == ch {
			n++
		}
		i += n
		switch {
		case ch.lane == lands:
			out = append(out, "lands")
		case ch.lane == ends:
			out = append(out, "ends")
		case ch.fault != NoFault:
			out = append(out, fmt.Sprintf("%c1:%s", 'a'+ch.lane, ch.fault))
		default:
			out = append(out, fmt.Sprintf("%c%d", 'a'+ch.lane, n))
		}
	}
	return strings.Join(out, " ")
}

// choices reads what written wrote.
func choices(history string) ([]choice, error) {
	var out []choice
	for _, word := range strings.Fields(history) {
		switch word {
		case "lands":
			out = append(out, choice{lane: lands})
			continue
		case "ends":
			out = append(out, choice{lane: ends})
			continue
		}
		number, fault, _ := strings.Cut(word[1:], ":")
		n, err := strconv.Atoi(number)
		if err != nil || word[0] < 'a' || word[0] > 'z' {
			return nil, fmt.Errorf("history: %q is neither calls of a lane nor something that happens", word)
		}
		for range n {
			out = append(out, choice{int(word[0] - 'a'), Fault(fault)})
		}
	}
	return out, nil
}

// Follow follows one history of the search, as it is written in a Failure. What can no longer happen is left out: the
// engine may make other calls by now.
func (s Search) Follow(history string) (Failure, error) {
	path, err := choices(history)
	if err != nil {
		return Failure{}, err
	}
	x := s.open(true)
	defer x.close()
	m := x.first()
	f := Failure{History: history}
	for i, ch := range path {
		if !x.possible(m, ch) {
			continue
		}
		if ch.fault != NoFault {
			f.Faults = append(f.Faults, fmt.Sprintf("%s at call %d", ch.fault, i+1))
		}
		if ch.lane >= 0 {
			at := m.lanes[ch.lane].at
			m.w.trace("%c%d %s %s", 'a'+ch.lane, at.calls+1, at.asks.site, ch.fault)
		}
		x.take(m, ch)
	}
	for next := x.choices(m); len(next) > 0 && len(m.w.Violations) == 0; next = x.choices(m) {
		x.take(m, next[0])
	}
	if len(m.w.Violations) == 0 {
		x.over(m)
	}
	f.Violations, f.Trace = m.w.Violations, m.w.Trace
	return f, nil
}

// possible reports whether a choice is one of those that m has.
func (x *search) possible(m *moment, ch choice) bool {
	if ch.lane >= len(m.lanes) {
		return false
	}
	for _, c := range x.choices(m) {
		if c == ch {
			return true
		}
	}
	return false
}
