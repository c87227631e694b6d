package rotation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
	"pgregory.net/rapid"
)

// drawFleet puts machines of every kind into a world. It reports whether all of them are healthy.
func drawFleet(t *rapid.T, w *rotationtest.World, proof rotation.Proof) (healthy bool) {
	healthy = true
	for range rapid.IntRange(1, 9).Draw(t, "machines") {
		os := rapid.SampledFrom([]rotation.OS{rotation.Linux, rotation.Linux, rotation.Windows}).Draw(t, "os")
		m := w.Add(os, rapid.SampledFrom([]rotation.PowerState{rotation.Running, rotation.Running, rotation.Stopped}).Draw(t, "power"))
		switch rapid.SampledFrom([]string{"", "", "", "", "unable", "key pair", "broken", "hangs", "no login"}).Draw(t, "quirk") {
		case "unable":
			m.Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "isolated"}
		case "key pair":
			m.KeyPair = "skey-1"
		case "broken":
			// What the provider accepts and does not do is beyond a policy that asks for no more than acceptance.
			m.Broken = proof != rotation.ProofAccepted
			healthy = false
		case "hangs":
			m.Hangs, healthy = true, false
		case "no login":
			m.NoLogin = true
		}
		healthy = healthy && !m.NoLogin
	}
	return healthy
}

// drawPolicy draws what an operator may have configured.
func drawPolicy(t *rapid.T, p *rotation.Policy, kind rotationtest.Kind) {
	p.Restart = rapid.SampledFrom([]rotation.Restart{rotation.RestartGraceful, rotation.RestartGraceful, rotation.RestartForce, rotation.RestartNever}).Draw(t, "restart")
	p.Proof = rapid.SampledFrom([]rotation.Proof{"", rotation.ProofLogin, rotation.ProofProvider, rotation.ProofAccepted}).Draw(t, "proof")
	if kind.Boot && p.Proof == rotation.ProofAccepted {
		p.Proof = rotation.ProofLogin // there acceptance says nothing of what is in force
	}
	p.Canary = rapid.IntRange(-1, 3).Draw(t, "canary")
	p.MaxUnavailable = rotation.Share{Number: rapid.IntRange(1, 5).Draw(t, "unavailable")}
	p.MaxExceptions = rapid.IntRange(0, 2).Draw(t, "exceptions")
	p.MaxAttempts = rapid.IntRange(0, 3).Draw(t, "attempts")
	p.BatchSize = rapid.IntRange(0, 2).Draw(t, "batch")
	p.IncludeKeyPairs = rapid.Bool().Draw(t, "key pairs")
}

// Whatever the machines are like and whatever the policy allows, every run ends, keeps the promise, leaves the power of
// every machine as it was, and its report is true.
func TestAnyFleetUnderAnyPolicyEndsWellAndIsReportedTruly(t *testing.T) {
	for range 8 { // a hundred fleets each
		rapid.Check(t, anyFleet)
	}
}

func anyFleet(t *rapid.T) {
	kind := rotationtest.Kind{Labels: rapid.Bool().Draw(t, "labels"), Boot: rapid.Bool().Draw(t, "boot")}
	w := rotationtest.NewWorld(kind)
	var p rotation.Policy
	drawPolicy(t, &p, kind)
	healthy := drawFleet(t, w, p.Proof)
	w.AtMost(p.MaxUnavailable.Number)
	w.Allow(p.MaxExceptions)
	if !healthy {
		w.Blame() // a machine that fails may be stopped again, up to three times
		w.Blame()
	}
	logins := rapid.Bool().Draw(t, "logins")
	change := func(r *rotation.Rotator) {
		r.Policy = p
		if !logins {
			r.Verifier = nil
		}
	}
	for range rapid.IntRange(1, 5).Draw(t, "runs") {
		req := rotation.Request{Action: rapid.SampledFrom([]rotation.Action{rotation.Rotate, rotation.Rotate, rotation.Resume, rotation.Reconcile, rotation.Verify}).Draw(t, "action")}
		if req.Action == rotation.Rotate && rapid.IntRange(0, 3).Draw(t, "only") == 0 {
			req.Only = []string{"m0"}
		}
		before := w.Current()
		began := w.Now()
		report, err := do(w, req, change)
		if report == nil {
			t.Fatalf("%s does not end\n%s", req.Action, strings.Join(w.Trace, "\n"))
		}
		checkReport(t, w, report, err, before)
		if d := w.Now().Sub(began); d > 6*time.Hour {
			t.Errorf("%s took %v", req.Action, d)
		}
		w.Advance(time.Hour)
	}
	if len(w.Violations) > 0 {
		t.Fatalf("%s\n%s", strings.Join(w.Violations, "\n"), strings.Join(w.Trace, "\n"))
	}
}

// Wherever a run dies or an answer is lost: the next ones bring every machine's power back, and where nothing but the
// fault stood in the way they end the rotation.
func TestAnyFleetIsBroughtToItsEndAfterAnyFault(t *testing.T) {
	for range 8 {
		rapid.Check(t, anyFault)
	}
}

func anyFault(t *rapid.T) {
	kind := rotationtest.Kind{Labels: rapid.Bool().Draw(t, "labels"), Boot: rapid.Bool().Draw(t, "boot")}
	w := rotationtest.NewWorld(kind)
	var p rotation.Policy
	drawPolicy(t, &p, kind)
	healthy := drawFleet(t, w, p.Proof)
	w.AtMost(p.MaxUnavailable.Number)
	w.Allow(p.MaxExceptions)
	if !healthy {
		w.Blame()
		w.Blame()
	}
	run := func(req rotation.Request, faults map[int]rotationtest.Fault) {
		r := w.Rotator()
		r.Policy = p
		w.Run(r, req, func(n int, _ string) rotationtest.Fault { return faults[n] })
	}
	faults := map[int]rotationtest.Fault{}
	for range rapid.IntRange(1, 3).Draw(t, "faults") {
		faults[rapid.IntRange(1, 150).Draw(t, "call")] = rapid.SampledFrom([]rotationtest.Fault{
			rotationtest.KillBefore, rotationtest.KillAfter, rotationtest.FailBefore, rotationtest.FailAfter, rotationtest.Throttled,
		}).Draw(t, "fault")
	}
	for range rapid.IntRange(1, 2).Draw(t, "runs") {
		run(rotation.Request{}, faults)
		w.Advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
	}
	for range 3 {
		run(rotation.Request{Action: rotation.Resume}, nil)
		w.Advance(5 * time.Minute)
		run(rotation.Request{Action: rotation.Reconcile}, nil)
		w.Advance(5 * time.Minute)
	}
	for _, m := range w.Machines {
		if m.Power != m.Was {
			t.Errorf("%s was %s and is %s", m.ID, m.Was, m.Power)
		}
	}
	attempts := p.MaxAttempts == 0 || p.MaxAttempts > len(faults)
	if _, err := w.Ledger().Get(t.Context(), rotationtest.Secret, rotation.Pending); err == nil && healthy && attempts && p.Restart != rotation.RestartNever && !kind.Boot {
		t.Errorf("a version is still pending")
	}
	if len(w.Violations) > 0 || t.Failed() {
		t.Fatalf("%s\n%s", strings.Join(w.Violations, "\n"), strings.Join(w.Trace, "\n"))
	}
}

func checkReport(t *rapid.T, w *rotationtest.World, r *rotation.Report, err error, before string) {
	if bad := r.Outcome == rotation.Failure || r.Outcome == rotation.Partial; bad != (err != nil) {
		t.Errorf("%s ended %s with error %v", r.Action, r.Outcome, err)
	}
	if promoted := w.Current() != before; promoted != (r.Outcome == rotation.Rotated && r.Action != rotation.Reconcile) && r.Action == rotation.Rotate {
		t.Errorf("%s ended %s, and current changed: %v", r.Action, r.Outcome, promoted)
	}
	c := r.Counts
	if sum := c.Proven + c.Accepted + c.Waiting + c.Unproven + c.Unable + c.Held + c.Failed + c.Drifted + c.Unfinished; sum != c.Scope || len(r.Machines) != c.Scope {
		t.Errorf("the counts %+v of %d machines add up to %d", c, len(r.Machines), sum)
	}
	versions, err := w.Ledger().History(t.Context(), rotationtest.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range r.Machines {
		m := machine(w, line.ID)
		if m.Power != m.Was || line.Was != m.Was || line.Power != m.Power {
			t.Errorf("%s was %s and is %s; the report says %s and %s", m.ID, m.Was, m.Power, line.Was, line.Power)
		}
		i := slices.IndexFunc(versions, func(v rotation.Version) bool { return v.Generation == r.Generation })
		if line.State == rotation.StateProven && i >= 0 && m.Live != versions[i].Password.Reveal() {
			t.Errorf("%s is reported proven on %d by %s, and does not open with it", m.ID, r.Generation, line.Evidence)
		}
		if final := line.State.Final(); final && line.State != rotation.StateProven && line.State != rotation.StateAccepted && line.Reason == "" {
			t.Errorf("%s is %s for no reason", m.ID, line.State)
		}
		opens := slices.ContainsFunc(versions, func(v rotation.Version) bool {
			return slices.Contains(line.Generations, v.Generation) && v.Password.Reveal() == m.Live
		})
		if !opens {
			t.Errorf("%s: the report says that %v may open it, and none does", m.ID, line.Generations)
		}
	}
}
