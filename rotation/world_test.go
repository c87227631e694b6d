package rotation_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// The clouds that a world can be like.
var (
	whenStopped = rotationtest.Kind{}
	atBoot      = rotationtest.Kind{Boot: true}
	byLabels    = rotationtest.Kind{Labels: true}
)

// change alters the Rotator of one invocation.
type change func(*rotation.Rotator)

// newWorld returns a world of that kind, and holds S0-S8 in it until the test ends.
func newWorld(t *testing.T, k rotationtest.Kind) *rotationtest.World {
	t.Helper()
	w := rotationtest.NewWorld(k)
	t.Cleanup(func() {
		if len(w.Violations) > 0 {
			t.Errorf("%s\n%s", strings.Join(w.Violations, "\n"), strings.Join(w.Trace, "\n"))
		}
	})
	return w
}

// onEvery runs a history in a world of every kind.
func onEvery(t *testing.T, history func(t *testing.T, w *rotationtest.World)) {
	t.Helper()
	for _, k := range []rotationtest.Kind{whenStopped, atBoot, byLabels, {Labels: true, Boot: true}} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			history(t, newWorld(t, k))
		})
	}
}

// add puts n machines into the scope.
func add(w *rotationtest.World, n int, power rotation.PowerState) {
	for range n {
		w.Add(rotation.Linux, power)
	}
}

// do is one invocation.
func do(w *rotationtest.World, req rotation.Request, changes ...change) (*rotation.Report, error) {
	r := w.Rotator()
	for _, c := range changes {
		c(r)
	}
	report, err, _ := w.Run(r, req, nil)
	return report, err
}

// must is one invocation that has to end as wanted.
func must(t *testing.T, w *rotationtest.World, req rotation.Request, want rotation.Outcome, changes ...change) *rotation.Report {
	t.Helper()
	report, err := do(w, req, changes...)
	if report.Outcome != want {
		t.Fatalf("%s ended %s: %s (error %v); want %s\n%s", req.Action, report.Outcome, report.Why, err, want, strings.Join(w.Trace, "\n"))
	}
	if wantErr := want == rotation.Partial || want == rotation.Failure; (err != nil) != wantErr {
		t.Fatalf("%s ended %s with error %v", req.Action, want, err)
	}
	return report
}

// killed is one invocation that dies at the nth call of that site, before or after its effect.
func killed(t *testing.T, w *rotationtest.World, req rotation.Request, f rotationtest.Fault, site string, nth int, changes ...change) {
	t.Helper()
	r := w.Rotator()
	for _, c := range changes {
		c(r)
	}
	if _, _, dead := w.Run(r, req, at(f, site, nth)); !dead {
		t.Fatalf("the run did not get to its call %d of %s\n%s", nth, site, strings.Join(w.Trace, "\n"))
	}
}

// at is a fault at the nth call of a site.
func at(f rotationtest.Fault, site string, nth int) func(int, string) rotationtest.Fault {
	seen := 0
	return func(_ int, s string) rotationtest.Fault {
		if s == site {
			if seen++; seen == nth {
				return f
			}
		}
		return rotationtest.NoFault
	}
}

// tap puts a tap in front of an invocation's fleets.
func tap(w *rotationtest.World, t rotationtest.Tap) change {
	return func(r *rotation.Rotator) { w.Tap(r, t) }
}

// before is a tap that sees each request first, and may answer it.
func before(w *rotationtest.World, f func(rotationtest.Sent) error) change {
	return tap(w, rotationtest.Tap{Before: f})
}

// policy changes an invocation's policy.
func policy(f func(*rotation.Policy)) change {
	return func(r *rotation.Rotator) { f(&r.Policy) }
}

func exceptions(n int) change { return policy(func(p *rotation.Policy) { p.MaxExceptions = n }) }

func restart(how rotation.Restart) change {
	return policy(func(p *rotation.Policy) { p.Restart = how })
}

func proof(by rotation.Proof) change { return policy(func(p *rotation.Policy) { p.Proof = by }) }

func unavailable(n int) change {
	return policy(func(p *rotation.Policy) { p.MaxUnavailable = rotation.Share{Number: n} })
}

func noVerifier(r *rotation.Rotator) { r.Verifier = nil }

// logins answers logins with what f says; nil lets the world answer.
func logins(f func(rotation.Login) error) change {
	return func(r *rotation.Rotator) { r.Verifier = answers{r.Verifier, f} }
}

type answers struct {
	world rotation.Verifier
	f     func(rotation.Login) error
}

func (a answers) Verify(ctx context.Context, all []rotation.Login) []error {
	out := a.world.Verify(ctx, all)
	for i, l := range all {
		if err := a.f(l); err != nil {
			out[i] = err
		}
	}
	return out
}

// deadline is a context that ends at a time of the world's, if it ever gets there.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// within is one invocation that has so much time.
func within(t *testing.T, w *rotationtest.World, d time.Duration, req rotation.Request, changes ...change) (*rotation.Report, error) {
	t.Helper()
	r := w.Rotator()
	for _, c := range changes {
		c(r)
	}
	report, err, _ := w.RunContext(deadline{t.Context(), w.Now().Add(d)}, r, req, nil)
	return report, err
}

// history is every version in the store, the newest first.
func history(t *testing.T, w *rotationtest.World) []rotation.Version {
	t.Helper()
	all, err := w.Ledger().History(t.Context(), rotationtest.Secret)
	if err != nil {
		t.Fatalf("History = %v", err)
	}
	return all
}

// newest is the version of the highest generation.
func newest(t *testing.T, w *rotationtest.World) rotation.Version {
	t.Helper()
	return history(t, w)[0]
}

// stage is the version at a stage; zero when there is none.
func stage(t *testing.T, w *rotationtest.World, s rotation.Stage) rotation.Version {
	t.Helper()
	v, err := w.Ledger().Get(t.Context(), rotationtest.Secret, s)
	if err != nil && !errors.Is(err, rotation.ErrNotFound) {
		t.Fatalf("Get(%s) = %v", s, err)
	}
	return v
}

// holds fails unless the stages hold these generations; zero is none.
func holds(t *testing.T, w *rotationtest.World, current, pending int) {
	t.Helper()
	if c, p := stage(t, w, rotation.Current).Generation, stage(t, w, rotation.Pending).Generation; c != current || p != pending {
		t.Errorf("current is %d and pending %d; want %d and %d\n%s", c, p, current, pending, strings.Join(w.Trace, "\n"))
	}
}

// sites are those whose calls change something.
var sites = []string{"reset", "stop", "start", "restart", "mark-down", "mark-up", "mark-ok", "store-create", "store-label", "store-previous", "store-point", "store-remove"}

// changes is what f changed in the world, by site.
func changes(w *rotationtest.World, f func()) map[string]int {
	old := maps.Clone(w.Sites)
	f()
	out := map[string]int{}
	for _, site := range sites {
		if n := w.Sites[site] - old[site]; n > 0 {
			out[site] = n
		}
	}
	return out
}

// untouched fails when f changes anything in the world.
func untouched(t *testing.T, w *rotationtest.World, f func()) {
	t.Helper()
	if got := changes(w, f); len(got) > 0 {
		t.Errorf("the world was changed: %v\n%s", got, strings.Join(w.Trace, "\n"))
	}
}

// stops is how often a machine was taken down, for whatever generation.
func stops(m *rotationtest.Machine) int {
	n := 0
	for _, times := range m.Stops {
		n += times
	}
	return n
}

// everywhere fails unless every machine of the scope has what is current and the power that it had.
func everywhere(t *testing.T, w *rotationtest.World) {
	t.Helper()
	for _, m := range w.Machines {
		if m.Tags["rotate"] != "yes" {
			continue
		}
		if m.Live != w.Current() {
			t.Errorf("%s does not open with what is current", m.ID)
		}
		if m.Power != m.Was {
			t.Errorf("%s is %s; it was %s", m.ID, m.Power, m.Was)
		}
	}
}

// line is the report's line about a machine.
func line(t *testing.T, r *rotation.Report, id string) rotation.MachineReport {
	t.Helper()
	i := slices.IndexFunc(r.Machines, func(m rotation.MachineReport) bool { return m.ID == id })
	if i < 0 {
		t.Fatalf("the report has no line for %s", id)
	}
	return r.Machines[i]
}

// says fails unless text holds every piece.
func says(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(text, piece) {
			t.Errorf("it says %q; want it to contain %q", text, piece)
		}
	}
}

// refused fails unless err asks a person to correct something, and says so in these words.
func refused(t *testing.T, err error, pieces ...string) {
	t.Helper()
	if !errors.Is(err, rotation.ErrConfig) {
		t.Fatalf("the error is %v; want one that matches ErrConfig", err)
	}
	says(t, err.Error(), pieces...)
}
