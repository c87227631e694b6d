package huawei_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// value is a stored version with the canary in it.
const value = `{"username":"","password":"` + canary + `","generation":3}`

// secretive are the requests that hold or fetch a secret.
var secretive = map[string]func(context.Context, *huawei.Fleet, *huawei.Shelf) error{
	"reset": func(ctx context.Context, f *huawei.Fleet, _ *huawei.Shelf) error {
		_, err := f.Reset(ctx, machines(one), credential(canary))
		return err
	},
	"create": func(ctx context.Context, _ *huawei.Fleet, s *huawei.Shelf) error {
		return s.Create(ctx, "s", "g00000003-cab", []byte(value))
	},
	"read": func(ctx context.Context, _ *huawei.Fleet, s *huawei.Shelf) error {
		_, _, err := s.Read(ctx, "s", "current")
		return err
	},
}

// quotes are ways in which an answer may hold what was sent or fetched.
func quotes() map[string]string {
	return map[string]string{
		"plain": canary, "value": value, "half of it": canary[:10], "upper case": strings.ToUpper(canary),
		"query": url.QueryEscape(canary), "path": url.PathEscape(canary),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary)), "hex": hex.EncodeToString([]byte(canary)),
	}
}

func TestNoErrorQuotesWhatWasSent(t *testing.T) {
	t.Parallel()
	for how, quote := range quotes() {
		text, _ := json.Marshal("the value " + quote + " is wrong")
		for _, code := range []string{"Ecs.0005", "Ecs.0011", "Ecs.0611", "CSMS.0002", "Unknown.1", quote} {
			name, _ := json.Marshal(code)
			for form, body := range map[string]string{
				"ECS":     fmt.Sprintf(`{"error":{"code":%s,"message":%s},"internalError":[{"id":%q,"error_code":%s,"error_message":%s}]}`, name, text, one, name, text),
				"gateway": fmt.Sprintf(`{"error_code":%s,"error_msg":%s}`, name, text),
			} {
				for what, do := range secretive {
					if what == "read" {
						continue // the provider's own message does not hold what was not sent
					}
					fleet, shelf := stubbed(t, answering(400, body))
					rotationtest.ShowsNothing(t, canary, what+", "+how+", "+form, do(t.Context(), fleet, shelf), quote)
				}
			}
		}
	}
}

func TestNoErrorQuotesAnAnswerThatIsNotTheAPIs(t *testing.T) {
	t.Parallel()
	answer := fmt.Sprintf(`{"version":{"version_metadata":{"id":"v1"},"secret_string":%q}}`, value)
	for how, body := range map[string]string{
		"cut": answer[:len(answer)-3], "page": "<html>" + canary + "</html>", "a string": `"` + canary + `"`, "list": `["` + canary + `"]`,
		"null": "null", "empty": "", "no version": `{"x":"` + canary + `"}`,
		"of another type": `{"version":"` + canary + `","response":"` + canary + `","version_metadata":"` + canary + `"}`,
	} {
		for _, status := range []int{200, 404, 502, 307} {
			synctest.Test(t, func(t *testing.T) { // what only reads is asked again after a pause
				for what, do := range secretive {
					fleet, shelf := stubbed(t, func(a asked) (int, string) {
						if strings.Contains(a.path, "/stages/") {
							return 200, `{"stage":{"name":"SYSCURRENT","version_id":"v1","secret_name":"s"}}`
						}
						return status, body
					})
					rotationtest.ShowsNothing(t, canary, fmt.Sprintf("%s, %s, status %d", what, how, status), do(t.Context(), fleet, shelf), canary)
				}
			})
		}
	}
}

func TestTheConfigurationDoesNotPrintItsKeys(t *testing.T) {
	t.Parallel()
	cfg := stubConfig(nil)
	cfg.Credentials = huawei.Static("keyed-id", canary, canary)
	fleet, shelf := drivers(t, cfg)
	for _, v := range []any{cfg, &cfg, fleet, shelf} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canary) || strings.Contains(text, "keyed-id") {
				t.Errorf("%s of %T shows its credentials: %s", verb, v, text)
			}
		}
	}
}
