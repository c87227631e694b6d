package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// A lockout refuses every login to a machine once it refused three within 15 minutes, as pam_faillock does.
type lockout struct {
	rotation.Verifier
	w       *rotationtest.World
	refused map[string][]time.Time
}

func (l *lockout) Verify(ctx context.Context, logins []rotation.Login) []error {
	out := l.Verifier.Verify(ctx, logins)
	for i, login := range logins {
		id := login.Instance.ID
		recent := slices.DeleteFunc(slices.Clone(l.refused[id]), func(t time.Time) bool { return l.w.Now().Sub(t) > 15*time.Minute })
		if len(recent) >= 3 {
			out[i] = rotation.ErrRejected
		}
		if errors.Is(out[i], rotation.ErrRejected) {
			l.refused[id] = append(l.refused[id], l.w.Now())
		}
	}
	return out
}

func (l *lockout) change(r *rotation.Rotator) {
	l.Verifier, r.Verifier = r.Verifier, l
	r.Policy.Restart = rotation.RestartNever
}

// waiting is a world in which a new password waits for the next boot of a running machine and of a stopped one.
func waiting(t *testing.T) (*rotationtest.World, *lockout) {
	t.Helper()
	w := newWorld(t, rotationtest.Kind{Boot: true, Labels: true})
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Linux, rotation.Stopped)
	l := &lockout{w: w, refused: map[string][]time.Time{}}
	report, err := do(w, rotation.Request{}, l.change)
	if err != nil || report.Outcome != rotation.Incomplete || report.Counts.Waiting != 2 {
		t.Fatalf("rotate = %s, %v, %d waiting; want incomplete and 2", report.Outcome, err, report.Counts.Waiting)
	}
	return w, l
}

func TestAMachineThatWaitsForItsBootIsNotLockedOutByResumes(t *testing.T) {
	w, l := waiting(t)
	for range 24 * 12 { // a day of resumes, every 5 minutes
		w.Advance(5 * time.Minute)
		report, err := do(w, rotation.Request{Action: rotation.Resume}, l.change)
		if err != nil || report.Outcome != rotation.Incomplete || report.Counts.Waiting != 2 {
			t.Fatalf("resume = %s, %v, %d waiting; want incomplete and 2", report.Outcome, err, report.Counts.Waiting)
		}
	}
	all := l.refused["m0"]
	for i := 2; i < len(all); i++ {
		if all[i].Sub(all[i-2]) <= 15*time.Minute {
			t.Errorf("three refused logins within 15 minutes: %v", all[i-2:i+1])
		}
	}
	if len(all) == 0 || len(all) > 12 {
		t.Errorf("%d refused logins in a day; want a few", len(all))
	}
	w.Reboot(w.Machines[0])
	w.Reboot(w.Machines[1])
	for range 6 * 12 { // six hours, the longest pause
		w.Advance(5 * time.Minute)
		report, err := do(w, rotation.Request{Action: rotation.Resume}, l.change)
		if err != nil {
			t.Fatal(err)
		}
		if report.Outcome == rotation.Rotated {
			everywhere(t, w)
			return
		}
	}
	t.Error("the machines have restarted, and six hours later they are not proven")
}

func TestAMachineThatRestartedIsProvenAtOnceWhenItIsNamed(t *testing.T) {
	w, l := waiting(t)
	for range 3 {
		w.Advance(5 * time.Minute)
		if _, err := do(w, rotation.Request{Action: rotation.Resume}, l.change); err != nil {
			t.Fatal(err)
		}
	}
	w.Reboot(w.Machines[0])
	report, err := do(w, rotation.Request{Action: rotation.Resume, Only: []string{"m0"}}, l.change)
	if got := line(t, report, "m0"); err != nil || got.State != rotation.StateProven {
		t.Errorf("resume --only m0 = %v, %+v; want it proven", err, got)
	}
	if got := line(t, report, "m1"); got.State != rotation.StateWaiting || !strings.Contains(got.Remedy, "restart it") {
		t.Errorf("m1, which nobody started = %+v; want it waiting", got)
	}
}

func TestAPasswordThatWaitsIsFoundWithTheOneInForce(t *testing.T) {
	w, _ := waiting(t)
	w.Advance(5 * time.Minute)
	for _, m := range w.Machines {
		for _, p := range []string{m.Live, m.Next} {
			if p == "" || !w.Readable(p) {
				t.Errorf("%s: a password of %d characters is not readable in the store", m.ID, len(p))
			}
		}
	}
}

func TestAMachineThatWaitsIsSentItsPasswordOnce(t *testing.T) {
	w, l := waiting(t)
	sent := w.Sites["reset"]
	w.Advance(5 * time.Minute)
	if _, err := do(w, rotation.Request{Action: rotation.Resume}, l.change); err != nil {
		t.Fatal(err)
	}
	if again := w.Sites["reset"] - sent; again != 1 {
		t.Errorf("%d resets by the resume; want one, to the machine that refused the password", again)
	}
}
