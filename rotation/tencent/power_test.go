package tencent_test

import (
	"encoding/json"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestStopAndStartAreSeenThrough(t *testing.T) {
	t.Parallel()
	for _, how := range []rotation.Force{rotation.Soft, rotation.Hard} {
		w := open(t, tencentsim.Config{})
		id := w.Add(tencentsim.Machine{})
		batch := w.describe(id)
		op, err := w.fleet.Stop(t.Context(), batch, how)
		if err != nil || op.Kind != rotation.OpStop || op.RequestID == "" {
			t.Fatalf("Stop = %+v, %v", op, err)
		}
		if r := w.observe(op); r.State != rotation.Done || r.Power != rotation.Stopped {
			t.Errorf("%s stop: %+v; want done and stopped", how, r)
		}
		m := w.machine(id)
		if m.StopChargingMode != "KEEP_CHARGING" || m.HardStops > 0 != (how == rotation.Hard) {
			t.Errorf("%s stop: %s, the plug pulled %d times", how, m.StopChargingMode, m.HardStops)
		}
		op, err = w.fleet.Start(t.Context(), batch)
		if err != nil || op.Kind != rotation.OpStart {
			t.Fatalf("Start = %+v, %v", op, err)
		}
		if r := w.observe(op); r.State != rotation.Done || r.Power != rotation.Running {
			t.Errorf("start: %+v; want done and running", r)
		}
	}
}

func TestASoftStopNeverPullsThePlug(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{IgnoresSoftStop: true})
	op, err := w.fleet.Stop(t.Context(), w.describe(id), rotation.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if r := w.observe(op); r.State != rotation.Failed || r.Power != rotation.Running || r.Detail == "" {
		t.Errorf("Observe = %+v; want failed with a reason, and running", r)
	}
	if m := w.machine(id); m.HardStops != 0 {
		t.Errorf("the plug was pulled %d times", m.HardStops)
	}
}

func TestARestartIsDoneOnlyByItsRecord(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	op, err := w.fleet.Restart(t.Context(), w.describe(id), rotation.Soft)
	if err != nil || op.Kind != rotation.OpRestart {
		t.Fatalf("Restart = %+v, %v", op, err)
	}
	if r := w.observe(op); r.State != rotation.Done || r.Power != rotation.Running {
		t.Errorf("Observe = %+v; want done and running", r)
	}
	op.RequestID = "another"
	results, err := w.fleet.Observe(t.Context(), []rotation.Operation{op})
	if err != nil || results[0].State != rotation.Unseen {
		t.Errorf("Observe of another restart = %+v, %v; want unseen", results, err)
	}
	if m := w.machine(id); m.Reboots != 1 || m.HardStops != 0 {
		t.Errorf("restarted %d times, the plug pulled %d times", m.Reboots, m.HardStops)
	}
}

func TestHowAMachineIsStoppedIsSaidInSoManyWords(t *testing.T) {
	t.Parallel()
	sent := map[string]map[string]any{}
	fleet, _ := stubbed(t, func(action, body string) (int, string) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(body), &fields); err != nil {
			t.Error(err)
		}
		sent[action] = fields
		return 200, `{"Response":{"RequestId":"r"}}`
	})
	for how, want := range map[rotation.Force]string{rotation.Soft: "SOFT", rotation.Hard: "HARD", "": "SOFT"} {
		if _, err := fleet.Stop(t.Context(), machines("ins-00000001"), how); err != nil {
			t.Fatal(err)
		}
		if _, err := fleet.Restart(t.Context(), machines("ins-00000001"), how); err != nil {
			t.Fatal(err)
		}
		stop, reboot := sent["StopInstances"], sent["RebootInstances"]
		if stop["StopType"] != want || stop["StoppedMode"] != "KEEP_CHARGING" || stop["ForceStop"] != nil || reboot["StopType"] != want {
			t.Errorf("%q: sent %v and %v; want %s", how, stop, reboot, want)
		}
	}
}
