package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// A preflighting fleet knows of machines whose resets are accepted and never carried out.
type preflighting struct {
	rotation.Fleet
	rotation.Power
	rotation.Marker
	refused map[string]rotation.Refusal
	err     error
	asked   *[]string
}

func (p preflighting) Preflight(_ context.Context, batch []rotation.Instance) (map[string]rotation.Refusal, error) {
	for _, inst := range batch {
		*p.asked = append(*p.asked, inst.ID)
	}
	return p.refused, p.err
}

var noPlugin = rotation.Refusal{Reason: "its plug-in is not installed", Remedy: "install it"}

// preflights puts a Preflighter before every fleet; asked are the machines that it was asked about.
func preflights(p preflighting) change {
	return func(r *rotation.Rotator) {
		for i, f := range r.Fleets {
			r.Fleets[i] = preflighting{f, f.(rotation.Power), f.(rotation.Marker), p.refused, p.err, p.asked}
		}
	}
}

func TestAMachineThatAResetWouldNotReachIsLeftAlone(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 3, rotation.Running)
	w.Allow(1) // the world does not know that m1 cannot be reset
	var asked []string
	report := must(t, w, rotation.Request{}, rotation.Rotated,
		preflights(preflighting{refused: map[string]rotation.Refusal{"m1": noPlugin}, asked: &asked}))
	if got := line(t, report, "m1"); got.State != rotation.StateUnable || got.Reason != noPlugin.Reason || got.Remedy != noPlugin.Remedy {
		t.Errorf("m1 = %+v; want it unable, for its plug-in", got)
	}
	if m := w.Machines[1]; stops(m) != 0 || m.Live != rotationtest.Baseline || m.Next != "" {
		t.Errorf("m1 was taken down %d times, or was sent a password", stops(m))
	}
	slices.Sort(asked)
	if !slices.Equal(asked, []string{"m0", "m1", "m2"}) {
		t.Errorf("asked about %v; want each machine once", asked)
	}
}

func TestAPlanKnowsWhatAResetWouldNotReach(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 2, rotation.Running)
	var asked []string
	report := must(t, w, rotation.Request{Action: rotation.Plan}, rotation.Planned,
		preflights(preflighting{refused: map[string]rotation.Refusal{"m1": noPlugin}, asked: &asked}))
	if got := line(t, report, "m1"); got.State != rotation.StateUnable || report.Plan.Running != 1 {
		t.Errorf("m1 = %+v, %d would be rotated; want it unable, and one", got, report.Plan.Running)
	}
}

func TestAResumeAsksOnlyAboutMachinesThatAreNotDone(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 3, rotation.Running)
	w.Machines[2].NoLogin = true
	if _, err := do(w, rotation.Request{}); err == nil {
		t.Fatal("rotate ended well with a machine that takes no logins")
	}
	var asked []string
	if _, err := do(w, rotation.Request{Action: rotation.Resume}, preflights(preflighting{asked: &asked})); err == nil {
		t.Fatal("resume ended well with a machine that takes no logins")
	}
	if !slices.Equal(asked, []string{"m2"}) {
		t.Errorf("asked about %v; want m2 alone", asked)
	}
	asked = nil
	if _, err := do(w, rotation.Request{Action: rotation.Verify}, preflights(preflighting{asked: &asked})); err != nil || len(asked) > 0 {
		t.Errorf("verify = %v, asked about %v; it sends nothing", err, asked)
	}
}

func TestAPreflightThatFailsStopsARunOnlyWhenNothingIsAllowed(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 2, rotation.Running)
	var asked []string
	report, err := do(w, rotation.Request{}, preflights(preflighting{err: rotation.ErrUnauthorized, asked: &asked}))
	if !errors.Is(err, rotation.ErrUnauthorized) || w.Sites["store-create"]+w.Sites["reset"] > 0 {
		t.Errorf("rotate = %s, %v; want it refused before anything is stored or sent", report.Outcome, err)
	}
	report = must(t, w, rotation.Request{}, rotation.Rotated, preflights(preflighting{err: errors.New("a gateway"), asked: &asked}))
	if !strings.Contains(strings.Join(report.Warnings, "\n"), "could not be checked") {
		t.Errorf("warnings %q; want that the machines were not checked", report.Warnings)
	}
	everywhere(t, w)
}
