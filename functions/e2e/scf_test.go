package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// fixture is an event as the vendor documents it.
func fixture(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "events", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFunctionTellsWhatIsWrongWithAnInvocation(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 4})
	p := w.function(t)
	vars := c.inSCF()

	wantError(t, p.invoke(t, `{"action":"plan"}`, map[string]string{}, time.Minute), "RELOCK_SECRET: not set", "RELOCK_REGIONS: not set", "TENCENTCLOUD_SECRETID")
	bad := p.invoke(t, `{"actoin":"plan"}`, map[string]string{}, time.Minute)
	wantError(t, bad, "event", "actoin")
	if strings.Contains(bad.Error.Message, "RELOCK_") {
		t.Errorf("error %q; want nothing of the configuration, which is not read for a bad event", bad.Error.Message)
	}
	wantError(t, p.invoke(t, `{"action":"plan"}`, vars, 0), "no time is left")
	wantError(t, p.invoke(t, `{"action":"rotate"}`, vars, 500*time.Millisecond), "RELOCK_SETTLE")
	if r := wantReport(t, p.invoke(t, `{"action":"plan"}`, vars, time.Minute), rotation.Planned); r.Counts.Scope != 4 {
		t.Errorf("a plan for %d machines; want 4", r.Counts.Scope)
	}
	c.wantUntouched(t)
	wantJSON(t, p.stderr.String())
}

// Temporary keys come with every invocation: those of an earlier one are not used again.
func TestFunctionUsesTheInvocationsOwnKeys(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 4})
	p := w.function(t)
	wantReport(t, p.invoke(t, `{"action":"plan"}`, c.inSCF(), time.Minute), rotation.Planned)
	for _, name := range []string{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"} {
		stale := with(c.inSCF(), name, "stale-0000000000000000000000000000")
		wantError(t, p.invoke(t, timer(t, "monthly", time.Now(), ""), stale, time.Minute), "AuthFailure")
	}
	wantReport(t, p.invoke(t, `{"action":"plan"}`, c.inSCF(), time.Minute), rotation.Planned)
	c.wantUntouched(t)
}

func TestTimerEventRotatesTheFleetOnce(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 40, Seed: 40})
	p := w.function(t)
	event := fixture(t, "tencent_timer.json")

	r := wantReport(t, p.invoke(t, event, c.inSCF(), time.Minute), rotation.Rotated)
	if n := r.Counts; n.Scope != 40 || n.Login == 0 || n.Record == 0 || n.Proven+n.Unable != 40 {
		t.Errorf("counts %+v; want 40 machines, some proven by login, some by record, and all but those that cannot be reset", n)
	}
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 1)
	c.wantOpen(t)

	c.remember()
	wantReport(t, p.invoke(t, event, c.inSCF(), time.Minute), rotation.Nothing)
	c.wantUntouched(t)
	// Another process gets it: what is remembered, the store remembers.
	wantReport(t, w.function(t).invoke(t, event, c.inSCF(), time.Minute), rotation.Nothing)
	// Another trigger's event of a time before this rotation came late.
	wantReport(t, p.invoke(t, timer(t, "another", time.Now().Add(-time.Hour), ""), c.inSCF(), time.Minute), rotation.Nothing)
	c.wantUntouched(t)

	wantReport(t, p.invoke(t, timer(t, "monthly", time.Now().Add(time.Minute), ""), c.inSCF(), time.Minute), rotation.Rotated)
	c.wantRotated(t, 3)
	wantJSON(t, p.stderr.String())
}

// A secret such as Terraform leaves behind has no versions.
func TestSecretWithoutVersionsGetsItsFirst(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 6})
	c.PutSecret(tencentsim.DemoSecret, nil)
	c.remember()
	p := w.function(t)
	wantReport(t, p.invoke(t, `{"action":"resume"}`, c.inSCF(), time.Minute), rotation.Nothing)
	r := wantReport(t, p.invoke(t, timer(t, "monthly", time.Now(), ""), c.inSCF(), time.Minute), rotation.Rotated)
	if r.Generation != 1 || r.From != 0 {
		t.Errorf("generation %d after %d; want 1 after none", r.Generation, r.From)
	}
	c.wantRotated(t, 1)
	c.wantStops(t, 1, 1)
	c.wantOpen(t)
}

// The same against a cloud that is another process, with no configuration but what that one prints.
func TestFunctionRotatesAnotherProcessesCloud(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	a := w.startCloud(t, "--instances", "12", "--scale", "0.001", "--seed", "12")
	vars := with(a.vars, "TENCENTCLOUD_SECRETID", a.vars["TENCENTCLOUD_SECRET_ID"],
		"TENCENTCLOUD_SECRETKEY", a.vars["TENCENTCLOUD_SECRET_KEY"], "RELOCK_SETTLE", "15s")
	p := w.function(t)
	event := fixture(t, "tencent_timer.json")
	wantReport(t, p.invoke(t, event, vars, time.Minute), rotation.Rotated)
	wantReport(t, p.invoke(t, event, vars, time.Minute), rotation.Nothing)
	if r := wantReport(t, p.invoke(t, `{"action":"verify"}`, vars, time.Minute), rotation.Verified); r.Generation != 2 || r.Counts.Login == 0 {
		t.Errorf("verified generation %d, %d by login; want 2, some by login", r.Generation, r.Counts.Login)
	}
	a.wantOpen(t, 2)
}

func wantJSON(t testing.TB, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("logged %q; want JSON", line)
		}
	}
	if !strings.Contains(log, `"msg":"relock.report"`) {
		t.Errorf("logged %q; want the report", log)
	}
}
