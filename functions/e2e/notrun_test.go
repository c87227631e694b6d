package e2e_test

import (
	"fmt"
	"os"
	"testing"
)

// notRun ends a test that this machine cannot run, and says so on stderr. Nothing else in this project may skip a test.
// `go test` shows it with -v only.
func notRun(t testing.TB, what, why string) {
	t.Helper()
	_, _ = fmt.Fprintf(os.Stderr, "NOT RUN: %s: %s: %s\n", t.Name(), what, why)
	t.Skip("NOT RUN: " + why)
}
