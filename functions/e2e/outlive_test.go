package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A rotation that no single invocation has time for is the norm: a timer's resume events bring it to its end, and no
// machine pays for that with a second stop.
func TestRotationOutlivesItsInvocationsWithoutASecondStop(t *testing.T) {
	t.Parallel()
	limit := 4 * time.Second
	if full() {
		limit = 20 * time.Second
	}
	times := func(share float64) string {
		return time.Duration(share * float64(limit)).Round(time.Millisecond).String()
	}
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 42, Seed: 3, Scale: 0.02 * limit.Seconds()}) // a machine is down for a tenth of the limit
	vars := with(c.inSCF(), "RELOCK_MAX_UNAVAILABLE", "2", "RELOCK_SETTLE", times(0.5), "RELOCK_SOFT_STOP_TIMEOUT", times(0.5),
		"RELOCK_RESET_TIMEOUT", times(0.5), "RELOCK_POLL_INTERVAL", times(0.005))
	p := w.function(t)

	event, candidate, incomplete := timer(t, "monthly", time.Now(), ""), "", 0
	for n := 1; ; n++ {
		began := time.Now()
		r := wantInTime(t, p, event, vars, limit)
		if took := time.Since(began); took > limit+noise {
			t.Errorf("invocation %d took %s; want no more than its %s", n, took, limit)
		}
		c.wantPower(t) // none is left down from one invocation to the next
		c.wantStops(t, 0, 1)
		if c.Secret(tencentsim.DemoSecret)[slot(2)] != candidate && n > 1 {
			t.Fatalf("invocation %d: generation 2 is not what it was", n)
		}
		candidate = c.Secret(tencentsim.DemoSecret)[slot(2)]
		t.Logf("invocation %d: %s after %.1f s, %d of %d proven", n, r.Outcome, r.Seconds, r.Counts.Proven, r.Counts.Scope)
		if r.Outcome == rotation.Rotated {
			break
		}
		if incomplete++; incomplete > 20 {
			t.Fatalf("%d invocations have not ended it: %s", n, r.Why)
		}
		event = timer(t, "every-five-minutes", time.Now(), fmt.Sprintf(`{"action":"resume","secret":%q}`, tencentsim.DemoSecret))
	}
	if incomplete < 3 {
		t.Errorf("%d invocations were not enough; want at least 3, or the rotation did not outlive three deadlines", incomplete)
	}
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 1)
	c.wantOpen(t)

	c.remember()
	wantReport(t, p.invoke(t, event, vars, limit), rotation.Nothing) // resume never begins a generation
	c.wantUntouched(t)
}

// wantInTime returns the report of an invocation that ended rotated or incomplete: neither is an error.
func wantInTime(t *testing.T, p platform, event string, vars map[string]string, limit time.Duration) rotation.Report {
	t.Helper()
	resp := p.invoke(t, event, vars, limit)
	if r := reportOf(t, resp); r.Outcome == rotation.Incomplete || r.Outcome == rotation.Rotated {
		return r
	}
	return wantReport(t, resp, rotation.Rotated)
}
