package rotation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// counts adds up the run's machines.
func (e *engine) counts() Counts {
	var c Counts
	c.Scope = len(e.run.machines)
	for i := range e.run.machines {
		m := &e.run.machines[i]
		switch m.state {
		case StateProven:
			c.Proven++
			switch m.evidence {
			case ByLogin:
				c.Login++
			case ByRecord:
				c.Record++
			case ByMark:
				c.Mark++
			}
		case StateAccepted:
			c.Accepted++
		case StateWaiting:
			c.Waiting++
		case StateUnproven:
			c.Unproven++
		case StateUnable:
			c.Unable++
		case StateHeld:
			c.Held++
		case StateFailed:
			c.Failed++
		case StateDrifted:
			c.Drifted++
		default:
			c.Unfinished++
		}
		if m.counts && !m.good() && m.state != StateUnable {
			c.Behind++
		}
	}
	return c
}

// report tells all that is known now. It never fails: what cannot be read is a warning in it.
func (e *engine) report(ctx context.Context, outcome Outcome, err error) *Report {
	now := e.clock().Now()
	r := &Report{
		Secret: e.Secret, StoreName: e.StoreName, Action: e.request.Action, Outcome: outcome, Why: e.why, DryRun: e.dry,
		Generation: e.version.Generation, Token: e.version.Token, Created: e.version.Created,
		Started: e.began.UTC(), Ended: now.UTC(), Seconds: now.Sub(e.began).Seconds(),
		Counts: e.counts(), Plan: e.planned, Warnings: e.run.warnings, Machines: make([]MachineReport, 0, len(e.run.machines)),
	}
	if err != nil {
		r.Why = err.Error()
	}
	if e.current != nil {
		r.From = e.current.Generation
	}
	if r.Generation == 0 {
		r.Generation = r.From
	}
	if e.pending != nil && outcome != Rotated && !e.pending.Created.IsZero() {
		r.PendingSeconds = now.Sub(e.pending.Created).Seconds()
	}
	r.Calls, r.Throttled = e.Calls.Counts()
	for i := range e.run.machines {
		r.Machines = append(r.Machines, e.machineReport(i))
	}
	r.Down = e.downtime()
	if !e.dry && len(e.history) > 0 {
		stored, err := e.usage(ctx)
		if err != nil {
			r.Warnings = append(r.Warnings, "how full the store is could not be read: "+err.Error())
		} else if r.Stored = stored; stored != nil && stored.warning() != "" {
			r.Warnings = append(r.Warnings, stored.warning())
		}
	}
	r.Next = r.next()
	return r
}

// usage asks the store how full it is; nil when it does not tell.
func (e *engine) usage(ctx context.Context) (*Stored, error) {
	u, ok := e.Store.(interface {
		Usage(context.Context, string) (Stored, error)
	})
	if !ok {
		return nil, nil
	}
	stored, err := u.Usage(ctx, e.Secret)
	return &stored, err
}

func (e *engine) machineReport(i int) MachineReport {
	m, inst := &e.run.machines[i], e.inst(i)
	out := MachineReport{
		ID: m.id, Name: inst.Name, Region: inst.Region, OS: inst.OS, State: m.state, Power: m.power, Was: m.was,
		Reason: m.why.Reason, Remedy: m.why.Remedy, Code: m.why.Code, Evidence: m.evidence,
		RequestID: cmp.Or(m.why.RequestID, m.opID), Request: m.op, Counts: m.counts && m.state != StateUnable,
		Stops: m.tries, DownSeconds: m.down.Seconds(), Unknown: !m.known && m.state != StateProven,
		On: e.on(m, inst.Mark),
	}
	if m.state == StateProven {
		out.Generations = []int{e.version.Generation}
		return out
	}
	var sent *Version
	if m.sends > 0 {
		sent = &e.version
	}
	out.Generations = make([]int, len(e.history))
	for i, at := range likeliest(e.history, e.current, sent, inst.Mark, e.secretMark()) {
		out.Generations[i] = e.history[at].Generation
	}
	return out
}

// on is the generation that a machine is known to be on; zero when nothing tells.
func (e *engine) on(m *machine, mark Mark) int {
	switch {
	case m.state == StateProven || m.state == StateAccepted:
		return e.version.Generation
	case m.state == StatePlanned || m.state == StateHeld || m.state == StateUnable:
		if mark.State == MarkOK {
			return marked(e.history, mark, e.secretMark())
		}
	}
	return 0
}

// downtime adds up what the run cost.
func (e *engine) downtime() Downtime {
	d := Downtime{AtOnce: e.run.peak, Left: e.left()}
	var all []float64
	for i := range e.run.machines {
		m := &e.run.machines[i]
		if m.stops == 0 && m.down == 0 {
			continue
		}
		d.Machines++
		if m.tries > 1 {
			d.Again++
		}
		seconds := m.down.Seconds()
		all = append(all, seconds)
		d.Total += seconds
		if seconds > d.Longest {
			d.Longest, d.LongestID = seconds, m.id
		}
	}
	if len(all) > 0 {
		slices.Sort(all)
		d.Median = all[len(all)/2]
	}
	return d
}

// next are the commands that an operator would type now.
func (r *Report) next() []string {
	var out []string
	switch r.Outcome {
	case Incomplete, Partial:
		out = append(out, "relock resume")
	case Drift:
		out = append(out, "relock reconcile")
	case Rotated:
		if n := r.Counts.Failed + r.Counts.Unproven; n > 0 {
			out = append(out, "relock reconcile")
		}
	}
	for _, m := range r.Machines {
		if m.State == StateFailed || m.State == StateUnproven || m.State == StateDrifted {
			return append(out, fmt.Sprintf("relock lookup %s", m.ID))
		}
	}
	return out
}

// marked returns the generation that a mark of this secret speaks of, the newest where several fit; zero when none does.
func marked(history []Version, mark Mark, secret string) int {
	for i := range history {
		if mark.names(secret, history[i].Generation) {
			return history[i].Generation
		}
	}
	return 0
}

// candidates returns the versions whose password may open a machine, likeliest first. It always holds every version:
// what is live may be any that was ever sent.
func candidates(history []Version, current, sent *Version, mark Mark, secret string) []Version {
	out := make([]Version, len(history))
	for i, at := range likeliest(history, current, sent, mark, secret) {
		out[i] = history[at]
	}
	return out
}

// likeliest returns the order of candidates, as indices of history.
func likeliest(history []Version, current, sent *Version, mark Mark, secret string) []int {
	var first []int
	if sent != nil {
		first = append(first, sent.Generation)
	}
	if g := marked(history, mark, secret); g > 0 {
		first = appendNew(first, g)
	}
	if current != nil {
		first = appendNew(first, current.Generation)
	}
	out := make([]int, 0, len(history))
	for _, g := range first {
		for at := range history {
			if history[at].Generation == g {
				out = append(out, at)
			}
		}
	}
	for at := range history {
		if !slices.Contains(first, history[at].Generation) {
			out = append(out, at)
		}
	}
	return out
}
