package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"strings"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/relock-project/relock/rotation"
)

// A platform is SCF, as far as a function sees it: it starts the binary once and calls it over net/rpc.
type platform struct {
	*rpc.Client
	*process
	witness *witness
}

// function starts the function with nothing but the port in its environment, and waits until it answers.
func (w *witness) function(t testing.TB) platform {
	t.Helper()
	var err error
	for range 3 { // another process may take a port that was free a moment ago
		var p platform
		if p, err = w.tryFunction(t); err == nil {
			return p
		}
	}
	t.Fatal(err)
	return platform{}
}

func (w *witness) tryFunction(t testing.TB) (platform, error) {
	t.Helper()
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	p := platform{witness: w, process: w.prepare(t, binary(t, scfBinary), map[string]string{"_LAMBDA_SERVER_PORT": port})}
	p.start(t)
	if p.Client, err = dial("localhost:"+port, p.done); err != nil {
		p.kill()
		return platform{}, fmt.Errorf("the function does not answer: %w\n%s", err, p.stderr)
	}
	t.Cleanup(func() { p.Close() })
	return p, nil
}

// dial connects to a function and pings it, as soon as it listens or until it is done.
func dial(address string, done <-chan struct{}) (*rpc.Client, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			client := rpc.NewClient(conn)
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			err := client.Call("Function.Ping", messages.PingRequest{}, &messages.PingResponse{})
			conn.SetDeadline(time.Time{})
			return client, err
		}
		select {
		case <-tick.C:
		case <-done:
			return nil, errors.New("it has ended")
		case <-late.C:
			return nil, errors.New("it does not listen")
		}
	}
}

// request is an event with the invocation's variables and a time limit; zero is a platform that gives no deadline.
func request(t testing.TB, event string, vars map[string]string, limit time.Duration) messages.InvokeRequest {
	t.Helper()
	environment, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	req := messages.InvokeRequest{Payload: []byte(event), RequestId: "r", Environment: string(environment)}
	if limit > 0 {
		end := time.Now().Add(limit)
		req.Deadline = messages.InvokeRequest_Timestamp{Seconds: end.Unix(), Nanos: int64(end.Nanosecond())}
		req.TimeLimitInMs = int32(limit.Milliseconds())
	}
	return req
}

// invoke sends a request and returns what the function answers.
func (p platform) invoke(t testing.TB, event string, vars map[string]string, limit time.Duration) messages.InvokeResponse {
	t.Helper()
	var resp messages.InvokeResponse
	answered := p.Go("Function.Invoke", request(t, event, vars, limit), &resp, nil).Done
	select {
	case call := <-answered:
		if call.Error != nil {
			t.Fatalf("Invoke: %v\n%s", call.Error, p.stderr)
		}
	case <-time.After(patience):
		t.Fatalf("Invoke has not answered after %s\n%s", patience, p.stderr)
	}
	p.heardAnswer(event, resp)
	return resp
}

// heardAnswer lets the witness hear an answer.
func (p platform) heardAnswer(event string, resp messages.InvokeResponse) {
	said := p.witness.hear("the function's answer to " + event)
	_, _ = said.Write(resp.Payload)
	if resp.Error != nil {
		_, _ = fmt.Fprintf(said, "\n%+v", *resp.Error)
	}
}

// timer is the event of a timer trigger; message is its input, empty to rotate.
func timer(t testing.TB, name string, due time.Time, message string) string {
	t.Helper()
	event, err := json.Marshal(map[string]string{
		"Type": "Timer", "TriggerName": name, "Time": due.UTC().Format(time.RFC3339), "Message": message,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}

func wantError(t testing.TB, resp messages.InvokeResponse, texts ...string) {
	t.Helper()
	if resp.Error == nil || resp.Error.ShouldExit {
		t.Fatalf("response %s, error %+v; want an error", resp.Payload, resp.Error)
	}
	for _, text := range texts {
		if !strings.Contains(resp.Error.Message, text) {
			t.Errorf("error %q; want %q", resp.Error.Message, text)
		}
	}
}

// reportOf returns the report that an invocation answered.
func reportOf(t testing.TB, resp messages.InvokeResponse) (r rotation.Report) {
	t.Helper()
	if resp.Error != nil {
		t.Fatalf("error %+v; want a report", *resp.Error)
	}
	if err := json.Unmarshal(resp.Payload, &r); err != nil {
		t.Fatalf("%v in %s", err, resp.Payload)
	}
	return r
}

// wantReport returns the report that an invocation answered, with the wanted outcome.
func wantReport(t testing.TB, resp messages.InvokeResponse, outcome rotation.Outcome) rotation.Report {
	t.Helper()
	r := reportOf(t, resp)
	if r.Outcome != outcome {
		t.Fatalf("outcome %s: %s; want %s", r.Outcome, r.Why, outcome)
	}
	return r
}
