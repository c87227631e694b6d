package rotation_test

import (
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestRequestThatCannotBeMeantIsRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		req  rotation.Request
		says []string
	}{
		{"an action that there is not", rotation.Request{Action: "reboot"}, []string{`action "reboot"`, "rotate", "resume"}},
		{"a step that there is not", rotation.Request{Step: "drop"}, []string{`step "drop"`, "create, set, test or finish"}},
		{"a step of another action", rotation.Request{Action: rotation.Resume, Step: rotation.StepSet}, []string{"rotate only"}},
		{"another secret", rotation.Request{Secret: "root"}, []string{`"root"`, "RELOCK_SECRET=admin", "cannot choose another"}},
		{"a machine outside the scope", rotation.Request{Only: []string{"m0", "m2", "elsewhere"}}, []string{"m2, elsewhere", "never widen", "east, west"}},
		{"a new candidate of an action that makes none", rotation.Request{Action: rotation.Reconcile, NewCandidate: true}, []string{"rotate only"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, whenStopped)
			add(w, 2, rotation.Running)
			w.Add(rotation.Linux, rotation.Running).Tags = map[string]string{"rotate": "no"}
			untouched(t, w, func() {
				report, err := do(w, row.req)
				refused(t, err, row.says...)
				if report.Outcome != rotation.Failure || report.Why != err.Error() {
					t.Errorf("the report says %s: %q; want failed with the error's text", report.Outcome, report.Why)
				}
			})
		})
	}
}

func TestNamedSecretThatIsTheConfiguredOneIsTaken(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	must(t, w, rotation.Request{Secret: rotationtest.Secret}, rotation.Rotated)
}

func TestScopeThatSelectsNothingByDefinitionIsRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	untouched(t, w, func() {
		_, err := do(w, rotation.Request{}, func(r *rotation.Rotator) {
			r.Scope = rotation.Selector{ExcludeTags: map[string][]string{"x": nil}}
		})
		refused(t, err, "RELOCK_INSTANCES", "RELOCK_TAGS")
	})
}

func TestIdsThatDoNotExistAreNamedBeforeAnythingIsStored(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	ids := func(r *rotation.Rotator) { r.Scope = rotation.Selector{IDs: []string{"m0", "gone-1", "gone-2"}} }
	untouched(t, w, func() {
		_, err := do(w, rotation.Request{}, ids)
		refused(t, err, "gone-1, gone-2", "east, west")
	})
}

func TestSecretThatIsNoPasswordIsRefusedWithAnExample(t *testing.T) {
	for _, value := range []string{"Hunter-2-plain-text", `["Hunter-2"]`, `{"password":""}`, `{"password":2}`, ""} {
		w := rotationtest.NewWorld(whenStopped) // in which no promise can be held
		add(w, 1, rotation.Running)
		w.HumanValue(value)
		untouched(t, w, func() {
			_, err := do(w, rotation.Request{})
			refused(t, err, "the secret's", rotation.Example)
			if strings.Contains(err.Error(), "Hunter") {
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

func TestCandidateThatIsTooLargeForTheStoreIsRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	w.HumanValue(`{"password":"` + rotationtest.Baseline + `","notes":"` + strings.Repeat("x", 4096) + `"}`)
	_, err := do(w, rotation.Request{})
	refused(t, err, "the store takes 4096", "remove fields")
	if n := w.Sites["reset"] + w.Sites["stop"]; n > 0 {
		t.Errorf("%d requests were sent for a version that is not stored", n)
	}
}

func TestZeroPolicyStopsNothingThatRuns(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	add(w, 1, rotation.Stopped)
	_, err := do(w, rotation.Request{}, func(r *rotation.Rotator) { r.Policy = rotation.Policy{} })
	refused(t, err, "m0", "RELOCK_RESTART=graceful")
	if n := w.Sites["stop"] + w.Sites["store-create"]; n > 0 {
		t.Errorf("%d calls stopped or stored something", n)
	}
}
