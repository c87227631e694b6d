package rotationtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// drifts makes an invocation's log lines about drift readable, once it has ended.
func drifts(t *testing.T) (func(*rotation.Rotator), func() []map[string]any) {
	var log bytes.Buffer
	change := func(r *rotation.Rotator) { r.Log = slog.New(slog.NewJSONHandler(&log, nil)) }
	return change, func() []map[string]any {
		t.Helper()
		var out []map[string]any
		for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("the log line %s: %v", line, err)
			}
			if fields["msg"] == "relock.drift" {
				out = append(out, fields)
			}
		}
		log.Reset()
		return out
	}
}

// The line's name and attributes are what alarms are made of.
func TestDriftIsLoggedForEveryMachineThatRefusesCurrent(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		for range 4 {
			w.Add(rotation.Linux, rotation.Running)
		}
		generations(t, w, 3)
		logged, lines := drifts(t)
		do(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified, logged)
		if got := lines(); len(got) != 0 {
			t.Errorf("without drift the log says %v", got)
		}
		w.Console(w.Machines[1], "By-Hand-Pass-01")
		w.Console(w.Machines[2], "By-Hand-Pass-02")
		r := do(t, w, rotation.Request{Action: rotation.Verify}, rotation.Drift, logged)
		got := lines()
		if len(got) != 2 || r.Counts.Drifted != 2 {
			t.Fatalf("%d lines of drift, %d machines drifted; want 2 and 2", len(got), r.Counts.Drifted)
		}
		for i, want := range []map[string]any{
			{"machine": "m2", "region": "east", "generation": 3.0, "state": "drifted", "secret": "admin", "level": "WARN"},
			{"machine": "m1", "region": "west", "generation": 3.0, "state": "drifted", "secret": "admin", "level": "WARN"},
		} {
			names := slices.Sorted(maps.Keys(got[i]))
			if !slices.Equal(names, []string{"generation", "level", "machine", "msg", "region", "secret", "state", "time"}) {
				t.Errorf("the attributes are %v", names)
			}
			for name, value := range want {
				if got[i][name] != value {
					t.Errorf("line %d: %s is %v; want %v", i, name, got[i][name], value)
				}
			}
		}
	})
}

func TestReconcileHealsAPasswordThatWasChangedByHand(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 3)
		w.Console(w.Machines[0], "By-Hand-Pass-01")
		do(t, w, rotation.Request{Action: rotation.Verify}, rotation.Drift)
		logged, lines := drifts(t)
		w.Blame() // the hand that changed it
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Rotated, logged)
		if got := lines(); len(got) != 1 || got[0]["machine"] != "m0" || got[0]["state"] != "proven" || got[0]["generation"] != 3.0 {
			t.Errorf("reconcile logged %v; want m0, proven on 3 again", got)
		}
		do(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified, logged)
		do(t, w, rotation.Request{Action: rotation.Reconcile}, rotation.Nothing, logged)
		if got := lines(); len(got) != 0 {
			t.Errorf("healed, and the log says %v", got)
		}
		w.CheckEnd()
		if n := stops(w.Machines[1]); n != 2 {
			t.Errorf("the machine that nobody had changed was stopped %d times; want 2, once for each rotation", n)
		}
	})
}

// An invocation that was frozen for long writes an older generation over current, one in a slot of its own or one that is
// archived. The machines have the highest, which is brought back without touching them.
func TestCurrentThatAZombieOverwroteIsBroughtBack(t *testing.T) {
	for _, action := range []rotation.Action{rotation.Resume, rotation.Reconcile, rotation.Rotate} {
		for _, stale := range []int{12, 11, 3, 1} {
			t.Run(fmt.Sprintf("%s/generation %d", action, stale), func(t *testing.T) {
				onEvery(t, func(t *testing.T, w *rotationtest.World) {
					w.Add(rotation.Linux, rotation.Running)
					w.Add(rotation.Windows, rotation.Stopped)
					all := generations(t, w, 13)
					w.Stale(stale)
					switch w.Current() {
					case all[stale]:
					case all[13]: // a store of labels has none for what is archived: the write fails
						return
					default:
						t.Fatal("current is neither the stale generation nor the highest")
					}
					old := stops(w.Machines[0])
					do(t, w, rotation.Request{Action: action}, rotation.Rotated)
					if w.Current() != all[13] {
						t.Errorf("%s left another version current than the highest", action)
					}
					if stops(w.Machines[0]) != old {
						t.Errorf("%s stopped a machine that has the highest", action)
					}
					do(t, w, rotation.Request{Action: rotation.Verify}, rotation.Verified)
					if now := stored(t, w); len(now) != 13 {
						t.Errorf("the secret holds %d generations; want 13, and no baseline of the stale one", len(now))
					}
					w.CheckEnd()
					answerable(t, w)
				})
			})
		}
	}
}

// Before anybody heals it, nothing is forgotten and no machine is lost: verify says what it sees.
func TestForgetWaitsUntilAZombiesWriteIsHealed(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Add(rotation.Linux, rotation.Running)
		generations(t, w, 6)
		if !w.Stale(5) {
			return
		}
		forgetRefused(t, w, 4, rotation.ForgetOptions{}, "generation 6 of \"admin\" is pending")
		do(t, w, rotation.Request{Action: rotation.Resume}, rotation.Rotated)
		forgets(t, w, 4, rotation.ForgetOptions{}, rotation.Forgotten)
		answerable(t, w)
	})
}
