package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// words are those that LTS finds a line by: https://support.huaweicloud.com/intl/en-us/usermanual-lts/lts_05_0111.html.
func words(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", '\";=()[]{}@&<>/:\\?\n\t\r", r) })
}

// Alarms find what they look for, and an outcome for which one looks is no other's word. What failed or stayed partial is an
// error for the platform, which counts those, and nothing else is one.
func TestHuaweisAlarmsLookForWhatTheFunctionLogs(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	g := w.graph(t, c.vars(c.door), "120")
	g.start(t)
	due, outcomes := time.Now(), []string(nil)
	ends := func(event string, want rotation.Outcome) {
		t.Helper()
		if event == "" {
			due = due.Add(time.Minute)
			event = graphTimer(t, "nightly", due, "")
		}
		e, _ := g.invoke(t, event)
		wrong := want == rotation.Failure || want == rotation.Partial
		if e.failed != wrong || !wrong && graphReport(t, e.body).Outcome != want {
			t.Fatalf("%s: an error: %t, %s; want %s", event, e.failed, e.body, want)
		}
		outcomes = append(outcomes, string(want))
	}
	ends("", rotation.Rotated)
	for id := range c.byID() {
		c.Console(id, "By-Hand.2026-Xy")
		break
	}
	ends(`{"action":"verify"}`, rotation.Drift)
	ends(`{"action":"reconcile"}`, rotation.Rotated)
	off := c.addHuawei(huaweisim.Machine{Region: c.regions[0], Status: "SHUTOFF"})
	ends("", rotation.Incomplete)
	c.start(t, off)
	ends(`{"action":"resume"}`, rotation.Rotated)
	c.addHuawei(huaweisim.Machine{Region: c.regions[0], OSType: "Windows"}) // takes no logins
	ends("", rotation.Partial)
	ends(`{"action":"rotate","only":["0a1b2c3d-0000-4000-8000-000000000001"]}`, rotation.Failure)
	g.kill() // all that it said is heard then
	for i, line := range logged(t, g.stderr.String(), "relock.report") {
		if i >= len(outcomes) || line["outcome"] != outcomes[i] {
			t.Errorf("report %d is of outcome %v; want those of %q", i+1, line["outcome"], outcomes)
		}
	}

	alarms, runbook := shipped(t, "deploy", "huawei", "alarms.tf"), shipped(t, "deploy", "huawei", "README.md")
	looked := firsts(`keywords += "([^"]*)"`, alarms)
	if want := []string{"relock.drift", "relock.report", "relock.report and incomplete"}; !slices.Equal(looked, want) {
		t.Errorf("the alarms look for %q; want %q", looked, want)
	}
	for _, keywords := range looked {
		found := 0
		for line := range strings.Lines(g.stderr.String()) {
			has := words(line)
			if slices.ContainsFunc(strings.Split(keywords, " and "), func(word string) bool { return !slices.Contains(has, word) }) {
				continue
			}
			found++
			var fields struct{ Msg, Outcome string }
			if err := json.Unmarshal([]byte(line), &fields); err != nil || !strings.HasPrefix(keywords, fields.Msg) {
				t.Errorf("%q finds %s", keywords, line)
			}
			if strings.HasSuffix(keywords, " and incomplete") && fields.Outcome != string(rotation.Incomplete) {
				t.Errorf("%q finds the outcome %s", keywords, fields.Outcome)
			}
		}
		if found == 0 {
			t.Errorf("no line has what an alarm looks for, %q", keywords)
		}
	}
	for _, name := range append(firsts(`(?m)^    ([a-z]+) += \{ keywords`, alarms), firsts(`"huaweicloud_ces_alarmrule" "([a-z]+)"`, alarms)...) {
		if !strings.Contains(runbook, "\n| `"+name+"` |") {
			t.Errorf("the runbook does not say what the alarm %s means", name)
		}
	}
}
