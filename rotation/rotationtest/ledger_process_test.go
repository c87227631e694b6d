package rotationtest_test

import (
	"iter"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// An invocation is one use of a store. What it returns tells all that a check may want to know of it.
type invocation func(p *process) string

// A process is one invocation at work.
type process struct {
	*rotation.Ledger
	ask  func(request) reply
	sent []sending
}

// sends notes that the password of v is on its way to machines from now on.
func (p *process) sends(v rotation.Version) {
	p.sent = append(p.sent, sending{v.Generation, v.Password.Reveal()})
}

type sending struct {
	generation int
	password   string
}

// A node is where an invocation is: all the replies that it got. It goes on with its next request.
type node struct {
	id     int
	asks   request
	ended  bool
	result string // once it ended
	sent   []sending
	wrote  bool // its last request was a write

	replies []reply
	next    map[string]*node
}

// An actor is one invocation, and all that it was ever seen to do. It does the same after the same replies, so that the
// Ledger need not run again for every history.
type actor struct {
	run   invocation
	name  string
	cloud capacity
	first *node
	nodes *int

	// The Ledger that runs is at the node that it came to last.
	at      *node
	process *process
	resume  func() (request, bool)
	stop    func()
	reply   reply
	result  string
}

type killed struct{}

// begin runs the invocation up to its first request.
func (a *actor) begin() {
	a.end()
	a.resume, a.stop = iter.Pull(func(yield func(request) bool) {
		defer func() {
			if r := recover(); r != nil && r != any(killed{}) {
				panic(r)
			}
		}()
		ask := func(r request) reply {
			if !yield(r) {
				panic(killed{})
			}
			return a.reply
		}
		a.process = &process{Ledger: a.cloud.open(a.name, ask), ask: ask}
		a.result = a.run(a.process)
	})
}

func (a *actor) end() {
	if a.stop != nil {
		a.stop()
	}
	a.at, a.stop = nil, nil
}

// node is where the invocation comes to next.
func (a *actor) node(replies []reply, wrote bool) *node {
	*a.nodes++
	n := &node{id: *a.nodes, replies: replies, wrote: wrote, next: map[string]*node{}}
	asks, more := a.resume()
	n.asks, n.ended, n.sent = asks, !more, slices.Clone(a.process.sent)
	if n.ended {
		n.result = a.result
	}
	a.at = n
	return n
}

func (a *actor) start() *node {
	if a.first == nil {
		a.begin()
		a.first = a.node(nil, false)
	}
	return a.first
}

// after is where the invocation comes to from n with this reply.
func (a *actor) after(n *node, r reply) *node {
	key := r.String()
	if m, ok := n.next[key]; ok {
		return m
	}
	if a.at != n {
		a.begin()
		for _, r := range n.replies {
			_, _ = a.resume()
			a.reply = r
		}
		_, _ = a.resume()
	}
	a.reply = r
	m := a.node(append(slices.Clip(n.replies), r), n.asks.writes())
	n.next[key] = m
	return m
}
