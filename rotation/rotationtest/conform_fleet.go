package rotationtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A FleetHarness is one fleet under test, with at least three running and two stopped Linux machines that can be reset,
// all tagged rotate=yes.
type FleetHarness struct {
	Fleet rotation.Fleet
	// Pass lets time pass, so that what the machines are doing ends.
	Pass func(time.Duration)
	// Live is the password in force on a machine for its administrator.
	Live func(id string) string
	// Accepts is a password that every machine takes; each call returns another.
	Accepts func() string
}

var everything = rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}

// TestFleet holds the contract of rotation.Fleet, rotation.Power and rotation.Marker, which every driver of machines must
// pass. open makes a new fleet for each part; bubble runs a part, in virtual time say, and nil runs it as it is.
func TestFleet(t *testing.T, open func(t *testing.T) FleetHarness, bubble func(*testing.T, func(*testing.T))) {
	if bubble == nil {
		bubble = func(t *testing.T, part func(*testing.T)) { part(t) }
	}
	for _, part := range []struct {
		guarantee string
		holds     func(*testing.T, FleetHarness)
	}{
		{"describe is stable and obeys the selector", describes},
		{"an accepted reset is observed and in force", resets},
		{"an unknown request is never done", knowsItsRequests},
		{"a running machine is stopped, and started again", powers},
		{"a reset of a machine in the wrong state is refused and changes nothing", refuses},
		{"a mark is seen by the next look", marks},
		{"a cancelled request is not taken", cancels},
	} {
		t.Run(part.guarantee, func(t *testing.T) {
			bubble(t, func(t *testing.T) { part.holds(t, open(t)) })
		})
	}
}

func describes(t *testing.T, h FleetHarness) {
	all := h.describe(t, everything)
	if again := h.describe(t, everything); !slices.Equal(ids(all), ids(again)) {
		t.Errorf("two looks differ: %v, %v", ids(all), ids(again))
	}
	one := h.describe(t, rotation.Selector{IDs: []string{all[1].ID}})
	if len(one) != 1 || one[0].ID != all[1].ID {
		t.Errorf("Describe(%s) = %v", all[1].ID, ids(one))
	}
	if none := h.describe(t, rotation.Selector{Tags: map[string][]string{"rotate": {"no"}}}); len(none) != 0 {
		t.Errorf("Describe(rotate=no) = %v; want nothing", ids(none))
	}
	for _, inst := range all {
		if inst.Terms.Rules == nil || inst.Terms.MaxBatch < 1 || inst.LoginUser == "" || inst.Region != h.Fleet.Region() {
			t.Errorf("%s is described incompletely: %+v", inst.ID, inst.Terms)
		}
	}
}

func resets(t *testing.T, h FleetHarness) {
	batch := h.pick(t, rotation.Stopped, 2)
	password := h.Accepts()
	op, err := h.Fleet.Reset(context.Background(), batch, rotation.Credential{Password: rotation.NewPassword(password)})
	if err != nil || !slices.Equal(op.Instances, ids(batch)) {
		t.Fatalf("Reset = %+v, %v", op, err)
	}
	if batch[0].Terms.Effect == rotation.AtNextBoot {
		h.boots(t, op, batch)
	} else {
		h.until(t, op, rotation.Done)
	}
	for _, inst := range batch {
		if got := h.Live(inst.ID); got != password {
			t.Errorf("%s does not have the password, and its reset is over", inst.ID)
		}
	}
}

// boots starts machines whose new password waits for that, and fails when it was reported as done before.
func (h FleetHarness) boots(t *testing.T, op rotation.Operation, batch []rotation.Instance) {
	t.Helper()
	before := h.Live(batch[0].ID)
	h.Pass(time.Minute)
	results, err := h.Fleet.Observe(context.Background(), []rotation.Operation{op})
	if err != nil || len(results) != len(batch) || results[0].State == rotation.Done || h.Live(batch[0].ID) != before {
		t.Errorf("Observe = %+v, %v; want nothing done before the next boot", results, err)
	}
	power, ok := h.Fleet.(rotation.Power)
	if !ok {
		t.Fatal("the fleet has no power")
	}
	start, err := power.Start(context.Background(), batch)
	if err != nil {
		t.Fatalf("Start = %v", err)
	}
	h.until(t, start, rotation.Done)
	h.Pass(time.Minute)
}

func knowsItsRequests(t *testing.T, h FleetHarness) {
	batch := h.pick(t, rotation.Stopped, 1)
	results, err := h.Fleet.Observe(context.Background(), []rotation.Operation{{Kind: rotation.OpReset, RequestID: "no-such-request", Instances: ids(batch)}})
	if err != nil || len(results) != 1 || results[0].State != rotation.Unseen {
		t.Errorf("Observe = %+v, %v; want Unseen", results, err)
	}
}

func powers(t *testing.T, h FleetHarness) {
	power, ok := h.Fleet.(rotation.Power)
	if !ok {
		t.Fatal("the fleet has no power")
	}
	batch := h.pick(t, rotation.Running, 2)
	op, err := power.Stop(context.Background(), batch, rotation.Soft)
	if err != nil {
		t.Fatalf("Stop = %v", err)
	}
	h.until(t, op, rotation.Done)
	h.arePowered(t, batch, rotation.Stopped)
	if op, err = power.Start(context.Background(), batch); err != nil {
		t.Fatalf("Start = %v", err)
	}
	h.until(t, op, rotation.Done)
	h.arePowered(t, batch, rotation.Running)
}

func refuses(t *testing.T, h FleetHarness) {
	batch := h.pick(t, rotation.Running, 1)
	if !batch[0].Terms.NeedsStopped {
		return // this provider resets machines that run
	}
	before := h.Live(batch[0].ID)
	_, err := h.Fleet.Reset(context.Background(), batch, rotation.Credential{Password: rotation.NewPassword(h.Accepts())})
	var refused *rotation.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("Reset = %v; want a RefusedError", err)
	}
	h.Pass(time.Hour)
	if h.Live(batch[0].ID) != before {
		t.Error("a refused reset changed the password")
	}
}

func marks(t *testing.T, h FleetHarness) {
	marker, ok := h.Fleet.(rotation.Marker)
	if !ok {
		t.Fatal("the fleet has no marks")
	}
	batch := h.pick(t, rotation.Running, 2)
	for _, m := range []rotation.Mark{
		{Secret: "0123456789ab", Generation: 7, State: rotation.MarkDown, Tries: 1},
		{Secret: "0123456789ab", Generation: 7, State: rotation.MarkOK},
		{Secret: "0123456789ab", Generation: 7, State: rotation.MarkOK},
	} {
		if err := marker.Mark(context.Background(), batch, m); err != nil {
			t.Fatalf("Mark(%s) = %v", m.Value(), err)
		}
		h.Pass(time.Minute)
		for _, inst := range h.describe(t, rotation.Selector{IDs: ids(batch)}) {
			if inst.Mark != m {
				t.Errorf("%s is marked %+v; want %+v", inst.ID, inst.Mark, m)
			}
		}
	}
}

func cancels(t *testing.T, h FleetHarness) {
	batch := h.pick(t, rotation.Stopped, 1)
	before := h.Live(batch[0].ID)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Fleet.Reset(done, batch, rotation.Credential{Password: rotation.NewPassword(h.Accepts())}); !errors.Is(err, context.Canceled) {
		t.Errorf("Reset = %v; want context.Canceled", err)
	}
	h.Pass(time.Hour)
	if h.Live(batch[0].ID) != before {
		t.Error("a cancelled reset changed the password")
	}
}

func ids(insts []rotation.Instance) []string {
	out := make([]string, len(insts))
	for i, inst := range insts {
		out[i] = inst.ID
	}
	return out
}

func (h FleetHarness) describe(t *testing.T, sel rotation.Selector) []rotation.Instance {
	t.Helper()
	insts, err := h.Fleet.Describe(context.Background(), sel)
	if err != nil {
		t.Fatalf("Describe = %v", err)
	}
	return insts
}

// pick returns n machines of that power that can be reset.
func (h FleetHarness) pick(t *testing.T, power rotation.PowerState, n int) []rotation.Instance {
	t.Helper()
	var out []rotation.Instance
	for _, inst := range h.describe(t, everything) {
		if inst.Power == power && inst.Terms.Refuse.Kind == "" && inst.OS == rotation.Linux && len(out) < n {
			out = append(out, inst)
		}
	}
	if len(out) < n {
		t.Fatalf("the fleet has %d machines that are %s; the suite needs %d", len(out), power, n)
	}
	return out
}

// until observes an operation until every machine of it is in the state.
func (h FleetHarness) until(t *testing.T, op rotation.Operation, want rotation.OpState) []rotation.Result {
	t.Helper()
	var results []rotation.Result
	for range 100 {
		h.Pass(time.Second)
		var err error
		if results, err = h.Fleet.Observe(context.Background(), []rotation.Operation{op}); err != nil {
			t.Fatalf("Observe = %v", err)
		}
		if len(results) == len(op.Instances) && !slices.ContainsFunc(results, func(r rotation.Result) bool { return r.State != want || r.Busy }) {
			return results
		}
	}
	t.Fatalf("%s is not %s after 100 s: %+v", op.Kind, want, results)
	return nil
}

func (h FleetHarness) arePowered(t *testing.T, batch []rotation.Instance, want rotation.PowerState) {
	t.Helper()
	for _, inst := range h.describe(t, rotation.Selector{IDs: ids(batch)}) {
		if inst.Power != want {
			t.Errorf("%s is %s; want %s", inst.ID, inst.Power, want)
		}
	}
}
