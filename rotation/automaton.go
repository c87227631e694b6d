package rotation

import (
	"slices"
	"strings"
)

// An automaton reads a password character by character and knows, at each, whether it can still comply: how far into a
// forbidden word it is (as of Aho and Corasick) and whether the first character is past. The kinds of characters seen
// are kept beside the state. Generation and counting use the same one, so that what is counted is what is drawn.
type automaton struct {
	symbols []byte          // the alphabet
	class   []Class         // of each symbol
	next    []int32         // the state after symbol s in state q, at q*len(symbols)+s
	good    [classSets]bool // whether a password with these kinds of characters has every mix
}

const (
	dead  = 0 // no continuation complies
	begin = 1 // nothing was read
	root  = 2 // in no forbidden word
)

// compile returns the automaton of the rules over these symbols; the kinds in need must occur besides.
func compile(r *Rules, symbols []byte, need Class) *automaton {
	a := &automaton{symbols: symbols, class: make([]Class, len(symbols))}
	for s, c := range symbols {
		a.class[s] = classOf(rune(c))
	}
	for present := range Class(classSets) {
		a.good[present] = r.meets(present) && present&need == need
	}
	t := newTrie(r.Bans)
	t.link(strings.ToLower(string(symbols)))
	a.next = make([]int32, (root+len(t.nodes))*len(symbols))
	for q := begin; q < root+len(t.nodes); q++ {
		node := &t.nodes[max(q-root, 0)]
		for s, c := range symbols {
			to := node.next[lower(c)]
			if t.nodes[to].refused || q == begin && strings.IndexByte(r.NotFirst, c) >= 0 {
				continue // dead
			}
			a.next[q*len(symbols)+s] = root + to
		}
	}
	return a
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// A trie holds the refused pieces, in lower case. Node 0 is its root.
type trie struct{ nodes []trieNode }

type trieNode struct {
	next    [256]int32 // by letter; 0: there is none yet. After link, for every letter of the alphabet
	fail    int32      // the longest proper suffix that is in the trie
	refused bool       // a refused piece ends here
}

func newTrie(bans []Ban) *trie {
	t := &trie{nodes: make([]trieNode, 1)}
	for _, ban := range bans {
		for _, p := range ban.pieces() {
			t.add(p.text)
		}
	}
	return t
}

func (t *trie) add(text string) {
	at := int32(0)
	for _, c := range []byte(text) {
		to := t.nodes[at].next[c]
		if to == 0 {
			to = int32(len(t.nodes))
			t.nodes = append(t.nodes, trieNode{})
			t.nodes[at].next[c] = to
		}
		at = to
	}
	t.nodes[at].refused = true
}

// link completes the transitions of all nodes that texts over the letters can reach, nearest first.
func (t *trie) link(letters string) {
	each := appendNew(nil, []byte(letters)...)
	for queue := []int32{0}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		node := &t.nodes[at]
		for _, c := range each {
			back := int32(0)
			if at != 0 {
				back = t.nodes[node.fail].next[c]
			}
			to := node.next[c]
			if to == 0 {
				node.next[c] = back
				continue
			}
			t.nodes[to].fail = back
			t.nodes[to].refused = t.nodes[to].refused || t.nodes[back].refused
			queue = append(queue, to)
		}
	}
}

// counts returns how many strings of each length, 0 to longest, comply. It adds and multiplies whole numbers that are
// not negative, so that nothing cancels: zero is exact, and the rest is within a relative 1e-12.
func (a *automaton) counts(longest int) []float64 {
	out := make([]float64, longest+1)
	if len(a.symbols) == 0 {
		return out
	}
	groups := a.group()
	states := len(a.next) / len(a.symbols)
	now := make([]float64, states*classSets)
	then := make([]float64, states*classSets)
	now[begin*classSets] = 1
	for n := range out {
		clear(then)
		sum := 0.0
		for at := begin * classSets; at < len(now); at++ {
			ways := now[at]
			if ways == 0 {
				continue
			}
			q, present := at/classSets, Class(at%classSets)
			if a.good[present] {
				sum += ways
			}
			for _, g := range groups {
				if to := a.next[q*len(a.symbols)+g.symbol]; to != dead {
					then[int(to)*classSets+int(present|g.class)] += ways * g.size
				}
			}
		}
		if n > 0 { // the empty string is no password
			out[n] = sum
		}
		now, then = then, now
	}
	return out
}

// A symbolGroup is the symbols of one kind that lead from each state to the same one.
type symbolGroup struct {
	class  Class
	size   float64
	symbol int // one of them
}

func (a *automaton) group() []symbolGroup {
	var groups []symbolGroup
	for s, class := range a.class {
		same := func(g symbolGroup) bool { return g.class == class && a.alike(g.symbol, s) }
		if i := slices.IndexFunc(groups, same); i >= 0 {
			groups[i].size++
			continue
		}
		groups = append(groups, symbolGroup{class: class, size: 1, symbol: s})
	}
	return groups
}

// alike reports whether two symbols lead from each state to the same one.
func (a *automaton) alike(s, t int) bool {
	for row := 0; row < len(a.next); row += len(a.symbols) {
		if a.next[row+s] != a.next[row+t] {
			return false
		}
	}
	return true
}
