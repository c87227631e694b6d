package rotationtest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation/rotationtest"
)

// Each file in testdata/histories is a history that once broke the promise, or nearly. Lines that begin with # are for
// people. The others say how to get there again, one of
//
//	seed: 42                                     a random history, as long as seeds mean the same
//	scenario: NAME  and  faults: late at call 4  a history of a fault loop; several faults are separated by commas
//	search: NAME    and  history: a22 b1:late    a history of a search, as Search.Follow reads it
var save = flag.Bool("save", false, "write a history that breaks the promise to testdata/histories")

const histories = "testdata/histories"

// keep saves a history, if that is asked for, and says where.
func keep(t *testing.T, name, why string, lines ...string) {
	t.Helper()
	if !*save {
		return
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" /:#", r) {
			return '-'
		}
		return r
	}, name)
	path := filepath.Join(histories, name+".txt")
	text := "# " + why + "\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatalf("save the history: %v", err)
	}
	fmt.Fprintf(os.Stderr, "saved: rotation/rotationtest/%s\n", path)
}

// TestKnownHistoriesHold replays every history that was saved.
func TestKnownHistoriesHold(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(histories, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s (%v)", len(files), histories, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		violations, trace, err := followed(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(violations) > 0 {
			t.Errorf("%s: %s\n%s", file, strings.Join(violations, "\n"), strings.Join(trace, "\n"))
		}
	}
}

// followed is what came of what a file says.
func followed(text string) (violations, trace []string, err error) {
	said := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(name, "#") {
			said[name] = value
		}
	}
	switch {
	case said["seed"] != "":
		n, err := strconv.ParseUint(said["seed"], 10, 64)
		if err != nil {
			return nil, nil, err
		}
		told := random
		told.Tell = true
		w := told.Play(rotationtest.Seeded(n))
		return w.Violations, w.Trace, nil
	case said["scenario"] != "":
		return replayFaults(said["scenario"], said["faults"])
	}
	s, ok := searches()[said["search"]]
	if !ok {
		return nil, nil, fmt.Errorf("no search is called %q", said["search"])
	}
	s.Faults = strings.Count(said["history"], ":")
	f, err := s.Follow(said["history"])
	return f.Violations, f.Trace, err
}

func replayFaults(scenario, faults string) (violations, trace []string, err error) {
	at := map[int]rotationtest.Fault{}
	for _, text := range strings.Split(faults, ", ") {
		kind, call, _ := strings.Cut(text, " at call ")
		n, err := strconv.Atoi(call)
		if err != nil {
			return nil, nil, fmt.Errorf("fault %q: %w", text, err)
		}
		at[n] = rotationtest.Fault(kind)
	}
	for _, s := range scenarios() {
		if s.Kind.String()+"/"+s.Name == scenario {
			f := s.Replay(at)
			return f.Violations, f.Trace, nil
		}
	}
	return nil, nil, fmt.Errorf("no scenario is called %q", scenario)
}
