package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A lambdaRun is one invocation of the function in a process of its own, over the runtime's HTTP interface:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
type lambdaRun struct {
	*process
	event  string
	limit  time.Duration
	taken  chan struct{} // closed when the function has the event
	answer chan []byte   // the result, or the error
	failed chan string
}

// invoking prepares an invocation that has not begun. The platform kills the process at its limit.
func (w *witness) invoking(t testing.TB, vars map[string]string, event string, limit time.Duration) *lambdaRun {
	t.Helper()
	l := &lambdaRun{event: event, limit: limit, taken: make(chan struct{}), answer: make(chan []byte, 1), failed: make(chan string, 1)}
	api := httptest.NewServer(l)
	l.process = w.prepare(t, binary(t, lambdaBinary), with(vars, "AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(api.URL, "http://")))
	t.Cleanup(func() {
		api.CloseClientConnections()
		api.Close()
	})
	return l
}

// ServeHTTP is the platform's side: it gives one event, and takes what becomes of it.
func (l *lambdaRun) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		select {
		case <-l.taken: // one is all that there is
			<-r.Context().Done()
			return
		default:
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(l.limit).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:relock")
		_, _ = io.WriteString(w, l.event)
		close(l.taken)
	case strings.HasSuffix(r.URL.Path, "/response"):
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		l.answer <- body
	default:
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		l.failed <- string(body)
	}
}

// A lambdaResult is what the platform hears of an invocation.
type lambdaResult struct {
	rotation.Report
	err            string // empty when it did not fail
	killed, timeUp bool
	took           time.Duration
}

func (r lambdaResult) ok() bool { return r.err == "" && !r.killed && !r.timeUp }

func (r lambdaResult) String() string {
	return fmt.Sprintf("%s %s %s, killed %t, time up %t", r.Outcome, r.Why, r.err, r.killed, r.timeUp)
}

// do invokes the function and ends its process.
func (l *lambdaRun) do(t testing.TB) (r lambdaResult) {
	t.Helper()
	l.start(t)
	return l.result(t)
}

// result waits for what becomes of an invocation that has begun, and ends its process.
func (l *lambdaRun) result(t testing.TB) (r lambdaResult) {
	t.Helper()
	began := time.Now()
	defer func() {
		r.took = time.Since(began)
		l.kill()
	}()
	said := func(text string) { _, _ = io.WriteString(l.stdout, text) }
	select {
	case body := <-l.answer:
		said(string(body))
		if err := json.Unmarshal(body, &r.Report); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	case body := <-l.failed:
		said(body)
		var failure struct{ ErrorMessage string }
		_ = json.Unmarshal([]byte(body), &failure)
		r.err = failure.ErrorMessage + " "
	case <-l.done:
		r.killed = true
	case <-time.After(l.limit + noise):
		r.timeUp = true
	}
	return r
}
