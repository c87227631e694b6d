package tencent_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
	"github.com/relock-project/relock/rotation/tencent"
)

// value is a stored version with the canary in it.
const value = `{"username":"","password":"` + canary + `","generation":3}`

// secretive are the requests that hold or fetch a secret.
var secretive = map[string]func(context.Context, *tencent.Fleet, *tencent.Shelf) error{
	"reset": func(ctx context.Context, f *tencent.Fleet, _ *tencent.Shelf) error {
		return second(f.Reset(ctx, machines("ins-00000001"), credential(canary)))
	},
	"create": func(ctx context.Context, _ *tencent.Fleet, s *tencent.Shelf) error {
		return s.Create(ctx, "s", "g00000003", []byte(value))
	},
	"point": func(ctx context.Context, _ *tencent.Fleet, s *tencent.Shelf) error {
		return s.Point(ctx, "s", "g00000003", rotation.Slot{}, []byte(value))
	},
	"read": func(ctx context.Context, _ *tencent.Fleet, s *tencent.Shelf) error {
		_, _, err := s.Read(ctx, "s", "current")
		return err
	},
}

// quote are ways in which an answer may hold what was sent or fetched.
func quotes() map[string]string {
	escaped, _ := json.Marshal(canary)
	inner := strings.Trim(string(escaped), `"`)
	return map[string]string{
		"plain": canary, "value": value, "half of it": canary[:10], "the other half": canary[6:],
		"upper case": strings.ToUpper(canary), "JSON": inner, "query": url.QueryEscape(canary), "path": url.PathEscape(canary),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary)), "base64 of more": base64.StdEncoding.EncodeToString([]byte("x" + value + "y")),
		"hex": hex.EncodeToString([]byte(canary)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(canary))),
		"escaped value": strings.ReplaceAll(value, `"`, `\"`),
	}
}

func TestNoErrorQuotesWhatWasSent(t *testing.T) {
	t.Parallel()
	for how, quote := range quotes() {
		for _, code := range []string{"InternalError", "InvalidParameterValue", "InvalidPassword", "UnsupportedOperation.InstanceStateRunning", quote} {
			for what, do := range secretive {
				if what == "read" {
					continue // the provider's own message does not hold what was not sent
				}
				fleet, shelf := stubbed(t, failing(code, "The value `"+quote+"` is wrong for ins-00000001."))
				rotationtest.ShowsNothing(t, canary, what+", "+how, do(t.Context(), fleet, shelf), quote)
			}
		}
	}
}

func TestNoErrorQuotesAnAnswerThatIsNotTheAPIs(t *testing.T) {
	t.Parallel()
	answer := fmt.Sprintf(`{"Response":{"SecretName":"s","VersionId":"current","SecretString":%q,"RequestId":"r"}}`, value)
	for how, body := range map[string]string{
		"cut":              answer[:len(answer)-3],
		"page":             "<html>" + canary + "</html>",
		"not an object":    `["` + canary + `"]`,
		"a string":         `"` + canary + `"`,
		"null":             `null`,
		"empty":            ``,
		"no response":      `{}`,
		"null response":    `{"Response":null,"x":"` + canary + `"}`,
		"of another type":  `{"Response":{"SecretString":{"` + canary + `":1},"SecretBinary":7,"RequestId":["` + canary + `"]}}`,
		"an error no text": `{"Response":{"Error":"` + canary + `"}}`,
		"the old form":     `{"code":"` + canary + `"}`,
	} {
		for _, status := range []int{200, 204, 404, 502, 307} {
			for what, do := range secretive {
				fleet, shelf := stubbed(t, func(string, string) (int, string) { return status, body })
				err := do(t.Context(), fleet, shelf)
				rotationtest.ShowsNothing(t, canary, fmt.Sprintf("%s, %s, status %d", what, how, status), err, canary)
				if what != "read" || how != "of another type" {
					wantAmbiguous(t, err)
				}
			}
		}
	}
}

func TestTheConfigurationDoesNotPrintItsKeys(t *testing.T) {
	t.Parallel()
	cfg := tencent.Config{Credentials: tencent.Static("keyed-id", canary, canary)}
	fleet, shelf := drivers(t, cfg)
	for _, v := range []any{cfg, &cfg, fleet, shelf} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canary) || strings.Contains(text, "keyed-id") {
				t.Errorf("%s of %T shows its credentials: %s", verb, v, text)
			}
		}
	}
}

func TestAFailedResetsDetailDoesNotQuoteThePassword(t *testing.T) {
	t.Parallel()
	message := "chpasswd: " + canary + ": too simple"
	fleet, _ := stubbed(t, func(action, _ string) (int, string) {
		if action == "ResetInstancesPassword" {
			return 200, `{"Response":{"RequestId":"` + requestID + `"}}`
		}
		text, _ := json.Marshal(message)
		return 200, fmt.Sprintf(`{"Response":{"TotalCount":1,"InstanceSet":[{"InstanceId":"ins-00000001","InstanceState":"STOPPED",
			"LatestOperation":"ResetInstancesPassword","LatestOperationState":"FAILED","LatestOperationRequestId":%q,"LatestOperationErrorMsg":%s}]}}`, requestID, text)
	})
	op, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
	if err != nil {
		t.Fatal(err)
	}
	// What was sent before and after is hidden too: the record may be of any of them.
	for _, other := range []string{"Other.2024-Abcdef", canary} {
		if _, err := fleet.Reset(t.Context(), machines("ins-00000002"), credential(other)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ message, want string }{
		{message, "withheld"}, {"tried Other.2024-Abcdef", "withheld"}, {"the disk\n is full\x00", "the disk is full"}, {"", "no reason"},
	} {
		message = c.message
		results, err := fleet.Observe(t.Context(), []rotation.Operation{op})
		if err != nil || len(results) != 1 || results[0].State != rotation.Failed {
			t.Fatalf("Observe = %v, %v; want one failure", results, err)
		}
		if d := results[0].Detail; strings.Contains(d, canary) || strings.Contains(d, "Other.") || !strings.Contains(d, c.want) {
			t.Errorf("detail of %q = %q; want %q in it", c.message, d, c.want)
		}
	}
}
