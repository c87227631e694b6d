package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// A graph is FunctionGraph, as far as a custom runtime sees it: it starts the bootstrap and answers its questions.
// https://support.huaweicloud.com/intl/en-us/usermanual-functiongraph/functiongraph_01_0406.html
type graph struct {
	*process
	server  *httptest.Server
	witness *witness
	header  http.Header // of an event

	events chan string
	ends   chan ending
	odd    []http.HandlerFunc // answered to the first questions instead
	polls  atomic.Int32
}

// An ending is what the function answers to an event.
type ending struct {
	failed bool
	body   []byte
}

// agency are the headers that carry the credentials of an event.
func agency() http.Header {
	return http.Header{
		"X-Cff-Access-Key": {huaweiID}, "X-Cff-Secret-Key": {huaweiValue}, "X-Cff-Security-Token": {huaweiToken},
	}
}

// graph starts the bootstrap with relock's variables and a time limit in seconds for each event.
func (w *witness) graph(t testing.TB, vars map[string]string, limit string, odd ...http.HandlerFunc) *graph {
	t.Helper()
	g := &graph{witness: w, header: agency(), events: make(chan string, 1), ends: make(chan ending, 1), odd: odd}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/runtime/invocation/request", g.next)
	mux.HandleFunc("POST /v1/runtime/invocation/response/{id}", g.end(false))
	mux.HandleFunc("POST /v1/runtime/invocation/error/{id}", g.end(true))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the function asks for %s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
	})
	g.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		g.server.CloseClientConnections()
		g.server.Close()
	})
	g.process = w.prepare(t, binary(t, graphBinary), with(vars,
		"RUNTIME_API_ADDR", strings.TrimPrefix(g.server.URL, "http://"), "RUNTIME_TIMEOUT", limit, "RUNTIME_FUNC_NAME", "relock"))
	return g
}

func (g *graph) next(w http.ResponseWriter, r *http.Request) {
	if n := int(g.polls.Add(1)); n <= len(g.odd) {
		g.odd[n-1](w, r)
		return
	}
	select {
	case event := <-g.events:
		for name, values := range g.header {
			w.Header()[name] = values
		}
		w.Header().Set("X-Cff-Request-Id", "request-1")
		_, _ = io.WriteString(w, event)
	case <-r.Context().Done():
	}
}

func (g *graph) end(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.PathValue("id") != "request-1" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = g.witness.hear("the function's answer").Write(body)
		select {
		case g.ends <- ending{failed, body}:
		default: // a second answer to the same event
		}
	}
}

// invoke gives the function an event and returns what it answers; false when the process ended first.
func (g *graph) invoke(t testing.TB, event string) (ending, bool) {
	t.Helper()
	g.give(event)
	return g.answer(t)
}

// give leaves an event for the function's next question, the process of which may not have begun. There is one at a time.
func (g *graph) give(event string) {
	select {
	case g.events <- event:
	case <-g.done:
	}
}

// answer waits for what the function answers to the event; false when the process ended first.
func (g *graph) answer(t testing.TB) (ending, bool) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case e := <-g.ends:
		return e, true
	case <-g.done:
	case <-late.C:
		t.Fatalf("the function does not answer, or does not ask for an event\n%s", g.stderr)
	}
	return ending{}, false
}

// report is the report of an event that the function answered without an error.
func (g *graph) report(t testing.TB, event string) rotation.Report {
	t.Helper()
	e, ok := g.invoke(t, event)
	if !ok || e.failed {
		t.Fatalf("%s is answered by an error, or not at all: %s\n%s", event, e.body, g.stderr)
	}
	return graphReport(t, e.body)
}

// graphTimer is the event of a timer trigger.
func graphTimer(t testing.TB, name string, due time.Time, input string) string {
	t.Helper()
	event, err := json.Marshal(map[string]string{
		"version": "v1.0", "time": due.UTC().Format(time.RFC3339), "trigger_type": "TIMER", "trigger_name": name, "user_event": input,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}

func TestFunctionGraphRotatesAndTellsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	off := c.addHuawei(huaweisim.Machine{Region: c.regions[0], Status: "SHUTOFF"})
	c.remember()
	g := w.graph(t, c.vars(c.door), "120")
	g.start(t)
	due := time.Now().Add(time.Minute) // after whatever the secret holds
	r := g.report(t, graphTimer(t, "nightly", due, ""))
	if r.Outcome != rotation.Incomplete || r.Counts.Proven != 5 || r.Counts.Waiting != 1 {
		t.Fatalf("outcome %s: %s; %d proven, %d waiting; want incomplete, 5 and 1\n%s", r.Outcome, r.Why, r.Counts.Proven, r.Counts.Waiting, g.stderr)
	}
	c.wantAnswerable(t)
	if v := c.current(t); v.Generation != 0 || v.Password != huaweisim.BaselinePassword {
		t.Errorf("generation %d is current while a machine waits for its boot", v.Generation)
	}
	if again := g.report(t, graphTimer(t, "five", due, `{"action":"resume"}`)); again.Outcome != rotation.Incomplete || again.Counts.Waiting != 1 {
		t.Errorf("resume: %s, %d waiting; want incomplete and 1", again.Outcome, again.Counts.Waiting)
	}
	c.start(t, off)
	if r = g.report(t, graphTimer(t, "five", due.Add(time.Minute), `{"action":"resume"}`)); r.Outcome != rotation.Rotated {
		t.Fatalf("after its start: %s: %s; want rotated", r.Outcome, r.Why)
	}
	v := c.current(t)
	for _, m := range c.Machines() {
		if m.Password != v.Password || m.Reboots > 1 {
			t.Errorf("machine %s restarted %d times, with the current password: %t", m.ID, m.Reboots, m.Password == v.Password)
		}
	}
	if r = g.report(t, graphTimer(t, "nightly", due, "")); r.Outcome != rotation.Nothing {
		t.Errorf("the same event again: %s; want nothing", r.Outcome)
	}
}

func TestFunctionGraphIgnoresWhatRelockItselfCauses(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	g := w.graph(t, c.vars(c.door), "120")
	g.start(t)
	message := func(what string) string {
		text, err := json.Marshal(`{"trigger_event_type":"` + what + `","secret_name":"` + huaweisim.DemoSecret + `"}`)
		if err != nil {
			t.Fatal(err)
		}
		return `{"record":[{"event_version":"1.0","event_source":"smn","smn":{"timestamp":"` + time.Now().UTC().Format(time.RFC3339) +
			`","message":` + string(text) + `,"type":"notification","message_id":"m1"}}]}`
	}
	if r := g.report(t, message("SECRET_VERSION_CREATED")); r.Outcome != rotation.Nothing || len(c.Requests()) > 0 {
		t.Errorf("a version was made: %s after %d requests; want nothing, and none", r.Outcome, len(c.Requests()))
	}
	if r := g.report(t, message("SECRET_VERSION_EXPIRED")); r.Outcome != rotation.Rotated {
		t.Errorf("a version has expired: %s: %s; want rotated", r.Outcome, r.Why)
	}
	c.wantRotated(t, 2, 1)
}

func TestFunctionGraphRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	g := w.graph(t, c.vars(c.door), "120")
	g.start(t)
	for event, want := range map[string]string{
		`{"Records":[{"s3":{}}]}`:                "an OBS event",
		``:                                       "empty",
		`{"action":"rotate","secret":"another"}`: "an event cannot choose another",
		`{"action":"rotate","only":["ins-1f0c22aa"]}`: "not in the configured scope",
	} {
		e, ok := g.invoke(t, event)
		var failure struct{ ErrorMessage string }
		if err := json.Unmarshal(e.body, &failure); !ok || !e.failed || err != nil || !strings.Contains(failure.ErrorMessage, want) {
			t.Errorf("%q is answered by %s; want an error with %q", event, e.body, want)
		}
	}
	g.header = http.Header{}
	if e, _ := g.invoke(t, `{"action":"rotate"}`); !e.failed || !strings.Contains(string(e.body), "agency") {
		t.Errorf("without credentials: %s; want what to do", e.body)
	}
	if len(c.Machines()) != len(c.machines) || c.current(t).Generation != 0 {
		t.Error("something was rotated")
	}
}

// The platform may hold a question until there is an event, or answer that there is none, and it may fail.
func TestFunctionGraphAsksUntilThereIsAnEvent(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	g := w.graph(t, c.vars(c.door), "120", status(404), status(500), status(200), status(204), hangUpOnIt)
	g.header = http.Header{
		"X-Cff-Security-Access-Key": {huaweiID}, "X-Cff-Security-Secret-Key": {huaweiValue}, "X-Cff-Security-Token": {huaweiToken},
		"X-Cff-Access-Key": {"old"}, "X-Cff-Secret-Key": {"old"},
	}
	g.start(t)
	if r := g.report(t, `{"action":"plan"}`); r.Outcome != rotation.Planned || r.Plan.Running != 5 {
		t.Errorf("plan: %s: %s; want 5 machines planned", r.Outcome, r.Why)
	}
}

func hangUpOnIt(w http.ResponseWriter, r *http.Request) { hangUp(w, r, nil) }

func TestFunctionGraphsTimeLimitIsTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	g := w.graph(t, c.vars(c.door), "10")
	g.start(t)
	if e, _ := g.invoke(t, `{"action":"rotate"}`); !e.failed || !strings.Contains(string(e.body), "RELOCK_SETTLE") {
		t.Errorf("with 10 seconds and RELOCK_SETTLE=15s: %s; want an error that names the variable", e.body)
	}
	if c.current(t).Generation != 0 {
		t.Error("something was rotated")
	}
	alone := w.prepare(t, binary(t, graphBinary), nil)
	alone.start(t)
	if status := alone.wait(t); status != 1 || !strings.Contains(alone.stderr.String(), "RUNTIME_API_ADDR: not set") {
		t.Errorf("on a terminal: status %d, %s; want 1 and what is missing", status, alone.stderr)
	}
}
