package huawei_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/rotation"
)

// forms are the bodies in which the gateway, ECS and CSMS write an error.
func forms(code string) map[string]string {
	return map[string]string{
		"ECS":          fmt.Sprintf(`{"error":{"code":%q,"message":"it says so"}}`, code),
		"gateway":      fmt.Sprintf(`{"error_code":%q,"error_msg":"it says so","request_id":"x"}`, code),
		"CSMS, nested": fmt.Sprintf(`{"error":{"error_code":%q,"error_msg":"it says so"}}`, code),
		"job":          fmt.Sprintf(`{"code":%q,"message":"it says so"}`, code),
	}
}

func TestACodeMeansTheSameInEveryForm(t *testing.T) {
	t.Parallel()
	all := []error{
		rotation.ErrNotFound, rotation.ErrFull, rotation.ErrThrottled, rotation.ErrUnauthorized, rotation.ErrConfig,
		rotation.ErrNotApplied, rotation.ErrPasswordRefused,
	}
	for _, c := range []struct {
		code   string
		status int
		want   []error
	}{
		{"CSMS.0106", 400, []error{rotation.ErrNotFound}},
		{"CSMS.0005", 404, []error{rotation.ErrNotFound}},
		{"CSMS.0203", 400, []error{rotation.ErrFull}},
		{"CSMS.0109", 403, []error{rotation.ErrConfig, rotation.ErrNotApplied}},
		{"CSMS.0302", 403, []error{rotation.ErrUnauthorized}},
		{"APIGW.0301", 401, []error{rotation.ErrUnauthorized}},
		{"APIGW.0308", 429, []error{rotation.ErrThrottled}},
		{"Ecs.0003", 403, []error{rotation.ErrUnauthorized}},
		{"Ecs.0005", 400, []error{rotation.ErrNotApplied}},
		{"Ecs.0011", 400, []error{rotation.ErrPasswordRefused, rotation.ErrNotApplied}},
		// What is not known proves nothing, whatever it sounds like.
		{"Ecs.0000", 400, nil}, {"Ecs.0002", 500, nil}, {"Ecs.9999", 400, nil}, {"CSMS.0401", 500, nil}, {"Never.Heard", 404, nil},
	} {
		for form, body := range forms(c.code) {
			_, shelf := stubbed(t, answering(c.status, body))
			err := shelf.Create(t.Context(), "s", "g00000001-cab", []byte("{}"))
			for _, kind := range all {
				want := false
				for _, w := range c.want {
					want = want || w == kind
				}
				if errors.Is(err, kind) != want {
					t.Errorf("%s, as %s: %v; errors.Is(%v) = %v, want %v", c.code, form, err, kind, !want, want)
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.code) || !strings.Contains(err.Error(), requestID) {
				t.Errorf("%s, as %s: %v; want the code and the request's id", c.code, form, err)
			}
		}
	}
}

func TestAnAnswerThatIsNotTheAPIsProvesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
	}{
		{502, "<html>bad gateway</html>"}, {404, ""}, {302, "{}"}, {200, "<html>"}, {200, "null"}, {200, "{}"}, {500, `{"error":{}}`},
		{400, `{"badRequest":{"code":400,"message":"x"}}`}, {204, ""},
	} {
		fleet, _ := stubbed(t, answering(c.status, c.body))
		_, err := fleet.Reset(t.Context(), machines(one), credential(canary))
		var refused *rotation.RefusedError
		if err == nil || rotation.DefinitelyNotApplied(err) || errors.As(err, &refused) {
			t.Errorf("Reset after %d %q = %v; want an ambiguous error", c.status, c.body, err)
		}
	}
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	t.Parallel()
	sent := 0
	fleet, _ := stubbed(t, func(asked) (int, string) { sent++; return 200, "{}" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fleet.Reset(ctx, machines(one), credential(canary))
	if !errors.Is(err, context.Canceled) || !rotation.DefinitelyNotApplied(err) || sent > 0 {
		t.Errorf("Reset = %v, %d requests; want context.Canceled and none", err, sent)
	}
}

// hanging is a provider that does not answer.
type hanging chan struct{}

func (h hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	close(h)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// The SDK knows no contexts: without ours, a request would be waited for after the run's end.
func TestARequestEndsWithItsContextAndItsOutcomeIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(context.CancelFunc){"cancelled": func(cancel context.CancelFunc) { cancel() }, "in time": func(context.CancelFunc) {}} {
			sent := make(hanging)
			fleet, _ := drivers(t, stubConfig(sent))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-sent
				end(cancel)
			}()
			began := time.Now()
			_, err := fleet.Reset(ctx, machines(one), credential(canary))
			if err == nil || rotation.DefinitelyNotApplied(err) || time.Since(began) > 31*time.Second {
				t.Errorf("%s: Reset = %v after %s; want an ambiguous error, in time", name, err, time.Since(began))
			}
			cancel()
		}
	})
}

// partial is the answer in https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/apis_recommended/batch_operations/responses_batch_requests.html.
const partial = `{"error":{"code":"Ecs.0611","message":"Batch operation failed."},
	"internalError":[{"id":"` + one + `","error_code":%q,"error_message":"because"}]}`

func TestARefusedMachineOfABatchIsNamedWithItsOwnReason(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]rotation.RefusalKind{
		"Ecs.0605": rotation.RefusedUnable, "Ecs.0114": rotation.RefusedUnable, "Ecs.0100": rotation.RefusedBusy,
		"Ecs.0011": rotation.RefusedPassword, "Ecs.4711": "",
	} {
		fleet, _ := stubbed(t, answering(400, fmt.Sprintf(partial, code)))
		op, err := fleet.Reset(t.Context(), machines(one, two), credential(canary))
		var refused *rotation.RefusedError
		if !errors.As(err, &refused) || len(refused.Machines) != 1 {
			t.Fatalf("Reset = %v; want a refusal of one machine", err)
		}
		if got := refused.Machines[one]; got.Kind != want || got.Code != code || got.Reason == "" || got.RequestID != requestID {
			t.Errorf("%s: refusal %+v; want kind %q", code, got, want)
		}
		if op.RequestID != requestID || rotation.DefinitelyNotApplied(err) {
			t.Errorf("%s: operation %+v, %v; the other machine's outcome is unknown", code, op, err)
		}
	}
}

func TestAMachineThatTheAnswerLeavesOutIsUnknown(t *testing.T) {
	t.Parallel()
	fleet, _ := stubbed(t, answering(200, `{"response":[{"id":"`+two+`"}]}`))
	_, err := fleet.Reset(t.Context(), machines(one, two), credential(canary))
	var refused *rotation.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("Reset = %v; want a refusal", err)
	}
	want := map[string]rotation.RefusalKind{one: rotation.RefusedBusy}
	got := map[string]rotation.RefusalKind{}
	for id, r := range refused.Machines {
		got[id] = r.Kind
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTheRequestIsAsTheDocumentsHaveIt(t *testing.T) {
	t.Parallel()
	var got asked
	fleet, _ := stubbed(t, func(a asked) (int, string) {
		got = a
		return 200, `{"response":[{"id":"` + one + `"}]}`
	})
	op, err := fleet.Reset(t.Context(), machines(one), credential("Plain-Pass-0001"))
	if err != nil || op.RequestID != requestID {
		t.Fatalf("Reset = %+v, %v", op, err)
	}
	want := asked{"PUT", "/v1/" + project + "/cloudservers/os-reset-passwords", "", `{"new_password":"Plain-Pass-0001","servers":[{"id":"` + one + `"}]}`}
	got.body = strings.TrimSpace(got.body)
	if got != want {
		t.Errorf("sent %+v; want %+v", got, want)
	}
}

func TestAnotherAccountIsRefusedWithoutARequest(t *testing.T) {
	t.Parallel()
	fleet, _ := stubbed(t, func(a asked) (int, string) {
		t.Errorf("sent %+v", a)
		return 200, "{}"
	})
	c := credential(canary)
	c.Username = "ubuntu"
	_, err := fleet.Reset(t.Context(), machines(one), c)
	var refused *rotation.RefusedError
	if !errors.As(err, &refused) || refused.Machines[one].Kind != rotation.RefusedUnable {
		t.Errorf("Reset of another account = %v; want a refusal", err)
	}
}
