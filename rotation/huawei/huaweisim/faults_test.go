package huaweisim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func TestParseFaultsReadsAndExplains(t *testing.T) {
	t.Parallel()
	got, err := huaweisim.ParseFaults(" throttle=0.05, job-fails = 1,")
	if err != nil || len(got) != 2 || got["throttle"] != 0.05 || got["job-fails"] != 1 {
		t.Errorf("ParseFaults = %v, %v", got, err)
	}
	_, err = huaweisim.ParseFaults("reset-never=0.1")
	for _, name := range huaweisim.FaultNames() {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if _, err := huaweisim.New(huaweisim.Config{Faults: huaweisim.Faults{"reset-never": 1}}); err == nil {
		t.Error("New takes a fault that there is not")
	}
}

// A fault of a request: what the client sees of a reset that has it, and whether the reset happens.
func TestRequestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault, code, logged string
		applied             bool
	}{
		{"throttle", "APIGW.0308", "APIGW.0308", false},
		{"internal-error", "Ecs.0000", "Ecs.0000", false},
		{"internal-error-applied", "Ecs.0000", "Ecs.0000", true},
		{"lost-reply", "network", "lost-reply", true},
		{"cut", "network", "cut", false},
		{"bad-gateway", "", "bad-gateway", false},
		{"bad-gateway-applied", "", "bad-gateway-applied", true},
		{"busy", "Ecs.0611", "Ecs.0611", false},
		{"slow", "", "", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Scale: 1})
			id := w.Add(huaweisim.Machine{})
			w.FailNext("BatchResetServersPassword", 1, tc.fault)
			began := time.Now()
			_, err := w.reset(password, id)
			if wantCode(t, err, tc.code); strings.HasPrefix(tc.fault, "bad-gateway") && (err == nil || w.last.status != 502) {
				t.Errorf("%s: %v, HTTP %d", tc.fault, err, w.last.status)
			}
			if took := time.Since(began); (took > 2*time.Second) != (tc.fault == "slow") {
				t.Errorf("%s took %v", tc.fault, took)
			}
			if done := w.machine(t, id).Pending == password; done != tc.applied {
				t.Errorf("%s: the reset happened: %v; want %v", tc.fault, done, tc.applied)
			}
			log := w.Requests()[0]
			if log.Code != tc.logged || log.Fault != tc.fault || log.Applied != tc.applied || log.IDs != 1 || log.Service != "ecs" || log.Region != region {
				t.Errorf("%s: log %+v", tc.fault, log)
			}
			if _, err := w.reset(password, id); err != nil {
				t.Errorf("%s: the next call fails too: %v", tc.fault, err)
			}
		})
	}
}

func TestStoreFaultsAreTheStoresCodes(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	w.FailNext("CreateSecretVersion", 1, "internal-error-applied")
	_, err := w.create("x", "own")
	wantCode(t, err, "CSMS.0001")
	if w.Secret(demo)["v2"] != "x" {
		t.Error("not applied")
	}
	w.FailNext("UpdateSecretStage", 1, "lost-reply")
	wantCode(t, w.point("own", "v1"), "network")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v1", "own": "v1"})
}

func TestBusyMachinesRefuseAnAction(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{})
	w.FailNext("BatchRebootServers", 1, "busy")
	_, err := w.reboot(false, id)
	wantCode(t, err, "Ecs.0100")
	if w.machine(t, id).Reboots != 0 {
		t.Error("rebooted")
	}
}

// A fault of a reset's machine: which password is in force after boots at these times.
func TestResetFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault  string
		boots  []time.Duration // each after the one before
		resets []int           // so many have been applied then
	}{
		{"reset-fails", []time.Duration{0, time.Hour}, []int{0, 0}},
		{"reset-late", []time.Duration{0, time.Minute}, []int{0, 1}},
		{"reset-twice", []time.Duration{0, time.Minute, time.Minute}, []int{1, 2, 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Scale: 1})
			id := w.Add(huaweisim.Machine{})
			w.FailNext("BatchResetServersPassword", 1, tc.fault)
			ids, err := w.reset(password, id)
			if wantCode(t, err, ""); len(ids) != 1 {
				t.Errorf("%s: answered %q", tc.fault, ids)
			}
			for i, after := range tc.boots {
				wait(after)
				w.rebooted(t, id)
				m := w.machine(t, id)
				if m.Resets != tc.resets[i] || (m.Password == password) != (tc.resets[i] > 0) {
					t.Errorf("%s: after boot %d: %d resets, %s", tc.fault, i+1, m.Resets, m.Password)
				}
			}
		})
	}
}

func TestResetThatLandsTwiceUndoesALaterOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		id := w.Add(huaweisim.Machine{})
		w.FailNext("BatchResetServersPassword", 1, "reset-twice")
		w.reset(password, id)
		w.reset("Newer.2025-Zz", id)
		w.rebooted(t, id)
		if got := w.machine(t, id).Password; got != "Newer.2025-Zz" {
			t.Errorf("in force: %s", got)
		}
		wait(time.Minute)
		w.rebooted(t, id)
		if got := w.machine(t, id).Password; got != password {
			t.Errorf("in force: %s; want the older one again", got)
		}
	})
}

func TestRefusedMachinesAreNamed(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{})
	w.FailNext("BatchResetServersPassword", 1, "reset-refused")
	_, err := w.reset(password, id)
	wantCode(t, err, "Ecs.0611")
	if got := w.refused(t); got[id] != "Ecs.0100" || w.machine(t, id).Pending != "" {
		t.Errorf("internalError %v", got)
	}
}

func TestJobFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault, job, status, shown string
		act                       act
		action                    string
	}{
		{"job-fails", "FAIL", "ACTIVE", "ACTIVE", softStop, "BatchStopServers"},
		{"job-fails", "FAIL", "SHUTOFF", "SHUTOFF", start, "BatchStartServers"},
		{"stop-hangs", "RUNNING", "ACTIVE", "ACTIVE", softStop, "BatchStopServers"},
		{"stop-hangs", "RUNNING", "REBOOT", "REBOOT", softReboot, "BatchRebootServers"},
		{"stop-hangs", "SUCCESS", "SHUTOFF", "SHUTOFF", hardStop, "BatchStopServers"},
		{"stale-describe", "SUCCESS", "SHUTOFF", "ACTIVE", softStop, "BatchStopServers"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Scale: 1})
			from := "ACTIVE"
			if tc.action == "BatchStartServers" {
				from = "SHUTOFF"
			}
			id := w.Add(huaweisim.Machine{Status: from})
			w.FailNext(tc.action, 1, tc.fault)
			job, err := tc.act(w, id)
			wantCode(t, err, "")
			wait(10 * time.Second)
			if got := w.job(t, job).Status.Value(); got != tc.job || w.machine(t, id).Status != tc.status || w.listed(t, id).Status != tc.shown {
				t.Errorf("%s of %s: job %s, machine %s, shown %s", tc.fault, tc.action, got, w.machine(t, id).Status, w.listed(t, id).Status)
			}
			wait(time.Hour)
			if got := w.listed(t, id).Status; got != tc.status {
				t.Errorf("%s of %s: shown %s an hour later", tc.fault, tc.action, got)
			}
		})
	}
}

func TestHungMachinesCanBeRepaired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Visible: -1, Faults: huaweisim.Faults{"stop-hangs": 1}})
		a, b := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{})
		w.reset(password, a, b)
		stopping, _ := w.stop(false, a)
		rebooting, _ := w.reboot(false, b)
		wait(time.Hour)
		w.SetFaults(nil)
		w.Repair(a)
		w.Repair(b)
		for _, job := range []string{stopping, rebooting} {
			if got := w.job(t, job).Status.Value(); got != "FAIL" {
				t.Errorf("the job is %s", got)
			}
		}
		_, err := w.start(a, b)
		wantCode(t, err, "")
		wait(10 * time.Second)
		for _, id := range []string{a, b} {
			if m := w.machine(t, id); m.Status != "ACTIVE" || m.Password != password {
				t.Errorf("started again: %s, %s", m.Status, m.Password)
			}
		}
	})
}

func TestFailNextOfNothingPanics(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	for _, try := range []func(){
		func() { w.FailNext("BatchStopServers", 1, "earthquake") },
		func() { w.FailNext("BatchStopServers", 0, "cut") },
		func() { w.FailNext("ShowSecretVersion", 1, "reset-fails") },
		func() { w.FailNext("ListServersDetails", 1, "busy") },
		func() { w.FailNext("BatchStartServers", 1, "stop-hangs") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			try()
		}()
	}
}
