package tencent_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
)

var sentinels = map[string]error{
	"not found": rotation.ErrNotFound, "exists": rotation.ErrExists, "conflict": rotation.ErrConflict, "full": rotation.ErrFull,
	"not applied": rotation.ErrNotApplied, "throttled": rotation.ErrThrottled, "unauthorized": rotation.ErrUnauthorized,
	"password": rotation.ErrPasswordRefused, "config": rotation.ErrConfig,
}

// matches are the names of the sentinels that err matches.
func matches(err error) map[string]bool {
	got := map[string]bool{}
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			got[name] = true
		}
	}
	return got
}

// wantAmbiguous fails unless err says nothing at all about whether the request had its effect.
func wantAmbiguous(t *testing.T, err error) {
	t.Helper()
	var refused *rotation.RefusedError
	if got := matches(err); err == nil || len(got) > 0 || errors.As(err, &refused) {
		t.Errorf("%v matches %v, or is a refusal; want an ambiguous error", err, got)
	}
}

// The 31 codes of https://www.tencentcloud.com/document/product/213/33240 of 2025-12-17 and the 9 of 2018-10-12, with what
// each means for a reset. Kinds of refusal are written with a colon.
var resetCodes = []struct{ code, means string }{
	// 2025
	{"FailedOperation.InvalidInstanceApplicationRole", ":unable"},
	{"InternalServerError", ""},
	{"InvalidInstance.NotSupported", ":unable"},
	{"InvalidInstanceId.Malformed", ":unable"},
	{"InvalidInstanceId.NotFound", ":unable"},
	{"InvalidParameterValue", "not applied"},
	{"InvalidParameterValue.InstanceIdMalformed", ":unable"},
	{"InvalidParameterValue.InvalidPassword", "not applied,password"},
	{"InvalidParameterValue.LimitExceeded", "not applied"},
	{"InvalidParameterValue.TooLong", "not applied"},
	{"MissingParameter", "not applied"},
	{"MutexOperation.TaskRunning", ":busy"},
	{"OperationDenied.InstanceOperationInProgress", ":busy"},
	{"UnauthorizedOperation.MFAExpired", "unauthorized"},
	{"UnauthorizedOperation.MFANotFound", "unauthorized"},
	{"UnsupportedOperation.InstanceReinstallFailed", ":unable"},
	{"UnsupportedOperation.InstanceStateEnterRescueMode", ":busy"},
	{"UnsupportedOperation.InstanceStateExitRescueMode", ":busy"},
	{"UnsupportedOperation.InstanceStateFreezing", ":unable"},
	{"UnsupportedOperation.InstanceStateIsolating", ":unable"},
	{"UnsupportedOperation.InstanceStatePending", ":busy"},
	{"UnsupportedOperation.InstanceStateRebooting", ":busy"},
	{"UnsupportedOperation.InstanceStateRescueMode", ":unable"},
	{"UnsupportedOperation.InstanceStateRunning", ":state"},
	{"UnsupportedOperation.InstanceStateServiceLiveMigrate", ":busy"},
	{"UnsupportedOperation.InstanceStateShutdown", ":unable"},
	{"UnsupportedOperation.InstanceStateStarting", ":busy"},
	{"UnsupportedOperation.InstanceStateStopping", ":busy"},
	{"UnsupportedOperation.InstanceStateTerminating", ":unable"},
	{"UnsupportedOperation.SpecialInstanceType", ":unable"},
	{"UnsupportedOperation.StoppedModeStopCharging", ":unable"},
	// 2018, those that 2025 has not
	{"InvalidPassword", "not applied,password"},
	// of the same API's neighbours
	{"UnsupportedOperation.InstanceStateStopped", ":state"},
	{"UnsupportedOperation.InstanceStateBanning", ":unable"},
	{"UnsupportedOperation.InstanceStateCorrupted", ":unable"},
	{"UnsupportedOperation.InstanceStateLaunchFailed", ":unable"},
	{"UnsupportedOperation.InstanceStateTerminated", ":unable"},
	{"UnsupportedOperation.InstanceStateEnterServiceLiveMigrate", ":busy"},
	{"UnsupportedOperation.InstanceStateExitServiceLiveMigrate", ":busy"},
	{"ResourceInUse.DiskRollbacking", ":busy"},
	// a state that nobody has heard of yet is not for good
	{"UnsupportedOperation.InstanceStateTeleporting", ":busy"},
}

func TestEveryDocumentedCodeOfAResetIsUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range resetCodes {
		fleet, _ := stubbed(t, failing(c.code, "The instances `['ins-00000001']` cannot do this."))
		op, err := fleet.Reset(t.Context(), machines("ins-00000001", "ins-00000002"), credential(canary))
		if op.RequestID != requestID {
			t.Errorf("%s: operation %+v; want the request's id", c.code, op)
		}
		var refused *rotation.RefusedError
		kind, isRefusal := strings.CutPrefix(c.means, ":")
		switch {
		case isRefusal != errors.As(err, &refused):
			t.Errorf("%s: %v; want a refusal: %t", c.code, err, isRefusal)
		case isRefusal:
			wantRefusal(t, refused, c.code, rotation.RefusalKind(kind))
		default:
			wantMatches(t, c.code, err, c.means)
		}
	}
}

func wantRefusal(t *testing.T, got *rotation.RefusedError, code string, kind rotation.RefusalKind) {
	t.Helper()
	why := got.Refusal
	if why.Kind != kind || why.Code != code || why.RequestID != requestID || why.Reason == "" {
		t.Errorf("%s: refusal %+v; want kind %s, the code, the request's id and a reason", code, why, kind)
	}
	if len(got.Machines) != 1 || got.Machines["ins-00000001"] != why {
		t.Errorf("%s: machines %v; want ins-00000001 alone, for the same reason", code, got.Machines)
	}
	if len(matches(got)) > 0 {
		t.Errorf("%s: the refusal matches %v: of the others nothing is known", code, matches(got))
	}
}

func wantMatches(t *testing.T, code string, err error, means string) {
	t.Helper()
	want := map[string]bool{}
	for name := range strings.SplitSeq(means, ",") {
		if name != "" {
			want[name] = true
		}
	}
	got := matches(err)
	if err == nil || len(got) != len(want) {
		t.Errorf("%s: %v matches %v; want %v", code, err, got, want)
		return
	}
	for name := range want {
		if !got[name] {
			t.Errorf("%s: %v matches %v; want %v", code, err, got, want)
		}
	}
	if !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), requestID) {
		t.Errorf("%v: want the code and the request's id in it", err)
	}
}

// The common codes of https://www.tencentcloud.com/document/product/1271/71928.
var commonCodes = []struct{ code, means string }{
	{"ActionOffline", "not applied"},
	{"AuthFailure.InvalidAuthorization", "unauthorized"},
	{"AuthFailure.InvalidSecretId", "unauthorized"},
	{"AuthFailure.MFAFailure", "unauthorized"},
	{"AuthFailure.SecretIdNotFound", "unauthorized"},
	{"AuthFailure.SignatureExpire", "unauthorized"},
	{"AuthFailure.SignatureFailure", "unauthorized"},
	{"AuthFailure.TokenFailure", "unauthorized"},
	{"AuthFailure.UnauthorizedOperation", "unauthorized"},
	{"FailedOperation", ""},
	{"InternalError", ""},
	{"InvalidAction", "not applied"},
	{"InvalidParameter", "not applied"},
	{"InvalidParameterValue", "not applied"},
	{"InvalidRequest", "not applied"},
	{"IpInBlacklist", "unauthorized"},
	{"IpNotInWhitelist", "unauthorized"},
	{"MissingParameter", "not applied"},
	{"NoSuchProduct", "not applied"},
	{"NoSuchVersion", "not applied"},
	{"RequestLimitExceeded", "throttled"},
	{"RequestLimitExceeded.GlobalRegionUinLimitExceeded", "throttled"},
	{"RequestLimitExceeded.IPLimitExceeded", "throttled"},
	{"RequestLimitExceeded.UinLimitExceeded", "throttled"},
	{"RequestSizeLimitExceeded", "not applied"},
	{"ResourceInsufficient", ""},
	{"ResourceNotFound", "not found"},
	{"ResourceUnavailable", ""},
	{"ResponseSizeLimitExceeded", ""},
	{"ServiceUnavailable", ""},
	{"UnauthorizedOperation", "unauthorized"},
	{"UnauthorizedOperation.PermissionDenied", "unauthorized"},
	{"UnauthorizedOperation.InvalidToken", "unauthorized"},
	{"UnknownParameter", "not applied"},
	{"UnsupportedOperation", ""},
	{"UnsupportedProtocol", "not applied"},
	{"UnsupportedRegion", "config,not applied"},
}

func TestCommonCodesAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range commonCodes {
		fleet, _ := stubbed(t, failing(c.code, "Because of `ins-00000001`."))
		_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
		wantMatches(t, c.code, err, c.means)
	}
}

func TestCodesThatNobodyKnowsAreAmbiguous(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"", "X", "UnsupportedOperation.Whatever", "FailedOperation.Whatever", "InternalError.Whatever", "OperationDenied.Whatever",
		"LimitExceeded.Whatever", "InvalidPasswordX", "RequestLimitExceededX", "MissingParameterX", "AuthFailureX",
		"requestlimitexceeded", "InvalidInstanceId", "ResourceInUse.Whatever", "Invalid Parameter", "ClientError.Whatever",
	} {
		fleet, _ := stubbed(t, failing(code, "Because of `ins-00000001`."))
		if code == "" {
			fleet, _ = stubbed(t, func(string, string) (int, string) { return 200, `{"code":7,"message":"m"}` })
		}
		_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
		wantAmbiguous(t, err)
	}
}

func TestARefusalNamesOnlyMachinesOfItsBatch(t *testing.T) {
	t.Parallel()
	fleet, _ := stubbed(t, failing("UnsupportedOperation.InstanceStateRunning",
		"ins-00000001,'ins-00000003' ins-000000029 ins-0000000 INS-00000002 xins-00000002 `ins-00000001` ins-00000004."))
	_, err := fleet.Reset(t.Context(), machines("ins-00000001", "ins-00000002", "ins-00000004"), credential(canary))
	var refused *rotation.RefusedError
	if !errors.As(err, &refused) || len(refused.Machines) != 2 {
		t.Fatalf("Reset = %v; want a refusal of 2 machines", err)
	}
	for _, id := range []string{"ins-00000001", "ins-00000004"} {
		if refused.Machines[id].Kind != rotation.RefusedState {
			t.Errorf("%s: %+v; want it refused for its power state", id, refused.Machines[id])
		}
	}
}

func TestARefusalThatNamesNobodyNamesNobody(t *testing.T) {
	t.Parallel()
	fleet, _ := stubbed(t, failing("MutexOperation.TaskRunning", "The same task is running."))
	_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
	var refused *rotation.RefusedError
	if !errors.As(err, &refused) || len(refused.Machines) != 0 || refused.Refusal.Kind != rotation.RefusedBusy {
		t.Errorf("Reset = %#v; want a refusal for being busy that names nobody", err)
	}
}

func TestAMachineOnItsWayIsNoObstacleToSendingItThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state string
		do    func(rotation.Power, context.Context, []rotation.Instance) error
		want  rotation.RefusalKind
	}{
		{"Stopped", stop, rotation.RefusedState}, {"Stopping", stop, rotation.RefusedState}, {"Starting", stop, rotation.RefusedBusy},
		{"Running", start, rotation.RefusedState}, {"Starting", start, rotation.RefusedState}, {"Stopping", start, rotation.RefusedBusy},
		{"Stopped", restart, rotation.RefusedState}, {"Rebooting", restart, rotation.RefusedState}, {"Stopping", restart, rotation.RefusedBusy},
	} {
		fleet, _ := stubbed(t, failing("UnsupportedOperation.InstanceState"+c.state, "No."))
		err := c.do(fleet, t.Context(), machines("ins-00000001"))
		var refused *rotation.RefusedError
		if !errors.As(err, &refused) || refused.Refusal.Kind != c.want {
			t.Errorf("%s: %v; want a refusal of kind %s", c.state, err, c.want)
		}
	}
}

func stop(p rotation.Power, ctx context.Context, batch []rotation.Instance) error {
	return second(p.Stop(ctx, batch, rotation.Soft))
}

func start(p rotation.Power, ctx context.Context, batch []rotation.Instance) error {
	return second(p.Start(ctx, batch))
}

func restart(p rotation.Power, ctx context.Context, batch []rotation.Instance) error {
	return second(p.Restart(ctx, batch, rotation.Soft))
}

func FuzzAnErrorSaysNoMoreThanTheProviderDid(f *testing.F) {
	for _, c := range resetCodes {
		f.Add(c.code, "The request does not support the instances `['ins-00000001', 'ins-00000009']`.")
	}
	for _, c := range commonCodes {
		f.Add(c.code, canary)
	}
	f.Add("ClientError.ParseJsonError", "{")
	f.Fuzz(func(t *testing.T, code, message string) {
		if code == "" {
			return // the SDK takes an answer without a code for a success
		}
		fleet, _ := stubbed(t, failing(code, message))
		batch := machines("ins-00000001", "ins-00000002")
		op, err := fleet.Reset(t.Context(), batch, credential(canary))
		if err == nil || len(op.Instances) != len(batch) || op.Kind != rotation.OpReset {
			t.Fatalf("Reset = %+v, %v; want the operation and an error", op, err)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("the error holds the password: %v", err)
		}
		var refused *rotation.RefusedError
		if !errors.As(err, &refused) {
			return
		}
		for id := range refused.Machines {
			if id != "ins-00000001" && id != "ins-00000002" || !strings.Contains(message, id) {
				t.Errorf("refused %s, which is not of the batch or not named", id)
			}
		}
		if rotation.DefinitelyNotApplied(err) {
			t.Errorf("%v: a refused batch is definitely not applied", err)
		}
	})
}
