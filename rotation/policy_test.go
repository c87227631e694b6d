package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestShareIsANumberOrAPercentage(t *testing.T) {
	for _, row := range []struct {
		in   string
		of   int
		want int
	}{
		{"10", 3, 10}, {"1", 2000, 1}, {" 7 ", 9, 7}, {"5%", 2000, 100}, {"5%", 119, 5}, {"5%", 3, 1}, {"100%", 7, 7}, {"1%", 0, 1}, {"33%", 10, 3},
	} {
		s, err := rotation.ParseShare(row.in)
		if err != nil || s.Of(row.of) != row.want || s.String() != strings.TrimSpace(row.in) {
			t.Errorf("ParseShare(%q) = %v, %v, of %d %d; want %d", row.in, s, err, row.of, s.Of(row.of), row.want)
		}
	}
	for _, in := range []string{"", "0", "-1", "0%", "101%", "5.5", "5 %", "%", "ten", "5%%", "1e3"} {
		if s, err := rotation.ParseShare(in); err == nil {
			t.Errorf("ParseShare(%q) = %v; want an error", in, s)
		}
	}
}

func TestNeverStopsWhatRunsAndRefusesBeforeAnythingIsStored(t *testing.T) {
	for _, kind := range []rotationtest.Kind{whenStopped, byLabels} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t, kind)
			add(w, 3, rotation.Running)
			add(w, 1, rotation.Stopped)
			untouched(t, w, func() {
				report, err := do(w, rotation.Request{}, restart(rotation.RestartNever), exceptions(2))
				refused(t, err, "3 machines would stay behind", "m0 (east)", "m1 (west)", "m2 (east)", "RELOCK_RESTART=never", "RELOCK_RESTART=graceful", "RELOCK_MAX_EXCEPTIONS=3")
				if strings.Contains(err.Error(), "m3") || report.Outcome != rotation.Failure {
					t.Errorf("ended %s: %v; want failed, without the machine that is stopped", report.Outcome, err)
				}
			})
			w.Allow(3)
			must(t, w, rotation.Request{}, rotation.Rotated, restart(rotation.RestartNever))
			for _, m := range w.Machines {
				if m.Power != m.Was || (m.Live == rotationtest.Baseline) != (m.Was == rotation.Running) {
					t.Errorf("%s was %s and is %s; its password is still the old one: %v", m.ID, m.Was, m.Power, m.Live == rotationtest.Baseline)
				}
			}
		})
	}
}

// Where a reset takes effect at the next boot, never sends it and waits for that boot.
func TestNeverLeavesTheBootToTheOwner(t *testing.T) {
	w := newWorld(t, atBoot)
	add(w, 2, rotation.Running)
	r := must(t, w, rotation.Request{}, rotation.Incomplete, restart(rotation.RestartNever))
	if r.Counts.Waiting != 2 || w.Sites["restart"]+w.Sites["stop"] > 0 {
		t.Errorf("%d machines wait for their next boot, %d calls took one down; want 2 and none", r.Counts.Waiting, w.Sites["restart"]+w.Sites["stop"])
	}
	w.Advance(time.Hour)
	for _, m := range w.Machines { // their owner restarts them
		m.Live, m.Next = m.Next, ""
	}
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated, restart(rotation.RestartNever))
	everywhere(t, w)
}

func TestForceStopsHardAndGracefulNeverDoes(t *testing.T) {
	for how, want := range map[rotation.Restart]rotation.Force{rotation.RestartGraceful: rotation.Soft, rotation.RestartForce: rotation.Hard} {
		for _, kind := range []rotationtest.Kind{whenStopped, atBoot} {
			t.Run(string(how)+"/"+kind.String(), func(t *testing.T) {
				w := newWorld(t, kind)
				add(w, 2, rotation.Running)
				asked := 0
				must(t, w, rotation.Request{}, rotation.Rotated, restart(how), before(w, func(s rotationtest.Sent) error {
					if s.Site == "stop" || s.Site == "restart" {
						asked++
						if s.Force != want {
							t.Errorf("a %s stop was sent; want %s", s.Force, want)
						}
					}
					return nil
				}))
				if asked == 0 {
					t.Error("nothing was stopped")
				}
			})
		}
	}
}

func TestExceptionsUpToTheAllowedNumberDoNotHoldTheVersionUp(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 4, rotation.Running)
		w.Machines[1].NoLogin, w.Machines[2].NoLogin = true, true
		w.Machines[1].Broken, w.Machines[2].Broken = true, true
		r := must(t, w, rotation.Request{}, rotation.Partial, exceptions(1))
		says(t, r.Why, "2 machines left behind", "RELOCK_MAX_EXCEPTIONS=1 allows 1", "RELOCK_MAX_EXCEPTIONS=2")
		holds(t, w, 1, 2)
		w.Allow(2)
		w.Blame() // the failed resets may cost a further stop
		r = must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		holds(t, w, 2, 0)
		if r.Counts.Behind != 2 || r.Counts.Proven != 2 {
			t.Errorf("%d machines are behind and %d proven; want 2 and 2", r.Counts.Behind, r.Counts.Proven)
		}
		for _, m := range w.Machines {
			if m.Power != rotation.Running {
				t.Errorf("%s is left %s", m.ID, m.Power)
			}
		}
	})
}

func TestKeyPairMachineIsHeldBackAndCountsOnlyWithAMark(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		m := w.Machines[1]
		m.KeyPair = "skey-9x"
		r := must(t, w, rotation.Request{}, rotation.Rotated)
		if got := line(t, r, m.ID); got.State != rotation.StateHeld || got.Counts || !strings.Contains(got.Reason, "skey-9x") || !strings.Contains(got.Remedy, "RELOCK_INCLUDE_KEY_PAIRS=true") {
			t.Errorf("%s is %+v; want held back with the key pair and the remedy, not counting", m.ID, got)
		}
		if m.Live != rotationtest.Baseline || stops(m) > 0 {
			t.Error("the key-pair machine was touched")
		}
		w.Advance(time.Hour)
		include := policy(func(p *rotation.Policy) { p.IncludeKeyPairs = true })
		must(t, w, rotation.Request{}, rotation.Rotated, include)
		everywhere(t, w)
		// Now it holds a relock password: leaving it behind is an exception.
		untouched(t, w, func() {
			_, err := do(w, rotation.Request{})
			refused(t, err, m.ID, "skey-9x", "RELOCK_INCLUDE_KEY_PAIRS=true")
		})
		w.Allow(1)
		must(t, w, rotation.Request{}, rotation.Rotated)
		holds(t, w, 4, 0)
	})
}

func TestMachineOfAnotherSecretIsNeverSetUnlessItIsTakenOver(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		for _, m := range w.Machines[:2] {
			m.Tags[rotation.SecretTag], m.Tags[rotation.MarkTag] = "ffffffffffff", "9.ok"
		}
		untouched(t, w, func() {
			_, err := do(w, rotation.Request{}, exceptions(5)) // no number of exceptions covers a foreign machine
			refused(t, err, "m0", "m1", "ffffffffffff", "--take-over m0")
			if strings.Contains(err.Error(), "m2") {
				t.Errorf("the machine without a mark is named: %v", err)
			}
			_, err = do(w, rotation.Request{TakeOver: []string{"m0"}}, exceptions(5))
			refused(t, err, "m1")
		})
		must(t, w, rotation.Request{TakeOver: []string{"all"}}, rotation.Rotated)
		everywhere(t, w)
		must(t, w, rotation.Request{}, rotation.Rotated) // they are ours now
	})
}

// The machine's power is another secret's business too.
func TestDownMarkOfAnotherSecretIsLeftAlone(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		m := w.Add(rotation.Linux, rotation.Stopped)
		must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete)
		m.Tags[rotation.SecretTag], m.Tags[rotation.MarkTag] = "ffffffffffff", "2.down.1"
		must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial)
		if m.Power != rotation.Stopped || m.Live != rotationtest.Baseline {
			t.Errorf("%s is %s; want it left alone", m.ID, m.Power)
		}
		holds(t, w, 1, 2)
	})
}

// unlucky makes every proof of a machine fail: logins are refused, and the provider keeps no record.
func unlucky(id string) change {
	return logins(func(l rotation.Login) error {
		if l.Instance.ID == id {
			return rotation.ErrRejected
		}
		return nil
	})
}

func TestOneCandidateStopsAMachineNoMoreThanAllowed(t *testing.T) {
	for _, allowed := range []int{1, 2, 3, 9} {
		onEvery(t, func(t *testing.T, w *rotationtest.World) {
			add(w, 2, rotation.Running)
			for range 9 {
				w.Blame() // each refused login is one
			}
			attempts := policy(func(p *rotation.Policy) { p.MaxAttempts = allowed })
			for run := range 4 {
				r := must(t, w, rotation.Request{Action: []rotation.Action{rotation.Rotate, rotation.Resume}[min(run, 1)]}, rotation.Partial, unlucky("m1"), attempts)
				w.Advance(time.Hour)
				if run == 3 {
					m := line(t, r, "m1")
					if m.State != rotation.StateFailed || !strings.Contains(m.Remedy, "relock") {
						t.Errorf("m1 is %s, %q, remedy %q; want failed with a remedy", m.State, m.Reason, m.Remedy)
					}
				}
			}
			if got, want := stops(w.Machines[1]), min(allowed, 3); got != want {
				t.Errorf("m1 was stopped %d times by four runs; want %d", got, want)
			}
			if stops(w.Machines[0]) != 1 {
				t.Errorf("m0 was stopped %d times; want once", stops(w.Machines[0]))
			}
			if w.Machines[1].Power != rotation.Running {
				t.Errorf("m1 is left %s", w.Machines[1].Power)
			}
			// Another candidate begins to count anew.
			must(t, w, rotation.Request{NewCandidate: true}, rotation.Rotated, attempts)
			everywhere(t, w)
		})
	}
}

func TestMachineThatDoesNotShutDownIsLeftRunningAndReported(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	hung := w.Machines[1]
	hung.Hangs = true
	r := must(t, w, rotation.Request{}, rotation.Partial)
	got := line(t, r, "m1")
	if got.State != rotation.StateFailed || !got.Counts {
		t.Errorf("m1 is %s, counting %v; want failed, counting", got.State, got.Counts)
	}
	says(t, got.Reason, "did not shut down in 5m0s", "soft stop")
	says(t, got.Remedy, "relock reconcile")
	if got.RequestID == "" || got.Request != rotation.OpStop {
		t.Errorf("m1's line has the request %q, a %s; want that of its stop", got.RequestID, got.Request)
	}
	if hung.Power != rotation.Running || hung.Live != rotationtest.Baseline {
		t.Errorf("m1 is %s; want left running with its password", hung.Power)
	}
	if hung.Tags[rotation.MarkTag] != "2.down.1" {
		t.Errorf("m1's mark is %q; want 2.down.1 as long as its shutdown may still happen", hung.Tags[rotation.MarkTag])
	}
	for _, i := range []int{0, 2} {
		if w.Machines[i].Live == rotationtest.Baseline {
			t.Errorf("m%d was held up by the one that hangs", i)
		}
	}
	// The shutdown happens after all, when nobody waits for it any more: the next run starts the machine.
	hung.Power, hung.Hangs = rotation.Stopped, false
	w.Advance(time.Hour)
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	everywhere(t, w)
	if stops(hung) != 1 {
		t.Errorf("m1 was stopped %d times; want once", stops(hung))
	}
}

func TestMachineThatShutsDownAsItsTimeEndsIsStartedAgain(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	hung := w.Machines[0]
	hung.Hangs = true
	began := w.Now()
	must(t, w, rotation.Request{}, rotation.Partial, tap(w, rotationtest.Tap{Result: func(r *rotation.Result) {
		// The look that ends the wait says running; the next one sees that it has shut down.
		if w.Now().Sub(began) > 5*time.Minute && hung.Hangs {
			hung.Power, hung.Hangs = rotation.Stopped, false
			r.Power = rotation.Stopped
		}
	}}))
	if hung.Power != rotation.Running {
		t.Errorf("m0 is left %s", hung.Power)
	}
}

func TestMachineThatDoesNotStartIsNamedAsLeftDown(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	dead := before(w, func(s rotationtest.Sent) error {
		if s.Site == "start" && s.IDs[0] == "m0" {
			return rotation.ErrNotApplied
		}
		return nil
	})
	r := must(t, w, rotation.Request{}, rotation.Partial, dead)
	if got := line(t, r, "m0"); got.State != rotation.StateFailed || got.Power != rotation.Stopped || !strings.Contains(got.Remedy, "start it by hand") {
		t.Errorf("m0 is %s, %s, remedy %q; want failed, stopped, start it by hand", got.State, got.Power, got.Remedy)
	}
	if len(r.Down.Left) != 1 || r.Down.Left[0] != "m0" {
		t.Errorf("left down are %v; want m0", r.Down.Left)
	}
	w.Advance(time.Hour)
	must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	everywhere(t, w)
	if stops(w.Machines[0]) != 1 {
		t.Errorf("m0 was stopped %d times; want once", stops(w.Machines[0]))
	}
}

func TestFleetWithoutPowerOrMarksStopsNothing(t *testing.T) {
	for _, kind := range []rotationtest.Kind{whenStopped, atBoot} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t, kind)
			w.Allow(1)
			add(w, 1, rotation.Running)
			add(w, 2, rotation.Stopped)
			r, _ := do(w, rotation.Request{}, func(r *rotation.Rotator) {
				for i := range r.Fleets {
					r.Fleets[i] = struct{ rotation.Fleet }{r.Fleets[i]} // hides what else it can
				}
			})
			if n := w.Sites["stop"] + w.Sites["restart"]; n > 0 || w.Machines[0].Power != rotation.Running {
				t.Errorf("%d calls took a machine down that nobody could mark", n)
			}
			if kind == whenStopped && r.Outcome != rotation.Rotated {
				t.Errorf("ended %s: %s; want rotated, for those that are stopped", r.Outcome, r.Why)
			}
		})
	}
}
