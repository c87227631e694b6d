package main

import (
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// inTest is where a script's simulated cloud is that runs in the test's own process.
type inTest struct{ cloud *tencentsim.Cloud }

type heldKey struct{}

func withCloud(env *testscript.Env) error {
	env.Values[heldKey{}] = &inTest{}
	return nil
}

// incloud runs "incloud N": it serves a simulated cloud with N machines from the test's process until the script ends, and
// sets the variables that point at it. Unlike one of "cloud" it has consoles.
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
	for _, s := range append(so.tencentSettings(server.URL), so.settings(cloud.KnownHosts())...) {
		ts.Setenv(s.name, s.value)
	}
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
