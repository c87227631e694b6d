package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/rpc"
	"strconv"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/relock-project/relock/rotation"
)

// A program is one of the binaries that rotate, as a person or the platform runs it: a process for every action.
type program struct {
	name    string
	limited bool // the platform limits its time
	// prepare returns a process that has not begun the action. vars are relock's own variables; limit is how long it has
	// itself.
	prepare func(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) run
}

// noise is how much later than a limit a busy machine may tell of an end. The limit itself is held in virtual time, by
// TestRunReportsBeforeItsDeadlineAlthoughARequestIsNeverAnswered.
const noise = time.Second

// A run is one action in a process of its own.
type run struct {
	*process
	limit time.Duration // after which the platform ends it
	begin func()
	end   func() result // waits for it
}

// do begins the action and waits for its end.
func (r run) do() result {
	r.begin()
	return r.end()
}

// A result is what became of an action.
type result struct {
	killed  bool
	outcome rotation.Outcome // empty when there is no report
	said    string           // for people
	took    time.Duration
}

func programs() []program {
	return []program{{"relock", false, prepareCommand}, {"scf", true, prepareFunction}}
}

// functions are the functions of the other clouds, here with the machines and the secret of this one.
func functions() []program {
	return []program{{"lambda", true, prepareLambda}, bootstrap()}
}

func bootstrap() program { return program{"functiongraph", true, prepareGraph} }

func prepareCommand(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) run {
	t.Helper()
	p := w.prepare(t, binary(t, relockBinary), inCommand(vars), action, "--verbose", "--output", "json")
	var began time.Time
	begin := func() {
		began = time.Now()
		p.start(t)
	}
	return run{p, limit, begin, func() result {
		status := p.wait(t)
		var r rotation.Report
		_ = json.Unmarshal([]byte(p.stdout.String()), &r) // what ended early has printed none, or half of one
		return result{status == -1, r.Outcome, fmt.Sprintf("status %d %s %s\n%s", status, r.Outcome, r.Why, p.stderr), time.Since(began)}
	}}
}

func prepareFunction(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) run {
	t.Helper()
	p := w.function(t)
	var began time.Time
	var resp messages.InvokeResponse
	answered := make(chan *rpc.Call, 1)
	begin := func() {
		began = time.Now()
		p.Go("Function.Invoke", request(t, fmt.Sprintf(`{"action":%q}`, action), inSCF(vars), limit), &resp, answered)
	}
	return run{p.process, limit, begin, func() result {
		select {
		case call := <-answered:
			if call.Error != nil { // the connection ends a moment before the process
				<-p.done
				return result{killed: true, said: "killed", took: time.Since(began)}
			}
		case <-time.After(patience):
			t.Fatalf("Invoke has not answered after %s\n%s", patience, p.stderr)
		}
		took := time.Since(began)
		p.heardAnswer(action, resp)
		var r rotation.Report
		_ = json.Unmarshal(resp.Payload, &r)
		said := fmt.Sprintf("%s %s", r.Outcome, r.Why)
		if resp.Error != nil {
			said = resp.Error.Message
		}
		return result{false, r.Outcome, said + "\n" + p.stderr.String(), took}
	}}
}

func prepareLambda(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) run {
	t.Helper()
	l := w.invoking(t, with(inCommand(vars), "AWS_REGION", "eu-central-1"), fmt.Sprintf(`{"action":%q}`, action), limit)
	return run{l.process, limit, func() { l.start(t) }, func() result {
		r := l.result(t)
		return result{r.killed, r.Outcome, r.String() + "\n" + l.stderr.String(), r.took}
	}}
}

func prepareGraph(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) run {
	t.Helper()
	limit += time.Second // of which the bootstrap keeps one for its answer
	g := w.graph(t, inCommand(vars), strconv.Itoa(int(limit.Seconds())))
	var began time.Time
	begin := func() {
		began = time.Now()
		g.give(fmt.Sprintf(`{"action":%q}`, action))
		g.start(t)
	}
	return run{g.process, limit, begin, func() result {
		e, ok := g.answer(t)
		var r rotation.Report
		_ = json.Unmarshal(e.body, &r) // an error is none
		return result{!ok, r.Outcome, string(e.body) + "\n" + g.stderr.String(), time.Since(began)}
	}}
}
