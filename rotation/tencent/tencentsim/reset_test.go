package tencentsim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestResetIsAsynchronousAndSeenLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		id := w.Add(tencentsim.Machine{State: "STOPPED", Operation: "ResetInstancesPassword", OperationState: "SUCCESS", OperationRequestID: "last-month"})
		requestID, err := w.reset(password, id)
		if err != nil {
			t.Fatal(err)
		}
		i := w.shown(t, id)
		if *i.LatestOperationState != "SUCCESS" || *i.LatestOperationRequestId != "last-month" {
			t.Errorf("at once: %s of %s; want the stale SUCCESS of last-month", *i.LatestOperationState, *i.LatestOperationRequestId)
		}
		if got := w.machine(t, id).Password; got == password {
			t.Error("the password is in force at once")
		}
		wait(310 * time.Millisecond)
		i = w.shown(t, id)
		if *i.LatestOperationState != "OPERATING" || *i.LatestOperationRequestId != requestID || *i.LatestOperation != "ResetInstancesPassword" {
			t.Errorf("after a third of a second: %s of %s; want OPERATING of %s", *i.LatestOperationState, *i.LatestOperationRequestId, requestID)
		}
		wait(time.Second)
		i = w.shown(t, id)
		if *i.LatestOperationState != "SUCCESS" || *i.LatestOperationRequestId != requestID || *i.InstanceState != "STOPPED" {
			t.Errorf("in the end: %s of %s, %s", *i.LatestOperationState, *i.LatestOperationRequestId, *i.InstanceState)
		}
		if m := w.machine(t, id); m.Password != password || m.Resets != 1 || m.Stops != 0 {
			t.Errorf("in the end: %+v", m)
		}
	})
}

func TestForceStopStopsAndStartsARunningMachine(t *testing.T) {
	t.Parallel()
	for _, stays := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Scale: 1, Answers: tencentsim.Answers{StaysStoppedAfterForceStop: stays}})
			id := w.Add(tencentsim.Machine{})
			_, err := w.reset(password, id)
			wantCode(t, err, "UnsupportedOperation.InstanceStateRunning")
			if _, err := w.forceReset(password, id); err != nil {
				t.Fatal(err)
			}
			if got := w.machine(t, id).State; got != "STOPPING" {
				t.Errorf("at once: %s; want STOPPING", got)
			}
			wait(2500 * time.Millisecond)
			if m := w.machine(t, id); m.State != "STOPPED" || m.Down < 2*time.Second {
				t.Errorf("during the reset: %s, down for %v", m.State, m.Down)
			}
			wait(6 * time.Second)
			m := w.machine(t, id)
			if m.Password != password || m.OperationState != "SUCCESS" || m.Stops != 1 || m.HardStops != 0 {
				t.Errorf("in the end: %+v", m)
			}
			if up := m.State == "RUNNING" && m.Starts == 1 && m.DownSince.IsZero(); up == stays {
				t.Errorf("stays stopped = %v: %s, %d starts", stays, m.State, m.Starts)
			}
		})
	}
}

func TestForceStopPullsThePlugOnlyWhenASoftStopFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1})
		id := w.Add(tencentsim.Machine{IgnoresSoftStop: true})
		if _, err := w.forceReset(password, id); err != nil {
			t.Fatal(err)
		}
		wait(10 * time.Second)
		if m := w.machine(t, id); m.State != "STOPPING" || m.HardStops != 0 {
			t.Errorf("while it is asked softly: %s, %d hard stops", m.State, m.HardStops)
		}
		wait(30 * time.Second)
		if m := w.machine(t, id); m.State != "RUNNING" || m.HardStops != 1 || m.Password != password {
			t.Errorf("in the end: %+v", m)
		}
	})
}

func TestEveryStateRefusesAResetWithItsCode(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 100})
	for _, tc := range []struct {
		machine tencentsim.Machine
		want    string
	}{
		{tencentsim.Machine{State: "STOPPED"}, ""},
		{tencentsim.Machine{State: "PENDING"}, "UnsupportedOperation.InstanceStatePending"},
		{tencentsim.Machine{State: "LAUNCH_FAILED"}, "UnsupportedOperation.InstanceStateLaunchFailed"},
		{tencentsim.Machine{State: "STARTING"}, "UnsupportedOperation.InstanceStateStarting"},
		{tencentsim.Machine{State: "STOPPING"}, "UnsupportedOperation.InstanceStateStopping"},
		{tencentsim.Machine{State: "REBOOTING"}, "UnsupportedOperation.InstanceStateRebooting"},
		{tencentsim.Machine{State: "SHUTDOWN"}, "UnsupportedOperation.InstanceStateShutdown"},
		{tencentsim.Machine{State: "TERMINATING"}, "UnsupportedOperation.InstanceStateTerminating"},
		{tencentsim.Machine{State: "ENTER_RESCUE_MODE"}, "UnsupportedOperation.InstanceStateEnterRescueMode"},
		{tencentsim.Machine{State: "RESCUE_MODE"}, "UnsupportedOperation.InstanceStateRescueMode"},
		{tencentsim.Machine{State: "EXIT_RESCUE_MODE"}, "UnsupportedOperation.InstanceStateExitRescueMode"},
		{tencentsim.Machine{State: "ENTER_SERVICE_LIVE_MIGRATE"}, "UnsupportedOperation.InstanceStateServiceLiveMigrate"},
		{tencentsim.Machine{State: "SERVICE_LIVE_MIGRATE"}, "UnsupportedOperation.InstanceStateServiceLiveMigrate"},
		{tencentsim.Machine{State: "EXIT_SERVICE_LIVE_MIGRATE"}, "UnsupportedOperation.InstanceStateServiceLiveMigrate"},
		{tencentsim.Machine{RestrictState: "PROTECTIVELY_ISOLATED"}, "UnsupportedOperation.InstanceStateFreezing"},
		{tencentsim.Machine{RestrictState: "EXPIRED"}, "UnsupportedOperation.InstanceStateIsolating"},
		{tencentsim.Machine{State: "STOPPED", StopChargingMode: "STOP_CHARGING"}, "UnsupportedOperation.StoppedModeStopCharging"},
		{tencentsim.Machine{Refuse: "UnsupportedOperation.SpecialInstanceType"}, "UnsupportedOperation.SpecialInstanceType"},
		{tencentsim.Machine{OperationState: "OPERATING", Operation: "ResetInstancesPassword"}, "MutexOperation.TaskRunning"},
		{tencentsim.Machine{OperationState: "OPERATING", Operation: "ResizeInstanceDisks"}, "OperationDenied.InstanceOperationInProgress"},
	} {
		id := w.Add(tc.machine)
		_, err := w.forceReset(password, id)
		if got := code(t, err); got != tc.want {
			t.Errorf("reset of %+v: %v; want %q", tc.machine, err, tc.want)
		}
		if err != nil && !strings.Contains(err.Error(), id) {
			t.Errorf("message %q does not name %s", err, id)
		}
	}
}

func TestOneBadMachineRefusesTheWholeRequest(t *testing.T) {
	t.Parallel()
	for _, partial := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, tencentsim.Config{Answers: tencentsim.Answers{PartialAcceptance: partial, MessagesOmitIDs: partial}})
			first, bad := w.Add(tencentsim.Machine{State: "STOPPED"}), w.Add(tencentsim.Machine{State: "SHUTDOWN"})
			bad2, last := w.Add(tencentsim.Machine{State: "SHUTDOWN"}), w.Add(tencentsim.Machine{State: "STOPPED"})
			_, err := w.reset(password, first, bad, bad2, last)
			wantCode(t, err, "UnsupportedOperation.InstanceStateShutdown")
			message := err.(*sdkerrors.TencentCloudSDKError).Message
			if named := strings.Contains(message, bad) && strings.Contains(message, bad2); named == partial {
				t.Errorf("message %q; names the machines = %v", message, named)
			}
			if strings.Contains(message, first) || strings.Contains(message, last) {
				t.Errorf("message %q names a good machine", message)
			}
			wait(time.Second)
			if done := w.machine(t, first).Password == password; done != partial {
				t.Errorf("partial acceptance %v: the first machine was reset: %v", partial, done)
			}
			for _, id := range []string{bad, bad2, last} {
				if w.machine(t, id).Password == password {
					t.Errorf("machine %s, not before the first bad one, was reset", id)
				}
			}
		})
	}
}

func TestResetParametersAreValidated(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 100})
	id := w.Add(tencentsim.Machine{State: "STOPPED"})
	elsewhere := w.Add(tencentsim.Machine{Region: "ap-shanghai", State: "STOPPED"})
	for _, tc := range []struct {
		name string
		ids  []string
		user string
		want string
	}{
		{"no ids", nil, "", "MissingParameter"},
		{"101 ids", strings.Split(strings.Repeat("ins-00000000,", 100)+"ins-00000000", ","), "", "InvalidParameterValue.LimitExceeded"},
		{"unknown", []string{id, "ins-00000000"}, "", "InvalidInstanceId.NotFound"},
		{"other region", []string{elsewhere}, "", "InvalidInstanceId.NotFound"},
		{"malformed", []string{"ins-1122"}, "", "InvalidInstanceId.Malformed"},
		{"upper case", []string{"ins-ABCDEFGH"}, "", "InvalidParameterValue.InstanceIdMalformed"},
		{"twice", []string{id, id}, "", "InvalidParameterValue"},
		{"long user", []string{id}, strings.Repeat("u", 65), "InvalidParameterValue.TooLong"},
	} {
		r := cvm.NewResetInstancesPasswordRequest()
		r.InstanceIds, r.Password, r.UserName = common.StringPtrs(tc.ids), ptr(password), &tc.user
		_, err := w.cvm.ResetInstancesPassword(r)
		if got := code(t, err); got != tc.want {
			t.Errorf("%s: %v; want %q", tc.name, err, tc.want)
		}
	}
	r := cvm.NewResetInstancesPasswordRequest()
	r.InstanceIds = []*string{&id}
	_, err := w.cvm.ResetInstancesPassword(r)
	wantCode(t, err, "MissingParameter")
}

func TestPasswordsObeyTheRulesOfTheSystem(t *testing.T) {
	t.Parallel()
	const current, old = "InvalidParameterValue.InvalidPassword", "InvalidPassword"
	for _, tc := range []struct {
		password string
		linux    string
		windows  string
		oldLinux string
		oldWin   string
	}{
		{tencentsim.BaselinePassword, "", "", "", ""},
		{"Abcdef1", current, current, current, current},
		{"Abcdef12", "", current, "", current},
		{"Abcdefghij12", "", "", "", ""},
		{"Abcdefghij123456", "", "", "", ""},
		{"Abcdefghij1234567", "", "", old, old},
		{"Abcdefghij1234567890Abcdefghij", "", "", old, old},
		{"Abcdefghij1234567890Abcdefghij1", current, current, current, current},
		{"/bcdefGhij12", current, current, current, current},
		{"abcdefghij12", current, current, current, current},
		{"ABCDEFGHabcdefgh", current, current, current, current},
		{"abcdef12345!", "", "", "", ""},
		{"Abcdef 12345", current, current, current, current},
		{`Abcdef"12345`, current, current, current, current},
		{`Abcdef\12345`, current, current, current, current},
		{"Abcdef`12345", "", "", old, old},
		{"Abcdef12345é", current, current, current, current},
		{"xadministRator1", "", current, "", current},
	} {
		w := open(t, tencentsim.Config{Rates: 100})
		for _, row := range []struct {
			os   string
			old  bool
			want string
		}{{"Ubuntu", false, tc.linux}, {"Windows", false, tc.windows}, {"CentOS", true, tc.oldLinux}, {"windows", true, tc.oldWin}} {
			id := w.Add(tencentsim.Machine{OSName: row.os, State: "STOPPED", Rules2018: row.old})
			_, err := w.reset(tc.password, id)
			if got := code(t, err); got != row.want {
				t.Errorf("%q on %s (2018: %v): code %q; want %q", tc.password, row.os, row.old, got, row.want)
			}
			if err != nil && strings.Contains(err.Error(), tc.password) {
				t.Errorf("message %q holds the password", err)
			}
		}
	}
}

func TestMixedBatchHasTheWindowsRule(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	linux := w.Add(tencentsim.Machine{State: "STOPPED"})
	windows := w.Add(tencentsim.Machine{State: "STOPPED", OSName: "Windows Server 2022"})
	_, err := w.reset("Abcdef12", linux, windows)
	wantCode(t, err, "InvalidParameterValue.InvalidPassword")
	_, err = w.reset("Abcdef12", linux)
	wantCode(t, err, "")
}

func TestResetOfOtherUsers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{})
		id := w.Add(tencentsim.Machine{State: "STOPPED", Users: map[string]string{"ops": "x"}})
		for user, want := range map[string]string{"ops": "SUCCESS", "root": "SUCCESS", "ubuntu": "SUCCESS", "nobody-here": "FAILED"} {
			r := cvm.NewResetInstancesPasswordRequest()
			r.InstanceIds, r.Password, r.UserName = []*string{&id}, ptr("For-"+user+"-123"), &user
			if _, err := w.cvm.ResetInstancesPassword(r); err != nil {
				t.Fatal(err)
			}
			wait(time.Second)
			if i := w.shown(t, id); *i.LatestOperationState != want || (i.LatestOperationErrorMsg != nil) != (want == "FAILED") {
				t.Errorf("reset of %s: %s", user, *i.LatestOperationState)
			}
		}
		m := w.machine(t, id)
		if m.Password != "For-ubuntu-123" || m.Users["ops"] != "For-ops-123" || m.Users["root"] != "For-root-123" {
			t.Errorf("passwords: %s %v", m.Password, m.Users)
		}
	})
}

func TestRequestIDsMayDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Answers: tencentsim.Answers{RequestIDsDiffer: true}})
		id := w.Add(tencentsim.Machine{State: "STOPPED"})
		requestID, err := w.reset(password, id)
		if err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		if got := *w.shown(t, id).LatestOperationRequestId; got == requestID || got == "" {
			t.Errorf("LatestOperationRequestId = %q; want another than %q", got, requestID)
		}
	})
}

func TestVisibleMayBeAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1, Visible: -1})
		id := w.Add(tencentsim.Machine{State: "STOPPED"})
		if _, err := w.reset(password, id); err != nil {
			t.Fatal(err)
		}
		if got := *w.shown(t, id).LatestOperationState; got != "OPERATING" {
			t.Errorf("state at once = %s; want OPERATING", got)
		}
	})
}

func TestConsoleChangesThePasswordUnseen(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	w.Console(id, "by hand")
	if m := w.machine(t, id); m.Password != "by hand" || m.Resets != 0 || m.Operation != "" {
		t.Errorf("after the console: %+v", m)
	}
}
