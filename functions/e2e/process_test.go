package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up on it.
const patience = 2 * time.Minute

// A process is a program that a test has started.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *output
	arguments      *output
	started        chan struct{}
	done           chan struct{} // closed when it has ended and all its output is read
	err            error         // how it ended, after done
}

// prepare returns a process that is not started yet. Its environment is vars and nothing else but a search path and a
// folder. The witness hears both outputs
// and reads its files.
func (w *witness) prepare(t testing.TB, path string, vars map[string]string, args ...string) *process {
	t.Helper()
	name := strings.Join(append([]string{path[strings.LastIndexByte(path, '/')+1:]}, args...), " ")
	p := &process{
		cmd:    exec.Command(path, args...),
		stdout: w.hear("standard output of " + name), stderr: w.hear("standard error of " + name),
		arguments: w.hear("the arguments of " + name),
		started:   make(chan struct{}), done: make(chan struct{}),
	}
	p.cmd.Dir = w.folder // what it writes beside its output, it writes here
	p.cmd.Env = []string{"PATH=" + built + ":" + os.Getenv("PATH"), "HOME=" + p.cmd.Dir, "TMPDIR=" + p.cmd.Dir}
	for _, variable := range slices.Sorted(maps.Keys(vars)) {
		p.cmd.Env = append(p.cmd.Env, variable+"="+vars[variable])
	}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	return p
}

// start starts the process and ends it with the test.
func (p *process) start(t testing.TB) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(p.arguments, arguments(p.cmd))
	close(p.started)
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
}

// arguments are what everybody on the machine can read of a process that was started, NUL between them.
func arguments(cmd *exec.Cmd) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err != nil || len(text) == 0 { // there is no such thing here, or it has ended already
		return strings.Join(cmd.Args, "\x00")
	}
	return string(text)
}

// kill ends the process at once, as kill -9 does, and returns when it is gone. It may be repeated, and waits for start.
func (p *process) kill() {
	<-p.started
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // one that has ended already is as good
	<-p.done
}

// wait returns the exit status; -1 when a signal ended the process.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		t.Fatalf("%s has not ended after %s\n%s", p.stdout.name, patience, p.stderr)
	}
	var failed *exec.ExitError
	if p.err != nil && !errors.As(p.err, &failed) {
		t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// ended is a command that has ended.
type ended struct {
	name           string
	status         int
	stdout, stderr string
}

// relock runs the command to its end.
func (w *witness) relock(t testing.TB, vars map[string]string, args ...string) ended {
	t.Helper()
	p := w.prepare(t, binary(t, relockBinary), vars, args...)
	p.start(t)
	return ended{"relock " + strings.Join(args, " "), p.wait(t), p.stdout.String(), p.stderr.String()}
}

// want fails the test unless the command ended with a status and printed these texts.
func (e ended) want(t testing.TB, status int, texts ...string) ended {
	t.Helper()
	if e.status != status {
		t.Fatalf("%s ended with status %d; want %d\n%s\n%s", e.name, e.status, status, e.stdout, e.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(e.stdout+e.stderr, text) {
			t.Errorf("%s printed\n%s\n%s\nwant %q", e.name, e.stdout, e.stderr, text)
		}
	}
	return e
}

// with returns vars with some of them changed: name, value, name, value …
func with(vars map[string]string, pairs ...string) map[string]string {
	all := maps.Clone(vars)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}
