package rotationtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// generations rotates until the secret holds n generations, the baseline included, and returns their passwords by number.
func generations(t *testing.T, w *rotationtest.World, n int, change ...func(*rotation.Rotator)) map[int]string {
	t.Helper()
	for range n - 1 {
		do(t, w, rotation.Request{}, rotation.Rotated, change...)
	}
	all := stored(t, w)
	if len(all) != n {
		t.Fatalf("the secret holds %d generations after %d rotations", len(all), n-1)
	}
	return all
}

// stored is every password in the store, by generation.
func stored(t *testing.T, w *rotationtest.World) map[int]string {
	t.Helper()
	versions, err := w.Ledger().History(t.Context(), rotationtest.Secret)
	if err != nil {
		t.Fatalf("History = %v", err)
	}
	out := map[int]string{}
	for _, v := range versions {
		out[v.Generation] = v.Password.Reveal()
	}
	return out
}

// forget is one Forget, which the fault may end at any call; nil is what a killed one returns.
func forget(w *rotationtest.World, before int, o rotation.ForgetOptions, fault func(int, string) rotationtest.Fault, change ...func(*rotation.Rotator)) (f *rotation.Forgetting, err error) {
	w.Try(func(w *rotationtest.World) error {
		r := w.Rotator()
		for _, c := range change {
			c(r)
		}
		f, err = r.Forget(ctx, before, o)
		return err
	}, fault)
	return f, err
}

// forgets is one Forget that has to end as wanted.
func forgets(t *testing.T, w *rotationtest.World, before int, o rotation.ForgetOptions, want rotation.Outcome, change ...func(*rotation.Rotator)) *rotation.Forgetting {
	t.Helper()
	f, err := forget(w, before, o, nil, change...)
	if f.Outcome != want || (err != nil) != (want == rotation.Failure) {
		t.Fatalf("Forget(before %d) ended %s: %s (%v); want %s\n%s", before, f.Outcome, f.Why, err, want, strings.Join(w.Trace, "\n"))
	}
	return f
}

// forgetRefused is one Forget that asks a person to correct something first, and changes nothing.
func forgetRefused(t *testing.T, w *rotationtest.World, before int, o rotation.ForgetOptions, why string, change ...func(*rotation.Rotator)) *rotation.Forgetting {
	t.Helper()
	old := stored(t, w)
	f := forgets(t, w, before, o, rotation.Failure, change...)
	if !strings.Contains(f.Why, why) || !strings.HasPrefix(f.Why, rotation.ErrConfig.Error()) {
		t.Errorf("Forget(before %d) says %q; want a refusal with %q", before, f.Why, why)
	}
	if now := stored(t, w); len(now) != len(old) {
		t.Errorf("a refused Forget(before %d) left %d of %d generations", before, len(now), len(old))
	}
	return f
}

// kept fails unless the store holds exactly the generations from before on.
func kept(t *testing.T, w *rotationtest.World, all map[int]string, before int) {
	t.Helper()
	now := stored(t, w)
	for n, p := range all {
		if got, ok := now[n]; ok != (n >= before) || ok && got != p {
			t.Errorf("after Forget(before %d) generation %d is there: %v, with its password: %v", before, n, ok, got == p)
		}
		if n < before && w.Readable(p) {
			t.Errorf("after Forget(before %d) the password of generation %d can still be read", before, n)
		}
	}
}

// stays is a fault function that fails the test as soon as a generation from before on cannot be read.
func stays(t *testing.T, w *rotationtest.World, all map[int]string, before int, fault func(int, string) rotationtest.Fault) func(int, string) rotationtest.Fault {
	return func(n int, site string) rotationtest.Fault {
		readableFrom(t, w, all, before, fmt.Sprintf("before call %d, a %s", n, site))
		if fault == nil {
			return rotationtest.NoFault
		}
		return fault(n, site)
	}
}

func readableFrom(t *testing.T, w *rotationtest.World, all map[int]string, before int, when string) {
	t.Helper()
	for n, p := range all {
		if n >= before && !w.Readable(p) {
			t.Fatalf("%s: generation %d cannot be read\n%s", when, n, strings.Join(w.Trace, "\n"))
		}
	}
}

// silent fails when a text holds a password.
func silent(t *testing.T, all map[int]string, text string) {
	t.Helper()
	for n, p := range all {
		if strings.Contains(text, p) {
			t.Errorf("the password of generation %d is in the output", n)
		}
	}
}

// watched tells of every login, and what came of it.
func watched(tell func(rotation.Login, error)) func(*rotation.Rotator) {
	return func(r *rotation.Rotator) { r.Verifier = watcher{r.Verifier, tell} }
}

// watcher tells of logins.
type watcher struct {
	world rotation.Verifier
	tell  func(rotation.Login, error)
}

func (v watcher) Verify(ctx context.Context, logins []rotation.Login) []error {
	out := v.world.Verify(ctx, logins)
	for i, l := range logins {
		v.tell(l, out[i])
	}
	return out
}
