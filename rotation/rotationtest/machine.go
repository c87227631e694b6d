package rotationtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	record   record          // what the provider shows of the last reset
	inflight map[string]bool
}

type operation struct {
	kind     rotation.OpKind
	ends     time.Time
	password string
	id       string
}

type record struct {
	id    string
	state rotation.OpState
}

// Add puts a machine into the scope: running or stopped, with the Baseline in force.
func (w *World) Add(os rotation.OS, power rotation.PowerState) *Machine {
	m := &Machine{
		ID: fmt.Sprintf("m%d", len(w.Machines)), Region: "east", OS: os, Power: power, Was: power, Live: Baseline,
		Tags: map[string]string{"rotate": "yes"}, NoLogin: os == rotation.Windows,
		Stops: map[string]int{}, inflight: map[string]bool{}, ever: map[string]bool{},
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

func (m *Machine) begin(w *World, k rotation.OpKind, password, id string) {
	m.op = &operation{k, w.now.Add(duration(k)), password, id}
	if k != rotation.OpReset {
		m.Power = rotation.Changing
	}
}

// finish ends what the machine is doing.
func (m *Machine) finish(w *World) {
	op := m.op
	m.op = nil
	switch op.kind {
	case rotation.OpReset:
		delete(m.inflight, op.password)
		if m.Broken {
			m.record = record{op.id, rotation.Failed}
			return
		}
		m.record = record{op.id, rotation.Done}
		if w.kind.Boot {
			m.Next = op.password
			return
		}
		m.set(op.password)
	case rotation.OpStop:
		m.Power = rotation.Stopped
	default:
		m.Power = rotation.Running
		if m.Next != "" {
			m.set(m.Next)
			m.Next = ""
		}
	}
}

func (m *Machine) set(password string) {
	m.Live = password
	m.ever[password] = true
}

// Land lets every reset that was delayed beyond its run take effect.
func (w *World) Land() {
	for _, m := range w.Machines {
		for _, p := range m.lateSets {
			w.trace("late reset lands on %s", m.ID)
			delete(m.inflight, p)
			m.landed = true
			if w.kind.Boot {
				m.Next = p
			} else {
				m.set(p)
			}
		}
		m.lateSets = nil
		w.check("late")
	}
}

// fleet is the machines of one region.
type fleet struct {
	w      *World
	region string
}

var (
	_ rotation.Fleet  = (*fleet)(nil)
	_ rotation.Power  = (*fleet)(nil)
	_ rotation.Marker = (*fleet)(nil)
)

func (f *fleet) Region() string { return f.region }

func (f *fleet) machine(id string) *Machine {
	for _, m := range f.w.Machines {
		if m.ID == id && m.Region == f.region {
			return m
		}
	}
	return nil
}

func (f *fleet) Describe(_ context.Context, sel rotation.Selector) ([]rotation.Instance, error) {
	var out []rotation.Instance
	err := f.w.ask("describe", func(bool) error {
		for _, m := range f.w.Machines {
			if m.Region == f.region && sel.Matches(m.ID, m.Tags) {
				out = append(out, f.instance(m))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (f *fleet) instance(m *Machine) rotation.Instance {
	rules := f.w.linux
	if m.OS == rotation.Windows {
		rules = f.w.windows
	}
	inst := rotation.Instance{
		ID: m.ID, Name: "name-" + m.ID, Region: m.Region, OS: m.OS, Power: m.Power, Busy: m.op != nil, LoginUser: "root",
		KeyPair: m.KeyPair, Tags: m.Tags, Mark: rotation.ParseMark(m.Tags),
		Terms: rotation.Terms{Rules: rules, MaxBatch: f.w.maxBatch(), NeedsStopped: true, Effect: rotation.AtOnce, Reported: true, Refuse: m.Refuse},
	}
	if f.w.kind.Boot {
		inst.Terms.NeedsStopped, inst.Terms.Effect, inst.Terms.Reported = false, rotation.AtNextBoot, false
	}
	return inst
}

// each makes one request about a batch: refused as a whole when the check refuses any of its machines.
func (f *fleet) each(site string, k rotation.OpKind, batch []rotation.Instance, check func(*Machine) rotation.RefusalKind, effect func(m *Machine, id string, late bool)) (rotation.Operation, error) {
	op := rotation.Operation{Kind: k, Sent: f.w.now}
	err := f.w.call(site, func(late bool) error {
		f.w.requests++
		op.RequestID = "r" + strconv.Itoa(f.w.requests)
		refused := map[string]rotation.Refusal{}
		for _, inst := range batch {
			f.w.mix(inst.ID)
			if m := f.machine(inst.ID); m == nil {
				refused[inst.ID] = rotation.Refusal{Kind: rotation.RefusedUnable, Code: "NotFound", Reason: "is gone"}
			} else if kind := check(m); kind != "" {
				refused[m.ID] = rotation.Refusal{Kind: kind, Code: "Refused", Reason: "cannot " + site}
			}
		}
		if len(refused) > 0 {
			return &rotation.RefusedError{Machines: refused, Refusal: rotation.Refusal{Code: "Refused", Reason: site}}
		}
		for _, inst := range batch {
			op.Instances = append(op.Instances, inst.ID)
			effect(f.machine(inst.ID), op.RequestID, late)
		}
		return nil
	})
	if err != nil {
		op.RequestID = "" // the answer that held it was lost
	}
	return op, err
}

func refuseReset(w *World) func(*Machine) rotation.RefusalKind {
	return func(m *Machine) rotation.RefusalKind {
		switch {
		case m.op != nil:
			return rotation.RefusedBusy
		case m.Refuse.Kind != "":
			return m.Refuse.Kind
		case !w.kind.Boot && m.Power != rotation.Stopped:
			return rotation.RefusedState
		}
		return ""
	}
}

func (f *fleet) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	if err := ctx.Err(); err != nil {
		return rotation.Operation{}, err
	}
	p := c.Password.Reveal()
	f.w.checkReset(batch, p)
	return f.each("reset", rotation.OpReset, batch, refuseReset(f.w), func(m *Machine, id string, late bool) {
		m.inflight[p] = true
		if late {
			m.lateSets = append(m.lateSets, p)
			return
		}
		m.begin(f.w, rotation.OpReset, p, id)
	})
}

func (f *fleet) power(site string, k rotation.OpKind, batch []rotation.Instance, from rotation.PowerState) (rotation.Operation, error) {
	check := func(m *Machine) rotation.RefusalKind {
		switch {
		case m.op != nil:
			return rotation.RefusedBusy
		case m.Power != from:
			return rotation.RefusedState
		}
		return ""
	}
	return f.each(site, k, batch, check, func(m *Machine, id string, _ bool) {
		if k == rotation.OpStop || k == rotation.OpRestart {
			m.Stops[f.w.inv.setting]++
			f.w.checkStops(m)
		}
		if k == rotation.OpStop && m.Hangs {
			return
		}
		m.begin(f.w, k, "", id)
	})
}

func (f *fleet) Stop(_ context.Context, batch []rotation.Instance, _ rotation.Force) (rotation.Operation, error) {
	return f.power("stop", rotation.OpStop, batch, rotation.Running)
}

func (f *fleet) Start(_ context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	return f.power("start", rotation.OpStart, batch, rotation.Stopped)
}

func (f *fleet) Restart(_ context.Context, batch []rotation.Instance, _ rotation.Force) (rotation.Operation, error) {
	return f.power("restart", rotation.OpRestart, batch, rotation.Running)
}

func (f *fleet) Observe(_ context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	var out []rotation.Result
	err := f.w.ask("observe", func(bool) error {
		for _, op := range ops {
			for _, id := range op.Instances {
				if m := f.machine(id); m != nil {
					out = append(out, m.result(op))
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (m *Machine) result(op rotation.Operation) rotation.Result {
	r := rotation.Result{Instance: m.ID, Kind: op.Kind, State: rotation.Unseen, Power: m.Power, Busy: m.op != nil, RequestID: op.RequestID}
	switch {
	case op.Kind == rotation.OpReset && op.RequestID != "" && m.record.id == op.RequestID:
		r.State = m.record.state
	case m.op != nil && m.op.id == op.RequestID:
		r.State = rotation.InProgress
	case m.op == nil && (op.Kind == rotation.OpRestart || op.Kind == rotation.OpStart) && m.Power == rotation.Running:
		r.State = rotation.Done
	case m.op == nil && op.Kind == rotation.OpStop && m.Power == rotation.Stopped:
		r.State = rotation.Done
	}
	if r.State == rotation.Failed {
		r.Detail = "guest agent timeout"
	}
	return r
}

func (f *fleet) Mark(_ context.Context, batch []rotation.Instance, mark rotation.Mark) error {
	if mark.State == rotation.MarkDown {
		f.w.inv.setting = "generation " + strconv.Itoa(mark.Generation)
		if f.w.setters[f.w.inv.setting] == nil {
			f.w.setters[f.w.inv.setting] = map[*invocation]bool{}
		}
		f.w.setters[f.w.inv.setting][f.w.inv] = true
	}
	return f.w.call("mark-"+string(mark.State), func(bool) error {
		for _, inst := range batch {
			m := f.machine(inst.ID)
			if m == nil {
				return fmt.Errorf("mark %s: %w", inst.ID, rotation.ErrNotFound)
			}
			f.w.mix(m.ID)
			m.Tags = maps.Clone(m.Tags) // what was described stays as it was
			m.Tags[rotation.SecretTag], m.Tags[rotation.MarkTag] = mark.Secret, mark.Value()
			if !f.w.hushed {
				f.w.trace("%s is marked %s of %s", m.ID, mark.Value(), mark.Secret)
			}
		}
		return nil
	})
}

// verifier logs in.
type verifier struct{ w *World }

func (v verifier) Verify(ctx context.Context, logins []rotation.Login) []error {
	out := make([]error, len(logins))
	for i, l := range logins {
		if out[i] = ctx.Err(); out[i] != nil {
			continue
		}
		out[i] = v.w.ask("verify", func(bool) error {
			at := slices.IndexFunc(v.w.Machines, func(m *Machine) bool { return m.ID == l.Instance.ID })
			if at < 0 {
				return rotation.ErrCannotTry // it is gone
			}
			m := v.w.Machines[at]
			switch {
			case m.NoLogin || m.Power != rotation.Running:
				return rotation.ErrCannotTry
			case m.Live != l.Credential.Password.Reveal():
				return rotation.ErrRejected
			}
			return nil
		})
	}
	return out
}
