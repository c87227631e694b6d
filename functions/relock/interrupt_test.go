package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A process is the command in a process of its own.
type process struct {
	*exec.Cmd
	stdout bytes.Buffer
	lines  *bufio.Scanner // of standard error
	said   strings.Builder
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	p.Args[0] = "relock"
	p.Env = []string{"TMPDIR=" + t.TempDir()}
	p.Stdout = &p.stdout
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// until reads standard error until a line says something; the empty text is its end.
func (p *process) until(t *testing.T, text string) {
	t.Helper()
	for p.lines.Scan() {
		p.said.WriteString(p.lines.Text() + "\n")
		if text != "" && strings.Contains(p.lines.Text(), text) {
			return
		}
	}
	if text != "" {
		t.Fatalf("standard error does not say %q:\n%s%s", text, p.said.String(), p.stdout.String())
	}
}

func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

// status waits for the end.
func (p *process) status(t *testing.T) int {
	t.Helper()
	p.until(t, "")
	var failed *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

func TestFirstInterruptEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	p := start(t, "simulate", "--instances", "20", "--scale", "0.2", "--verbose")
	p.until(t, "call=stop")
	p.interrupt(t)
	p.until(t, "nothing more is begun")
	if got := p.status(t); got != exitPartial {
		t.Errorf("it ended with status %d; want %d", got, exitPartial)
	}
	for _, want := range []string{"incomplete: ", "every machine that was running is running", ", unfinished 19\n", "relock resume"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, p.stdout.String())
		}
	}
}

func TestSecondInterruptLeavesAtOnce(t *testing.T) {
	t.Parallel()
	// So slow that no machine is back before the second.
	p := start(t, "simulate", "--instances", "20", "--scale", "10", "--verbose")
	p.until(t, "call=stop")
	p.interrupt(t)
	p.until(t, "nothing more is begun")
	p.interrupt(t)
	p.until(t, "leaving at once")
	if got := p.status(t); got != exitFailed { // the simulation sees a machine that is left down
		t.Errorf("it ended with status %d; want %d", got, exitFailed)
	}
	for _, want := range []string{"incomplete: ", "checked: ins-", "owed a start", "rotated 0 of 20"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, p.stdout.String())
		}
	}
}
