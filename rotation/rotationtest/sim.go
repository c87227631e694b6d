package rotationtest

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A Chooser decides all that a world leaves open: which invocation goes on, which call gets which fault, what the
// machines are. The same choices give the same history.
type Chooser interface {
	// Choose returns a number from 0 to n-1.
	Choose(n int) int
}

// Seeded is the Chooser that a seed makes.
func Seeded(seed uint64) Chooser { return seeded{rand.New(rand.NewPCG(seed, 0x5eed))} }

type seeded struct{ r *rand.Rand }

func (s seeded) Choose(n int) int { return s.r.IntN(n) }

// Random is a kind of history: at least three machines, several invocations at once, generations and faults.
type Random struct {
	Machines    int // at most
	Concurrent  int
	Generations int
	Faults      int  // at most
	Tell        bool // the world keeps a trace
}

// task is an invocation that takes turns with others: it runs until its next call, and others may run before that.
type task struct {
	inv    *invocation
	name   string
	run    func() // all of it
	on     *thread
	wake   time.Time
	frozen int // scheduling points for which it stays frozen
	over   bool
}

// thread is a coroutine that runs one task after the other. One for each task would have to grow its stack each time.
type thread struct {
	task  *task
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// deep makes the stack as large as it will be, at once: one that grows step by step is copied at each.
//
//go:noinline
func deep(at int) byte {
	var room [20 << 10]byte
	return room[at]
}

func newThread() *thread {
	t := &thread{}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		deep(0)
		for t.yield = yield; ; {
			if t.task.run(); !yield(struct{}{}) {
				return
			}
		}
	})
	return t
}

// start begins an invocation that takes turns with others. After the time that is left its platform kills it, zero means
// never; its clock is ahead by skew.
func (p *play) start(r *rotation.Rotator, req rotation.Request, left, skew time.Duration) *task {
	t := &task{inv: newInvocation(req.Only, p.fault), name: string(req.Action) + "#" + strconv.Itoa(p.started)}
	p.started++
	t.inv.name = t.name
	ctx, ends := t.inv.under(context.Background()), time.Time{}
	if t.inv.skew = skew; left > 0 {
		t.inv.deadline = p.now.Add(left)
		ends = t.inv.deadline.Add(skew)
		ctx = until{ctx, ends}
		ends = ends.Add(-5 * time.Second) // the engine keeps some of it for its report
	}
	t.inv.task = t
	t.inv.yield = func() bool { return p.handOver(t) }
	t.run = func() {
		defer t.inv.stop()
		defer func() {
			t.over, t.inv.over = true, true
			p.ended = append(p.ended, p.now)
			if r := recover(); r != nil {
				if _, ok := r.(Killed); !ok {
					panic(r)
				}
				p.trace("%s is killed", t.name)
			}
		}()
		p.trace("%s begins", t.name)
		report, _ := r.Do(ctx, req)
		if left > 0 && (report.Outcome == rotation.Incomplete || !p.now.Add(t.inv.skew).Before(ends)) {
			p.dead = append(p.dead, t.inv) // its time may have been up before it could end what it had begun
		}
		p.trace("%s ended %s: %s", t.name, report.Outcome, report.Why)
	}
	return t
}

// handOver comes before each call of t: whoever is next makes one first. Mostly that is t, and then nobody else has to run.
func (p *play) handOver(t *task) (alive bool) {
	p.inv = p.nobody
	p.turn = p.next()
	return p.turn == t || t.on.yield(struct{}{})
}

// step lets a task run until it has ended or it is another one's turn.
func (p *play) step(t *task) {
	if t.on == nil {
		if n := len(p.idle); n > 0 {
			t.on, p.idle = p.idle[n-1], p.idle[:n-1]
		} else {
			t.on = newThread()
		}
		t.on.task = t
	}
	p.inv = t.inv
	t.on.next()
	p.inv = p.nobody
	if t.over {
		p.idle = append(p.idle, t.on)
		p.tasks = slices.DeleteFunc(p.tasks, func(t *task) bool { return t.over })
		p.turn = p.next()
	}
}

// Play is one random history, brought to its end without faults. It checks the promise after every call, and L1 and S2
// at the end.
func (r Random) Play(c Chooser) *World {
	w := NewWorld([]Kind{{}, {Labels: true}, {CompareAndSet: true}, {Boot: true}, {Labels: true, Boot: true}, {CompareAndSet: true, Boot: true}}[c.Choose(6)])
	if c.Choose(4) > 0 {
		w.shelf.human(fmt.Sprintf(`{"password":%q,"username":""}`, Baseline)) // without a field of somebody else's
	}
	w.hushed, w.Sites = !r.Tell, nil
	w.Answer(someAnswers(w.kind, c))
	w.trace("a world of %s with %+v", w.kind, w.answers)
	p := &play{World: w, c: c, nobody: w.inv, faults: c.Choose(r.Faults + 1), limit: r}
	p.machines()
	p.change = p.policy()
	p.coming = p.events(r.Generations)
	for p.turn = p.next(); p.turn != nil; {
		p.step(p.turn)
	}
	for _, t := range p.idle {
		t.stop()
	}
	p.converge()
	return w
}

// play is a history that is being made.
type play struct {
	*World
	c      Chooser
	limit  Random
	coming []event
	tasks  []*task
	ready  []*task // those of tasks that can go on
	turn   *task   // the one whose turn it is; nil when all have ended
	idle   []*thread
	nobody *invocation // the one that runs when none of tasks does
	faults int         // that are left
	ended  []time.Time // when invocations did
	change func(*rotation.Rotator)
}

func (p *play) machines() {
	for range max(3, 1+p.c.Choose(p.limit.Machines)) {
		os, power := rotation.Linux, rotation.Running
		if !p.kind.Boot && p.c.Choose(4) == 0 {
			os = rotation.Windows
		}
		if !p.kind.Boot && p.c.Choose(3) == 0 {
			power = rotation.Stopped
		}
		p.Add(os, power)
	}
	if p.c.Choose(4) == 0 {
		p.Add(rotation.Linux, rotation.Running).Tags = map[string]string{"rotate": "no"}
	}
}

func (p *play) policy() func(*rotation.Rotator) {
	proof := rotation.ProofLogin
	if !p.kind.Boot && p.c.Choose(2) == 0 {
		proof = rotation.ProofProvider
	}
	atMost := 1 + p.c.Choose(3)
	p.atMost = atMost
	// Drawing passwords by a provider's rules takes longer than all the rest of a history, and is tried elsewhere.
	simple := &rotation.Rules{Name: "simple", MinLength: 16, MaxLength: 16, Characters: "0123456789abcdef"}
	p.linux, p.windows = simple, simple
	return func(r *rotation.Rotator) {
		r.Recipe = rotation.Recipe{Length: 16, AnyMix: true, MinBits: 1}
		r.Policy.Proof = proof
		r.Policy.MaxUnavailable = rotation.Share{Number: atMost}
	}
}

// someAnswers are a mix of answers to the open questions: in half of the histories the likeliest.
func someAnswers(k Kind, c Chooser) Answers {
	var a Answers
	if c.Choose(2) == 0 {
		return a
	}
	for _, q := range OpenQuestions() {
		if q.Kinds(k) && c.Choose(4) == 0 {
			q.Answer(&a)
		}
	}
	return a
}

// fault decides about one call.
func (p *play) fault(_ int, site string) Fault {
	if p.faults == 0 || p.c.Choose(40) != 0 {
		return NoFault
	}
	p.faults--
	// Being overtaken is what turns are for.
	kinds := slices.DeleteFunc(p.kind.FaultsAt(site), func(f Fault) bool { return f == Overtaken })
	return kinds[p.c.Choose(len(kinds))]
}

// next begins what is due and lets time pass until it is an invocation's turn to make a call; nil when all have ended.
func (p *play) next() *task {
	for len(p.coming) > 0 || len(p.tasks) > 0 {
		if len(p.coming) > 0 && len(p.tasks) < p.limit.Concurrent && (len(p.tasks) == 0 || p.c.Choose(24) == 0) {
			p.begin(p.coming[0])
			p.coming = p.coming[1:]
		}
		if t := p.pick(); t != nil {
			return t
		}
	}
	return nil
}

// pick chooses who makes a call, or lets time pass.
func (p *play) pick() *task {
	ready := p.ready[:0]
	var wake time.Time
	for _, t := range p.tasks {
		switch {
		case t.frozen > 0:
			t.frozen--
		case t.wake.After(p.now):
			if wake.IsZero() || t.wake.Before(wake) {
				wake = t.wake
			}
		default:
			ready = append(ready, t)
		}
	}
	p.ready = ready
	if !wake.IsZero() && (len(ready) == 0 || p.c.Choose(6) == 0) {
		p.Advance(wake.Sub(p.now))
		return nil
	}
	if len(ready) == 0 {
		p.Advance(time.Minute) // all are frozen
		return nil
	}
	t := ready[0]
	if len(ready) > 1 {
		t = ready[p.c.Choose(len(ready))]
	}
	if len(p.tasks) > 1 && p.c.Choose(150) == 0 {
		t.frozen = 1 + p.c.Choose(400) // long enough for others to rotate twice
		p.trace("%s freezes", t.name)
		return nil
	}
	return t
}

// converge ends the history: what was late lands, faults have stopped, and the schedules run on.
func (p *play) converge() {
	p.Land()
	s := Scenario{Change: p.change}
	for try := 0; try < 6 && (try < 3 || p.unfinished() || slices.ContainsFunc(p.Machines, p.behind)); try++ {
		p.Advance(time.Hour)
		if try == 3 {
			// RELOCK_MAX_ATTEMPTS were used up for this candidate: the operator does what the report says.
			s.run(p.World, rotation.Request{Action: rotation.Rotate, NewCandidate: true}, nil)
		}
		s.run(p.World, rotation.Request{Action: rotation.Resume}, nil)
		s.run(p.World, rotation.Request{Action: rotation.Reconcile}, nil)
	}
	p.CheckEnd()
	if p.unfinished() && !p.excused {
		p.violate("L1", "a version is still pending, or a machine still down")
	}
	p.checkAnswers()
}

// checkAnswers holds S2 for every machine: what opens it is in the history that lookup is made of.
func (w *World) checkAnswers() {
	versions, err := w.quiet().History(context.Background(), Secret)
	if err != nil {
		w.violate("S2", "history: %v", err)
	}
	for _, m := range w.Machines {
		if !w.lost[m.Live] && !slices.ContainsFunc(versions, func(v rotation.Version) bool { return v.Password.Reveal() == m.Live }) {
			w.violate("S2", "%s opens with what the history does not hold", m.ID)
		}
	}
}
