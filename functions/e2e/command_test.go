package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// pace is how fast the simulated cloud of another process is: as slow as by default when there is time for that.
func pace() string {
	if full() {
		return "1"
	}
	return "0.02"
}

// parsed reads text that must be one JSON value of T, with nothing that T does not have, and nothing else.
func parsed[T any](t testing.TB, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("after the JSON there is more: %v in %s", err, text)
	}
	return v
}

// revealed is what lookup --reveal prints for machines to read.
type revealed struct {
	ID         string
	Candidates []struct {
		Generation int
		Stage      string
		Username   string
		Password   string
	}
}

// standing is what status prints for machines to read.
type standing struct{ Current, Pending, Previous int }

func (w *witness) status(t testing.TB, vars map[string]string) (s standing) {
	t.Helper()
	out := w.relock(t, vars, "status", "--output", "json").want(t, 0)
	if err := json.Unmarshal([]byte(out.stdout), &s); err != nil {
		t.Fatalf("%v in %s", err, out.stdout)
	}
	return s
}

// reveal asks for a machine's passwords. What it prints, the witness does not hear: it is the one place for them.
func (w *witness) reveal(t testing.TB, vars map[string]string, id string) (r revealed) {
	t.Helper()
	p := w.prepare(t, binary(t, relockBinary), vars, "lookup", id, "--reveal", "--output", "json")
	var passwords bytes.Buffer
	p.cmd.Stdout = &passwords
	p.start(t)
	if status := p.wait(t); status != 0 {
		t.Fatalf("lookup --reveal ended with status %d: %s", status, p.stderr)
	}
	if err := json.Unmarshal(passwords.Bytes(), &r); err != nil || len(r.Candidates) == 0 {
		t.Fatalf("lookup --reveal: %d candidates, %v; want some", len(r.Candidates), err)
	}
	return r
}

// An operator's day against a cloud of another process, whose printed lines are the only configuration.
func TestOperatorNeedsNothingButWhatTheCloudPrints(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	a := w.startCloud(t, "--instances", "30", "--scale", pace())
	w.relock(t, a.vars, "plan").want(t, 0, "make generation 2", "Nothing was sent and nothing was stored.")
	if s := w.status(t, a.vars); s != (standing{Current: 1}) {
		t.Errorf("status %+v; want generation 1, current, and nothing pending", s)
	}

	out := w.relock(t, a.vars, "rotate", "--output", "json").want(t, 0)
	r := parsed[rotation.Report](t, out.stdout)
	if r.Outcome != rotation.Rotated || r.Generation != 2 || r.Counts.Scope != 30 || r.Counts.Login == 0 || len(r.Machines) != 30 {
		t.Errorf("%s: generation %d, counts %+v, %d machines; want 2, on 30 of them", r.Outcome, r.Generation, r.Counts, len(r.Machines))
	}
	if s := w.status(t, a.vars); s != (standing{Current: 2, Previous: 1}) {
		t.Errorf("status %+v; want 2, after 1, and nothing pending", s)
	}
	w.relock(t, a.vars, "verify").want(t, 0, "verified")
	a.wantOpen(t, 2)

	m := a.logins(t)[0]
	first := w.reveal(t, a.vars, *m.InstanceId)
	if c := first.Candidates[0]; c.Generation != 2 || !a.opens(t, m, c.Password) {
		t.Errorf("the first candidate is generation %d and opens the machine: %t; want 2, and that it does", c.Generation, a.opens(t, m, c.Password))
	}
	if a.opens(t, m, tencentsim.BaselinePassword) {
		t.Error("the machine still opens with the password from before")
	}

	w.relock(t, a.vars, "rotate", "--quiet").want(t, 0, "2 → 3")
	second := w.reveal(t, a.vars, *m.InstanceId)
	if c := second.Candidates[0]; c.Generation != 3 || !a.opens(t, m, c.Password) || len(second.Candidates) != 3 {
		t.Errorf("generation %d of %d; want 3 of 3, and that it opens the machine", c.Generation, len(second.Candidates))
	}
	if a.opens(t, m, first.Candidates[0].Password) {
		t.Error("the machine still opens with generation 2")
	}
	a.wantOpen(t, 3)
}

// Against a cloud that fails now and then, an operator who runs it again gets there, with one generation.
func TestRunningItAgainEndsARotationOnAFailingCloud(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	a := w.startCloud(t, "--instances", "30", "--scale", pace(), "--faults", "throttle=0.05,lost-reply=0.01")
	done := false
	for n := 1; n <= 20 && !done; n++ {
		command := "rotate" // which has to be given again only while it has not begun
		if n > 1 {
			if s := w.eventually(t, a.vars); s.Current > 1 || s.Pending > 1 {
				command = "resume"
			}
		}
		out := w.relock(t, a.vars, command, "--verbose")
		t.Logf("%s: status %d: %s", command, out.status, last(out.stdout))
		if out.status != 0 && out.status != 1 && out.status != 3 {
			out.want(t, 0)
		}
		done = out.status == 0
	}
	if s := w.eventually(t, a.vars); !done || s.Current != 2 || s.Pending != 0 {
		t.Errorf("status %+v; want generation 2, current, and nothing pending", s)
	}
	a.wantOpen(t, 2)
}

// eventually asks a cloud that fails now and then for the secret's status.
func (w *witness) eventually(t testing.TB, vars map[string]string) standing {
	t.Helper()
	return persistently(t, func() (s standing, err error) {
		out := w.relock(t, vars, "status", "--output", "json")
		if out.status != 0 {
			return s, fmt.Errorf("status: %s", out.stderr)
		}
		return s, json.Unmarshal([]byte(out.stdout), &s)
	})
}

// The lines are for a shell, and the help's example works in one.
func TestShellTakesWhatTheCloudPrints(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		notRun(t, "the cloud's lines in a real shell", "no sh")
	}
	w := newWitness(t)
	w.knows(tencentsim.BaselinePassword)
	binary(t, relockBinary)
	p := w.prepare(t, shell, nil, "-ec", `
		eval "$(relock cloud tencent --instances 6 --scale 0.001 & echo "cloud=$!")"
		trap 'kill $cloud' EXIT
		relock plan && relock rotate && relock verify
	`)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }) // what the shell left behind, if anything
	p.start(t)
	if status := p.wait(t); status != 0 {
		t.Errorf("the shell ended with status %d\n%s%s", status, p.stdout, p.stderr)
	}
	if got := last(p.stdout.String()); got != "verified 6 of 6, skipped 0, drifted 0, unproven 0" {
		t.Errorf("the last line is %q; want that 6 of 6 are verified", got)
	}
}

func TestExitStatusSaysWhatIsToBeDone(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 6, Seed: 6})
	vars := c.inCommand()
	var linux string
	for _, m := range c.Machines() {
		if m.SSHPort != 0 && m.State == "RUNNING" {
			linux = m.ID
		}
	}
	w.relock(t, vars, "rotat").want(t, 2, "did you mean rotate?")
	w.relock(t, vars, "rotate", "--fast").want(t, 2)
	w.relock(t, with(vars, "RELOCK_SECRET", ""), "rotate").want(t, 2, "RELOCK_SECRET: not set")
	w.relock(t, with(vars, "RELOCK_RESTART", "never"), "plan").want(t, 2, "REFUSED")
	w.relock(t, with(vars, "TENCENTCLOUD_SECRET_KEY", "wrong-key-0000000000000000"), "rotate").want(t, 1, "AuthFailure")
	w.relock(t, vars, "rotate", "--dry-run").want(t, 0)
	w.relock(t, vars, "resume").want(t, 0, "nothing is pending")
	c.wantUntouched(t)

	w.relock(t, vars, "rotate", "--only", linux).want(t, 3, "relock resume")
	w.relock(t, vars, "resume").want(t, 0)
	c.wantRotated(t, 2)
	w.relock(t, vars, "verify").want(t, 0)
	c.Console(linux, "By-Hand.2024-Ab")
	w.relock(t, vars, "verify").want(t, 3, linux)
	w.relock(t, vars, "reconcile").want(t, 0)
	c.wantRotated(t, 2)
	w.relock(t, vars, "verify").want(t, 0)
}
