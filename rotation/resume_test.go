package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// takesDown is the site whose call takes a machine down in this world.
func takesDown(t *testing.T) string {
	if strings.Contains(t.Name(), "boot") {
		return "restart"
	}
	return "stop"
}

func TestKilledRunIsFinishedByTheNextWithoutAFurtherStop(t *testing.T) {
	for _, row := range []struct {
		at   string
		site string
		f    rotationtest.Fault
	}{
		{"before the stop", "stop", rotationtest.KillBefore}, {"after the stop", "stop", rotationtest.KillAfter},
		{"before the reset", "reset", rotationtest.KillBefore}, {"after the reset", "reset", rotationtest.KillAfter},
		{"before the start", "start", rotationtest.KillBefore}, {"after the start", "start", rotationtest.KillAfter},
		{"before the login", "verify", rotationtest.KillBefore}, {"after the login", "verify", rotationtest.KillAfter},
		{"before its mark", "mark-ok", rotationtest.KillBefore}, {"after its mark", "mark-ok", rotationtest.KillAfter},
		{"before the promotion", "store-point", rotationtest.KillBefore}, {"after the promotion", "store-point", rotationtest.KillAfter},
	} {
		for _, kind := range []rotationtest.Kind{whenStopped, byLabels} {
			for _, wait := range []time.Duration{0, time.Hour} { // the next run may come while the machine is on its way
				t.Run(row.at+"/"+kind.String()+"/"+wait.String(), func(t *testing.T) {
					w := newWorld(t, kind)
					add(w, 3, rotation.Running)
					killed(t, w, rotation.Request{}, row.f, row.site, 1)
					w.Advance(wait)
					want := rotation.Rotated
					if row.site == "store-point" && row.f == rotationtest.KillAfter {
						want = rotation.Nothing
					}
					must(t, w, rotation.Request{Action: rotation.Resume}, want)
					holds(t, w, 2, 0)
					everywhere(t, w)
					for _, m := range w.Machines {
						if stops(m) != 1 {
							t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
						}
					}
				})
			}
		}
	}
}

func TestKilledRestartIsFinishedByTheNextRun(t *testing.T) {
	for _, row := range []struct {
		at    string
		site  string
		f     rotationtest.Fault
		stops int
	}{
		{"before the reset", "reset", rotationtest.KillBefore, 1}, {"after the reset", "reset", rotationtest.KillAfter, 1},
		{"before the restart", "restart", rotationtest.KillBefore, 1}, {"after the restart", "restart", rotationtest.KillAfter, 1},
		{"before the login", "verify", rotationtest.KillBefore, 1}, {"before its mark", "mark-ok", rotationtest.KillBefore, 1},
	} {
		for _, wait := range []time.Duration{0, time.Hour} {
			t.Run(row.at+"/"+wait.String(), func(t *testing.T) {
				w := newWorld(t, atBoot)
				add(w, 2, rotation.Running)
				killed(t, w, rotation.Request{}, row.f, row.site, 1)
				w.Advance(wait)
				must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
				everywhere(t, w)
				for _, m := range w.Machines {
					if stops(m) != row.stops {
						t.Errorf("%s was restarted %d times; want %d", m.ID, stops(m), row.stops)
					}
				}
			})
		}
	}
}

// Whatever the next run is for, and whatever became of the candidate meanwhile.
func TestMachineLeftDownIsStartedWhateverTheNextRunIsFor(t *testing.T) {
	for _, row := range []struct {
		name string
		next rotation.Request
		prep func(*rotationtest.World)
		c    change
	}{
		{name: "resume", next: rotation.Request{Action: rotation.Resume}},
		{name: "resume narrowed to another", next: rotation.Request{Action: rotation.Resume, Only: []string{"m1"}}},
		{name: "a candidate that is superseded", next: rotation.Request{NewCandidate: true}},
		{name: "a candidate that a person superseded", next: rotation.Request{Action: rotation.Resume}, prep: func(w *rotationtest.World) { w.Human("Human-Pass-0001") }},
		{name: "reconcile", next: rotation.Request{Action: rotation.Reconcile}, prep: func(w *rotationtest.World) { w.Human("Human-Pass-0001") }},
		{name: "a policy that stops nothing any more", next: rotation.Request{Action: rotation.Resume}, c: restart(rotation.RestartNever)},
		{name: "a key pair since", next: rotation.Request{Action: rotation.Resume}, prep: func(w *rotationtest.World) { w.Machines[0].KeyPair = "skey-1" }},
		{name: "a step", next: rotation.Request{Step: rotation.StepFinish}},
		{name: "a refusal", next: rotation.Request{NewCandidate: true}, c: func(r *rotation.Rotator) { r.Policy.Restart = rotation.RestartNever }},
		{name: "a recipe that does not work", next: rotation.Request{NewCandidate: true}, c: func(r *rotation.Rotator) { r.Recipe.Length = 99 }},
		{name: "another step", next: rotation.Request{Step: rotation.StepTest}},
	} {
		for _, wait := range []time.Duration{0, time.Hour} {
			t.Run(row.name+"/"+wait.String(), func(t *testing.T) {
				w := newWorld(t, whenStopped)
				add(w, 2, rotation.Running)
				killed(t, w, rotation.Request{}, rotationtest.KillAfter, "stop", 1)
				w.Advance(wait)
				if row.prep != nil {
					row.prep(w)
				}
				if row.c == nil {
					row.c = func(*rotation.Rotator) {}
				}
				do(w, row.next, row.c)
				for _, m := range w.Machines {
					if m.Power != rotation.Running {
						t.Errorf("%s is left %s\n%s", m.ID, m.Power, strings.Join(w.Trace, "\n"))
					}
				}
			})
		}
	}
}

func TestMachineWhosePendingPasswordItsImageRefusesIsStartedAllTheSame(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	killed(t, w, rotation.Request{}, rotationtest.KillAfter, "stop", 1)
	w.Advance(time.Hour)
	r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial, strict(w, "m0"))
	if w.Machines[0].Power != rotation.Running {
		t.Errorf("m0 is left %s", w.Machines[0].Power)
	}
	if got := line(t, r, "m0"); got.State != rotation.StateFailed || !strings.Contains(got.Remedy, "--new-candidate") {
		t.Errorf("m0 is %s, remedy %q; want failed, and a new candidate", got.State, got.Remedy)
	}
}

func TestMachineThatWasStoppedStaysStopped(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(2)
		add(w, 2, rotation.Stopped)
		add(w, 1, rotation.Running)
		for range 3 {
			do(w, rotation.Request{})
			do(w, rotation.Request{Action: rotation.Resume})
			do(w, rotation.Request{Action: rotation.Reconcile})
			w.Advance(24 * time.Hour)
		}
		for _, m := range w.Machines {
			if m.Power != m.Was {
				t.Errorf("%s was %s and is %s", m.ID, m.Was, m.Power)
			}
		}
		if n := w.Sites["start"]; n > 3 {
			t.Errorf("%d starts were sent for the one machine that runs", n)
		}
	})
}

// Its owner shut it down after relock had proven it, or while it waited for another try.
func TestMachineThatItsOwnerStoppedSinceIsNotStarted(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		w.Blame()
		must(t, w, rotation.Request{}, rotation.Partial, unlucky("m1"))
		for _, m := range w.Machines {
			m.Power, m.Was = rotation.Stopped, rotation.Stopped
		}
		w.Advance(time.Hour)
		for _, action := range []rotation.Action{rotation.Resume, rotation.Reconcile} {
			do(w, rotation.Request{Action: action})
		}
		for _, m := range w.Machines {
			if m.Power != rotation.Stopped {
				t.Errorf("%s was started, and its owner had stopped it (mark %s)", m.ID, m.Tags[rotation.MarkTag])
			}
		}
	})
}

func TestResumeNeverBeginsAGeneration(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		for range 2 {
			untouched(t, w, func() {
				r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Nothing)
				says(t, r.Why, "nothing is pending")
			})
			must(t, w, rotation.Request{}, rotation.Rotated)
		}
	})
}

// A record of the last rotation says SUCCESS, and is of another request.
func TestAdoptionDoesNotTrustARecordOfAnEarlierRequest(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Stopped)
	must(t, w, rotation.Request{}, rotation.Rotated)
	killed(t, w, rotation.Request{}, rotationtest.KillBefore, "reset", 1)
	w.Advance(time.Hour)
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	if w.Sites["reset"] != 3 {
		t.Errorf("%d resets were called for; want the first, the one that was not sent and the one of the resumed run", w.Sites["reset"])
	}
	everywhere(t, w)
}

func TestAdoptionTrustsNoMarkOfAnotherCandidate(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated) // marks say 2.ok
		killed(t, w, rotation.Request{}, rotationtest.KillBefore, "reset", 1)
		w.Advance(time.Hour)
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, noVerifier, proof(rotation.ProofAccepted))
		everywhere(t, w)
	})
}

func TestMachineThatHasTheCandidateAlreadyIsProvenByLogin(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillBefore, "mark-ok", 2)
		w.Advance(time.Hour)
		got := changes(w, func() { must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated) })
		if n := got["reset"] + got["stop"] + got["restart"]; n > 0 {
			t.Errorf("machines that open with the candidate were set again: %v", got)
		}
		everywhere(t, w)
	})
}

// A mark is economy: without it a machine may be taken down once more, and nothing else.
func TestLostMarksCostNoMoreThanAStop(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillBefore, "mark-ok", 2)
		w.Advance(time.Hour)
		for _, m := range w.Machines {
			delete(m.Tags, rotation.MarkTag)
			delete(m.Tags, rotation.SecretTag)
		}
		w.Blame()
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		everywhere(t, w)
	})
}

func TestRegionThatCannotBeDescribedStopsTheRunAndTheOthersAreStarted(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 4, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillAfter, takesDown(t), 1)
		w.Advance(time.Hour)
		for _, req := range []rotation.Request{{}, {Action: rotation.Resume}, {NewCandidate: true}} {
			w.Machines[0].Power = rotation.Stopped // east; its mark says that a start is owed
			got := changes(w, func() {
				r, err := do(w, req, before(w, func(s rotationtest.Sent) error {
					if s.Site == "describe" && s.Region == "west" {
						return errTimeout
					}
					return nil
				}))
				if err == nil || r.Outcome != rotation.Failure || !strings.Contains(err.Error(), "west") {
					t.Errorf("ended %s, %v; want failed, naming the region", r.Outcome, err)
				}
			})
			if w.Machines[0].Power != rotation.Running {
				t.Errorf("m0 in the region that answers is left %s", w.Machines[0].Power)
			}
			for site := range got {
				if site != "start" && site != "mark-up" {
					t.Errorf("a run that does not see every region changed the world: %v", got)
				}
			}
			w.Machines[0].Tags[rotation.MarkTag] = "2.down.1"
		}
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	})
}

func TestRunThatChangesNothingStartsNothingWhenItFails(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	killed(t, w, rotation.Request{}, rotationtest.KillAfter, "stop", 1)
	w.Advance(time.Hour)
	for _, req := range []rotation.Request{{DryRun: true}, {Action: rotation.Plan}, {Action: rotation.Verify}} {
		untouched(t, w, func() {
			if _, err := do(w, req, before(w, func(s rotationtest.Sent) error {
				if s.Site == "describe" && s.Region == "west" {
					return errTimeout
				}
				return nil
			})); err == nil {
				t.Errorf("%+v did not fail", req)
			}
		})
	}
}

func TestStoreThatCannotBeReadStopsTheRunAndMachinesAreStarted(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillAfter, takesDown(t), 1)
		w.Advance(time.Hour)
		w.Machines[0].Power = rotation.Stopped
		got := changes(w, func() {
			r, err, _ := w.Run(w.Rotator(), rotation.Request{Action: rotation.Resume}, func(_ int, site string) rotationtest.Fault {
				if strings.HasPrefix(site, "store-") {
					return rotationtest.FailBefore
				}
				return rotationtest.NoFault
			})
			if err == nil || r.Outcome != rotation.Failure {
				t.Errorf("ended %s, %v; want failed", r.Outcome, err)
			}
		})
		if w.Machines[0].Power != rotation.Running || len(got) > 1 || got["start"] != 1 {
			t.Errorf("m0 is %s, and the changes are %v; want it started and nothing else", w.Machines[0].Power, got)
		}
	})
}

// The stops of a candidate are counted on the machine: a run in between that only starts machines must not forget them.
func TestStartingMachinesDoesNotForgetHowOftenTheyWereStopped(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	for range 9 {
		w.Blame()
	}
	west := before(w, func(s rotationtest.Sent) error {
		if s.Site == "describe" && s.Region == "west" {
			return errTimeout
		}
		return nil
	})
	for run := range 6 {
		req := rotation.Request{Action: rotation.Resume}
		if run == 0 {
			req.Action = rotation.Rotate
		}
		r := w.Rotator()
		unlucky("m0")(r)
		w.Run(r, req, at(rotationtest.KillAfter, "stop", 1))
		w.Advance(time.Hour)
		do(w, rotation.Request{Action: rotation.Resume}, west)
		w.Advance(time.Hour)
	}
	if n := stops(w.Machines[0]); n > 3 {
		t.Errorf("m0 was stopped %d times for one candidate; want at most 3", n)
	}
}
