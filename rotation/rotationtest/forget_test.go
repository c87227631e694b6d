package rotationtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestForgetDropsWhatIsOlderAndNothingElse(t *testing.T) {
	for before := 2; before <= 13; before++ {
		onEvery(t, func(t *testing.T, w *rotationtest.World) {
			w.Add(rotation.Linux, rotation.Running)
			w.Add(rotation.Windows, rotation.Stopped)
			all := generations(t, w, 14)
			f := forgets(t, w, before, rotation.ForgetOptions{}, rotation.Forgotten)
			if len(f.Generations) != before-1 || f.Generations[0] != before-1 || f.Counts.Login != 1 || f.Counts.Mark != 1 {
				t.Errorf("Forget(before %d) dropped %v, with %+v; want %d of them, a login and a mark", before, f.Generations, f.Counts, before-1)
			}
			kept(t, w, all, before)
			forgets(t, w, before, rotation.ForgetOptions{}, rotation.Nothing)
			do(t, w, rotation.Request{}, rotation.Rotated)
			if now := stored(t, w); now[15] == "" || len(now) != 15-before+1 {
				t.Errorf("the next rotation made the secret hold %d generations; want %d, the newest 15", len(now), 15-before+1)
			}
			answerable(t, w)
			w.CheckEnd()
		})
	}
}

func TestForgetNeverTakesCurrentOrPrevious(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 5)
		forgetRefused(t, w, 5, rotation.ForgetOptions{}, "generation 4 is previous")
		forgetRefused(t, w, 6, rotation.ForgetOptions{}, "generation 5 is current")
		forgetRefused(t, w, 0, rotation.ForgetOptions{}, "begin with 1")
		forgets(t, w, 1, rotation.ForgetOptions{}, rotation.Nothing)
		forgets(t, w, 4, rotation.ForgetOptions{}, rotation.Forgotten)
		kept(t, w, all, 4)
	})
}

// What was never current lies between previous and current, and is not what consumers read as previous.
func TestForgetCountsPreviousByWhatWasCurrent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 3)
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "reset" {
				return rotationtest.KillBefore
			}
			return rotationtest.NoFault
		})
		w.Advance(time.Hour)
		do(t, w, rotation.Request{NewCandidate: true}, rotation.Rotated)
		forgetRefused(t, w, 4, rotation.ForgetOptions{}, "generation 3 is previous")
		forgets(t, w, 3, rotation.ForgetOptions{}, rotation.Forgotten)
		answerable(t, w)
	})
}

func TestForgetWaitsForWhatIsPending(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 4)
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if site == "reset" {
				return rotationtest.KillAfter
			}
			return rotationtest.NoFault
		})
		forgetRefused(t, w, 2, rotation.ForgetOptions{}, "generation 5 of \"admin\" is pending: relock resume")
		w.Advance(time.Hour)
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		forgets(t, w, 2, rotation.ForgetOptions{}, rotation.Forgotten)
		answerable(t, w)
	})
}

func TestForgetRefusesWhileCurrentIsNotKept(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 4)
		w.Human("Human-Pass-0001")
		forgetRefused(t, w, 2, rotation.ForgetOptions{}, "not kept as a generation yet")
	})
}

// A machine that was left behind refuses current. Only a person knows with what it opens: nothing else is tried on it.
func TestForgetIsBlockedByAMachineThatRefusesCurrent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running).Broken = true
		all := generations(t, w, 6, exceptions(1))
		tried := map[string]int{}
		f := forgetRefused(t, w, 4, rotation.ForgetOptions{AcceptUnknown: 0}, "machines that refuse generation 6, the current one, and may have one that would go: 1 (m1); relock recover",
			watched(func(l rotation.Login, _ error) { tried[l.Instance.ID+" "+l.Credential.Password.Reveal()]++ }))
		if len(tried) != 2 || tried["m0 "+all[6]] != 1 || tried["m1 "+all[6]] != 1 {
			t.Errorf("%d different logins were tried; want one with current on each machine", len(tried))
		}
		if m := f.Machines[1]; m.ID != "m1" || m.State != rotation.StateDrifted || m.Remedy == "" || !slices.Contains(m.Generations, 1) {
			t.Errorf("m1 is %+v; want drifted, with a remedy and the generations that may open it", m)
		}
		w.Machines[1].Broken = false
		w.Blame() // its failed reset
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		forgets(t, w, 4, rotation.ForgetOptions{}, rotation.Forgotten)
		kept(t, w, all, 4)
	})
}

func TestForgetGivesUpOnlyAsManyUnknownMachinesAsTheOperatorNames(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 5)
		for range 2 {
			w.Add(rotation.Linux, rotation.Stopped).NoLogin = true // newcomers, with the baseline
		}
		f := forgetRefused(t, w, 3, rotation.ForgetOptions{}, "--accept-unknown 2")
		if m := f.Machines[1]; m.State != rotation.StateUnproven || m.Reason == "" || !m.Unknown {
			t.Errorf("a newcomer is %+v; want unproven, with a reason", m)
		}
		for _, n := range []int{1, 3} {
			forgetRefused(t, w, 3, rotation.ForgetOptions{AcceptUnknown: n}, "of 2 nothing is known")
		}
		w.GiveUp(rotationtest.Baseline)
		forgets(t, w, 3, rotation.ForgetOptions{AcceptUnknown: 2}, rotation.Forgotten)
		if w.Readable(rotationtest.Baseline) {
			t.Error("the baseline can still be read")
		}
	})
}

// A mark is knowledge of the generation that it names, when that stays.
func TestForgetTakesTheWordOfAMark(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(2)
		w.Add(rotation.Linux, rotation.Running)
		for range 2 {
			w.Add(rotation.Windows, rotation.Stopped)
		}
		all := generations(t, w, 4)
		w.Machines[2].Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "isolated for arrears"}
		for range 3 {
			do(t, w, rotation.Request{}, rotation.Rotated)
		}
		if f := forgets(t, w, 4, rotation.ForgetOptions{DryRun: true}, rotation.Planned); f.Counts.Mark != 2 || f.Counts.Login != 1 {
			t.Errorf("%+v; want two machines known by their marks, of generations 7 and 4", f.Counts)
		}
		f := forgetRefused(t, w, 5, rotation.ForgetOptions{}, "--accept-unknown 1")
		if m := f.Machines[len(f.Machines)-1]; m.Reason != "isolated for arrears" {
			i := slices.IndexFunc(f.Machines, func(m rotation.MachineReport) bool { return m.ID == "m2" })
			if m = f.Machines[i]; m.Reason != "isolated for arrears" || m.State != rotation.StateUnproven {
				t.Errorf("m2 is %s: %q; want unproven, isolated", m.State, m.Reason)
			}
		}
		// Where acceptance sufficed, a mark says no more than that.
		forgetRefused(t, w, 4, rotation.ForgetOptions{}, "--accept-unknown 2", func(r *rotation.Rotator) { r.Policy.Proof = rotation.ProofAccepted })
		forgets(t, w, 4, rotation.ForgetOptions{}, rotation.Forgotten)
		if !w.Readable(all[4]) {
			t.Error("the password of the machine that a mark says has generation 4 is gone")
		}
	})
}

// A mark holds its generation modulo 140: it may mean one that would go.
func TestForgetDoesNotTakeAMarkThatMayMeanAnOlderGeneration(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{Labels: true})
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Windows, rotation.Stopped)
	generations(t, w, 2)
	var made rotation.Version
	for n := 3; n <= 144; n++ {
		w.Try(func(w *rotationtest.World) error {
			history, err := w.Ledger().History(ctx, rotationtest.Secret)
			if err != nil {
				t.Fatal(err)
			}
			v := rotation.Version{Generation: n, Token: fmt.Sprint(n), Birth: history[0].Birth, Password: rotation.NewPassword(fmt.Sprintf("Many-Pass-%04d", n))}
			w.GiveUp(v.Password.Reveal())
			if made, err = w.Ledger().Propose(ctx, rotationtest.Secret, v); err != nil {
				t.Fatal(err)
			}
			return err
		}, nil)
	}
	if made.Generation != 144 {
		t.Fatalf("generation %d was made; want 144", made.Generation)
	}
	do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
	do(t, w, rotation.Request{}, rotation.Rotated) // sets 145 everywhere, so that marks say 5
	forgets(t, w, 2, rotation.ForgetOptions{}, rotation.Forgotten)
	f := forgetRefused(t, w, 10, rotation.ForgetOptions{}, "--accept-unknown 1")
	if f.Machines[1].OS != rotation.Windows || f.Machines[1].State != rotation.StateUnproven {
		t.Errorf("%+v; want unproven: its mark may mean generation 5", f.Machines[1])
	}
}

// An operation that is under way may be a reset with an older password.
func TestForgetDoesNotTrustAMachineThatIsBusy(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 5)
		busy := func(r *rotation.Rotator) {
			w.Tap(r, rotationtest.Tap{Instance: func(inst *rotation.Instance) { inst.Busy = true }})
		}
		f := forgetRefused(t, w, 3, rotation.ForgetOptions{}, "--accept-unknown 1", busy)
		if !strings.Contains(f.Machines[0].Reason, "may be a reset") {
			t.Errorf("m0: %q; want that a reset may be under way", f.Machines[0].Reason)
		}
	})
}

func TestForgetNamesMachinesThatLeftTheScope(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		left := w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 3)
		left.Tags["rotate"] = "no"
		for range 3 {
			do(t, w, rotation.Request{}, rotation.Rotated)
		}
		tried := 0
		f := forgetRefused(t, w, 5, rotation.ForgetOptions{}, "--accept-unknown 1", watched(func(l rotation.Login, _ error) {
			if l.Instance.ID == left.ID {
				tried++
			}
		}))
		if m := f.Machines[1]; m.ID != left.ID || m.Counts || !strings.Contains(m.Reason, "not in the scope any more") || tried > 0 {
			t.Errorf("%+v, tried %d times; want a line about the machine that left, and no login", m, tried)
		}
		forgets(t, w, 3, rotation.ForgetOptions{}, rotation.Forgotten) // its mark says 3
		if left.Live != all[3] || !w.Readable(left.Live) {
			t.Error("the password of the machine that left is gone")
		}
	})
}

// A scope that is wrong has no machine that could object.
func TestForgetRefusesAScopeThatNamesNoMachine(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 5)
		forgetRefused(t, w, 3, rotation.ForgetOptions{}, "no machine in east matches", func(r *rotation.Rotator) {
			r.Scope = rotation.Selector{Tags: map[string][]string{"rotate": {"typo"}}}
		})
		forgetRefused(t, w, 3, rotation.ForgetOptions{}, "m7", func(r *rotation.Rotator) { r.Scope = rotation.Selector{IDs: []string{"m0", "m7"}} })
		forgetRefused(t, w, 3, rotation.ForgetOptions{}, "RELOCK_TAGS is set", func(r *rotation.Rotator) { r.Scope = rotation.Selector{} })
	})
}

func TestForgetAsksAgainWhereThereIsNoAnswerAndNotMoreThanOnce(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 5)
	w.Machines[0].Tags[rotation.MarkTag] = ""
	for silent, want := range map[int]rotation.Outcome{1: rotation.Planned, 2: rotation.Failure, 9: rotation.Failure} {
		tried := 0
		f, _ := forget(w, 3, rotation.ForgetOptions{DryRun: true}, func(_ int, site string) rotationtest.Fault {
			if site == "verify" {
				if tried++; tried <= silent {
					return rotationtest.FailBefore
				}
			}
			return rotationtest.NoFault
		})
		if tried > 2 || (f.Counts.Login == 1) != (want == rotation.Planned) {
			t.Errorf("%d silent logins: %d were tried, %+v", silent, tried, f.Counts)
		}
	}
}

func TestForgetDryRunSaysWhatWouldGoAndDropsNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 8)
		for _, dry := range []func() *rotation.Forgetting{
			func() *rotation.Forgetting {
				return forgets(t, w, 5, rotation.ForgetOptions{DryRun: true}, rotation.Planned)
			},
			func() *rotation.Forgetting {
				return forgets(t, w, 5, rotation.ForgetOptions{}, rotation.Planned, func(r *rotation.Rotator) { r.DryRun = true })
			},
		} {
			if f := dry(); !slices.Equal(f.Generations, []int{4, 3, 2, 1}) || !f.DryRun {
				t.Errorf("would drop %v, dry run %v; want 4 to 1", f.Generations, f.DryRun)
			}
			kept(t, w, all, 1)
		}
		w.Console(w.Machines[0], "By-Hand-Pass-01")
		if f, err := forget(w, 5, rotation.ForgetOptions{DryRun: true}, nil); f.Outcome != rotation.Planned || !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("a dry run of what would be refused ended %s, %v; want planned, and the refusal", f.Outcome, err)
		}
	})
}

// A store that others have filled up is what forgetting is for.
func TestForgetMakesRoomInAFullStore(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	all := generations(t, w, 5)
	for n := range 4 {
		w.Overwrite(fmt.Sprintf("somebody-elses-%d", n), "{}")
	}
	for {
		report, err, _ := w.Run(w.Rotator(), rotation.Request{}, nil)
		w.Advance(24 * time.Hour)
		if err == nil {
			all = stored(t, w)
			continue
		}
		if !errors.Is(err, rotation.ErrFull) || !strings.Contains(report.Why, "relock forget") {
			t.Fatalf("a store without room: %v; want ErrFull, with the remedy", err)
		}
		break
	}
	before := len(all) - 1
	forgets(t, w, before, rotation.ForgetOptions{}, rotation.Forgotten)
	kept(t, w, all, before)
	do(t, w, rotation.Request{}, rotation.Rotated)
}

func TestForgetShowsNoPassword(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 6)
		w.Console(w.Machines[1], "By-Hand-Pass-01")
		var log bytes.Buffer
		logged := func(r *rotation.Rotator) {
			r.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		f, err := forget(w, 4, rotation.ForgetOptions{}, nil, logged)
		text, _ := json.Marshal(f)
		silent(t, all, fmt.Sprintf("%s\n%v %+v %v\n%s", text, f, *f, err, log.String()))
		if !strings.Contains(log.String(), `"msg":"relock.forget"`) {
			t.Errorf("the log says %s; want a line relock.forget", log.String())
		}
	})
}
