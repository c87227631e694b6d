// Package e2e_test drives the real binaries from outside: the function over its runtime's wire, the command as a process,
// against a simulated cloud over loopback. What it looks at afterwards is the cloud, by means that relock has no part in.
package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/relock-project/relock/events"                    // the binaries have them: a change of theirs
	_ "github.com/relock-project/relock/functions/internal/config" // makes an older result of these tests void
)

// The programs under test, each built once when a test first asks for it.
var (
	built        string // the folder that holds them
	scfBinary    = sync.OnceValues(func() (string, error) { return build("scf", "main") })
	graphBinary  = sync.OnceValues(func() (string, error) { return build("functiongraph", "functiongraph-bootstrap") })
	lambdaBinary = sync.OnceValues(func() (string, error) { return build("lambda", "bootstrap", "-tags=lambda.norpc") })
	relockBinary = sync.OnceValues(func() (string, error) { return build("relock", "relock") })
)

func TestMain(m *testing.M) { os.Exit(inFolder(m)) }

// inFolder runs the tests with a folder for the binaries, which is gone afterwards.
func inFolder(m *testing.M) int {
	flag.Parse()
	var err error
	if built, err = os.MkdirTemp("", "relock-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(built)
	return m.Run()
}

// full reports whether the tests are to take as long as the real thing: make e2e sets RELOCK_E2E_FULL=1.
func full() bool { return os.Getenv("RELOCK_E2E_FULL") == "1" }

// build builds functions/PROGRAM and returns where it is. Extra flags come after the usual ones.
func build(program, name string, flags ...string) (string, error) {
	folder := filepath.Join("..", program)
	if err := look(folder); err != nil {
		return "", err
	}
	path := filepath.Join(built, name)
	args := append([]string{"build", "-buildvcs=false", "-ldflags=-s -w -buildid="}, flags...)
	if out, err := exec.Command("go", append(args, "-o", path, "./"+folder)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", folder, err, out)
	}
	return path, nil
}

// look looks at every file of a folder: go test reuses an older result only while what a test looked at is as it was.
func look(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(folder, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// binary returns the path of a program, or fails the test.
func binary(t testing.TB, of func() (string, error)) string {
	t.Helper()
	path, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
