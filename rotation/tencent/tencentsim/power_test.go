package tencentsim_test

import (
	"testing"
	"testing/synctest"
	"time"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestMachineStopsAndStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		id := w.Add(tencentsim.Machine{})
		wantCode(t, w.start(id), "UnsupportedOperation.InstanceStateRunning")
		wantCode(t, w.stop("SOFT", id), "")
		if got := *w.shown(t, id).InstanceState; got != "STOPPING" {
			t.Errorf("after the stop: %s; want STOPPING at once", got)
		}
		wantCode(t, w.stop("SOFT", id), "MutexOperation.TaskRunning")
		wantCode(t, w.start(id), "UnsupportedOperation.InstanceStateStopping")
		_, err := w.forceReset(password, id)
		wantCode(t, err, "UnsupportedOperation.InstanceStateStopping")
		wait(3 * time.Second)
		i := w.shown(t, id)
		if *i.InstanceState != "STOPPED" || *i.StopChargingMode != "KEEP_CHARGING" || *i.LatestOperation != "StopInstances" || *i.LatestOperationState != "SUCCESS" {
			t.Errorf("stopped: %s, %s", *i.InstanceState, *i.LatestOperation)
		}
		wantCode(t, w.stop("SOFT", id), "UnsupportedOperation.InstanceStateStopped")
		wantCode(t, w.reboot("SOFT", id), "UnsupportedOperation.InstanceStateStopped")
		wantCode(t, w.start(id), "")
		if got := *w.shown(t, id).InstanceState; got != "STARTING" {
			t.Errorf("after the start: %s; want STARTING at once", got)
		}
		wait(3 * time.Second)
		m := w.machine(t, id)
		if m.State != "RUNNING" || m.Stops != 1 || m.Starts != 1 || m.HardStops != 0 || m.StopChargingMode != "NOT_APPLICABLE" {
			t.Errorf("running again: %+v", m)
		}
		if m.Down < 4*time.Second || m.Down > 6*time.Second || !m.DownSince.IsZero() {
			t.Errorf("was down for %v", m.Down)
		}
	})
}

func TestOneOperationAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		id := w.Add(tencentsim.Machine{State: "STOPPED"})
		_, err := w.reset(password, id)
		wantCode(t, err, "")
		_, err = w.reset(password, id)
		wantCode(t, err, "MutexOperation.TaskRunning")
		wantCode(t, w.start(id), "OperationDenied.InstanceOperationInProgress")
		wait(2 * time.Second)
		wantCode(t, w.start(id), "")
	})
}

func TestStopTypes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		how                 string
		ignores             bool
		within              time.Duration
		state, operation    string
		hardStops, wantDown int
	}{
		{"SOFT", false, 3 * time.Second, "STOPPED", "SUCCESS", 0, 1},
		{"HARD", false, time.Second, "STOPPED", "SUCCESS", 1, 1},
		{"SOFT_FIRST", false, 3 * time.Second, "STOPPED", "SUCCESS", 0, 1},
		{"SOFT", true, 25 * time.Second, "RUNNING", "FAILED", 0, 0},
		{"HARD", true, time.Second, "STOPPED", "SUCCESS", 1, 1},
		{"SOFT_FIRST", true, 25 * time.Second, "STOPPED", "SUCCESS", 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Scale: 1})
			id := w.Add(tencentsim.Machine{IgnoresSoftStop: tc.ignores})
			wantCode(t, w.stop(tc.how, id), "")
			wait(tc.within)
			m := w.machine(t, id)
			if m.State != tc.state || m.OperationState != tc.operation || m.HardStops != tc.hardStops || m.DownSince.IsZero() == (tc.wantDown == 1) {
				t.Errorf("%s of a machine that ignores soft stops (%v): %+v", tc.how, tc.ignores, m)
			}
		})
	}
}

func TestSoftStopMayNeverGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1, Answers: tencentsim.Answers{SoftStopNeverGivesUp: true}})
		id := w.Add(tencentsim.Machine{IgnoresSoftStop: true})
		wantCode(t, w.stop("SOFT", id), "")
		wait(time.Hour)
		if got := w.machine(t, id); got.State != "STOPPING" || got.OperationState != "OPERATING" {
			t.Errorf("an hour later: %s, %s", got.State, got.OperationState)
		}
	})
}

func TestRebootComesBack(t *testing.T) {
	t.Parallel()
	for how, hard := range map[string]int{"SOFT": 0, "HARD": 1, "SOFT_FIRST": 0} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Scale: 1})
			id := w.Add(tencentsim.Machine{})
			wantCode(t, w.reboot(how, id), "")
			if got := w.machine(t, id).State; got != "REBOOTING" {
				t.Errorf("at once: %s", got)
			}
			wait(6 * time.Second)
			if m := w.machine(t, id); m.State != "RUNNING" || m.Reboots != 1 || m.HardStops != hard || m.Down == 0 || m.OperationState != "SUCCESS" {
				t.Errorf("%s: %+v", how, m)
			}
		})
	}
}

func TestStopParametersAreValidated(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 10})
	prepaid := w.Add(tencentsim.Machine{ChargeType: "PREPAID"})
	for _, tc := range []struct {
		edit func(*cvm.StopInstancesRequest)
		want string
	}{
		{func(r *cvm.StopInstancesRequest) { r.StopType, r.ForceStop = ptr("SOFT"), ptr(false) }, "InvalidParameterCombination"},
		{func(r *cvm.StopInstancesRequest) { r.StopType = ptr("GENTLE") }, "InvalidParameterValue"},
		{func(r *cvm.StopInstancesRequest) { r.StoppedMode = ptr("FREE") }, "InvalidParameterValue"},
		{func(r *cvm.StopInstancesRequest) { r.StoppedMode = ptr("STOP_CHARGING") }, "UnsupportedOperation.StoppedModeStopCharging"},
		{func(r *cvm.StopInstancesRequest) { r.InstanceIds = nil }, "MissingParameter"},
		{func(r *cvm.StopInstancesRequest) { r.ForceStop = ptr(true) }, ""},
	} {
		r := cvm.NewStopInstancesRequest()
		r.InstanceIds = []*string{&prepaid}
		tc.edit(r)
		_, err := w.cvm.StopInstances(r)
		if got := code(t, err); got != tc.want {
			t.Errorf("%s: %v; want %q", r.ToJsonString(), err, tc.want)
		}
	}
}

func TestStopChargingPreventsAResetUntilStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{})
		id := w.Add(tencentsim.Machine{})
		r := cvm.NewStopInstancesRequest()
		r.InstanceIds, r.StoppedMode = []*string{&id}, ptr("STOP_CHARGING")
		_, err := w.cvm.StopInstances(r)
		wantCode(t, err, "")
		wait(time.Second)
		_, err = w.forceReset(password, id)
		wantCode(t, err, "UnsupportedOperation.StoppedModeStopCharging")
		wantCode(t, w.start(id), "")
		wait(time.Second)
		_, err = w.forceReset(password, id)
		wantCode(t, err, "")
	})
}
