package rotation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

var errTimeout = errors.New("i/o timeout")

func TestProofRestsOnTheLoginWhereOneCanBeTried(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		r := must(t, w, rotation.Request{}, rotation.Rotated)
		if got := line(t, r, "m0"); got.State != rotation.StateProven || got.Evidence != rotation.ByLogin {
			t.Errorf("m0 is %s by %s; want proven by login", got.State, got.Evidence)
		}
	})
}

func TestProofRestsOnTheRecordWhereNoLoginCanBeTried(t *testing.T) {
	w := newWorld(t, whenStopped)
	w.Add(rotation.Windows, rotation.Running)
	add(w, 1, rotation.Stopped)
	r := must(t, w, rotation.Request{}, rotation.Rotated)
	for _, m := range r.Machines {
		if m.State != rotation.StateProven || m.Evidence != rotation.ByRecord {
			t.Errorf("%s is %s by %s; want proven by the record", m.ID, m.State, m.Evidence)
		}
	}
}

// A rejected login outweighs a record that says SUCCESS.
func TestRecordDoesNotOutweighARejectedLogin(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	w.Blame()
	must(t, w, rotation.Request{}, rotation.Partial, unlucky("m1"))
	holds(t, w, 1, 2)
}

func TestProofByProviderTriesNoLogin(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	r := must(t, w, rotation.Request{}, rotation.Rotated, proof(rotation.ProofProvider))
	if w.Sites["verify"] > 0 || r.Counts.Record != 2 {
		t.Errorf("%d logins were tried, %d machines proven by the record; want 0 and 2", w.Sites["verify"], r.Counts.Record)
	}
}

func TestMachineWithoutAnyProofIsUnprovenAndCounts(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 2, rotation.Running)
	w.Machines[1].NoLogin = true
	for _, c := range []change{func(*rotation.Rotator) {}, proof(rotation.ProofProvider)} {
		r := must(t, w, rotation.Request{NewCandidate: true}, rotation.Partial, c)
		if got := line(t, r, "m1"); got.State != rotation.StateUnproven || !got.Counts || got.Remedy == "" {
			t.Errorf("m1 is %+v; want unproven, counting, with a remedy", got)
		}
		if w.Current() != rotationtest.Baseline {
			t.Error("a version became current that is not proven")
		}
	}
}

// It would be taken down for nothing: in the end nobody would know more.
func TestMachineThatNobodyCanProveIsNotTakenDownAgain(t *testing.T) {
	for name, c := range map[string]change{"no verifier": noVerifier, "no login": func(*rotation.Rotator) {}, "no record": proof(rotation.ProofProvider)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, atBoot)
			add(w, 1, rotation.Running)
			w.Machines[0].NoLogin = true
			must(t, w, rotation.Request{}, rotation.Partial, c)
			for range 3 {
				w.Advance(5 * time.Minute)
				r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial, c)
				if got := line(t, r, "m0"); got.State != rotation.StateUnproven || !strings.Contains(got.Remedy, "RELOCK_PROOF=accepted") {
					t.Errorf("m0 is %s, remedy %q; want unproven, with the setting that ends it", got.State, got.Remedy)
				}
			}
			if n := stops(w.Machines[0]); n != 1 {
				t.Errorf("m0 was restarted %d times; want once", n)
			}
		})
	}
}

func TestAcceptedSufficesByConfigurationAndIsNeverCalledProven(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		r := must(t, w, rotation.Request{}, rotation.Rotated, proof(rotation.ProofAccepted), noVerifier)
		if r.Counts.Accepted != 3 || r.Counts.Proven != 0 {
			t.Errorf("%d machines are accepted and %d proven; want 3 and 0", r.Counts.Accepted, r.Counts.Proven)
		}
		for _, m := range r.Machines {
			if m.State != rotation.StateAccepted || m.Evidence != rotation.ByAccepted {
				t.Errorf("%s is %s by %s; want accepted by acceptance", m.ID, m.State, m.Evidence)
			}
		}
		everywhere(t, w)
	})
}

// Else a rotation that takes several invocations would never end: each would take down what the last had accepted.
func TestAcceptedMachinesAreNotSetAgainByTheNextRun(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		accepted := proof(rotation.ProofAccepted)
		must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete, accepted, noVerifier)
		must(t, w, rotation.Request{Only: []string{"m1"}}, rotation.Incomplete, accepted, noVerifier)
		r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, accepted, noVerifier)
		if r.Counts.Accepted != 3 || r.Counts.Proven != 0 {
			t.Errorf("%d machines are accepted and %d proven; want 3 and 0", r.Counts.Accepted, r.Counts.Proven)
		}
		everywhere(t, w)
		for _, m := range w.Machines {
			if stops(m) != 1 {
				t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
			}
		}
		rotator := w.Rotator()
		accepted(rotator)
		a, err := rotator.Lookup(t.Context(), "m0")
		if err != nil || !a.Unknown || a.Versions[0].Generation != 2 {
			t.Errorf("Lookup(m0) says known (%v), first generation %d; want that it may be unknown, and 2 first", !a.Unknown, a.Versions[0].Generation)
		}
	})
}

func TestMachineThatRefusesItsNewPasswordIsSetAgain(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		w.Blame() // the reset that is lost on the machine
		lost := false
		must(t, w, rotation.Request{}, rotation.Rotated, logins(func(l rotation.Login) error {
			if m := w.Machines[1]; !lost && l.Instance.ID == "m1" {
				lost, m.Live = true, rotationtest.Baseline
			}
			if m := w.Machines[1]; l.Instance.ID == "m1" && m.Live == rotationtest.Baseline {
				return rotation.ErrRejected
			}
			return nil
		}))
		everywhere(t, w)
		if n := stops(w.Machines[1]); n != 2 {
			t.Errorf("m1 was stopped %d times; want twice", n)
		}
	})
}

func TestMachineThatIsStillBootingIsNotSetAgain(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		tries := 0
		must(t, w, rotation.Request{}, rotation.Rotated, logins(func(rotation.Login) error {
			if tries++; tries <= 6 {
				return errTimeout
			}
			return nil
		}))
		if n := stops(w.Machines[0]); n != 1 {
			t.Errorf("m0 was stopped %d times; want once: it was booting", n)
		}
	})
}

func TestMachineThatAnswersNoLoginEndsUnproven(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	r := must(t, w, rotation.Request{}, rotation.Partial, logins(func(l rotation.Login) error {
		if l.Instance.ID == "m1" {
			return errTimeout
		}
		return nil
	}))
	if got := line(t, r, "m1"); got.State != rotation.StateUnproven || !strings.Contains(got.Reason, "i/o timeout") {
		t.Errorf("m1 is %s: %q; want unproven, for the timeout", got.State, got.Reason)
	}
}

func TestLoginsOfARefusedPasswordAreFew(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		w.Blame()
		tried := 0
		do(w, rotation.Request{}, logins(func(rotation.Login) error {
			tried++
			return rotation.ErrRejected
		}))
		if tried == 0 || tried > 6 {
			t.Errorf("a password that the machine refuses was tried %d times in one run; more than 6 may lock the account", tried)
		}
	})
}

// A wrong password, tried every few minutes as the resume timer has it, locks an account.
func TestResumeTriesNoPasswordThatAMachineCannotHave(t *testing.T) {
	for _, kind := range []rotationtest.Kind{whenStopped, atBoot} {
		for _, rotated := range []bool{false, true} { // unmarked, or marked with the last generation
			t.Run(fmt.Sprintf("%s/rotated before %v", kind, rotated), func(t *testing.T) {
				w := newWorld(t, kind)
				add(w, 6, rotation.Running)
				if rotated {
					must(t, w, rotation.Request{}, rotation.Rotated)
				}
				wrong := 0
				count := logins(func(l rotation.Login) error {
					if machine(w, l.Instance.ID).Live != l.Credential.Password.Reveal() {
						wrong++
					}
					return nil
				})
				for i := range 5 {
					must(t, w, rotation.Request{Only: []string{fmt.Sprintf("m%d", i)}}, rotation.Incomplete, count)
					w.Advance(5 * time.Minute)
				}
				must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, count)
				if wrong > 0 {
					t.Errorf("%d logins were tried with a password that was never sent to the machine", wrong)
				}
			})
		}
	}
}

func TestVerifyReportsDriftAndChangesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 4, rotation.Running)
		w.Machines[3].NoLogin = true
		w.Allow(1)
		must(t, w, rotation.Request{}, rotation.Rotated)
		untouched(t, w, func() {
			r := must(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified)
			if r.Counts.Login != 3 {
				t.Errorf("%d machines opened; want 3", r.Counts.Login)
			}
		})
		w.Machines[1].Live = rotationtest.Baseline // a person set it by hand
		untouched(t, w, func() {
			r := must(t, w, rotation.Request{Action: rotation.Verify}, rotation.Drift)
			says(t, r.Why, "refused by 1 machine")
			if got := line(t, r, "m1"); got.State != rotation.StateDrifted || !strings.Contains(got.Remedy, "relock reconcile") {
				t.Errorf("m1 is %s, remedy %q; want drifted, reconcile", got.State, got.Remedy)
			}
			if len(r.Next) == 0 || r.Next[0] != "relock reconcile" {
				t.Errorf("next is %q; want relock reconcile", r.Next)
			}
		})
	})
}

// Whatever the policy lets a rotation do, verify asks every machine of the scope: with the default, what runs is never
// stopped, and just that must be proven.
func TestVerifyTriesMachinesThatPolicyHoldsBack(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	must(t, w, rotation.Request{}, rotation.Rotated)
	never := restart(rotation.RestartNever)
	untouched(t, w, func() {
		if r := must(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified, never); r.Counts.Login != 2 {
			t.Errorf("%d machines were opened by login; want 2", r.Counts.Login)
		}
		w.Machines[0].Live = rotationtest.Baseline
		must(t, w, rotation.Request{Action: rotation.Verify}, rotation.Drift, never)
	})
}

func TestVerifyTriesMachinesThatWereNeverMarked(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		untouched(t, w, func() {
			if r := must(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified); r.Counts.Login != 2 {
				t.Errorf("%d machines were opened with the password that current holds; want 2", r.Counts.Login)
			}
		})
	})
}

func TestVerifyStartsNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		site := map[bool]string{false: "stop", true: "restart"}[strings.Contains(t.Name(), "boot")]
		killed(t, w, rotation.Request{}, rotationtest.KillAfter, site, 1)
		w.Advance(time.Hour)
		untouched(t, w, func() { do(w, rotation.Request{Action: rotation.Verify}) })
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		everywhere(t, w)
	})
}

func TestVerifyAsksOnlyThoseNamed(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	must(t, w, rotation.Request{}, rotation.Rotated)
	asked := map[string]bool{}
	must(t, w, rotation.Request{Action: rotation.Verify, Only: []string{"m1"}}, rotation.Verified, logins(func(l rotation.Login) error {
		asked[l.Instance.ID] = true
		return nil
	}))
	if len(asked) != 1 || !asked["m1"] {
		t.Errorf("logins were tried on %v; want m1 alone", asked)
	}
}

func TestVerifyWithoutAWayToLogInIsRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	_, err := do(w, rotation.Request{Action: rotation.Verify}, noVerifier)
	refused(t, err, "RELOCK_SSH_KNOWN_HOSTS")
}
