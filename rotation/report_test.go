package rotation_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// shows returns how text shows a password; empty when it does not.
func shows(text, password string) string {
	quoted, _ := json.Marshal(password)
	var reversed []byte
	for i := len(password) - 1; i >= 0; i-- {
		reversed = append(reversed, password[i])
	}
	forms := map[string]string{
		"as it is": password, "in JSON": strings.Trim(string(quoted), `"`), "in hexadecimal": hex.EncodeToString([]byte(password)),
		"in a URL": url.QueryEscape(password), "in a path": url.PathEscape(password), "as a Go string": strings.Trim(fmt.Sprintf("%q", password), `"`),
		"as bytes": strings.Trim(fmt.Sprint([]byte(password)), "[]"), "reversed": string(reversed),
	}
	for name, e := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "URL base64": base64.URLEncoding} {
		for skip := range 3 { // wherever it stands in what is encoded
			form := e.WithPadding(base64.NoPadding).EncodeToString([]byte(password[skip:]))
			forms[fmt.Sprintf("in %s, from %d", name, skip)] = form[:len(form)-2]
		}
	}
	lower := strings.ToLower(text)
	for how, form := range forms {
		if strings.Contains(text, form) || strings.HasPrefix(how, "in hex") && strings.Contains(lower, form) {
			return how
		}
	}
	return ""
}

// A run goes wrong in as many ways as there are, and says a lot; what it says holds no password.
func TestNothingThatARunSaysHoldsAPassword(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 6, rotation.Running)
		w.Machines[1].Broken, w.Machines[2].Hangs = true, true
		w.Machines[3].KeyPair = "skey-1"
		for range 20 {
			w.Blame()
		}
		var said bytes.Buffer
		say := func(r *rotation.Report, err error) {
			if err := json.NewEncoder(&said).Encode(r); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&said, "%v %+v %#v %v\n", r, r, r, err)
		}
		log := func(r *rotation.Rotator) {
			r.Log = slog.New(slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		for i, req := range []rotation.Request{{}, {NewCandidate: true}, {Action: rotation.Resume}, {Action: rotation.Reconcile}, {Action: rotation.Verify}, {Action: rotation.Plan}} {
			say(do(w, req, log, unlucky(fmt.Sprintf("m%d", 4+i%2))))
			w.Advance(time.Hour)
		}
		r := w.Rotator()
		log(r)
		for _, site := range []string{"store-create", "reset", "store-list", "verify"} {
			report, err, _ := w.Run(r, rotation.Request{NewCandidate: true}, at(rotationtest.FailAfter, site, 1))
			say(report, err)
			w.Advance(time.Hour)
		}
		for _, m := range w.Machines {
			a, err := w.Rotator().Lookup(t.Context(), m.ID)
			fmt.Fprintf(&said, "%v %+v %#v %v %v\n", a, a, a, err, m.Tags)
		}
		if said.Len() < 10000 {
			t.Fatalf("only %d bytes were said", said.Len())
		}
		if shows("x"+base64.StdEncoding.EncodeToString([]byte("a"+rotationtest.Baseline)), rotationtest.Baseline) == "" {
			t.Fatal("the search does not find a password in base64")
		}
		all := history(t, w)
		if len(all) < 4 {
			t.Fatalf("only %d passwords were used", len(all))
		}
		for _, v := range all {
			if how := shows(said.String(), v.Password.Reveal()); how != "" {
				t.Errorf("the password of generation %d is shown %s", v.Generation, how)
			}
		}
	})
}

func TestReportHasALineForEveryMachineOfTheScope(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 5, rotation.Running)
		w.Machines[3].Refuse = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "isolated"}
		w.Add(rotation.Linux, rotation.Running).Tags = map[string]string{}
		r := must(t, w, rotation.Request{}, rotation.Rotated)
		var ids []string
		for _, m := range r.Machines {
			ids = append(ids, m.Region+" "+m.ID)
			if m.Name != "name-"+m.ID || m.Was != rotation.Running || m.OS != rotation.Linux {
				t.Errorf("the line is %+v", m)
			}
		}
		if want := []string{"east m0", "east m2", "east m4", "west m1", "west m3"}; !slices.Equal(ids, want) {
			t.Errorf("the machines are %q; want %q", ids, want)
		}
		c := r.Counts
		if c.Scope != 5 || c.Proven != 4 || c.Unable != 1 || c.Login+c.Record+c.Mark != c.Proven || c.Behind != 0 || c.Unfinished != 0 {
			t.Errorf("the counts are %+v", c)
		}
		sum := c.Proven + c.Accepted + c.Waiting + c.Unproven + c.Unable + c.Held + c.Failed + c.Drifted + c.Unfinished
		if sum != c.Scope {
			t.Errorf("the counts %+v add up to %d; want the scope", c, sum)
		}
	})
}

func TestReportTellsTheDowntime(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	add(w, 1, rotation.Stopped)
	began := w.Now()
	r := must(t, w, rotation.Request{}, rotation.Rotated)
	d := r.Down
	// A stop takes 21 s, a reset 12 s, a start 17 s, and the run looks every 5 s.
	if d.Machines != 3 || d.Again != 0 || len(d.Left) > 0 || d.Median < 50 || d.Median > 65 || d.Longest < d.Median || d.Total < 3*50 || d.LongestID == "" {
		t.Errorf("the downtime is %+v; want 3 machines of 50 to 65 s each", d)
	}
	if r.Seconds != w.Now().Sub(began).Seconds() || !r.Started.Equal(began) || !r.Ended.Equal(w.Now()) {
		t.Errorf("the run took %v s from %v; want %v from %v", r.Seconds, r.Started, w.Now().Sub(began), began)
	}
	if got := line(t, r, "m0"); got.Stops != 1 || got.DownSeconds < 50 || got.RequestID == "" {
		t.Errorf("m0 was stopped %d times and down for %v s, request %q", got.Stops, got.DownSeconds, got.RequestID)
	}
	if got := line(t, r, "m3"); got.Stops != 0 || got.DownSeconds != 0 || got.Was != rotation.Stopped {
		t.Errorf("m3, which was stopped, has the line %+v", got)
	}
}

// What may open a machine that did not get proven: the candidate that was sent to it comes first.
func TestReportNamesTheCandidateAmongWhatMayOpenAMachine(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		w.Blame()
		r := must(t, w, rotation.Request{}, rotation.Partial, unlucky("m1"))
		if got := line(t, r, "m1"); !slices.Equal(got.Generations, []int{3, 2, 1}) || got.Unknown {
			t.Errorf("m1 may be opened by %v, or unknown: %v; want 3 2 1, and nothing unknown: it was proven once", got.Generations, got.Unknown)
		}
		if got := line(t, r, "m0"); !slices.Equal(got.Generations, []int{3}) || got.Unknown {
			t.Errorf("m0 is opened by %v, or unknown: %v; want 3 alone", got.Generations, got.Unknown)
		}
		newcomer := w.Add(rotation.Linux, rotation.Running)
		w.Blame()
		r = must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial, unlucky(newcomer.ID))
		if got := line(t, r, newcomer.ID); !got.Unknown {
			t.Errorf("%s was never proven, and the report does not say that another password may open it", newcomer.ID)
		}
	})
}

func TestReportSaysWhatToDoNext(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	if r := must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete); !slices.Equal(r.Next, []string{"relock resume"}) {
		t.Errorf("after an incomplete run next is %q", r.Next)
	}
	w.Blame()
	if r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Partial, unlucky("m1")); !slices.Equal(r.Next, []string{"relock resume", "relock lookup m1"}) {
		t.Errorf("after a partial run next is %q", r.Next)
	}
	if r := must(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated); len(r.Next) > 0 {
		t.Errorf("after a rotation next is %q; want nothing", r.Next)
	}
}

func TestTrimKeepsThoseThatNeedAPerson(t *testing.T) {
	report := func() *rotation.Report {
		r := &rotation.Report{}
		for i := range 10 {
			s := rotation.StateProven
			if i%3 == 0 {
				s = rotation.StateFailed
			}
			r.Machines = append(r.Machines, rotation.MachineReport{ID: fmt.Sprintf("m%d", i), State: s})
		}
		return r
	}
	for _, row := range []struct{ keep, left, trimmed int }{{10, 10, 0}, {99, 10, 0}, {9, 4, 6}, {4, 4, 6}, {2, 2, 8}, {0, 0, 10}} {
		r := report()
		r.Trim(row.keep)
		if len(r.Machines) != row.left || r.Trimmed != row.trimmed {
			t.Errorf("Trim(%d) leaves %d machines and says %d; want %d and %d", row.keep, len(r.Machines), r.Trimmed, row.left, row.trimmed)
		}
		for _, m := range r.Machines {
			if row.trimmed > 0 && m.State != rotation.StateFailed {
				t.Errorf("Trim(%d) keeps %s, which is proven", row.keep, m.ID)
			}
		}
	}
	r := report()
	r.Trim(4)
	r.Trim(2)
	if len(r.Machines) != 2 || r.Trimmed != 8 {
		t.Errorf("trimmed twice it keeps %d machines and says %d; want 2 and 8", len(r.Machines), r.Trimmed)
	}
}

func TestReportReadsBackFromJSON(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 3, rotation.Running)
	w.Blame()
	r := must(t, w, rotation.Request{}, rotation.Partial, unlucky("m1"))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back rotation.Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("the report is %s and reads back as %s (%v)", text, again, err)
	}
	for _, field := range []string{"secret", "action", "outcome", "generation", "from", "counts", "down", "machines", "why", "next"} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil || fields[field] == nil {
			t.Errorf("the report's JSON has no %q", field)
		}
	}
}

func TestLogLineOfTheReportIsWritten(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	var said bytes.Buffer
	must(t, w, rotation.Request{}, rotation.Rotated, func(r *rotation.Rotator) { r.Log = slog.New(slog.NewJSONHandler(&said, nil)) })
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	var last struct {
		Msg, Secret, Action, Outcome string
		Generation                   int
		PendingSeconds               *float64
		Report                       rotation.Report
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Msg != "relock.report" || last.Report.Outcome != rotation.Rotated {
		t.Errorf("the last log line is %s (%v); want relock.report with the report", lines[len(lines)-1], err)
	}
	// What alarms look for is beside the report.
	if last.Secret != rotationtest.Secret || last.Action != "rotate" || last.Outcome != "rotated" || last.Generation != 2 || last.PendingSeconds == nil {
		t.Errorf("the last log line is %s; want secret, action, outcome, generation and pendingSeconds at its first level", lines[len(lines)-1])
	}
}

func TestReportSaysForHowLongAVersionHasBeenPending(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 3, rotation.Running)
		for range 10 {
			w.Blame()
		}
		began := w.Now()
		must(t, w, rotation.Request{}, rotation.Partial, unlucky("m1"))
		w.Advance(25 * time.Hour)
		for _, row := range []struct {
			action rotation.Action
			want   rotation.Outcome
		}{{rotation.Plan, rotation.Planned}, {rotation.Resume, rotation.Partial}} {
			r := must(t, w, rotation.Request{Action: row.action}, row.want, unlucky("m1"))
			if got, want := r.PendingSeconds, w.Now().Sub(began).Seconds(); got < 25*3600 || got > want+1 {
				t.Errorf("%s says that a version has been pending for %v s; want %v", row.action, got, want)
			}
		}
		for _, action := range []rotation.Action{rotation.Resume, rotation.Resume, rotation.Reconcile, rotation.Verify} {
			if r, err := do(w, rotation.Request{Action: action}); err != nil || r.PendingSeconds != 0 {
				t.Errorf("%s, %s (%v) says that a version has been pending for %v s; want that none is", action, r.Outcome, err, r.PendingSeconds)
			}
		}
	})
}
