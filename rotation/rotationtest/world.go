// Package rotationtest is what every driver must pass, and a world in memory in which the engine is tried: machines, a
// secrets manager, logins and time, with a fault at any call.
//
// Its one invariant: everything happens in the order of calls, on one goroutine, with a clock of its own. The same
// faults give the same history.
package rotationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A World holds machines, a secret and the time. It is made by NewWorld.
type World struct {
	Machines []*Machine
	// Unlike a real cloud it can be asked what is wrong with it.
	Violations []string

	knobs
	kind           Kind
	shelf          shelf
	linux, windows *rotation.Rules
	now            time.Time
	// Sites counts boundary calls by name. Nil counts none, and keeps no order of them.
	Sites map[string]int
	// inv is the invocation that runs now.
	inv *invocation
	// calls is how many there were, faults how many had an effect.
	calls, faults int
	// Trace is what happened, unless the world is hushed. Its hash is always there.
	Trace  []string
	hushed bool
	hash   uint64
	// order is the site of every call, injected how often each fault was at each site.
	order    []string
	injected map[Cell]int

	// started counts invocations that take turns, overlap is the most of them at once.
	started, overlap int
	// dead are the invocations that died.
	dead []*invocation
	// setters are the invocations that took machines down, by what they were setting.
	setters map[string]map[*invocation]bool
	// excused reports that a machine is down in the one way that marks cannot prevent.
	excused bool
	// other is the invocation that runs when one is overtaken.
	other func()
	// otherCalls is how many calls it made.
	otherCalls int
	// algorithm replaces the engine; nil means the engine.
	algorithm func(*World) error

	answers  Answers
	stale    staleness
	view     *view
	pending  *bool            // whether a version is, at the edition of view; nil: not known
	reader   *rotation.Ledger // that of quiet, at the edition of view; nil: there is none yet
	requests int
	suffixes int
	// lost are passwords that a person overwrote before relock had ever kept them.
	lost    map[string]bool
	atMost  int // machines down at once (S6)
	allowed int // exceptions (S3)
	current string
}

// Kind is what the clouds of a world are like.
type Kind struct {
	// Labels makes the store one of labels that are moved blindly, whose unlabelled versions vanish at once (Huawei
	// CSMS); else it creates only what is absent and current is a copy (Tencent Secrets Manager).
	Labels bool
	// CompareAndSet makes the store one of labels that are moved only from where the mover believes them to be, and
	// whose versions are created once (AWS Secrets Manager).
	CompareAndSet bool
	// Boot makes an accepted reset take effect at the next boot, with no report (Huawei ECS); else a reset needs a
	// stopped machine, is reported and takes effect at once (Tencent CVM).
	Boot bool
}

func (k Kind) String() string {
	store, fleet := "create-if-absent", "reset-when-stopped"
	if k.Labels {
		store = "blind-labels"
	}
	if k.CompareAndSet {
		store = "compare-and-set"
	}
	if k.Boot {
		fleet = "effect-at-boot"
	}
	return store + "/" + fleet
}

// endless is more calls than any run of these small worlds needs.
const endless = 5000

// Killed is the panic of a process that dies.
type Killed struct{}

var errLost = errors.New("connection reset by peer")

// Secret is the name of the secret in every world.
const Secret = "admin"

// Baseline is the password that every machine and the secret begin with.
const Baseline = "Baseline-Pass-0001"

// NewWorld returns a world with a secret whose current value is the Baseline, as a person stored it.
func NewWorld(k Kind) *World {
	w := &World{
		kind: k, now: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC), Sites: map[string]int{}, inv: newInvocation(nil, nil), atMost: 10, lost: map[string]bool{},
		setters: map[string]map[*invocation]bool{}, hash: hashBegin, injected: map[Cell]int{},
		linux: rotation.TencentLinux(), windows: rotation.TencentLinux(),
	}
	// Rules that forbid words take a thousand times longer to draw from, and are not what is tried here.
	w.windows.Name, w.windows.MinLength = "windows", 12
	value := fmt.Sprintf(`{"username":"","password":%q,"host":"bastion"}`, Baseline)
	w.shelf = newShelf(k, value)
	w.current = Baseline
	return w
}

// scope is the machines that are in it.
var scope = rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}

// Rotator returns a Rotator over this world with a policy that suits it; change its fields before Do.
func (w *World) Rotator() *rotation.Rotator {
	r := &rotation.Rotator{
		Secret: Secret, Store: w.Ledger(), Home: [2]string{"world", "here"}, Scope: scope, Fleets: make([]rotation.Fleet, 0, 2),
		Verifier: verifier{w}, Clock: clock{w}, Concurrency: 1, Rand: &counter{},
		Policy: rotation.Policy{
			Restart: rotation.RestartGraceful, PollInterval: 5 * time.Second, MaxUnavailable: rotation.Share{Number: w.atMost},
			MaxExceptions: w.allowed,
		},
	}
	for _, m := range w.Machines {
		if !slices.ContainsFunc(r.Fleets, func(f rotation.Fleet) bool { return f.Region() == m.Region }) {
			r.Fleets = append(r.Fleets, &fleet{w, m.Region})
		}
	}
	return r
}

// Ledger returns the store of this world.
func (w *World) Ledger() *rotation.Ledger {
	if w.kind.CompareAndSet {
		return &rotation.Ledger{Shelf: labelBoundary{boundary{w}}, Slots: 10, CompactAt: 7, MaxBytes: 32 << 10, Suffix: func() string { return "0" }}
	}
	if w.kind.Labels {
		return &rotation.Ledger{Shelf: labelBoundary{boundary{w}}, Slots: 10, CompactAt: 7, MaxBytes: 32 << 10, Suffix: func() string {
			w.suffixes++ // in the world a counter is as good as chance: no two are the same
			return fmt.Sprintf("%06x", w.suffixes)
		}}
	}
	return &rotation.Ledger{Shelf: boundary{w}, Slots: 10, CompactAt: 7, MaxBytes: 4096}
}

// Run is one invocation, which the fault may end at any call. killed reports that it did.
func (w *World) Run(r *rotation.Rotator, req rotation.Request, fault func(n int, site string) Fault) (report *rotation.Report, err error, killed bool) {
	return w.RunContext(context.Background(), r, req, fault)
}

// Try is an invocation of another algorithm than the engine's.
func (w *World) Try(algorithm func(*World) error, fault func(n int, site string) Fault) {
	inv := newInvocation(nil, fault)
	inv.operator = true
	defer w.enter(inv)()
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(Killed); !ok {
				panic(p)
			}
			w.trace("killed")
		}
	}()
	w.trace("try")
	w.trace("ended: %v", algorithm(w))
}

// Overwrite is what a store without create-if-absent does: one call, whatever was there.
func (w *World) Overwrite(name, value string) {
	_ = w.call("store-overwrite", func(Fault) error {
		w.shelf.remove(name)
		return w.shelf.create(name, value)
	})
}

// Shelf is the store's shelf, every call of it a boundary.
func (w *World) Shelf() rotation.Shelf { return boundary{w} }

// call is every call that leaves the process: it applies the fault that is due, and checks the world after each step.
func (w *World) call(site string, effect func(Fault) error) error {
	err, killed := w.boundary(site, effect)
	w.check(site)
	if killed {
		w.die()
	}
	return err
}

// ask is a call that changes nothing.
func (w *World) ask(site string, answer func(Fault) error) error {
	err, killed := w.boundary(site, answer)
	if killed {
		w.die()
	}
	return err
}

// boundary makes a call with the fault that is due. killed reports that the process has died after it.
func (w *World) boundary(site string, effect func(Fault) error) (err error, killed bool) {
	w.inv.turn(w)
	w.inv.calls++
	w.calls++
	if w.Sites != nil {
		w.Sites[site]++
		w.order = append(w.order, site)
	}
	if w.inv.calls > endless {
		w.violate("L1", "a run does not end: %d calls, the last a %s", w.inv.calls, site)
		panic(Killed{})
	}
	if d := w.inv.deadline; !d.IsZero() && w.now.After(d) {
		w.inv.deadline = time.Time{}
		w.trace("the time of %s is up", w.inv.name)
		w.die()
	}
	if w.inv.late() {
		return w.inv.ctx.Err(), false // nobody sends anything with a context that has ended
	}
	f := w.inv.fault(w.inv.calls, site)
	w.mix(site, string(f))
	if f != NoFault {
		w.faults++
		w.injected[Cell{site, f}]++
	}
	if err, refused := w.before(f); refused {
		w.tell(site, f, err)
		return err, false
	}
	if err = effect(f); err != nil {
		w.mix("refused")
	}
	err, killed = w.after(f, err)
	w.tell(site, f, err)
	return err, killed
}

// die is the end of the process of the invocation that runs.
func (w *World) die() {
	w.dead = append(w.dead, w.inv)
	panic(Killed{})
}

// before is what a fault does before the effect of a call, which may be to refuse it.
func (w *World) before(f Fault) (err error, refused bool) {
	switch f {
	case KillBefore:
		w.die()
	case FailBefore:
		return errLost, true
	case Throttled:
		return rotation.ErrThrottled, true
	case Denied:
		return rotation.ErrUnauthorized, true
	case Slow:
		w.Advance(3 * time.Minute)
	case ClockForward:
		w.inv.skew += 3 * time.Hour
	case ClockBack:
		w.inv.skew -= time.Hour
	case Overtaken:
		if w.answers.StartsAfterReset {
			// A machine that the provider starts by itself after the reset of the one has to be stopped by the other, whose
			// own request the record does not name any more: that is an ambiguous outcome besides (S8).
			w.faults++
		}
		w.overtake()
	}
	return nil, false
}

// after is what a fault does to the answer of a call.
func (w *World) after(f Fault, err error) (_ error, killed bool) {
	switch f {
	case KillAfter:
		return nil, true
	case FailAfter, Late:
		return errLost, false
	case Part:
		if err == nil {
			err = errLost
		}
	case Deadline:
		w.dead = append(w.dead, w.inv) // it can do no more than if it had died
		w.inv.end()
		return w.inv.ctx.Err(), false
	}
	return err, false
}

// overtake lets the other invocation run while this one is frozen.
func (w *World) overtake() {
	defer w.enter(w.inv)()
	if w.other != nil {
		w.other()
	}
}

func (w *World) violate(invariant, format string, args ...any) {
	text := invariant + ": " + fmt.Sprintf(format, args...)
	w.trace("VIOLATION %s", text)
	w.Violations = append(w.Violations, text)
}

// Advance lets time pass: what the machines are doing goes on.
func (w *World) Advance(d time.Duration) {
	end := w.now.Add(d)
	for {
		next, m := end, (*Machine)(nil)
		for _, c := range w.Machines {
			if c.op != nil && !c.op.ends.After(next) && (m == nil || c.op.ends.Before(next)) {
				next, m = c.op.ends, c
			}
		}
		if m == nil {
			break
		}
		w.now = next
		m.finish(w)
		w.check("time")
	}
	w.now = end
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.now }

// clock is the engine's clock: waiting makes the time pass.
type clock struct{ w *World }

func (c clock) Now() time.Time {
	if c.w.inv.skew == 0 {
		return c.w.now
	}
	return c.w.now.Add(c.w.inv.skew)
}

func (c clock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if t := c.w.inv.task; t != nil {
		for t.wake = c.w.now.Add(d); c.w.now.Before(t.wake); {
			t.inv.turn(c.w)
		}
		return nil
	}
	c.w.Advance(d)
	return nil
}

// counter is a source of bytes for tokens: what is random must not make two runs differ.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

// Allow lets that many machines stay behind (S3).
func (w *World) Allow(exceptions int) { w.allowed = exceptions }

// Calls is how many boundary calls there were.
func (w *World) Calls() int { return w.calls }

// Injected is how many faults had an effect.
func (w *World) Injected() int { return w.faults }

// Excused reports that a machine was left down in the one way that marks cannot prevent.
func (w *World) Excused() bool { return w.excused }
