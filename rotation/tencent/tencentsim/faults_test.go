package tencentsim_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestParseFaultsReadsAndExplains(t *testing.T) {
	t.Parallel()
	got, err := tencentsim.ParseFaults(" throttle=0.05, lost-reply = 1,")
	if err != nil || len(got) != 2 || got["throttle"] != 0.05 || got["lost-reply"] != 1 {
		t.Errorf("ParseFaults = %v, %v", got, err)
	}
	if got, err := tencentsim.ParseFaults(""); err != nil || len(got) != 0 {
		t.Errorf("no text = %v, %v; want no faults", got, err)
	}
	for _, text := range []string{"earthquake=0.1", "throttle", "throttle=often", "cut=1.5", "cut=-1", "cut=NaN"} {
		if got, err := tencentsim.ParseFaults(text); err == nil || got != nil {
			t.Errorf("ParseFaults(%q) = %v, %v; want an error", text, got, err)
		}
	}
	_, err = tencentsim.ParseFaults("earthquake=0.1,flood=2")
	for _, name := range append(tencentsim.FaultNames(), "earthquake", "flood") {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if !slices.IsSorted(tencentsim.FaultNames()) {
		t.Error("names are not sorted")
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, text := range []string{"", "throttle=0.05,lost-reply=0.01", "cut", "=1", "slow=1e-3,,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := tencentsim.ParseFaults(text)
		if err != nil {
			return
		}
		if _, err := tencentsim.New(tencentsim.Config{Faults: faults}); err != nil {
			t.Errorf("ParseFaults(%q) gave what New refuses: %v", text, err)
		}
	})
}

// A fault of a request: what the client sees of a reset that has it, and whether the reset happens.
func TestRequestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault, code, logged string
		applied             bool
	}{
		{"throttle", "RequestLimitExceeded", "RequestLimitExceeded", false},
		{"internal-error", "InternalServerError", "InternalServerError", false},
		{"internal-error-applied", "InternalServerError", "InternalServerError", true},
		{"lost-reply", "ClientError.NetworkError", "lost-reply", true},
		{"cut", "ClientError.NetworkError", "cut", false},
		{"bad-gateway", "ClientError.ParseJsonError", "bad-gateway", false},
		{"bad-gateway-applied", "ClientError.ParseJsonError", "bad-gateway-applied", true},
		{"busy", "OperationDenied.InstanceOperationInProgress", "OperationDenied.InstanceOperationInProgress", false},
		{"slow", "", "", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Scale: 1})
			id := w.Add(tencentsim.Machine{State: "STOPPED"})
			w.FailNext("ResetInstancesPassword", 1, tc.fault)
			began := time.Now()
			_, err := w.reset(password, id)
			wantCode(t, err, tc.code)
			if took := time.Since(began); (took > 2*time.Second) != (tc.fault == "slow") {
				t.Errorf("%s took %v", tc.fault, took)
			}
			wait(2 * time.Second)
			if done := w.machine(t, id).Password == password; done != tc.applied {
				t.Errorf("%s: the reset happened: %v; want %v", tc.fault, done, tc.applied)
			}
			log := w.Requests()[0]
			if log.Code != tc.logged || log.Fault != tc.fault || log.Applied != tc.applied {
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
	w := open(t, tencentsim.Config{})
	w.FailNext("PutSecretValue", 1, "internal-error-applied")
	wantCode(t, w.put(tencentsim.DemoSecret, "v1", "x"), "InternalError")
	wantCode(t, w.put(tencentsim.DemoSecret, "v1", "x"), "ResourceInUse.VersionIdExists")
}

func TestSlowAnswerEndsWithTheClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1000})
		w.FailNext("StartInstances", 1, "slow")
		wantCode(t, w.start("ins-00000000"), "ClientError.NetworkError") // the SDK waits for a minute
	})
}

// A fault of a machine: where the machine and its record are after some time.
func TestMachineFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault, shown string
		after        time.Duration
		applied      bool
		resets       int
	}{
		{"reset-fails", "FAILED", 2 * time.Second, false, 0},
		{"reset-never", "OPERATING", time.Hour, false, 0},
		{"reset-late", "OPERATING", 20 * time.Second, false, 0},
		{"reset-late", "SUCCESS", 40 * time.Second, true, 1},
		{"reset-twice", "SUCCESS", 2 * time.Second, true, 1},
		{"reset-twice", "SUCCESS", 25 * time.Second, true, 2},
		{"stale-describe", "stale", 20 * time.Second, true, 1},
		{"stale-describe", "SUCCESS", 40 * time.Second, true, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Scale: 1})
			id := w.Add(tencentsim.Machine{State: "STOPPED", Operation: "StopInstances", OperationState: "stale"})
			w.FailNext("ResetInstancesPassword", 1, tc.fault)
			_, err := w.reset(password, id)
			wantCode(t, err, "")
			wait(tc.after)
			i, m := w.shown(t, id), w.machine(t, id)
			if *i.LatestOperationState != tc.shown || (m.Password == password) != tc.applied || m.Resets != tc.resets {
				t.Errorf("%s after %v: shows %s, %d resets", tc.fault, tc.after, *i.LatestOperationState, m.Resets)
			}
			if (tc.shown == "FAILED") != (i.LatestOperationErrorMsg != nil) {
				t.Errorf("%s: error message %v", tc.fault, i.LatestOperationErrorMsg)
			}
		})
	}
}

func TestResetThatLandsTwiceUndoesALaterOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		id := w.Add(tencentsim.Machine{State: "STOPPED"})
		w.FailNext("ResetInstancesPassword", 1, "reset-twice")
		w.reset(password, id)
		wait(2 * time.Second)
		w.reset("Newer.2025-Zz", id)
		wait(2 * time.Second)
		if got := w.machine(t, id).Password; got != "Newer.2025-Zz" {
			t.Errorf("password = %s", got)
		}
		wait(30 * time.Second)
		if m := w.machine(t, id); m.Password != password || m.OperationState != "SUCCESS" {
			t.Errorf("the first reset did not land again: %+v", m)
		}
	})
}

func TestStopHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		soft, hard := w.Add(tencentsim.Machine{}), w.Add(tencentsim.Machine{})
		w.FailNext("StopInstances", 1, "stop-hangs")
		w.FailNext("StopInstances", 2, "stop-hangs")
		wantCode(t, w.stop("SOFT", soft), "")
		wantCode(t, w.stop("HARD", hard), "")
		wait(time.Hour)
		if got := w.machine(t, soft).State; got != "STOPPING" {
			t.Errorf("soft: %s; want STOPPING for ever", got)
		}
		if got := w.machine(t, hard).State; got != "STOPPED" {
			t.Errorf("hard: %s; want STOPPED", got)
		}
	})
}

func TestFailNextCountsCallsOfItsAction(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.FailNext("PutSecretValue", 2, "throttle")
	w.FailNext("PutSecretValue", 3, "internal-error")
	var got []string
	for _, version := range []string{"v1", "v2", "v3", "v4"} {
		w.filtered()
		got = append(got, code(t, w.put(tencentsim.DemoSecret, version, "x")))
	}
	want := []string{"", "RequestLimitExceeded", "InternalError", ""}
	if !slices.Equal(got, want) {
		t.Errorf("codes %q; want %q", got, want)
	}
}

func TestFailNextOfNothingPanics(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	for _, try := range []func(){
		func() { w.FailNext("StopInstances", 1, "earthquake") },
		func() { w.FailNext("StopInstances", 0, "cut") },
		func() { w.FailNext("GetSecretValue", 1, "reset-never") },
		func() { w.FailNext("DescribeInstances", 1, "busy") },
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

func TestProbabilitiesCount(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Seed: 7, Rates: 100, Faults: tencentsim.Faults{"throttle": 0.3}})
	refused := 0
	for range 1000 {
		if w.start("ins-00000000").(interface{ GetCode() string }).GetCode() == "RequestLimitExceeded" {
			refused++
		}
	}
	if refused < 240 || refused > 360 {
		t.Errorf("%d of 1000 refused; want about 300", refused)
	}
}

func TestFaultsEndAndHungMachinesCanBeRepaired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Faults: tencentsim.Faults{"reset-never": 1, "stop-hangs": 1}})
		a, b := w.Add(tencentsim.Machine{}), w.Add(tencentsim.Machine{})
		w.forceReset(password, a)
		w.stop("SOFT", b)
		wait(time.Hour)
		w.SetFaults(nil)
		_, err := w.forceReset(password, a)
		wantCode(t, err, "MutexOperation.TaskRunning")
		for _, id := range []string{a, b} {
			w.Repair(id)
			if m := w.machine(t, id); m.State != "STOPPED" || m.OperationState != "FAILED" {
				t.Errorf("repaired: %s, %s", m.State, m.OperationState)
			}
		}
		if _, err := w.reset(password, a, b); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		if w.machine(t, a).Password != password || w.machine(t, b).Password != password {
			t.Error("repaired machines are not reset")
		}
	})
}
