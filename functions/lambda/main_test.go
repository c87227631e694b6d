package main_test

import (
	"os"
	"strings"
	"testing"
)

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
