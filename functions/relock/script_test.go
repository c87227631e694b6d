package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"relock": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               withCloud,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"cloud": cloud,
			"last":  last,
			"one":   one,

			"incloud": incloud,
			"console": console,
			"proxied": proxied,
			"went":    went,

			"documents": documents,
			"lines":     csvLines,
		},
	})
}

// exits runs "exits STATUS PROGRAM ARGS..." and fails when the program ends with another status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d; want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args[1:], " "), got, want,
			ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// cloud runs "cloud NAME ARGS...": it serves a simulated cloud until the script ends and sets the variables that
// point at it; those of relock's are in the file cloud.env, too.
func cloud(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(os.Args[0], append([]string{"cloud"}, args...)...)
	cmd.Args[0] = "relock"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(out)
	var file strings.Builder
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "export RELOCK_") {
			file.WriteString(lines.Text() + "\n")
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !ok || !strings.HasPrefix(lines.Text(), "export ") || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			ts.Fatalf("no shell line: %q", lines.Text())
		}
		ts.Setenv(name, value[1:len(value)-1])
	}
	ts.Check(os.WriteFile(ts.MkAbs("cloud.env"), []byte(file.String()), 0o600))
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			ts.Fatalf("the cloud ended with %v: %s", err, stderr.String())
		}
	})
}

// last checks that the last line of standard output is "last WORDS...".
func last(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimRight(ts.ReadFile("stdout"), "\n")
	got, want := text[strings.LastIndexByte(text, '\n')+1:], strings.Join(args, " ")
	if (got == want) == neg {
		ts.Fatalf("the last line is %q; want %q", got, want)
	}
}

// one sets "one NAME ID": the variable NAME is the first machine of standard output's csv.
func one(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(ts.ReadFile("stdout"), "\n")
	if len(args) != 1 || len(lines) < 2 {
		ts.Fatalf("usage: one NAME, after csv output")
	}
	id, _, _ := strings.Cut(lines[1], ",")
	ts.Setenv(args[0], id)
}
