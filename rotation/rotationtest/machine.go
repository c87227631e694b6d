package rotationtest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation"
)

// Machine is one machine of a World.
type Machine struct {
	ID, Region string
	OS         rotation.OS
	Power      rotation.PowerState
	KeyPair    string
	Tags       map[string]string
	Refuse     rotation.Refusal
	// Live is the password in force, Next what becomes it at the next boot.
	Live, Next string
	// NoLogin makes logins impossible to try; Broken makes every reset fail.
	NoLogin, Broken bool
	// Hangs makes a soft stop never end.
	Hangs bool
	// Was is the power that it must have when relock is done with it.
	Was rotation.PowerState
	// Stops counts how often it was taken down for the password that was then being set.
	Stops map[string]int

	op       *operation
	lateSets []string        // resets that land after the run
	landed   bool            // one did
	ever     map[string]bool // passwords that were in force
	fooled   map[string]bool // passwords that a login accepted although another one was in force
	record   record          // what the provider shows of the last reset
	inflight map[string]bool
	nextAt   time.Time     // Next is there for a boot that begins then or later
	stopper  *invocation   // who stopped it last
	found    []*invocation // who was shown that it is owed a start, since it was up last (S6)
	unsure   bool          // the record of one of its resets is under an id that nobody knows
	marker   *invocation   // who wrote its mark last
	woken    bool          // the provider started it by itself
	past     [2]shown      // what it showed before its last two changes, the older first
	// oldTags are what a description shows until marks written at tagsAt are seen.
	oldTags map[string]string
	tagsAt  time.Time
	refusal refusal
}

// operation is what a machine is doing.
type operation struct {
	kind        rotation.OpKind
	began, ends time.Time
	password    string
	id          string
	atBoot      bool // a reset that takes effect at the next boot
	endless     bool // it is shown for ever
}

// record is what the provider shows of the last reset.
type record struct {
	id    string
	state rotation.OpState
	at    time.Time
}

// Add puts a machine into the scope: running or stopped, with the Baseline in force.
func (w *World) Add(os rotation.OS, power rotation.PowerState) *Machine {
	m := &Machine{
		ID: fmt.Sprintf("m%d", len(w.Machines)), Region: "east", OS: os, Power: power, Was: power, Live: Baseline,
		Tags: map[string]string{"rotate": "yes"}, NoLogin: os == rotation.Windows,
		Stops: map[string]int{}, inflight: map[string]bool{}, ever: map[string]bool{}, fooled: map[string]bool{},
	}
	if len(w.Machines)%2 == 1 {
		m.Region = "west"
	}
	w.Machines = append(w.Machines, m)
	return m
}

// duration is how long an operation takes.
func duration(k rotation.OpKind) time.Duration {
	switch k {
	case rotation.OpReset:
		return 12 * time.Second
	case rotation.OpStop:
		return 21 * time.Second
	}
	return 17 * time.Second
}

func (m *Machine) begin(w *World, op operation) {
	m.remember()
	op.began, op.ends = w.now, w.now.Add(duration(op.kind))
	m.op = &op
	if op.kind != rotation.OpReset {
		m.Power = rotation.Changing
	}
}

// find notes whether an invocation was shown last that the machine is owed a start, if it is down.
func (m *Machine) find(i *invocation, owed bool) {
	owed = owed && m.Power != rotation.Running
	switch found := slices.Contains(m.found, i); {
	case owed && !found:
		m.found = append(slices.Clip(m.found), i)
	case found && !owed:
		m.found = slices.DeleteFunc(slices.Clone(m.found), func(by *invocation) bool { return by == i })
	}
}

// accept takes a reset that the provider has accepted.
func (m *Machine) accept(w *World, password, id string, fault Fault) {
	if fault == Silent {
		return
	}
	m.inflight[password] = true
	op := operation{kind: rotation.OpReset, password: password, id: id, atBoot: w.kind.Boot || fault == AtBoot, endless: fault == Endless}
	switch fault {
	case Late, LateAccepted:
		m.lateSets = append(m.lateSets, password)
		return
	case Twice:
		m.lateSets = append(m.lateSets, password)
	case Foreign:
		op.id = "another"
	}
	if w.kind.Boot && w.answers.BootTooSoon {
		m.plant(w, password)
		return
	}
	m.begin(w, op)
}

// plant puts a password where the next boot finds it.
func (m *Machine) plant(w *World, password string) {
	if m.Power == rotation.Stopped {
		m.ever[password] = true // it would open with it: another reset may replace it before the boot
	}
	m.settle(password)
	m.Next, m.nextAt = password, w.now
	if w.answers.BootTooSoon {
		m.nextAt = w.now.Add(plantTime)
	}
}

// settle notes that a password is not on its way any more, unless it will land once more.
func (m *Machine) settle(password string) {
	if !slices.Contains(m.lateSets, password) {
		delete(m.inflight, password)
	}
}

// finish ends what the machine is doing.
func (m *Machine) finish(w *World) {
	m.remember()
	op := m.op
	m.op = nil
	switch op.kind {
	case rotation.OpReset:
		m.finishReset(w, op)
	case rotation.OpStop:
		m.Power = rotation.Stopped
	default:
		m.Power, m.found = rotation.Running, nil
		if m.Next != "" && !op.began.Before(m.nextAt) {
			m.set(m.Next)
			m.Next = ""
		}
	}
}

func (m *Machine) finishReset(w *World, op *operation) {
	if op.endless {
		op.ends, op.endless = w.now.Add(100*365*24*time.Hour), false
		m.op = op
	}
	m.settle(op.password)
	if m.Broken {
		m.record = record{op.id, rotation.Failed, w.now}
		return
	}
	m.record = record{op.id, rotation.Done, w.now}
	if op.atBoot {
		m.plant(w, op.password)
	} else {
		m.set(op.password)
		m.Next = "" // the newer one replaces what waits for the boot
	}
	if w.answers.StartsAfterReset && m.Power == rotation.Stopped && m.op == nil {
		m.woken = m.woken || m.Was == rotation.Stopped
		m.begin(w, operation{kind: rotation.OpStart, id: op.id})
	}
}

func (m *Machine) set(password string) {
	m.Live = password
	m.ever[password] = true
}

// note writes a mark. What was described before stays as it was.
func (m *Machine) note(w *World, secret, mark string) {
	m.remember()
	m.marker = w.inv
	if !w.now.Before(m.tagsAt.Add(marksLate)) {
		m.oldTags, m.tagsAt = m.Tags, w.now
	}
	m.Tags = maps.Clone(m.Tags)
	m.Tags[rotation.SecretTag] = secret
	if mark != "" {
		m.Tags[rotation.MarkTag] = mark
	}
}

// Land lets every reset that was delayed beyond its run take effect, and every operation end that did not.
func (w *World) Land() {
	for _, m := range w.Machines {
		if m.op != nil && m.op.ends.After(w.now.Add(365*24*time.Hour)) {
			m.op = nil
		} else if m.op != nil {
			m.op.endless = false
		}
		for _, p := range m.lateSets {
			w.trace("late reset lands on %s", m.ID)
			delete(m.inflight, p)
			m.landed = true
			if w.kind.Boot {
				m.plant(w, p)
			} else {
				m.set(p)
			}
		}
		m.lateSets = nil
		w.check("late")
	}
}
