package rotationtest

import "slices"

// trunk is a place where a fault may come.
type trunk struct {
	at   *moment
	path []choice
	ch   choice
}

// trunks are all such places in what comes after m without a further fault.
func (x *search) trunks(m *moment) []trunk {
	var out []trunk
	path := slices.Clone(x.path)
	for next := x.choices(m); len(next) > 0 && len(m.w.Violations) == 0; next = x.choices(m) {
		for _, ch := range next {
			if ch.fault != NoFault {
				out = append(out, trunk{m.clone(), slices.Clone(path), ch})
			}
		}
		path = append(path, next[0])
		x.take(m, next[0])
	}
	return out
}

// begin goes to where the fault of a trunk has come.
func (x *search) begin(t trunk) *moment {
	m := t.at.clone()
	x.path = append(slices.Clone(t.path), t.ch)
	x.take(m, t.ch)
	return m
}

// sample begins first faults while there is room. Of three faults it begins with pairs: one second fault for each first one,
// and then another one for each.
func (x *search) sample(m *moment) {
	firsts := x.trunks(m)
	x.Firsts = len(firsts)
	pairs, seen := x.Faults > 2, 0
	for n := 0; pairs || n < len(firsts); n++ {
		if len(x.visited) > x.Limit {
			return
		}
		// A stride that has no factor in common with their number visits all, and far ones first.
		m := x.begin(firsts[n*stride(len(firsts))%len(firsts)])
		if pairs {
			seconds := x.trunks(m.clone())
			if len(seconds) == 0 {
				continue
			}
			seen += len(seconds)
			x.Firsts = len(firsts) * seen / (n + 1)
			m = x.begin(seconds[n*stride(len(seconds))%len(seconds)])
		}
		x.Histories += x.onward(m)
		x.Begun++
	}
	x.Whole = true
}

// stride is a number near two fifths of n without a factor in common with it.
func stride(n int) int {
	for k := max(1, n*2/5); ; k++ {
		a, b := n, k
		for b > 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return k
		}
	}
}
