package main_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http/httptest"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	_ "github.com/relock-project/relock/events"                    // the binary has them: a change of theirs
	_ "github.com/relock-project/relock/functions/internal/config" // makes an older result of these tests void
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A platform is SCF, as far as a function sees it: it starts the binary once and calls it over net/rpc.
type platform struct {
	*rpc.Client
	stderr *lockedBuffer
}

// start builds the function, starts it with nothing but the port in its environment, and waits until it answers.
func start(t *testing.T) platform {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "main")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	p := platform{stderr: &lockedBuffer{}}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = []string{"_LAMBDA_SERVER_PORT=" + port}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		if p.Client, err = rpc.Dial("tcp", "localhost:"+port); err == nil {
			t.Cleanup(func() { p.Close() })
			break
		}
	}
	if err != nil {
		t.Fatalf("the function does not listen: %v\n%s", err, p.stderr)
	}
	if err := p.Call("Function.Ping", messages.PingRequest{}, &messages.PingResponse{}); err != nil {
		t.Fatalf("Ping: %v", err)
	}
	return p
}

// invoke sends an event with the invocation's variables and a time limit; zero is a platform that gives no deadline.
func (p platform) invoke(t *testing.T, event string, vars map[string]string, limit time.Duration) messages.InvokeResponse {
	t.Helper()
	environment, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	req := messages.InvokeRequest{Payload: []byte(event), RequestId: "r", Environment: string(environment)}
	if limit > 0 {
		end := time.Now().Add(limit)
		req.Deadline = messages.InvokeRequest_Timestamp{Seconds: end.Unix(), Nanos: int64(end.Nanosecond())}
	}
	var resp messages.InvokeResponse
	if err := p.Call("Function.Invoke", req, &resp); err != nil {
		t.Fatalf("Invoke: %v\n%s", err, p.stderr)
	}
	return resp
}

func serve(t *testing.T, cfg tencentsim.Config) string {
	t.Helper()
	cloud, err := tencentsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(func() {
		server.Close()
		cloud.Close()
	})
	return server.URL
}

// firstVars are the variables of an invocation for the first cloud.
func firstVars(url string) map[string]string {
	return map[string]string{
		"TENCENTCLOUD_SECRETID": "AKIDfirst", "TENCENTCLOUD_SECRETKEY": "k1", "TENCENTCLOUD_SESSIONTOKEN": "t1",
		"RELOCK_TENCENT_ENDPOINT": url, "RELOCK_SECRET": tencentsim.DemoSecret,
		"RELOCK_REGIONS": "ap-guangzhou,ap-shanghai", "RELOCK_TAGS": tencentsim.FleetTagKey + "=" + tencentsim.FleetTagValue,
		"RELOCK_USERNAME": "", "RELOCK_RESTART": "graceful", "RELOCK_POLL_INTERVAL": "20ms", "RELOCK_SETTLE": "1s",
		"RELOCK_SOFT_STOP_TIMEOUT": "1s",
	}
}

// TestAnInvocation drives the real binary as the platform does.
func TestAnInvocation(t *testing.T) {
	first := serve(t, tencentsim.Config{Instances: 4, SecretID: "AKIDfirst", SecretKey: "k1", Token: "t1"})
	second := serve(t, tencentsim.Config{Instances: 4, SecretID: "AKIDsecond", SecretKey: "k2", Token: "t2"})
	p := start(t)
	vars := firstVars(first)

	t.Run("a bad event is told apart before the configuration is read", func(t *testing.T) {
		resp := p.invoke(t, `{"actoin":"plan"}`, map[string]string{}, time.Minute)
		wantError(t, resp, "event", "actoin")
		if strings.Contains(resp.Error.Message, "RELOCK_") {
			t.Errorf("error %q; want nothing of the configuration", resp.Error.Message)
		}
	})
	t.Run("no configuration", func(t *testing.T) {
		wantError(t, p.invoke(t, `{"action":"plan"}`, map[string]string{}, time.Minute), "RELOCK_SECRET: not set", "RELOCK_REGIONS: not set", "TENCENTCLOUD_SECRETID")
	})
	t.Run("no deadline", func(t *testing.T) {
		wantError(t, p.invoke(t, `{"action":"plan"}`, vars, 0), "no time is left")
	})
	t.Run("a deadline that is too near", func(t *testing.T) {
		wantError(t, p.invoke(t, `{"action":"rotate"}`, vars, 500*time.Millisecond), "RELOCK_SETTLE")
	})
	t.Run("plan", func(t *testing.T) {
		if r := wantReport(t, p.invoke(t, `{"action":"plan"}`, vars, time.Minute)); r.Outcome != rotation.Planned || r.Counts.Scope != 4 {
			t.Errorf("report %+v; want a plan for 4 machines", r)
		}
	})
	t.Run("rotate, by the timer", func(t *testing.T) {
		event, err := json.Marshal(map[string]string{"Type": "Timer", "TriggerName": "monthly", "Message": "",
			"Time": time.Now().UTC().Add(time.Minute).Format(time.RFC3339)})
		if err != nil {
			t.Fatal(err)
		}
		if r := wantReport(t, p.invoke(t, string(event), vars, time.Minute)); r.Outcome != rotation.Rotated {
			t.Errorf("report %+v; want rotated", r)
		}
	})
	t.Run("the next invocation's credentials", func(t *testing.T) {
		wantError(t, p.invoke(t, `{"action":"plan"}`, with(vars, "RELOCK_TENCENT_ENDPOINT", second), time.Minute), "AuthFailure")
		next := with(vars, "RELOCK_TENCENT_ENDPOINT", second, "TENCENTCLOUD_SECRETID", "AKIDsecond",
			"TENCENTCLOUD_SECRETKEY", "k2", "TENCENTCLOUD_SESSIONTOKEN", "t2")
		if r := wantReport(t, p.invoke(t, `{"action":"plan"}`, next, time.Minute)); r.Outcome != rotation.Planned {
			t.Errorf("report %+v; want a plan", r)
		}
	})
	t.Run("the log is JSON", func(t *testing.T) { wantJSON(t, p.stderr.String()) })
}

func with(vars map[string]string, pairs ...string) map[string]string {
	all := map[string]string{}
	for name, value := range vars {
		all[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

func wantJSON(t *testing.T, log string) {
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

func wantError(t *testing.T, resp messages.InvokeResponse, texts ...string) {
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

func wantReport(t *testing.T, resp messages.InvokeResponse) rotation.Report {
	t.Helper()
	if resp.Error != nil {
		t.Fatalf("error %+v; want a report", *resp.Error)
	}
	var r rotation.Report
	if err := json.Unmarshal(resp.Payload, &r); err != nil {
		t.Fatalf("%v in %s", err, resp.Payload)
	}
	return r
}

// TestTheEntrypointHasNoDecisions keeps main.go what it is: no if but err != nil, and short.
func TestTheEntrypointHasNoDecisions(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	source := string(text)
	if lines := strings.Count(source, "\n"); lines > 40 || strings.Count(source, "if ") != strings.Count(source, "if err != nil {") {
		t.Errorf("main.go has %d lines, and an if that is not about err; want at most 40, and none", lines)
	}
}

// lockedBuffer takes what the function logs while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
