package rotationtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// These are the shortest histories of what faults and random histories found.

// L2: a machine that was taken down as often as is allowed takes nobody's place, not a canary's either.
func TestMachineThatWasTriedTooOftenStopsNobody(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running).Broken = true
		w.Add(rotation.Linux, rotation.Running)
		for range 4 {
			r := w.Rotator()
			w.Run(r, rotation.Request{Only: []string{"m0"}}, nil)
			w.Blame() // a reset that fails may cost a further stop
		}
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial)
		if w.Machines[1].Live == rotationtest.Baseline {
			t.Error("the other machine was not set")
		}
	})
}

// Where a boot may come too soon after a reset, the boot waits.
func TestBootWaitsUntilTheResetIsInPlace(t *testing.T) {
	for _, k := range kinds() {
		k.Boot = true
		w := rotationtest.NewWorld(k)
		w.Answer(rotationtest.Answers{BootTooSoon: true})
		w.Add(rotation.Linux, rotation.Running)
		do(t, w, rotation.Request{}, rotation.Rotated)
		w.CheckEnd()
		if n := stops(w.Machines[0]); n != 1 || len(w.Violations) > 0 {
			t.Errorf("the machine was restarted %d times: %q", n, w.Violations)
		}
	}
}

// at is a fault of the n-th call of a site.
func at(site string, nth int, f rotationtest.Fault) func(int, string) rotationtest.Fault {
	return func(_ int, s string) rotationtest.Fault {
		if s == site {
			if nth--; nth == 0 {
				return f
			}
		}
		return rotationtest.NoFault
	}
}

// A machine that was created between two pages shifts the others: one is on both, and is one all the same.
func TestMachineOnTwoPagesIsOneMachine(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		for nth := range 2 {
			report, err, _ := w.Run(w.Rotator(), rotation.Request{}, at("describe", nth+1, rotationtest.Torn))
			if report.Outcome != rotation.Rotated || report.Counts.Scope != 1 {
				t.Errorf("ended %s with %d machines: %v", report.Outcome, report.Counts.Scope, err)
			}
		}
		if n := stops(w.Machines[0]); n != 2 {
			t.Errorf("stopped %d times for two generations", n)
		}
	})
}

// A candidate that the store lists late is not made a second time: where names move, the version that somebody has adopted
// could lose to one that was created after it. The run waits until it is listed, and goes on.
func TestCandidateThatIsListedLateIsMadeOnce(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		do(t, w, rotation.Request{}, rotation.Rotated)
		created, before := false, w.Sites["store-create"]
		report, err, _ := w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			if created && site == "store-list" {
				created = false
				return rotationtest.StaleStore
			}
			created = created || site == "store-create"
			return rotationtest.NoFault
		})
		if report.Outcome != rotation.Rotated {
			t.Errorf("ended %s, %v; want rotated", report.Outcome, err)
		}
		if n := w.Sites["store-create"] - before; n != 1 {
			t.Errorf("the candidate was created %d times", n)
		}
		w.CheckEnd()
	})
}

// Two invocations that both found the secret without a birth agree on one: else the machines of the one would be another
// secret's to the other.
func TestSecretHasOneBirth(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		if _, err := w.Ledger().Propose(t.Context(), rotationtest.Secret, candidateOf(2, "first")); err != nil {
			t.Fatal(err)
		}
		v, err := w.Ledger().Propose(t.Context(), rotationtest.Secret, candidateOf(3, "second"))
		if err != nil || v.Birth != "first" {
			t.Errorf("the third generation has the birth %q, %v; want the second's", v.Birth, err)
		}
	})
}

func candidateOf(generation int, birth string) rotation.Version {
	return rotation.Version{Generation: generation, Token: birth, Birth: birth, Password: rotation.NewPassword(fmt.Sprintf("Candidate-Pass-%04d", generation))}
}

// Where two invocations that found no birth made a generation each at the same time, each with a birth of its own, the machines of
// both are this secret's.
func TestMachinesOfEveryBirthAreTheSecrets(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		l := w.Ledger()
		if _, err := l.Propose(t.Context(), rotationtest.Secret, candidateOf(2, "first")); err != nil {
			t.Fatal(err)
		}
		value, err := candidateOf(3, "second").Encode()
		if err != nil {
			t.Fatal(err)
		}
		name := "g00000003"
		if l.Suffix != nil {
			name += "-c" + l.Suffix()
		}
		if err := l.Shelf.Create(t.Context(), rotationtest.Secret, name, value); err != nil {
			t.Fatal(err)
		}
		r := w.Rotator()
		w.Machines[0].Tags[rotation.SecretTag] = rotation.MarkSecret(r.Home[0], r.Home[1], r.Secret, "first")
		w.Machines[0].Tags[rotation.MarkTag] = "2.ok"
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		if want := rotation.MarkSecret(r.Home[0], r.Home[1], r.Secret, "second"); w.Machines[0].Tags[rotation.SecretTag] != want {
			t.Errorf("its mark says %q; want %q, by which the other machines are known", w.Machines[0].Tags[rotation.SecretTag], want)
		}
		w.CheckEnd()
	})
}

// A process that is frozen after it stopped a machine asks for its start once before it gives that up.
func TestFrozenProcessStillStartsWhatItStopped(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		refused := false
		w.Run(w.Rotator(), rotation.Request{}, func(_ int, site string) rotationtest.Fault {
			switch {
			case site == "start" && !refused:
				refused = true
				return rotationtest.Busy
			case site == "observe" && refused && w.Injected() < 2:
				return rotationtest.ClockForward
			}
			return rotationtest.NoFault
		})
		w.Advance(time.Hour)
		if p := w.Machines[0].Power; p != rotation.Running {
			t.Errorf("the machine is %s at the end of the run that stopped it", p)
		}
	})
}

// labelCurrent gives the version that is current further names, and reports false where names are versions.
func labelCurrent(t *testing.T, w *rotationtest.World, names ...string) bool {
	t.Helper()
	shelf := w.Ledger().Shelf
	labeler, ok := shelf.(rotation.Labeler)
	if !ok {
		return false
	}
	slot, _, err := shelf.Read(t.Context(), rotationtest.Secret, string(rotation.Current))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := labeler.Label(t.Context(), rotationtest.Secret, slot, name); err != nil {
			t.Fatal(err)
		}
	}
	return true
}

// A number that a second name of one version speaks of is taken: the next value of a person's gets one above it.
func TestNumberOfAnAliasIsNotGivenAgain(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		do(t, w, rotation.Request{}, rotation.Rotated)
		w.Human("Human-Pass-0001")
		if !labelCurrent(t, w, "g00000004-b0", "g00000003-b0") {
			return
		}
		w.Human("Human-Pass-0002")
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated)
		w.CheckEnd()
	})
}

// S3: what was created as a candidate stays one, although somebody who saw the list before it was there took it, as current, for a
// person's value and labelled it so: else its number would be given again, and marks would speak of another password.
func TestCandidateThatIsLabelledAgainIsTheSameGeneration(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Stopped)
		do(t, w, rotation.Request{}, rotation.Rotated)
		if !labelCurrent(t, w, "g00000001-b1") {
			return
		}
		if v, err := w.Ledger().Get(t.Context(), rotationtest.Secret, rotation.Current); err != nil || v.Generation != 2 {
			t.Errorf("current is generation %d, %v; want 2", v.Generation, err)
		}
		if report := do(t, w, rotation.Request{}, rotation.Rotated); report.Generation != 3 {
			t.Errorf("the next one is generation %d; want 3", report.Generation)
		}
		w.CheckEnd()
	})
}

// staleList is a store of labels whose list shows none. After each of the first two was set, a person puts another password into
// current: after the first, what had been current is still previous.
type staleList struct {
	rotation.Shelf
	w      *rotationtest.World
	labels int
}

func (s *staleList) List(context.Context, string) ([]rotation.Slot, error) { return nil, nil }

func (s *staleList) Label(ctx context.Context, secret string, version rotation.Slot, name string) error {
	err := s.Shelf.(rotation.Labeler).Label(ctx, secret, version, name)
	if s.labels++; s.labels <= 2 {
		s.w.Human(fmt.Sprintf("Human-Pass-%04d", s.labels))
	}
	return err
}

// S1: the label of a value that was kept is given to no other while the list does not show it.
func TestAKeptValueKeepsItsLabelWhileTheListIsOutOfDate(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{Labels: true})
	w.Add(rotation.Linux, rotation.Running)
	l := w.Ledger()
	s := &staleList{Shelf: l.Shelf, w: w}
	l.Shelf = s
	_, err := l.Propose(t.Context(), rotationtest.Secret, rotation.Version{Generation: 2, Password: rotation.NewPassword("Another-Pass-0001")})
	if err == nil || s.labels < 2 || len(w.Violations) > 0 {
		t.Errorf("Propose = %v after %d labels: %q; want an error, at least 2 and none", err, s.labels, w.Violations)
	}
}
