package rotation

import (
	"cmp"
	"time"
)

// PlanReport is what a rotation would do. Nothing was sent and nothing was stored for it.
type PlanReport struct {
	// Generation is the one that would be made, or the pending one that would be gone on with (Pending is then true).
	Generation int     `json:"generation"`
	Pending    bool    `json:"pending,omitempty"`
	Length     int     `json:"length,omitempty"`
	Bits       float64 `json:"bits,omitempty"` // of entropy
	Rules      string  `json:"rules,omitempty"`
	// Done have the pending password already. Running would be taken down and started again, Restarted of them by a restart
	// after the reset; Online would be reset while they run; Stopped would be reset and stay stopped. Waiting of these two
	// have the password in force from their next boot on.
	Done      int `json:"done"`
	Running   int `json:"running"`
	Restarted int `json:"restarted,omitempty"`
	Online    int `json:"online"`
	Stopped   int `json:"stopped"`
	Waiting   int `json:"waiting,omitempty"`
	// ByLogin and ByRecord are how these would be proven, but for those that wait. Unproven would not be: they take no
	// logins, and the provider keeps no record.
	ByLogin  int `json:"byLogin"`
	ByRecord int `json:"byRecord"`
	Unproven int `json:"unproven,omitempty"`
	// Capacity is how many would be down at once, in Waves waves, the first that of the Canary.
	Capacity int    `json:"capacity"`
	Waves    int    `json:"waves"`
	Canary   string `json:"canary,omitempty"`
	// Requests of the provider, estimated.
	Resets   int `json:"resets"`
	Stops    int `json:"stops"`
	Starts   int `json:"starts"`
	Restarts int `json:"restarts,omitempty"`
	// Seconds is about how long it would take, at three minutes a wave.
	Seconds float64 `json:"seconds"`
	Window  string  `json:"window,omitempty"`
	// Opens reports whether machines may be stopped now.
	Opens bool `json:"open"`
	// Refused says why the run would be refused before anything is sent; empty when it would not be.
	Refused string `json:"refused,omitempty"`
}

// waveSeconds is what a wave is estimated to take: a soft stop, a reset and a start.
const waveSeconds = 180

// plan says what rotate would do.
func (e *engine) plan() (Outcome, error) {
	p := &PlanReport{Window: e.policy.Window.String(), Opens: e.policy.Window.Open(e.clock().Now())}
	e.planned = p
	v := Version{Generation: 1}
	if len(e.history) > 0 {
		v.Generation = e.history[0].Generation + 1
	}
	makes := false
	switch p.Pending = e.pending != nil && !e.request.NewCandidate && !e.mustSupersede(); {
	case p.Pending:
		v = *e.pending
	case e.request.Action == Resume:
		e.planned, e.why = nil, "nothing is pending"
		return Nothing, nil
	case e.request.Action == Reconcile && (e.current == nil || e.birth == ""):
		e.planned, e.why = nil, "nothing was rotated yet: relock rotate makes the first generation"
		return Nothing, nil
	case e.request.Action == Reconcile:
		v = *e.current
	default:
		makes = true
	}
	p.Generation = v.Generation
	e.fix(v, false)
	var refused error
	if makes {
		refused = cmp.Or(e.planPassword(p), e.refusal())
	}
	e.planMachines(p)
	if e.count() == 0 {
		e.why = e.emptyScope()
	}
	if refused != nil {
		p.Refused = refused.Error()
		return Planned, refused
	}
	return Planned, nil
}

func (e *engine) planPassword(p *PlanReport) error {
	if e.count() == 0 {
		return nil
	}
	rules, err := e.rules()
	if err != nil {
		return err
	}
	p.Rules = rules.Name
	p.Length, p.Bits, err = rules.Strength(e.Recipe)
	return err
}

func (e *engine) planMachines(p *PlanReport) {
	resets, stops, restarts := make([]int, len(e.Fleets)), make([]int, len(e.Fleets)), make([]int, len(e.Fleets))
	limit := 1
	for i := range e.run.machines {
		m := &e.run.machines[i]
		if m.state == StateProven {
			p.Done++
		}
		if m.state != StatePlanned || !m.mayTouch {
			continue
		}
		limit = max(limit, m.maxBatch)
		resets[m.fleet]++
		switch {
		case m.disruptive():
			p.Running++
			if m.needsStopped {
				stops[m.fleet]++
			} else {
				p.Restarted++
				restarts[m.fleet]++
			}
			p.Canary = cmp.Or(p.Canary, m.id)
		case m.power == Running:
			p.Online++
		default:
			p.Stopped++
		}
		e.planProof(p, m, e.inst(i).OS)
	}
	if e.policy.BatchSize > 0 {
		limit = min(limit, e.policy.BatchSize)
	}
	p.Capacity = min(e.run.capacity, p.Running)
	if p.Running > 0 {
		canary := max(0, min(e.policy.Canary, p.Running))
		p.Waves = share(canary, e.run.capacity) + share(p.Running-canary, e.run.capacity)
	}
	p.Seconds = (time.Duration(p.Waves) * waveSeconds * time.Second).Seconds()
	wave := min(limit, e.run.capacity)
	for f := range e.Fleets {
		p.Resets += share(resets[f]-stops[f]-restarts[f], limit) + share(stops[f], wave) + share(restarts[f], wave)
		p.Stops += share(stops[f], wave)
		p.Restarts += share(restarts[f], wave)
	}
	p.Starts = p.Stops
}

// planProof counts how a machine would be proven.
func (e *engine) planProof(p *PlanReport, m *machine, os OS) {
	switch {
	case m.atBoot && !m.disruptive():
		p.Waiting++
	case e.policy.Proof == ProofLogin && e.Verifier != nil && m.power == Running && os == Linux:
		p.ByLogin++
	case m.reported:
		p.ByRecord++
	default:
		p.Unproven++
	}
}

// share is how many parts of a size n makes.
func share(n, size int) int { return (n + size - 1) / size }
