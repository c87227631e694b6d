package rotationtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// forgettable is a world whose secret holds 12 generations, some of them in an archive that holds more than goes.
func forgettable(t *testing.T, k rotationtest.Kind) (*rotationtest.World, map[int]string) {
	t.Helper()
	w := rotationtest.NewWorld(k)
	w.Add(rotation.Linux, rotation.Running)
	for n := 2; n <= 12; n++ { // as rotations do it, without the machine's part
		l := w.Ledger()
		v, err := l.Propose(ctx, rotationtest.Secret, rotation.Version{
			Generation: n, Token: fmt.Sprint(n), Birth: "b", Password: rotation.NewPassword(fmt.Sprintf("Stored-Pass-%04d", n)),
		})
		if err != nil || v.Generation != n {
			t.Fatalf("Propose(%d) = %d, %v", n, v.Generation, err)
		}
		w.Machines[0].Live = v.Password.Reveal()
		if err := l.Promote(ctx, rotationtest.Secret, v); err != nil {
			t.Fatalf("Promote(%d) = %v", n, err)
		}
	}
	all := stored(t, w)
	slots, err := w.Shelf().List(ctx, rotationtest.Secret)
	if err != nil || !strings.HasPrefix(slots[0].Name, "a00000001-0000000") || slots[0].Name[10:18] < "00000005" {
		t.Fatalf("the store holds %v, %v; want an archive of the generations 1 to 5 or more", slots, err)
	}
	return w, all
}

// before is in the middle of that archive.
const before = 4

// ended holds at the end of a history: what goes is gone once forgetting was repeated, what stays is there.
func ended(t *testing.T, w *rotationtest.World, all map[int]string) {
	t.Helper()
	w.Advance(24 * time.Hour)
	f, err := forget(w, before, rotation.ForgetOptions{}, stays(t, w, all, before, nil))
	if err != nil {
		t.Fatalf("Forget, repeated: %v\n%s", err, strings.Join(w.Trace, "\n"))
	}
	now := stored(t, w)
	for n, p := range all {
		if (now[n] == p) != (n >= before) {
			t.Fatalf("Forget, repeated, ended %s, and generation %d is there: %v\n%s", f.Outcome, n, now[n] == p, strings.Join(w.Trace, "\n"))
		}
	}
	if len(w.Violations) > 0 {
		t.Fatalf("%s\n%s", strings.Join(w.Violations, "\n"), strings.Join(w.Trace, "\n"))
	}
}

// calls is how many boundary calls a function makes.
func calls(w *rotationtest.World, f func()) int {
	old := w.Calls()
	f()
	return w.Calls() - old
}

// S1 for all that stays: a Forget fails and dies at every call, in every way, and is repeated.
func TestForgetKeepsWhatStaysWhateverCallFailsIt(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			w, _ := forgettable(t, k)
			total := calls(w, func() { forgets(t, w, before, rotation.ForgetOptions{}, rotation.Forgotten) })
			for n := 1; n <= total; n++ {
				for _, f := range rotationtest.Faults() {
					w, all := forgettable(t, k)
					forget(w, before, rotation.ForgetOptions{}, stays(t, w, all, before, once(n, f)))
					readableFrom(t, w, all, before, "afterwards")
					ended(t, w, all)
				}
			}
			fmt.Fprintf(os.Stderr, "forget %s: %d calls, %d histories\n", k, total, total*len(rotationtest.Faults()))
		})
	}
}

// once is a fault at the nth call.
func once(nth int, f rotationtest.Fault) func(int, string) rotationtest.Fault {
	return func(n int, _ string) rotationtest.Fault {
		if n == nth {
			return f
		}
		return rotationtest.NoFault
	}
}

// crowd makes the store so full that a rotation has to compact. A Forget that died half way may take the slot that is left.
func crowd(w *rotationtest.World, k rotationtest.Kind) {
	w.Overwrite("somebody-elses-1", "{}")
	if k.Labels { // current takes no slot of its own
		w.Overwrite("somebody-elses-2", "{}")
	}
}

// A rotation makes room while a Forget is frozen, at every call of it.
func TestForgetKeepsWhatStaysWhileARotationCompacts(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			w, _ := forgettable(t, k)
			total := calls(w, func() { forgets(t, w, before, rotation.ForgetOptions{}, rotation.Forgotten) })
			for n := 1; n <= total; n++ {
				w, all := forgettable(t, k)
				crowd(w, k)
				w.Meanwhile(func() {
					for range 3 {
						w.Run(w.Rotator(), rotation.Request{}, stays(t, w, all, before, nil))
						w.Advance(time.Hour)
					}
				})
				forget(w, before, rotation.ForgetOptions{}, stays(t, w, all, before, once(n, rotationtest.Overtaken)))
				readableFrom(t, w, all, before, "afterwards")
				ended(t, w, all)
			}
		})
	}
}

// A Forget dies at every call, and is repeated while a rotation that makes room is frozen, at every call of that: each of
// them relies on what the other is about to remove.
func TestForgetKeepsWhatStaysFromACompactionThatIsFrozen(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			w, _ := forgettable(t, k)
			died := calls(w, func() { forgets(t, w, before, rotation.ForgetOptions{}, rotation.Forgotten) })
			histories := 0
			for d := 0; d <= died; d++ {
				for n, last := 1, false; !last; n++ {
					w, all := forgettable(t, k)
					forget(w, before, rotation.ForgetOptions{}, stays(t, w, all, before, once(d, rotationtest.KillAfter)))
					crowd(w, k)
					last = true
					w.Meanwhile(func() {
						last = false
						forget(w, before, rotation.ForgetOptions{}, stays(t, w, all, before, nil))
					})
					// Only its calls to the store matter: what it reads and removes before it stores a candidate.
					w.Run(w.Rotator(), rotation.Request{Step: rotation.StepCreate}, stays(t, w, all, before, once(n, rotationtest.Overtaken)))
					readableFrom(t, w, all, before, "afterwards")
					do(t, w, rotation.Request{}, rotation.Rotated)
					ended(t, w, all)
					histories++
				}
			}
			fmt.Fprintf(os.Stderr, "forget against a frozen compaction %s: %d histories\n", k, histories)
		})
	}
}

// What a Forget leaves behind that died, and that nobody repeats, is compacted like anything else.
func TestForgetThatDiedDoesNotFillTheStore(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			w, all := forgettable(t, k)
			for round := range 4 {
				for n := 2; n <= 5; n++ {
					forget(w, n, rotation.ForgetOptions{}, stays(t, w, all, n, func(_ int, site string) rotationtest.Fault {
						if site == "store-create" {
							return rotationtest.KillAfter
						}
						return rotationtest.NoFault
					}))
				}
				for range 10 {
					do(t, w, rotation.Request{}, rotation.Rotated)
				}
				readableFrom(t, w, all, 5, fmt.Sprintf("after round %d", round))
			}
			answerable(t, w)
			if len(w.Violations) > 0 {
				t.Errorf("%s", strings.Join(w.Violations, "\n"))
			}
		})
	}
}

// A slow run may have given the baseline a second number. It goes with the first, and never becomes a generation by itself.
func TestForgetTakesAllNamesOfAVersion(t *testing.T) {
	for nth := 1; nth <= 3; nth++ {
		w := rotationtest.NewWorld(rotationtest.Kind{Labels: true})
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 5)
		shelf := w.Ledger().Shelf
		slots, err := shelf.List(ctx, rotationtest.Secret)
		if err != nil || !strings.HasPrefix(slots[0].Name, "g00000001-b") {
			t.Fatalf("the store holds %v, %v; want the baseline first", slots, err)
		}
		if err := shelf.(rotation.Labeler).Label(ctx, rotationtest.Secret, slots[0], "g00000004-bffff"); err != nil {
			t.Fatal(err)
		}
		removals := 0
		forget(w, 4, rotation.ForgetOptions{}, func(_ int, site string) rotationtest.Fault {
			if site == "store-remove" {
				if removals++; removals == nth {
					return rotationtest.KillAfter
				}
			}
			return rotationtest.NoFault
		})
		for n, p := range stored(t, w) {
			if p == rotationtest.Baseline && n != 1 {
				t.Errorf("after %d removals the baseline is generation %d", nth, n)
			}
		}
		forget(w, 4, rotation.ForgetOptions{}, nil)
		if w.Readable(rotationtest.Baseline) || len(stored(t, w)) != 2 {
			t.Errorf("%d generations are left, the baseline among them: %v; want 4 and 5", len(stored(t, w)), w.Readable(rotationtest.Baseline))
		}
	}
}
