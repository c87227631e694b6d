package main

import (
	"cmp"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// inTest is what runs for a script in the test's own process.
type inTest struct {
	cloud *tencentsim.Cloud
	gate  *gate
}

type heldKey struct{}

func withCloud(env *testscript.Env) error {
	env.Values[heldKey{}] = &inTest{}
	fleets, err := filepath.Abs("testdata/fleets")
	env.Setenv("FLEETS", fleets)
	return err
}

// incloud runs "incloud N": it serves a simulated cloud with N machines from the test's process until the script ends, and
// sets the variables that point at it. Unlike one of "cloud" it has consoles, and two fleets: north.env and south.env.
func incloud(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: incloud N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	so := simOptions{regions: []string{"ap-guangzhou", "ap-shanghai"}, instances: n, seed: 7, scale: 0.001}
	cloud, err := tencentsim.New(tencentsim.Config{Regions: so.regions, Instances: n, Seed: so.seed, Scale: so.scale, SSH: true})
	ts.Check(err)
	server := httptest.NewServer(cloud)
	ts.Defer(func() {
		server.Close()
		cloud.Close()
	})
	ts.Value(heldKey{}).(*inTest).cloud = cloud
	cloud.PutSecret("admin-south", map[string]string{"current": `{"username":"","password":"Baseline.2024-Ab"}`})
	var north, south strings.Builder
	for _, s := range append(so.tencentSettings(server.URL), so.settings(cloud.KnownHosts())...) {
		ts.Setenv(s.name, s.value)
		if !strings.HasPrefix(s.name, "RELOCK_") {
			continue // credentials belong to the environment
		}
		mine := map[string][2]string{"RELOCK_REGIONS": {so.regions[0], so.regions[1]}, "RELOCK_SECRET": {s.value, "admin-south"}}[s.name]
		fmt.Fprintf(&north, "%s='%s'\n", s.name, cmp.Or(mine[0], s.value))
		fmt.Fprintf(&south, "%s='%s'\n", s.name, cmp.Or(mine[1], s.value))
	}
	ts.Check(os.WriteFile(ts.MkAbs("north.env"), []byte(north.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("south.env"), []byte(south.String()), 0o600))
}

// console runs "console ID PASSWORD": a person changes a machine's password on the machine itself.
func console(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: console ID PASSWORD")
	}
	ts.Value(heldKey{}).(*inTest).cloud.Console(args[0], args[1])
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for want, of := range map[string][]int{
		"": nil, "3": {3}, "1–4": {4, 3, 2, 1}, "1–2, 4, 6–7": {7, 6, 4, 2, 1},
	} {
		if got := spans(of); got != want {
			t.Errorf("spans(%v) = %q; want %q", of, got, want)
		}
	}
}
