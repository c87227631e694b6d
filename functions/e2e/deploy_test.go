package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// shipped is a file that an operator applies.
func shipped(t testing.TB, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// firsts are the first groups of all matches, sorted, each once.
func firsts(pattern, text string) []string {
	var all []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Both ways to deploy have the same timers, and the function understands what they say.
func TestTimersSayWhatTheFunctionUnderstands(t *testing.T) {
	inTerraform := firsts(`argument = "(\{.*\})"`, strings.ReplaceAll(shipped(t, "deploy", "tencent", "main.tf"), `\"`, `"`))
	inServerless := firsts(`argument: '(.*)'`, shipped(t, "serverless.yml"))
	if !slices.Equal(inTerraform, inServerless) || len(inServerless) != 3 {
		t.Errorf("Terraform's timers say %q, serverless.yml's %q; want the same three", inTerraform, inServerless)
	}
	var actions []rotation.Action
	for _, argument := range inServerless {
		req, err := events.Parse([]byte(timer(t, "t", time.Now(), argument)))
		if err != nil {
			t.Errorf("Parse(%s) = %v", argument, err)
		}
		actions = append(actions, req.Action)
	}
	if want := []rotation.Action{rotation.Reconcile, rotation.Resume, rotation.Rotate}; !slices.Equal(actions, want) {
		t.Errorf("the timers ask to %q; want %q", actions, want)
	}
}

// What the runbook lets an operator write for a fleet reaches the function also by way of serverless.yml.
func TestTimersManifestHasTheVariablesOfTheRunbooksFleet(t *testing.T) {
	fleet := firsts(`(?m)^(RELOCK_[A-Z_]+)=`, setup(t)[0])
	if got := firsts(`(?m)^ +(RELOCK_[A-Z_]+): `, shipped(t, "serverless.yml")); !slices.Equal(got, fleet) {
		t.Errorf("serverless.yml passes on %q; want %q", got, fleet)
	}
}

// logged are the fields at the first level of the function's log lines with a message: what SCF makes fields of.
func logged(t testing.TB, log, message string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("logged %q: %v", line, err)
		}
		if fields["msg"] == message {
			all = append(all, fields)
		}
	}
	return all
}

// Alarms find what they look for: SCF indexes text and numbers at the first level of a line and ignores the rest,
// https://cloud.tencent.com/document/product/583/18032.
func TestAlarmsLookForWhatTheFunctionLogs(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 6, Seed: 5})
	p := w.function(t)
	invoke := func(event string, vars map[string]string) { p.invoke(t, event, vars, time.Minute) }
	invoke(`{"action":"rotate"}`, c.inSCF())
	id := c.loginID(t)
	c.Console(id, "By-Hand.2026-Xy")
	invoke(`{"action":"verify"}`, c.inSCF())
	invoke(`{"action":"rotate"}`, with(c.inSCF(), "RELOCK_RESTART", "never"))
	invoke(fmt.Sprintf(`{"action":"rotate","only":[%q]}`, id), c.inSCF())
	invoke(`{"action":"resume"}`, with(c.inSCF(), "RELOCK_RESTART", "never"))

	p.kill() // all that it said is heard then
	log := p.stderr.String()
	reports, drifts := logged(t, log, "relock.report"), logged(t, log, "relock.drift")
	outcomes := map[any]bool{}
	pending := false
	for _, line := range reports {
		outcomes[line["outcome"]] = true
		seconds, ok := line["pendingSeconds"].(float64)
		pending = pending || ok && seconds > 0
		text, ok := line["report"].(string)
		if r := parsed[rotation.Report](t, text); !ok || string(r.Outcome) != line["outcome"] || r.Secret != line["secret"] {
			t.Errorf("the report beside outcome %v is %q; want its whole text", line["outcome"], text)
		}
	}
	if !outcomes["failed"] || !outcomes["partial"] || !pending || len(drifts) == 0 {
		t.Errorf("outcomes %v, something pending: %t, %d drift lines; want failed and partial, something, some", slices.Collect(maps.Keys(outcomes)), pending, len(drifts))
	}

	alarms := shipped(t, "deploy", "tencent", "alarms.tf")
	for _, query := range firsts(`query += "((?:[^"\\]|\\.)*)"`, alarms) {
		for _, field := range firsts(`([A-Za-z_]+):[\\<>=0-9]`, query) {
			known := false
			for _, line := range append(reports, drifts...) {
				switch line[field].(type) {
				case string, float64:
					known = true
				}
			}
			if !known && field != "SCF_StatusCode" {
				t.Errorf("the alarm %s looks for %s, which no line has as text or number", query, field)
			}
		}
		for _, value := range firsts(`(?:msg|outcome):\\"([^"\\]*)\\"`, query) {
			if !outcomes[value] && len(logged(t, log, value)) == 0 {
				t.Errorf("the alarm %s looks for %q, which no line says", query, value)
			}
		}
	}
}
