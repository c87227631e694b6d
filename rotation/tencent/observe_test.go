package tencent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// progress is what DescribeInstances shows, and how far an operation with the id r is then.
var progress = []struct {
	kind                              rotation.OpKind
	state, operation, outcome, record string // record is the id in it; ours is r
	want                              rotation.OpState
	power                             rotation.PowerState
	busy                              bool
}{
	{rotation.OpLook, "RUNNING", "", "", "", rotation.Done, rotation.Running, false},
	{rotation.OpLook, "STOPPING", "StopInstances", "OPERATING", "x", rotation.Done, rotation.Changing, true},

	{rotation.OpReset, "STOPPED", "", "", "", rotation.Unseen, rotation.Stopped, false},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "SUCCESS", "r", rotation.Done, rotation.Stopped, false},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "FAILED", "r", rotation.Failed, rotation.Stopped, false},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "OPERATING", "r", rotation.InProgress, rotation.Stopped, true},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "SUCCESS", "last-month", rotation.Unseen, rotation.Stopped, false},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "FAILED", "last-month", rotation.Unseen, rotation.Stopped, false},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "OPERATING", "another", rotation.Unseen, rotation.Stopped, true},
	{rotation.OpReset, "STARTING", "StartInstances", "OPERATING", "r", rotation.Unseen, rotation.Changing, true},
	{rotation.OpReset, "STOPPED", "ResetInstancesPassword", "NEW_OUTCOME", "r", rotation.Unseen, rotation.Stopped, false},

	{rotation.OpStop, "STOPPED", "", "", "", rotation.Done, rotation.Stopped, false},
	{rotation.OpStop, "STOPPING", "", "", "", rotation.InProgress, rotation.Changing, false},
	{rotation.OpStop, "RUNNING", "ResetInstancesPassword", "SUCCESS", "x", rotation.Unseen, rotation.Running, false},
	{rotation.OpStop, "RUNNING", "StopInstances", "OPERATING", "r", rotation.InProgress, rotation.Running, true},
	{rotation.OpStop, "RUNNING", "StopInstances", "FAILED", "r", rotation.Failed, rotation.Running, false},
	{rotation.OpStop, "RUNNING", "StopInstances", "FAILED", "x", rotation.Unseen, rotation.Running, false},
	{rotation.OpStop, "RUNNING", "StopInstances", "SUCCESS", "r", rotation.Unseen, rotation.Running, false}, // somebody started it

	{rotation.OpStart, "RUNNING", "", "", "", rotation.Done, rotation.Running, false},
	{rotation.OpStart, "STARTING", "", "", "", rotation.InProgress, rotation.Changing, false},
	{rotation.OpStart, "STOPPED", "", "", "", rotation.Unseen, rotation.Stopped, false},
	{rotation.OpStart, "STOPPED", "StartInstances", "OPERATING", "r", rotation.InProgress, rotation.Stopped, true},
	{rotation.OpStart, "STOPPED", "StartInstances", "FAILED", "r", rotation.Failed, rotation.Stopped, false},

	{rotation.OpRestart, "REBOOTING", "", "", "", rotation.InProgress, rotation.Changing, false},
	{rotation.OpRestart, "RUNNING", "", "", "", rotation.Unseen, rotation.Running, false},
	{rotation.OpRestart, "RUNNING", "RebootInstances", "SUCCESS", "r", rotation.Done, rotation.Running, false},
	{rotation.OpRestart, "RUNNING", "RebootInstances", "FAILED", "r", rotation.Failed, rotation.Running, false},
}

func TestProgressOfEveryKindOfOperation(t *testing.T) {
	t.Parallel()
	for _, c := range progress {
		null := func(s string) string {
			if s == "" {
				return "null"
			}
			return `"` + s + `"`
		}
		fleet, _ := stubbed(t, func(string, string) (int, string) {
			return 200, fmt.Sprintf(`{"Response":{"TotalCount":1,"InstanceSet":[{"InstanceId":"ins-00000001","InstanceState":%q,
				"LatestOperation":%s,"LatestOperationState":%s,"LatestOperationRequestId":%s}]}}`,
				c.state, null(c.operation), null(c.outcome), null(c.record))
		})
		op := rotation.Operation{Kind: c.kind, RequestID: "r", Instances: []string{"ins-00000001"}}
		results, err := fleet.Observe(t.Context(), []rotation.Operation{op})
		want := []rotation.Result{{Instance: "ins-00000001", Kind: c.kind, State: c.want, Power: c.power, Busy: c.busy, RequestID: "r"}}
		if c.want == rotation.Failed {
			want[0].Detail = "the provider gives no reason"
		}
		if diff := cmp.Diff(want, results); err != nil || diff != "" {
			t.Errorf("%+v: %v (-want +got)\n%s", c, err, diff)
		}
	}
}

func TestManyOperationsAreLookedAtInAsFewRequestsAsCanBe(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Instances: 230, Regions: []string{region}})
	var ids []string
	for _, m := range w.Machines() {
		ids = append(ids, m.ID)
	}
	ops := []rotation.Operation{
		{Kind: rotation.OpStop, Instances: ids[100:230]},
		{Kind: rotation.OpLook, Instances: append(slices.Clone(ids[:150]), "ins-gone0000")},
	}
	results, err := w.fleet.Observe(t.Context(), ops)
	var got []string
	for _, r := range results {
		got = append(got, r.Instance)
	}
	want := slices.Concat(ids[100:230], ids[:150]) // in the order asked for, without the one that is gone
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Observe = %d results, %v; want %d in the order of the operations", len(got), err, len(want))
	}
	if sent, _ := w.calls.Counts(); sent["cvm DescribeInstances"] != 3 {
		t.Errorf("calls: %v; want 3 for 231 machines", sent)
	}
}

func TestWhatCanBeSeenIsSaidBesideAnError(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Instances: 250, Regions: []string{region}})
	var ids []string
	for _, m := range w.Machines() {
		ids = append(ids, m.ID)
	}
	for n := 3; n <= 5; n++ {
		w.FailNext("DescribeInstances", n, "internal-error")
	}
	results, err := w.fleet.Observe(t.Context(), []rotation.Operation{{Kind: rotation.OpLook, Instances: ids}})
	if err == nil || len(results) < 150 || len(results) > 200 {
		t.Errorf("Observe = %d results, %v; want those of two requests of three, and an error", len(results), err)
	}
}

func TestNothingToLookAtIsNoRequest(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	results, err := w.fleet.Observe(t.Context(), nil)
	if err != nil || len(results) != 0 || len(w.Requests()) != 0 {
		t.Errorf("Observe(nil) = %v, %v after %d requests", results, err, len(w.Requests()))
	}
}

func TestUnknownMachinesDoNotHideTheOthers(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Answers: tencentsim.Answers{UnknownIDsAreErrors: true, MessagesOmitIDs: true}})
	ids := []string{"ins-gone0000"}
	for range 5 {
		ids = append(ids, w.Add(tencentsim.Machine{}))
	}
	results, err := w.fleet.Observe(t.Context(), []rotation.Operation{{Kind: rotation.OpLook, Instances: ids}})
	if err != nil || len(results) != 5 {
		t.Errorf("Observe = %d results, %v; want 5: %s", len(results), err, strings.Join(ids, " "))
	}
}
