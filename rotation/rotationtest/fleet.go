package rotationtest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/relock-project/relock/rotation"
)

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
	err := f.w.ask("describe", func(fault Fault) error {
		var last *Machine
		for _, m := range f.w.Machines {
			if m.Region != f.region {
				continue
			}
			delete(f.w.inv.unseen, m)
			if sel.Matches(m.ID, m.Tags) {
				out, last = append(out, f.instance(m, m.shown(f.w, fault == Stale))), m
			}
		}
		switch {
		case last == nil:
		case fault == Torn:
			out = append(out, out[0])
		case fault == Missing:
			out = out[:len(out)-1]
			f.w.inv.misses(last)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (f *fleet) instance(m *Machine, now shown) rotation.Instance {
	rules := f.w.linux
	if m.OS == rotation.Windows {
		rules = f.w.windows
	}
	inst := rotation.Instance{
		ID: m.ID, Name: "name-" + m.ID, Region: m.Region, OS: m.OS, Power: now.power, Busy: now.busy, LoginUser: "root",
		KeyPair: m.KeyPair, Tags: now.tags, Mark: rotation.ParseMark(now.tags),
		Terms: rotation.Terms{Rules: rules, MaxBatch: f.w.maxBatch(), NeedsStopped: true, Effect: rotation.AtOnce, Reported: true, Refuse: m.Refuse},
	}
	if f.w.kind.Boot {
		inst.Terms.NeedsStopped, inst.Terms.Effect, inst.Terms.Reported = false, rotation.AtNextBoot, false
		if f.w.answers.BootTooSoon {
			inst.Terms.BootDelay = plantTime
		}
	}
	return inst
}

// order is one request about a batch: refused as a whole when check refuses any of its machines.
type order struct {
	site   string
	kind   rotation.OpKind
	check  func(*Machine) rotation.RefusalKind
	effect func(m *Machine, id string, fault Fault)
}

func (f *fleet) send(r order, batch []rotation.Instance) (rotation.Operation, error) {
	op := rotation.Operation{Kind: r.kind, Sent: f.w.now}
	f.w.on(batch)
	err := f.w.call(r.site, func(fault Fault) error {
		f.w.requests++
		op.RequestID = "r" + strconv.Itoa(f.w.requests)
		for _, inst := range batch {
			op.Instances = append(op.Instances, inst.ID)
		}
		refused := f.refused(r, batch, fault)
		if len(refused) == 0 || f.w.answers.HalfTaken {
			f.take(r, batch, refused, op.RequestID, fault)
		}
		if len(refused) > 0 {
			return &rotation.RefusedError{Machines: refused, Refusal: rotation.Refusal{Code: "Refused", Reason: r.site}}
		}
		return nil
	})
	if err != nil {
		op.RequestID = "" // the answer that held it was lost
	}
	return op, err
}

// refused are the machines that the provider refuses the request for.
func (f *fleet) refused(r order, batch []rotation.Instance, fault Fault) map[string]rotation.Refusal {
	refused := map[string]rotation.Refusal{}
	for i, inst := range batch {
		f.w.mix(inst.ID)
		switch m := f.machine(inst.ID); {
		case m == nil:
			refused[inst.ID] = rotation.Refusal{Kind: rotation.RefusedUnable, Code: "NotFound", Reason: "is gone"}
		case i == 0 && fault == Refused:
			refused[inst.ID] = rotation.Refusal{Code: "Unheard", Reason: "for a reason of its own"}
		case i == 0 && fault == Busy:
			refused[inst.ID] = rotation.Refusal{Kind: rotation.RefusedBusy, Code: "Mutex", Reason: "has an operation in progress"}
		default:
			if kind := r.check(m); kind != "" {
				refused[m.ID] = rotation.Refusal{Kind: kind, Code: "Refused", Reason: "cannot " + r.site}
			}
		}
	}
	return refused
}

// take has the effect of a request on the machines that are not refused, or on those that the fault leaves.
func (f *fleet) take(r order, batch []rotation.Instance, refused map[string]rotation.Refusal, id string, fault Fault) {
	if fault == Part {
		batch = batch[:len(batch)/2]
	}
	for i, inst := range batch {
		if _, ok := refused[inst.ID]; ok {
			continue
		}
		own := id
		if i > 0 && f.w.answers.OwnRequestIDs {
			own += "-" + strconv.Itoa(i)
		}
		r.effect(f.machine(inst.ID), own, fault)
	}
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
	return f.send(order{"reset", rotation.OpReset, refuseReset(f.w), func(m *Machine, id string, fault Fault) {
		m.accept(f.w, p, id, fault)
	}}, batch)
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
	return f.send(order{site, k, check, func(m *Machine, id string, fault Fault) {
		if fault == Silent {
			return
		}
		if k == rotation.OpStop || k == rotation.OpRestart {
			m.stopper = f.w.inv
			m.Stops[f.w.inv.setting]++
			f.w.checkStops(m)
		}
		if k == rotation.OpStop && m.Hangs {
			return
		}
		m.begin(f.w, operation{kind: k, id: id})
	}}, batch)
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
	err := f.w.ask("observe", func(fault Fault) error {
		for _, op := range ops {
			for _, id := range op.Instances {
				if m := f.machine(id); m != nil {
					out = append(out, m.result(op, m.shown(f.w, fault == Stale)))
				}
			}
		}
		if fault == Missing && len(out) > 0 {
			out = out[:len(out)-1]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (f *fleet) Mark(_ context.Context, batch []rotation.Instance, mark rotation.Mark) error {
	if mark.State == rotation.MarkDown {
		f.w.inv.setting = "generation " + strconv.Itoa(mark.Generation)
		if f.w.setters[f.w.inv.setting] == nil {
			f.w.setters[f.w.inv.setting] = map[*invocation]bool{}
		}
		f.w.setters[f.w.inv.setting][f.w.inv] = true
	}
	f.w.on(batch)
	return f.w.call("mark-"+string(mark.State), func(fault Fault) error {
		for i, inst := range batch {
			m := f.machine(inst.ID)
			if m == nil {
				return fmt.Errorf("mark %s: %w", inst.ID, rotation.ErrNotFound)
			}
			f.w.mix(m.ID)
			switch half := len(batch) / 2; {
			case fault != Part || i < half:
				m.note(f.w, mark.Secret, mark.Value())
			case i == half:
				m.note(f.w, mark.Secret, m.Tags[rotation.MarkTag]) // of its two tags the first
			}
		}
		return nil
	})
}
