package rotationtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// attempt is one login that a machine saw.
type attempt struct {
	password string
	at       time.Time
}

// recovers is one Recover of the first machine; it returns what the machine saw, too.
func recovers(t *testing.T, w *rotationtest.World, o rotation.RecoverOptions, want rotation.Recovered, change ...func(*rotation.Rotator)) (rotation.Recovery, []attempt) {
	t.Helper()
	var seen []attempt
	r := w.Rotator()
	for _, c := range change {
		c(r)
	}
	watched(func(l rotation.Login, _ error) {
		seen = append(seen, attempt{l.Credential.Password.Reveal(), w.Now()})
	})(r)
	out, err := r.Recover(t.Context(), "m0", o)
	if err != nil || out.Outcome != want {
		t.Fatalf("Recover ended %s (%s), %v; want %s", out.Outcome, out.Reason, err, want)
	}
	return out, seen
}

// numbers are the generations of versions.
func numbers(versions []rotation.Version) []int {
	out := []int{}
	for _, v := range versions {
		out = append(out, v.Generation)
	}
	return out
}

func tried(r rotation.Recovery) []int {
	out := []int{}
	for _, t := range r.Tries {
		out = append(out, t.Version.Generation)
	}
	return out
}

func TestRecoverFindsWhichPasswordOpensAMachine(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 5)
		for n := range all {
			w.Machines[0].Live = all[n]
			r, seen := recovers(t, w, rotation.RecoverOptions{Tries: -1}, rotation.Opened)
			v, ok := r.Opens()
			if !ok || v.Generation != n || len(seen) != 6-n || r.Tries[len(r.Tries)-1].Answer != rotation.TryOpens {
				t.Errorf("generation %d is in force; Recover says %d, %v, after %d logins", n, v.Generation, ok, len(seen))
			}
		}
	})
}

// The order is lookup's: what the mark says, then current, then the newer before the older.
func TestRecoverTriesTheLikeliestFirst(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 3)
		w.Machines[0].Broken = true
		for range 3 {
			do(t, w, rotation.Request{}, rotation.Rotated, exceptions(1))
		}
		w.Machines[0].Tags[rotation.MarkTag] = "3.ok"
		r, seen := recovers(t, w, rotation.RecoverOptions{}, rotation.Opened)
		if v, _ := r.Opens(); v.Generation != 3 || len(seen) != 1 || seen[0].password != all[3] {
			t.Errorf("opened by %d after %d logins; want 3, which the mark names, at once", v.Generation, len(seen))
		}
		w.Console(w.Machines[0], "By-Hand-Pass-01")
		r, _ = recovers(t, w, rotation.RecoverOptions{Tries: -1}, rotation.NoneOpens)
		if got := tried(r); !slices.Equal(got, []int{3, 6, 5, 4, 2, 1}) || r.Unknown {
			t.Errorf("tried %v, unknown %v; want the mark's, current, and the others from new to old", got, r.Unknown)
		}
	})
}

func TestRecoverStopsWhenTheLoginBudgetIsSpent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 9)
		w.Console(w.Machines[0], "By-Hand-Pass-01")
		for tries, want := range map[int]int{0: 3, 1: 1, 2: 2, 5: 5} {
			r, seen := recovers(t, w, rotation.RecoverOptions{Tries: tries}, rotation.OutOfTries)
			if len(seen) != want || len(r.Tries) != want || len(r.Left) != 9-want {
				t.Errorf("Tries %d: %d logins, %d tried, %d left; want %d and %d", tries, len(seen), len(r.Tries), len(r.Left), want, 9-want)
			}
		}
		// Going on ends, and shows each password once.
		shown := map[string]int{}
		o := rotation.RecoverOptions{Tries: 2}
		for rounds := 0; ; rounds++ {
			want := rotation.OutOfTries
			if rounds == 4 {
				want = rotation.NoneOpens
			}
			r, seen := recovers(t, w, o, want)
			for _, a := range seen {
				shown[a.password]++
			}
			if o = r.GoOn(o); o.From == 0 {
				if len(r.Skipped) != 8 {
					t.Errorf("the last round skipped %d; want 8", len(r.Skipped))
				}
				break
			}
		}
		if len(shown) != 9 {
			t.Errorf("%d passwords were shown; want 9", len(shown))
		}
		for _, n := range shown {
			if n != 1 {
				t.Errorf("a password was shown %d times; want once", n)
			}
		}
	})
}

// A login whose answer is lost proves nothing, and may have been refused: it is spent, and not counted as refused.
func TestRecoverTakesNoAnswerForNoAnswer(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	all := generations(t, w, 6)
	w.Machines[0].Live = all[4]
	for _, c := range []struct {
		lost  []int // logins
		tries int
		want  rotation.Recovered
		tried []int
		seen  int
	}{
		{[]int{1}, 5, rotation.Opened, []int{6, 5, 4}, 4},
		{[]int{1, 2}, 5, rotation.Opened, []int{6, 5, 4}, 5},
		{[]int{2, 3}, 5, rotation.Opened, []int{6, 5, 4}, 5},
		{[]int{1, 2, 3}, 9, rotation.NoAnswer, []int{6}, 3},
		{[]int{2, 3, 4}, 9, rotation.NoAnswer, []int{6, 5}, 4},
		{[]int{1}, 3, rotation.OutOfTries, []int{6, 5}, 3},
		{[]int{3}, 3, rotation.NoAnswer, []int{6, 5, 4}, 3},
	} {
		logins := 0
		r := w.Rotator()
		var out rotation.Recovery
		w.Try(func(*rotationtest.World) (err error) {
			out, err = r.Recover(ctx, "m0", rotation.RecoverOptions{Tries: c.tries})
			return err
		}, func(_ int, site string) rotationtest.Fault {
			if site == "verify" {
				if logins++; slices.Contains(c.lost, logins) {
					return rotationtest.FailAfter
				}
			}
			return rotationtest.NoFault
		})
		if out.Outcome != c.want || !slices.Equal(tried(out), c.tried) || logins != c.seen {
			t.Errorf("without the answers %v: %s after %v and %d logins; want %s after %v and %d", c.lost, out.Outcome, tried(out), logins, c.want, c.tried, c.seen)
		}
		if out.Outcome == rotation.NoAnswer && (out.Left[0].Generation != c.tried[len(c.tried)-1] || out.Reason == "" || out.Tries[len(out.Tries)-1].Answer != rotation.TryUnknown) {
			t.Errorf("without the answers %v: left %v, reason %q; want the unanswered one left, and why", c.lost, numbers(out.Left), out.Reason)
		}
	}
}

func TestRecoverEndsAtOnceWhereNoLoginCanBeTried(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 4)
	w.Machines[0].NoLogin = true
	r, seen := recovers(t, w, rotation.RecoverOptions{}, rotation.NotTried)
	if len(seen) != 1 || len(r.Tries) != 0 || len(r.Left) != 4 || r.Reason == "" {
		t.Errorf("%d logins, %d tried, %d left, reason %q; want one look, and why", len(seen), len(r.Tries), len(r.Left), r.Reason)
	}
}

func TestRecoverPausesBetweenLogins(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 4)
	w.Console(w.Machines[0], "By-Hand-Pass-01")
	for pause, want := range map[time.Duration]time.Duration{0: 2 * time.Second, -1: 0, 8 * time.Minute: 8 * time.Minute} {
		_, seen := recovers(t, w, rotation.RecoverOptions{Tries: -1, Pause: pause}, rotation.NoneOpens)
		for i := 1; i < len(seen); i++ {
			if got := seen[i].at.Sub(seen[i-1].at); got != want {
				t.Errorf("Pause %v: %v between two logins; want %v", pause, got, want)
			}
		}
	}
}

// The same password again would only cost a try.
func TestRecoverTriesAPasswordOnce(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 2)
	for n := 3; n <= 4; n++ {
		// Invocations that died after they had stored a candidate, with the baseline's password and another spelling of its user.
		v := rotation.Version{Generation: n, Token: fmt.Sprint(n), Birth: "b", Username: "root", Password: rotation.NewPassword(rotationtest.Baseline)}
		if _, err := w.Ledger().Propose(ctx, rotationtest.Secret, v); err != nil {
			t.Fatal(err)
		}
	}
	w.Console(w.Machines[0], "By-Hand-Pass-01")
	r, seen := recovers(t, w, rotation.RecoverOptions{Tries: -1}, rotation.NoneOpens)
	if len(seen) != 2 || len(r.Tries) != 2 || len(r.Versions) != 4 {
		t.Errorf("%d logins for %d versions; want one for each of 2 passwords", len(seen), len(r.Versions))
	}
}

// Of two versions of one generation, going on must get to the second.
func TestRecoverGoesOnWithinAGeneration(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{Labels: true})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 2)
	loser := rotation.Version{Generation: 2, Token: "slow", Birth: "b", Password: rotation.NewPassword("Slow-Pass-0002")}
	value, err := loser.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.Overwrite("g00000002-cffff", string(value))
	w.Machines[0].Live = "Slow-Pass-0002"
	o := rotation.RecoverOptions{Tries: 1}
	for range 6 {
		r, err := w.Rotator().Recover(t.Context(), "m0", o)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := r.Opens(); ok {
			if v.Token != "slow" {
				t.Errorf("opened by %q; want the slow candidate", v.Token)
			}
			return
		}
		o = r.GoOn(o)
	}
	t.Error("going on never gets to the second version of a generation")
}

func TestRecoverChangesNothingAndShowsNoPassword(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		all := generations(t, w, 4)
		w.Machines[0].Live = all[2]
		old := maps.Clone(w.Sites)
		var log bytes.Buffer
		r, _ := recovers(t, w, rotation.RecoverOptions{}, rotation.Opened, func(r *rotation.Rotator) {
			r.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		for site, n := range w.Sites {
			if n != old[site] && !slices.Contains([]string{"store-read", "store-list", "describe", "verify"}, site) {
				t.Errorf("Recover made %d calls of %s", n-old[site], site)
			}
		}
		text, err := json.Marshal(r)
		silent(t, all, fmt.Sprintf("%s\n%v\n%+v\n%#v\n%v\n%s", text, r, r, r, err, log.String()))
	})
}

func TestRecoverRefusesWhatCannotBeMeant(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 3)
	without := w.Rotator()
	without.Verifier = nil
	for name, ask := range map[string]func() error{
		"another machine": func() error {
			_, err := w.Rotator().Recover(t.Context(), "m9", rotation.RecoverOptions{})
			return err
		},
		"another generation": func() error {
			_, err := w.Rotator().Recover(t.Context(), "m0", rotation.RecoverOptions{From: 7})
			return err
		},
		"no way to log in": func() error {
			_, err := without.Recover(t.Context(), "m0", rotation.RecoverOptions{})
			return err
		},
	} {
		if err := ask(); !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("%s: %v; want one that matches ErrConfig", name, err)
		}
	}
}

func TestRecoverSaysWhatItTriedWhenItIsInterrupted(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	generations(t, w, 5)
	w.Console(w.Machines[0], "By-Hand-Pass-01")
	ctx, cancel := context.WithCancel(t.Context())
	r := w.Rotator()
	n := 0
	watched(func(rotation.Login, error) {
		if n++; n == 2 {
			cancel()
		}
	})(r)
	out, err := r.Recover(ctx, "m0", rotation.RecoverOptions{Tries: -1})
	if !errors.Is(err, context.Canceled) || out.Outcome != rotation.Interrupted || len(out.Tries) != 2 || len(out.Left) != 3 {
		t.Errorf("interrupted: %s, %d tried, %d left, %v; want 2 and 3", out.Outcome, len(out.Tries), len(out.Left), err)
	}
}
