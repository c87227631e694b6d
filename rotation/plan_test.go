package rotation_test

import (
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

var plan = rotation.Request{Action: rotation.Plan}

func TestPlanSaysWhatARotationWouldDo(t *testing.T) {
	w := newWorld(t, whenStopped)
	w.Batch(100)
	add(w, 7, rotation.Running)               // m0 to m6
	add(w, 2, rotation.Stopped)               // m7, m8
	w.Add(rotation.Windows, rotation.Running) // m9: no login
	w.Add(rotation.Linux, rotation.Running).Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "isolated for arrears"}
	w.Add(rotation.Linux, rotation.Running).KeyPair = "skey-1"
	var r *rotation.Report
	untouched(t, w, func() { r = must(t, w, plan, rotation.Planned, unavailable(3)) })
	p := r.Plan
	if p == nil {
		t.Fatal("the report has no plan")
	}
	for _, row := range []struct {
		name      string
		got, want int
	}{
		{"generation", p.Generation, 2}, {"running", p.Running, 8}, {"stopped", p.Stopped, 2}, {"online", p.Online, 0}, {"done", p.Done, 0},
		{"by login", p.ByLogin, 7}, {"by record", p.ByRecord, 3}, {"capacity", p.Capacity, 3}, {"waves", p.Waves, 1 + 3},
		{"unable", r.Counts.Unable, 1}, {"held back", r.Counts.Held, 1}, {"scope", r.Counts.Scope, 12}, {"length", p.Length, 24},
		{"from", r.From, 1},
	} {
		if row.got != row.want {
			t.Errorf("%s is %d; want %d", row.name, row.got, row.want)
		}
	}
	if p.Pending || p.Canary != "m0" || p.Bits < 70 || p.Seconds != (4*3*time.Minute).Seconds() || !p.Opens || p.Refused != "" || p.Rules == "" {
		t.Errorf("the plan is %+v", p)
	}
}

// Where a password takes effect at the next boot, running machines are restarted after their reset, and stopped ones wait.
func TestPlanTellsRestartsAndWaitingApart(t *testing.T) {
	w := newWorld(t, atBoot)
	w.Batch(100)
	add(w, 3, rotation.Running)
	w.Add(rotation.Windows, rotation.Running) // no login
	add(w, 2, rotation.Stopped)
	for _, row := range []struct {
		policy rotation.Restart
		want   rotation.PlanReport
	}{
		{rotation.RestartGraceful, rotation.PlanReport{Running: 4, Restarted: 4, Stopped: 2, Waiting: 2, ByLogin: 3, Unproven: 1, Restarts: 2, Resets: 4}},
		{rotation.RestartNever, rotation.PlanReport{Online: 4, Stopped: 2, Waiting: 6, Resets: 2}},
	} {
		untouched(t, w, func() {
			p := must(t, w, plan, rotation.Planned, restart(row.policy), func(r *rotation.Rotator) { r.Policy.Proof = rotation.ProofLogin }).Plan
			got := rotation.PlanReport{Running: p.Running, Restarted: p.Restarted, Online: p.Online, Stopped: p.Stopped, Waiting: p.Waiting,
				ByLogin: p.ByLogin, ByRecord: p.ByRecord, Unproven: p.Unproven, Resets: p.Resets, Stops: p.Stops, Starts: p.Starts, Restarts: p.Restarts}
			if got != row.want {
				t.Errorf("%s: the plan is %+v; want %+v", row.policy, got, row.want)
			}
		})
	}
}

func TestPlannedWavesAreThoseThatHappen(t *testing.T) {
	for _, row := range []struct{ running, capacity, canary, want int }{{1, 10, 0, 1}, {11, 10, 0, 2}, {8, 3, 0, 4}, {8, 8, -1, 1}, {8, 4, -1, 2}, {9, 4, 5, 3}} {
		w := newWorld(t, whenStopped)
		w.Batch(100)
		w.AtMost(row.capacity)
		add(w, row.running, rotation.Running)
		canary := policy(func(p *rotation.Policy) { p.Canary = row.canary })
		p := must(t, w, plan, rotation.Planned, canary).Plan
		if p.Waves != row.want {
			t.Errorf("%d machines, %d at once, canary %d: %d waves are planned; want %d", row.running, row.capacity, row.canary, p.Waves, row.want)
		}
		times := map[time.Time]bool{}
		must(t, w, rotation.Request{}, rotation.Rotated, canary, before(w, func(s rotationtest.Sent) error {
			if s.Site == "stop" {
				times[w.Now()] = true
			}
			return nil
		}))
		if len(times) != row.want {
			t.Errorf("%d machines, %d at once, canary %d: %d waves happened; want %d", row.running, row.capacity, row.canary, len(times), row.want)
		}
	}
}

func TestPlanOfWhatIsPendingGoesOnWithIt(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{Only: []string{"m1"}}, rotation.Incomplete)
		untouched(t, w, func() {
			p := must(t, w, plan, rotation.Planned).Plan
			if !p.Pending || p.Generation != 2 || p.Done != 1 || p.Running != 2 {
				t.Errorf("the plan is %+v; want to go on with 2, one done, two running", p)
			}
			p = must(t, w, rotation.Request{Action: rotation.Plan, NewCandidate: true}, rotation.Planned).Plan
			if p.Pending || p.Generation != 3 || p.Done != 0 {
				t.Errorf("the plan of a new candidate is %+v; want to make 3, none done", p)
			}
			p = must(t, w, plan, rotation.Planned, strict(w, "m2")).Plan
			if p.Pending || p.Generation != 3 {
				t.Errorf("the plan is %+v; want to make 3: what is pending breaks the rules of m2", p)
			}
		})
	})
}

func TestPlanSaysWhyTheRotationWouldBeRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	for name, c := range map[string]struct {
		change
		says string
	}{
		"policy": {restart(rotation.RestartNever), "RELOCK_RESTART=graceful"},
		"recipe": {func(r *rotation.Rotator) { r.Recipe.Length = 99 }, "99 characters"},
	} {
		untouched(t, w, func() {
			report, err := do(w, plan, c.change)
			refused(t, err, c.says)
			if report.Outcome != rotation.Planned || report.Plan.Refused != err.Error() {
				t.Errorf("%s: the plan ended %s, refused for %q; want planned, refused for %q", name, report.Outcome, report.Plan.Refused, err)
			}
		})
		if _, err := do(w, rotation.Request{}, c.change); err == nil {
			t.Errorf("%s: the rotation itself was not refused", name)
		}
	}
}

func TestPlanKnowsTheWindow(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	if p := must(t, w, plan, rotation.Planned, shut(t, w)).Plan; p.Opens || p.Window == "always" {
		t.Errorf("the window %s is open: %v; want closed", p.Window, p.Opens)
	}
	if p := must(t, w, plan, rotation.Planned, open(t, w, time.Hour)).Plan; !p.Opens {
		t.Errorf("the window %s is closed; want open", p.Window)
	}
}

// A dry run of an action that makes no generation does not say that one would be made.
func TestDryRunOfResumeAndReconcileMakesNoGeneration(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		dry := func(a rotation.Action, want rotation.Outcome) *rotation.Report {
			return must(t, w, rotation.Request{Action: a, DryRun: true}, want)
		}
		dry(rotation.Resume, rotation.Nothing)
		dry(rotation.Reconcile, rotation.Nothing)
		must(t, w, rotation.Request{}, rotation.Rotated)
		w.Add(rotation.Linux, rotation.Running)
		if r := dry(rotation.Resume, rotation.Nothing); r.Plan != nil {
			t.Errorf("a dry resume with nothing pending has the plan %+v", r.Plan)
		}
		if p := dry(rotation.Reconcile, rotation.Planned).Plan; p.Generation != 2 || p.Done != 2 || p.Running != 1 {
			t.Errorf("a dry reconcile plans %+v; want generation 2, two done, one running", p)
		}
	})
}
