package rotationtest

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A request is one call that leaves the process, as an invocation asks for it, or a wait. do carries it out on a world; of a
// wait it is nil.
type request struct {
	site string
	do   func(*World) reply
	wait time.Duration // of a wait
	// version is the name of a version that is read; it is never changed.
	version string
}

// A reply is all that came of a request. The invocation must not write to what it holds.
type reply struct {
	insts   []rotation.Instance
	op      rotation.Operation
	results []rotation.Result
	slots   []rotation.Slot
	slot    rotation.Slot
	value   string
	err     error
	// passed is the time that it took.
	passed time.Duration
}

// key is equal for replies that an invocation cannot tell apart.
func (r *reply) key() []byte {
	b := fmt.Appendf(nil, "%d %s %v %s ", r.passed, r.op.RequestID, r.slot, r.value)
	for _, inst := range r.insts {
		b = fmt.Appendf(b, "%v ", inst)
	}
	if r.results != nil || r.slots != nil {
		b = fmt.Appendf(b, "%v %v", r.results, r.slots)
	}
	if r.err != nil {
		b = fmt.Appendf(b, "%T %s", r.err, r.err)
		if refused, ok := r.err.(*rotation.RefusedError); ok {
			b = fmt.Appendf(b, "%v", *refused)
		}
	}
	return b
}

// A node is where an invocation is: all the replies that it got. It goes on with its next request. An invocation does
// nothing but by what it was asked and what it was answered, so that two that got the same replies are in the same place;
// and so are two whose runs are equal.
type node struct {
	id    int
	asks  request // of one that has not ended
	ended bool
	// What the world knows of the invocation, which follows from the replies.
	calls, requests int
	read            words
	setting         string

	before *node
	reply  reply            // the one that led here
	next   map[uint64]*node // by the hash of the reply's key: the keys would take more room than all else
}

// An actor is one invocation, and all that it was ever seen to do: its engine need not run again for every history.
type actor struct {
	number int // no two actors of a search share it
	seed   maphash.Seed
	run    func(*actor)
	inv    *invocation
	began  time.Time
	first  *node
	nodes  *int // of all actors
	dated  bool // the time of day counts, too: a mark says when a login was refused

	// The engine that runs is at the node that it came to last.
	at     *node
	resume func() (request, bool)
	stop   func()
	ask    func(request) reply
	reply  reply
	clock  time.Time
	sent   int // requests to fleets
	// tick is where the engine's run is since it asked for something last, slots the versions that it read.
	tick  string
	slots map[string]string
	known map[uint64]*node // by the hash of tick and slots
}

// begin runs the engine up to its first request.
func (a *actor) begin() {
	a.end()
	a.clock, a.tick, a.slots = a.began, "", map[string]string{}
	a.resume, a.stop = iter.Pull(func(yield func(request) bool) {
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(Killed); !ok {
					panic(p)
				}
			}
		}()
		a.ask = func(r request) reply {
			if !yield(r) {
				panic(Killed{})
			}
			a.clock = a.clock.Add(a.reply.passed)
			return a.reply
		}
		a.run(a)
	})
}

// end drops the engine that runs.
func (a *actor) end() {
	if a.stop != nil {
		a.stop()
	}
	a.at, a.stop = nil, nil
}

// start is the node before any reply.
func (a *actor) start() *node {
	if a.first == nil {
		a.begin()
		a.first = a.arrive(&node{})
	}
	return a.first
}

// arrive lets the engine run to its next request, which is what n was made for.
func (a *actor) arrive(n *node) *node {
	a.tick = ""
	asks, more := a.resume()
	n.asks, n.ended = asks, !more
	if a.tick != "" {
		text := fmt.Append(nil, a.tick, a.slots)
		if a.dated {
			text = fmt.Append(text, a.clock)
		}
		place := maphash.Bytes(a.seed, text)
		if m, ok := a.known[place]; ok {
			a.at = m
			return m
		}
		a.known[place] = n
	}
	*a.nodes++
	n.id = *a.nodes
	a.at = n
	return n
}

// after is where the invocation comes to from n with this reply.
func (a *actor) after(n *node, r reply) *node {
	key := maphash.Bytes(a.seed, r.key())
	if m, ok := n.next[key]; ok {
		return m
	}
	if a.at != n {
		a.begin()
		_, _ = a.resume()
		for _, r := range n.replies() {
			a.reply = *r
			_, _ = a.resume()
		}
	}
	a.reply = r
	m := a.arrive(&node{before: n, reply: r, calls: a.inv.calls, requests: a.sent, read: a.inv.read, setting: a.inv.setting})
	if n.next == nil {
		n.next = map[uint64]*node{}
	}
	n.next[key] = m
	return m
}

// replies are all that led here, in order.
func (n *node) replies() []*reply {
	var out []*reply
	for ; n.before != nil; n = n.before {
		out = append(out, &n.reply)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// perform carries out what the invocation asks for at n, with a fault. dead reports that it died of it.
func (a *actor) perform(w *World, n *node, f Fault) (r reply, dead bool) {
	defer func() {
		a.sent = w.requests - a.number*manyRequests
		if p := recover(); p != nil {
			if _, ok := p.(Killed); !ok {
				panic(p)
			}
			dead = true
			w.trace("killed")
		}
	}()
	a.inv.calls, a.inv.read, a.inv.setting = n.calls, n.read, n.setting
	if n.asks.site == "store-read" {
		a.inv.read = slices.Clip(n.read)
	}
	a.inv.faults = func(int, string) Fault { return f }
	// What requests are called must not depend on what others asked for meanwhile.
	w.inv, w.requests = a.inv, a.number*manyRequests+n.requests
	return n.asks.do(w), false
}

// manyRequests is more than one invocation sends.
const manyRequests = 10_000

// random is a source of bytes that differs from actor to actor and is the same each time.
func (a *actor) random() *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(a.number))
	return rand.NewChaCha8(seed)
}

var background = context.Background()
