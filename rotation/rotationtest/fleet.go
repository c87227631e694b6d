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
		n := 0
		for _, m := range f.w.Machines {
			if m.Region == f.region {
				n++
			}
		}
		out = make([]rotation.Instance, 0, n)
		for _, m := range f.w.Machines {
			if m.Region != f.region {
				continue
			}
			delete(f.w.inv.unseen, m)
			if sel.Matches(m.ID, m.Tags) {
				out, last = append(out, f.instance(m, m.shown(f.w, fault == Stale))), m
				m.find(f.w.inv, out[len(out)-1].Mark.State == rotation.MarkDown)
			}
		}
		switch {
		case last == nil:
		case fault == Torn:
			out = append(out, out[0])
		case fault == Missing:
			out = out[:len(out)-1]
			f.w.inv.misses(last)
			last.find(f.w.inv, false)
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

// order is one request about a batch: refused as a whole when any of its machines refuses it.
type order struct {
	site     string
	kind     rotation.OpKind
	from     rotation.PowerState // how a machine must be for it; empty: any way
	password string              // of a reset
}

// refuses is why a machine cannot take the order; empty means that it can.
func (r *order) refuses(m *Machine) rotation.RefusalKind {
	switch {
	case m.op != nil:
		return rotation.RefusedBusy
	case r.kind == rotation.OpReset && m.Refuse.Kind != "":
		return m.Refuse.Kind
	case r.from != "" && m.Power != r.from:
		return rotation.RefusedState
	}
	return ""
}

// effect is what the order does to a machine that takes it.
func (r *order) effect(w *World, m *Machine, id string, fault Fault) {
	takesDown := r.kind == rotation.OpStop || r.kind == rotation.OpRestart
	switch {
	case r.kind == rotation.OpReset:
		m.accept(w, r.password, id, fault)
		return
	case fault == Silent:
		return
	case takesDown:
		m.stopper = w.inv
		m.Stops[w.inv.setting]++
		w.checkStops(m)
	}
	if r.kind == rotation.OpStop && m.Hangs {
		return
	}
	m.begin(w, operation{kind: r.kind, id: id})
	if takesDown {
		w.checkDown()
	}
}

func (f *fleet) send(r order, batch []rotation.Instance) (rotation.Operation, error) {
	op := rotation.Operation{Kind: r.kind, Sent: f.w.now}
	for i := range batch {
		f.w.on(batch[i].ID)
	}
	err := f.w.call(r.site, func(fault Fault) error {
		f.w.requests++
		op.RequestID = "r" + strconv.Itoa(f.w.requests)
		op.Instances = make([]string, len(batch))
		for i := range batch {
			op.Instances[i] = batch[i].ID
		}
		refused := f.refused(&r, batch, fault)
		if len(refused) == 0 || f.w.answers.HalfTaken {
			f.take(&r, batch, refused, op.RequestID, fault)
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

// refused are the machines that the provider refuses the request for; nil when there are none.
func (f *fleet) refused(r *order, batch []rotation.Instance, fault Fault) (refused map[string]rotation.Refusal) {
	refuse := func(id string, why rotation.Refusal) {
		if refused == nil {
			refused = map[string]rotation.Refusal{}
		}
		refused[id] = why
	}
	for i := range batch {
		id := batch[i].ID
		f.w.mix(id)
		switch m := f.machine(id); {
		case m == nil:
			refuse(id, rotation.Refusal{Kind: rotation.RefusedUnable, Code: "NotFound", Reason: "is gone"})
		case i == 0 && fault == Refused:
			refuse(id, rotation.Refusal{Code: "Unheard", Reason: "for a reason of its own"})
		case i == 0 && fault == Busy:
			refuse(id, rotation.Refusal{Kind: rotation.RefusedBusy, Code: "Mutex", Reason: "has an operation in progress"})
		default:
			if kind := r.refuses(m); kind != "" && len(batch) == 1 {
				return m.refused(kind, r.site)
			} else if kind != "" {
				refuse(id, rotation.Refusal{Kind: kind, Code: "Refused", Reason: "cannot " + r.site})
			}
		}
	}
	return refused
}

// refusal is what a machine was refused for when a request was about it alone: most often what it was refused for before.
type refusal struct {
	kind     rotation.RefusalKind
	site     string
	machines map[string]rotation.Refusal // nobody writes to it
}

func (m *Machine) refused(kind rotation.RefusalKind, site string) map[string]rotation.Refusal {
	if r := &m.refusal; r.kind != kind || r.site != site {
		*r = refusal{kind, site, map[string]rotation.Refusal{m.ID: {Kind: kind, Code: "Refused", Reason: "cannot " + site}}}
	}
	return m.refusal.machines
}

// take has the effect of a request on the machines that are not refused, or on those that the fault leaves.
func (f *fleet) take(r *order, batch []rotation.Instance, refused map[string]rotation.Refusal, id string, fault Fault) {
	if fault == Part {
		batch = batch[:len(batch)/2]
	}
	for i := range batch {
		if _, ok := refused[batch[i].ID]; ok {
			continue
		}
		own, m := id, f.machine(batch[i].ID)
		if i > 0 && f.w.answers.OwnRequestIDs {
			own += "-" + strconv.Itoa(i)
			m.unsure = m.unsure || r.kind == rotation.OpReset
		}
		r.effect(f.w, m, own, fault)
	}
}

func (f *fleet) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	if err := ctx.Err(); err != nil {
		return rotation.Operation{}, err
	}
	r := order{site: "reset", kind: rotation.OpReset, from: rotation.Stopped, password: c.Password.Reveal()}
	if f.w.kind.Boot {
		r.from = ""
	}
	f.w.checkReset(batch, r.password)
	return f.send(r, batch)
}

func (f *fleet) power(site string, k rotation.OpKind, batch []rotation.Instance, from rotation.PowerState) (rotation.Operation, error) {
	return f.send(order{site: site, kind: k, from: from}, batch)
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
		n := 0
		for i := range ops {
			n += len(ops[i].Instances)
		}
		out = make([]rotation.Result, 0, n)
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
		setting := "generation " + strconv.Itoa(mark.Generation)
		if f.w.setters[setting] == nil {
			f.w.setters[setting] = map[*invocation]bool{}
		}
		f.w.inv.setting, f.w.setters[setting][f.w.inv] = setting, true
	}
	for i := range batch {
		f.w.on(batch[i].ID)
	}
	value := mark.Value()
	return f.w.call(markSite(mark.State), func(fault Fault) error {
		for i := range batch {
			m := f.machine(batch[i].ID)
			if m == nil {
				return fmt.Errorf("mark %s: %w", batch[i].ID, rotation.ErrNotFound)
			}
			f.w.mix(m.ID)
			switch half := len(batch) / 2; {
			case fault != Part || i < half:
				m.note(f.w, mark.Secret, value)
			case i == half:
				m.note(f.w, mark.Secret, m.Tags[rotation.MarkTag]) // of its two tags the first
			}
		}
		return nil
	})
}

func markSite(s rotation.MarkState) string {
	switch s {
	case rotation.MarkDown:
		return "mark-down"
	case rotation.MarkUp:
		return "mark-up"
	case rotation.MarkOK:
		return "mark-ok"
	}
	return "mark-" + string(s)
}
