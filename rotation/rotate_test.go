package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestRotationSetsEveryMachineAndMakesItCurrent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		holds(t, w, 2, 0)
		everywhere(t, w)
		if w.Current() == rotationtest.Baseline {
			t.Error("the password is still the one from before")
		}
		if v := stage(t, w, rotation.Previous); v.Generation != 1 || v.Password.Reveal() != rotationtest.Baseline {
			t.Errorf("previous is generation %d; want 1, the baseline", v.Generation)
		}
		must(t, w, rotation.Request{}, rotation.Rotated)
		holds(t, w, 3, 0)
		everywhere(t, w)
		if v := stage(t, w, rotation.Previous); v.Generation != 2 {
			t.Errorf("previous is generation %d; want 2", v.Generation)
		}
	})
}

func TestBaselineIsKeptBeforeAnythingElseIsStored(t *testing.T) {
	for kind, site := range map[rotationtest.Kind]string{whenStopped: "store-create", byLabels: "store-label"} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t, kind)
			add(w, 1, rotation.Running)
			killed(t, w, rotation.Request{}, rotationtest.KillAfter, site, 1)
			all := history(t, w)
			if len(all) != 1 || all[0].Generation != 1 || !all[0].Baseline || all[0].Password.Reveal() != rotationtest.Baseline || all[0].ID == string(rotation.Current) {
				t.Fatalf("after the first write the store keeps %d versions, the first generation %d (baseline %v, id %s); want the baseline alone", len(all), all[0].Generation, all[0].Baseline, all[0].ID)
			}
		})
	}
}

func TestNothingIsSentThatCouldNotBeStored(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		got := changes(w, func() {
			report, err, _ := w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
				if site == "store-create" {
					return rotationtest.FailBefore
				}
				return rotationtest.NoFault
			})
			if report.Outcome != rotation.Failure || err == nil {
				t.Errorf("ended %s, %v; want failed", report.Outcome, err)
			}
		})
		for _, site := range []string{"stop", "reset", "restart", "mark-down"} {
			if got[site] > 0 {
				t.Errorf("%d calls of %s were made for a version that is not in the store", got[site], site)
			}
		}
		holds(t, w, 1, 0)
	})
}

func TestStoredVersionWhoseAnswerWasLostIsSent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		report, err, _ := w.Run(w.Rotator(), rotation.Request{}, at(rotationtest.FailAfter, "store-create", 1))
		if err != nil && report.Outcome != rotation.Failure {
			t.Errorf("ended %s, %v", report.Outcome, err)
		}
		must(t, w, rotation.Request{}, rotation.Rotated)
		everywhere(t, w)
		if n := len(history(t, w)); n > 3 {
			t.Errorf("the store keeps %d versions after one lost answer", n)
		}
	})
}

func TestUnknownFieldsAreCarriedOver(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Stopped)
		for range 2 {
			if _, err := do(w, rotation.Request{}, exceptions(1)); err != nil {
				t.Fatal(err)
			}
			if got := string(newest(t, w).Extra["host"]); got != `"bastion"` {
				t.Errorf("generation %d has host %s; want what current had, %q", newest(t, w).Generation, got, "bastion")
			}
		}
	})
}

func TestEveryProvenMachineIsMarkedWithTheGeneration(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		want := rotation.MarkSecret("world", "here", rotationtest.Secret, newest(t, w).Birth)
		for _, m := range w.Machines {
			if m.Tags[rotation.MarkTag] != "2.ok" || m.Tags[rotation.SecretTag] != want {
				t.Errorf("%s is marked %q of secret %q; want 2.ok of %q", m.ID, m.Tags[rotation.MarkTag], m.Tags[rotation.SecretTag], want)
			}
		}
	})
}

func TestBirthIsHandedOn(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		birth := newest(t, w).Birth
		if birth == "" {
			t.Fatal("the first generation has no birth")
		}
		w.Human("Human-Pass-0001") // has none
		must(t, w, rotation.Request{Token: "draws other random bytes"}, rotation.Rotated)
		if got := newest(t, w).Birth; got != birth {
			t.Errorf("a later generation has birth %q; want the first one's, %q", got, birth)
		}
	})
}

func TestUsernameIsTheConfiguredOneOrElseCurrents(t *testing.T) {
	for _, row := range []struct{ name, configured, stored, want string }{
		{"each machine's own", "", "", ""},
		{"current's", "", "ops", "ops"},
		{"the configured one", "admin", "ops", "admin"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, whenStopped)
			add(w, 1, rotation.Running)
			if row.stored != "" {
				must(t, w, rotation.Request{}, rotation.Rotated, func(r *rotation.Rotator) { r.Username = row.stored })
			}
			must(t, w, rotation.Request{}, rotation.Rotated, func(r *rotation.Rotator) { r.Username = row.configured })
			if got := stage(t, w, rotation.Current).Username; got != row.want {
				t.Errorf("current is for the account %q; want %q", got, row.want)
			}
		})
	}
}

func TestVersionSaysWhenAndForWhomItWasMade(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		began := w.Now()
		report := must(t, w, rotation.Request{Token: "timer:monthly"}, rotation.Rotated)
		v := stage(t, w, rotation.Current)
		if v.Token != "timer:monthly" || !v.Created.Equal(began) || v.Baseline {
			t.Errorf("the version is of token %q, created %v, baseline %v; want timer:monthly, %v, false", v.Token, v.Created, v.Baseline, began)
		}
		if report.Token != v.Token || report.Generation != v.Generation || report.From != 1 || !report.Created.Equal(v.Created) {
			t.Errorf("the report says token %q, generation %d from %d, created %v; want those of the version", report.Token, report.Generation, report.From, report.Created)
		}
		must(t, w, rotation.Request{}, rotation.Rotated)
		if got := stage(t, w, rotation.Current).Token; !strings.HasPrefix(got, "manual:") {
			t.Errorf("a rotation without a token has the token %q; want one that is made up", got)
		}
	})
}

func TestSameEventTwiceRotatesOnce(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		event := rotation.Request{Token: "timer:1"}
		must(t, w, event, rotation.Rotated)
		untouched(t, w, func() { must(t, w, event, rotation.Nothing) })
		w.Advance(time.Hour)
		must(t, w, rotation.Request{Token: "timer:2"}, rotation.Rotated)
		untouched(t, w, func() { must(t, w, event, rotation.Nothing) })
		holds(t, w, 3, 0)
	})
}

func TestEventThatIsNotNewerThanTheNewestGenerationIsDone(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 1, rotation.Running)
		due := w.Now()
		must(t, w, rotation.Request{Time: due}, rotation.Rotated)
		for _, d := range []time.Duration{-time.Hour, 0} {
			untouched(t, w, func() {
				r := must(t, w, rotation.Request{Token: "another", Time: due.Add(d)}, rotation.Nothing)
				says(t, r.Why, "newest generation")
			})
		}
		must(t, w, rotation.Request{Time: due.Add(time.Second)}, rotation.Rotated)
	})
}

func TestRotateFinishesWhatIsPendingAndBeginsNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		killed(t, w, rotation.Request{Token: "a"}, rotationtest.KillBefore, "reset", 1)
		w.Advance(time.Hour)
		r := must(t, w, rotation.Request{Token: "b"}, rotation.Rotated)
		if v := stage(t, w, rotation.Current); v.Generation != 2 || v.Token != "a" || r.Token != "a" {
			t.Errorf("current is generation %d of %q; want 2 of a", v.Generation, v.Token)
		}
		if n := len(history(t, w)); n != 2 {
			t.Errorf("the store keeps %d versions; want the baseline and the one that was pending", n)
		}
	})
}

func TestNewCandidateSupersedesOnceAndKeepsTheOldOne(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillAfter, "reset", 1)
		w.Advance(time.Hour)
		old := stage(t, w, rotation.Pending)
		must(t, w, rotation.Request{NewCandidate: true}, rotation.Rotated)
		holds(t, w, 3, 0)
		everywhere(t, w)
		all := history(t, w)
		if len(all) != 3 || !all[1].SamePassword(old) {
			t.Errorf("the store keeps %d versions; want 3, the second the one that was superseded", len(all))
		}
	})
}

// strict makes the machines' rules refuse what was generated under the world's own.
func strict(w *rotationtest.World, ids ...string) change {
	rules := rotation.TencentLinux2018()
	return tap(w, rotationtest.Tap{Instance: func(inst *rotation.Instance) {
		for _, id := range ids {
			if inst.ID == id {
				inst.Terms.Rules = rules
			}
		}
	}})
}

func TestPendingThatBreaksTheRulesIsSupersededByRotateOnly(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		killed(t, w, rotation.Request{Token: "a"}, rotationtest.KillAfter, "store-create", 2-btoi(strings.Contains(t.Name(), "blind")))
		holds(t, w, 1, 2)
		for _, action := range []rotation.Action{rotation.Resume, rotation.Reconcile} {
			r := must(t, w, rotation.Request{Action: action}, rotation.Partial, strict(w, "m1"))
			if m := line(t, r, "m1"); m.State != rotation.StateFailed || !strings.Contains(m.Remedy, "--new-candidate") {
				t.Errorf("%s: m1 is %s with remedy %q; want failed, and a new candidate", action, m.State, m.Remedy)
			}
			holds(t, w, 1, 2)
		}
		r := must(t, w, rotation.Request{Token: "b"}, rotation.Rotated, strict(w, "m1"))
		holds(t, w, 3, 0)
		everywhere(t, w)
		if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "superseded") {
			t.Errorf("the warnings are %q; want one that says so", r.Warnings)
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A platform delivers an event again when its invocation failed. The rotation of that event is not over while its
// candidate cannot be set anywhere.
func TestEventDeliveredAgainSupersedesItsOwnUnsuitableCandidate(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	event := rotation.Request{Token: "a", Time: w.Now()}
	killed(t, w, event, rotationtest.KillAfter, "store-create", 2)
	must(t, w, event, rotation.Rotated, strict(w, "m0"))
	holds(t, w, 3, 0)
	untouched(t, w, func() { must(t, w, event, rotation.Nothing, strict(w, "m0")) })
}

func TestEmptyScopeDoesNothingAndNeverPromotes(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		killed(t, w, rotation.Request{}, rotationtest.KillBefore, "reset", 1)
		nobody := func(r *rotation.Rotator) { r.Scope = rotation.Selector{Tags: map[string][]string{"rotate": {"maybe"}}} }
		for _, req := range []rotation.Request{{}, {NewCandidate: true}, {Action: rotation.Resume}, {Action: rotation.Reconcile}} {
			untouched(t, w, func() {
				r := must(t, w, req, rotation.Nothing, nobody)
				says(t, r.Why, "no machine", "RELOCK_TAGS")
			})
		}
		holds(t, w, 1, 2)
	})
}

func TestScopeThatCannotBeSetMakesNoGeneration(t *testing.T) {
	for _, row := range []struct {
		name  string
		build func(*rotationtest.Machine)
	}{
		{"unable", func(m *rotationtest.Machine) {
			m.Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "isolated"}
		}},
		{"key pairs", func(m *rotationtest.Machine) { m.KeyPair = "skey-1" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			onEvery(t, func(t *testing.T, w *rotationtest.World) {
				row.build(w.Add(rotation.Linux, rotation.Running))
				row.build(w.Add(rotation.Linux, rotation.Stopped))
				untouched(t, w, func() { must(t, w, rotation.Request{}, rotation.Nothing) })
				holds(t, w, 1, 0)
			})
		})
	}
}

func TestRotationFinishesForThoseThatCanBeSet(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		m := w.Add(rotation.Linux, rotation.Running)
		m.Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Code: "Shutdown", Reason: "isolated for arrears", Remedy: "renew it"}
		r := must(t, w, rotation.Request{}, rotation.Rotated)
		if got := line(t, r, m.ID); got.State != rotation.StateUnable || got.Reason != "isolated for arrears" || got.Remedy != "renew it" || got.Code != "Shutdown" || got.Counts {
			t.Errorf("%s is %+v; want unable with the provider's reason and code, not counting", m.ID, got)
		}
		if m.Live != rotationtest.Baseline || stops(m) > 0 {
			t.Errorf("the machine that cannot be reset was touched")
		}
	})
}

func TestNarrowedRunSendsOnlyToThoseNamed(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		must(t, w, rotation.Request{Only: []string{"m1"}}, rotation.Incomplete)
		for i, m := range w.Machines {
			if set := m.Live != rotationtest.Baseline; set != (i == 1) || stops(m) != btoi(i == 1) {
				t.Errorf("%s was set: %v, stopped %d times; want only m1 touched", m.ID, set, stops(m))
			}
		}
		holds(t, w, 1, 2)
		must(t, w, rotation.Request{Only: []string{"m0", "m1"}}, rotation.Incomplete)
		holds(t, w, 1, 2)
		// The last one proves the whole scope: marks say that the others have it.
		must(t, w, rotation.Request{Only: []string{"m2"}}, rotation.Rotated)
		holds(t, w, 2, 0)
		everywhere(t, w)
		for _, m := range w.Machines {
			if stops(m) != 1 {
				t.Errorf("%s was stopped %d times; want once", m.ID, stops(m))
			}
		}
	})
}

func TestNarrowedRunDoesNotCountTheOthersAsExceptions(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete, exceptions(5))
		holds(t, w, 1, 2)
	})
}

func TestDryRunChangesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		configured := func(r *rotation.Rotator) { r.DryRun = true }
		for _, pending := range []bool{false, true} {
			if pending {
				// A machine is left down: not even that is touched.
				killed(t, w, rotation.Request{}, rotationtest.KillAfter, map[bool]string{false: "stop", true: "restart"}[strings.Contains(t.Name(), "boot")], 1)
				w.Advance(time.Hour)
			}
			for _, action := range rotation.Actions() {
				untouched(t, w, func() {
					if r, _ := do(w, rotation.Request{Action: action, DryRun: true}); !r.DryRun {
						t.Errorf("the report of a dry %s does not say so", action)
					}
				})
				untouched(t, w, func() { do(w, rotation.Request{Action: action}, configured) })
			}
		}
	})
}
