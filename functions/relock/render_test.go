package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relock-project/relock/rotation"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

func nightly(t *testing.T) rotation.Window {
	t.Helper()
	w, err := rotation.ParseWindow("02:00-05:00 Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestReportText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		view view
	}{
		{"rotated", view{report: rotatedReport(), policy: rotation.Policy{MaxExceptions: 3}}},
		{"incomplete", view{report: incompleteReport(), policy: rotation.Policy{MaxExceptions: 0}}},
		{"drift", view{report: driftReport()}},
		{"drift-verbose", view{report: driftReport(), verbose: true}},
		{"nothing", view{report: &rotation.Report{Secret: "s", Action: rotation.Resume, Outcome: rotation.Nothing, Why: "nothing is pending",
			Generation: 3, From: 3, Started: began, Ended: began}}},
		{"failed", view{report: &rotation.Report{Secret: "s", StoreName: "a store", Action: rotation.Rotate, Outcome: rotation.Failure,
			Why: "not authorized: region a\nregion b: not authorized", Started: began, Ended: began.Add(30 * time.Hour), Seconds: 108000}}},
		{"checked", view{checked: "every machine is as it was", report: &rotation.Report{Secret: "s", Action: rotation.Reconcile,
			Outcome: rotation.Rotated, Generation: 3, From: 3, Started: began, Ended: began}}},
	} {
		t.Run(test.name, func(t *testing.T) { golden(t, test.name, test.view.safe().text()) })
	}
}

func TestPlanText(t *testing.T) {
	t.Parallel()
	policy := rotation.Policy{Restart: rotation.RestartGraceful, Window: nightly(t)}
	scope := inWords(rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}, []string{"ap-guangzhou", "ap-shanghai"})
	overview := &rotation.Overview{Versions: []rotation.Version{{Generation: 41, Created: began.Add(-89*24*time.Hour - time.Hour)}}, Current: 41}
	refused := plannedReport()
	allowed := plannedReport()
	allowed.Plan.Refused = ""
	pending := plannedReport()
	pending.Plan.Refused, pending.Plan.Pending, pending.Plan.Done, pending.Plan.Opens = "", true, 12, false
	restarts := plannedReport()
	restarts.Plan.Refused, restarts.Plan.Restarted, restarts.Plan.Waiting = "", restarts.Plan.Running, restarts.Plan.Stopped
	restarts.Plan.ByRecord, restarts.Plan.Unproven, restarts.Plan.Stops, restarts.Plan.Starts, restarts.Plan.Restarts = 0, 24, 0, 0, 18
	for _, test := range []struct {
		name string
		view view
	}{
		{"plan-refused", view{report: refused, policy: policy, scope: scope, overview: overview}},
		{"plan-allowed", view{report: allowed, policy: rotation.Policy{Restart: rotation.RestartForce, MaxExceptions: 1}, scope: scope}},
		{"plan-pending", view{report: pending, policy: policy, scope: scope, overview: overview}},
		{"plan-restarts", view{report: restarts, policy: policy, scope: scope, overview: overview}},
	} {
		t.Run(test.name, func(t *testing.T) { golden(t, test.name, test.view.safe().planText()) })
	}
}

func TestLastLineOfACleanRunHasFourNumbers(t *testing.T) {
	t.Parallel()
	r := rotatedReport()
	if got, want := lastLine(r), "rotated 1911 of 2000, skipped 87, failed 2, unproven 0"; got != want {
		t.Errorf("lastLine = %q; want %q", got, want)
	}
}

func TestLastLineAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string) int { return rapid.IntRange(0, 3000).Draw(t, name) }
		c := rotation.Counts{
			Proven: number("proven"), Accepted: number("accepted"), Waiting: number("waiting"), Unproven: number("unproven"),
			Unable: number("unable"), Held: number("held"), Failed: number("failed"), Drifted: number("drifted"), Unfinished: number("unfinished"),
		}
		c.Scope = c.Proven + c.Accepted + c.Waiting + c.Unproven + c.Unable + c.Held + c.Failed + c.Drifted + c.Unfinished
		action := rapid.SampledFrom(rotation.Actions()).Draw(t, "action")
		line := lastLine(&rotation.Report{Action: action, Counts: c})
		var first, scope int
		word, rest, _ := strings.Cut(line, " ")
		counts, others, _ := strings.Cut(rest, ", ")
		if _, err := fmt.Sscanf(counts, "%d of %d", &first, &scope); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		sum := first
		for _, part := range strings.Split(others, ", ") {
			var what string
			var n int
			if _, err := fmt.Sscanf(part, "%s %d", &what, &n); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			sum += n
		}
		if scope != c.Scope || sum != c.Scope {
			t.Fatalf("%s: %q adds up to %d of %d; want %d", word, line, sum, scope, c.Scope)
		}
	})
}

func TestEveryMachineThatNeedsAPersonIsNamed(t *testing.T) {
	t.Parallel()
	for _, r := range []*rotation.Report{rotatedReport(), incompleteReport(), driftReport()} {
		text := view{report: r, verbose: true}.safe().text()
		for _, m := range r.Machines {
			switch m.State {
			case rotation.StateProven, rotation.StateAccepted, rotation.StatePlanned:
				continue
			}
			for _, part := range []string{m.ID, common(m.Reason), m.Remedy, m.RequestID} {
				if !strings.Contains(text, part) {
					t.Errorf("%s, %s: the report does not say %q", m.ID, m.State, part)
				}
			}
		}
	}
}

func TestNamesCannotForgeLines(t *testing.T) {
	t.Parallel()
	r := incompleteReport()
	for i := range r.Machines {
		r.Machines[i].Name = "x\r\nrotated 9 of 9, skipped 0, failed 0, unproven 0\n\x1b[2J\u202e"
		r.Machines[i].Reason = "because\n\nrotated 9 of 9"
	}
	r.Why, r.Warnings = "why\nrotated 9 of 9", []string{"careful\nrotated 9 of 9\x1b[0m"}
	for _, text := range []string{view{report: r}.safe().text(), view{report: r, verbose: true}.safe().text()} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "rotated ") && line != lastLine(r)+"\n" {
				t.Errorf("a line is forged: %q", line)
			}
		}
		if strings.ContainsAny(text, "\x1b\r\u202e") {
			t.Errorf("control characters are left in %q", text)
		}
	}
}
