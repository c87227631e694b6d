package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/rpc"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/relock-project/relock/rotation"
)

// A program is one of the binaries that rotate, as a person or the platform runs it: a process for every action.
type program struct {
	name    string
	limited bool // the platform limits its time
	// prepare returns a process that has not begun the action, and what makes it begin and waits for its end. vars are
	// relock's own variables; limit is how long the platform gives it.
	prepare func(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) (*process, func() result)
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

func prepareCommand(t testing.TB, w *witness, vars map[string]string, action string, _ time.Duration) (*process, func() result) {
	t.Helper()
	p := w.prepare(t, binary(t, relockBinary), inCommand(vars), action, "--verbose", "--output", "json")
	return p, func() result {
		began := time.Now()
		p.start(t)
		status := p.wait(t)
		var r rotation.Report
		_ = json.Unmarshal([]byte(p.stdout.String()), &r) // what ended early has printed none, or half of one
		return result{status == -1, r.Outcome, fmt.Sprintf("status %d %s %s\n%s", status, r.Outcome, r.Why, p.stderr), time.Since(began)}
	}
}

func prepareFunction(t testing.TB, w *witness, vars map[string]string, action string, limit time.Duration) (*process, func() result) {
	t.Helper()
	p := w.function(t)
	return p.process, func() result {
		began := time.Now()
		var resp messages.InvokeResponse
		call := p.Go("Function.Invoke", request(t, fmt.Sprintf(`{"action":%q}`, action), inSCF(vars), limit), &resp, make(chan *rpc.Call, 1))
		select {
		case <-call.Done:
			if call.Error != nil { // the connection ends a moment before the process
				<-p.done
			}
		case <-p.done:
		case <-time.After(patience):
			t.Fatalf("Invoke has not answered after %s\n%s", patience, p.stderr)
		}
		took := time.Since(began)
		select {
		case <-p.done:
			return result{killed: true, said: "killed", took: took}
		default:
		}
		p.heardAnswer(action, resp)
		var r rotation.Report
		_ = json.Unmarshal(resp.Payload, &r)
		said := fmt.Sprintf("%s %s", r.Outcome, r.Why)
		if resp.Error != nil {
			said = resp.Error.Message
		}
		return result{false, r.Outcome, said + "\n" + p.stderr.String(), took}
	}
}
