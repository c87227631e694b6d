package tencent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
	"github.com/relock-project/relock/rotation/tencent"
)

// FuzzDescribeAnswer: whatever the provider answers, no machine is described that is not meant, and a reset is done only
// by a record that names its request.
func FuzzDescribeAnswer(f *testing.F) {
	const id, other = "ins-00000001", "ins-00000002"
	instance := func(id, fields string) string {
		return `{"InstanceId":"` + id + `","InstanceState":"STOPPED","Tags":[{"Key":"rotate","Value":"yes"}]` + fields + `}`
	}
	for _, c := range progress {
		f.Add(`{"Response":{"TotalCount":1,"InstanceSet":[` + instance(id, fmt.Sprintf(`,"LatestOperation":%q,"LatestOperationState":%q,"LatestOperationRequestId":%q`,
			c.operation, c.outcome, strings.ReplaceAll(c.record, "r", requestID))) + `]}}`)
	}
	f.Add(`{"Response":{"TotalCount":3,"InstanceSet":[null,{},` + instance(other, "") + `,` + instance(id, `,"OsName":null,"DefaultLoginPort":-1,"CreatedTime":"x"`) + `]}}`)
	f.Add(`{"Response":{"TotalCount":-1,"InstanceSet":[{"InstanceId":"` + id + `","Tags":[null,{"Key":null}],"LoginSettings":{"KeyIds":[null]},"PrivateIpAddresses":["x",null]}]}}`)
	f.Add(`{"Response":{"Error":{"Code":"InvalidInstanceId.NotFound","Message":"` + id + `"}}}`)
	f.Add(`{"Response":null}`)
	f.Add(`<html>502</html>`)
	scope := rotation.Selector{IDs: []string{id}, Tags: map[string][]string{"rotate": {"yes"}}, ExcludeTags: map[string][]string{"env": nil}}
	operation := rotation.Operation{Kind: rotation.OpReset, Instances: []string{id}, RequestID: requestID}
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) { // what fails is read again after a while
			fleet, _ := stubbed(t, func(string, string) (int, string) { return 200, body })
			found, err := fleet.Describe(t.Context(), scope)
			if err != nil && len(found) > 0 || len(found) > 1 {
				t.Errorf("Describe = %d machines, %v", len(found), err)
			}
			for _, inst := range found {
				if !scope.Matches(inst.ID, inst.Tags) || inst.Terms.Rules == nil || inst.Port == 0 || inst.LoginUser == "" || inst.Region != region {
					t.Errorf("Describe found %+v", inst)
				}
			}
			results, err := fleet.Observe(t.Context(), []rotation.Operation{operation})
			if err != nil && len(results) > 0 {
				t.Errorf("Observe = %v, %v", results, err)
			}
			for _, r := range results {
				if r.Instance != id || (r.State == rotation.Done || r.State == rotation.Failed) && !mentions(body, requestID) {
					t.Errorf("Observe = %+v", r)
				}
			}
		})
	})
}

// mentions reports whether text is in a document, as it is or behind escapes.
func mentions(document, text string) bool {
	return strings.Contains(document, text) || strings.Contains(document, `\u`)
}

// FuzzSecretAnswer: whatever the provider answers to a request for a secret, no error shows a piece of it, and there is no
// empty value.
func FuzzSecretAnswer(f *testing.F) {
	answer := func(s string) string {
		text, _ := json.Marshal(s)
		return fmt.Sprintf(`{"Response":{"SecretName":"s","VersionId":"current","SecretString":%s,"RequestId":"r"}}`, text)
	}
	f.Add(200, answer(value), "")
	f.Add(200, answer(""), answer(value))
	f.Add(502, "<html>"+value, "</html>")
	f.Add(200, `{"Response":{"SecretString":{"`, `":1}}}`)
	f.Add(200, `{"Response":{"Versions":[null,{"VersionId":"`, `"},{"VersionId":null}]}}`)
	f.Add(302, "", "")
	f.Fuzz(func(t *testing.T, status int, head, tail string) {
		body := head + canary + tail
		if status < 100 || status > 999 || strings.Contains(strings.ToLower(body), "error") || mentions(body, `"Code"`) {
			return // an error of the API is the provider's own text, and it was sent nothing to quote
		}
		_, shelf := stubbed(t, func(string, string) (int, string) { return status, body })
		_, held, err := shelf.Read(t.Context(), "s", "current")
		if err == nil && len(held) == 0 {
			t.Error("Read = nothing, without an error")
		}
		if err != nil {
			rotationtest.ShowsNothing(t, canary, "read", err, canary)
		}
		if _, err := shelf.List(t.Context(), "s"); err != nil {
			rotationtest.ShowsNothing(t, canary, "list", err, canary)
		}
	})
}

// definite are the codes after which nothing happened, besides those that the tests of errors list.
var definite = strings.Fields(`InvalidParameterCombination InvalidFilter InvalidFilterValue.LimitExceeded LimitExceeded.Quota
	LimitExceeded.ResourceAttachedTags LimitExceeded.ResourceNumPerRequest LimitExceeded.TagKey LimitExceeded.TagValue
	LimitExceeded.TagNumPerRequest FailedOperation.PolicyEnforcedInvalid FailedOperation.IllegalTagKey
	FailedOperation.IllegalTagValue FailedOperation.TagKeyReserved InvalidRegion.NotFound InvalidRegion.Unavailable
	ResourceUnavailable.NotPurchased ResourceUnavailable.ResourceDisabled ResourceUnavailable.ResourcePendingDeleted
	ResourceUnavailable.PendingDeleted ResourceUnavailable.ResourceUninitialized ResourceUnavailable.Uninitialized
	OperationDenied.AutoRotatedResource AuthFailure UnauthorizedOperation.AccessKmsError`)

// definiteFamilies are those of the common codes, each with a dot.
var definiteFamilies = regexp.MustCompile(`^(RequestLimitExceeded|AuthFailure|UnauthorizedOperation|InvalidParameter|InvalidParameterValue|MissingParameter)\.`)

// FuzzErrorCode: only what is on the list says that a reset was not applied.
func FuzzErrorCode(f *testing.F) {
	known := slices.Clone(definite)
	for _, c := range slices.Concat(resetCodes, commonCodes) {
		f.Add(c.code)
		if strings.Contains(c.means, "not applied") || c.means == "unauthorized" || c.means == "throttled" {
			known = append(known, c.code)
		}
	}
	for _, code := range definite {
		f.Add(code)
		f.Add(code + ".x")
	}
	f.Fuzz(func(t *testing.T, code string) {
		if code == "" {
			return // the SDK takes it for a success
		}
		fleet, _ := stubbed(t, failing(code, "Because of `ins-00000001`."))
		_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
		if err == nil {
			t.Fatalf("code %q: no error", code)
		}
		if rotation.DefinitelyNotApplied(err) && !slices.Contains(known, code) && !definiteFamilies.MatchString(code) {
			t.Errorf("code %q is taken for one after which nothing happened: %v", code, err)
		}
	})
}

// FuzzHost: requests go to the configured endpoint, or else to Tencent Cloud's own hosts, and never in the clear there.
func FuzzHost(f *testing.F) {
	for _, region := range []string{"ap-guangzhou", "ap-shanghai-fsi", "evil.example/-x", "-fsi", "a.b-fsi", "ap-x#-fsi", ""} {
		for _, endpoint := range []string{"", "http://127.0.0.1:1", "localhost:1/", "[::1]:1", "api.example", "http://u:p@h", "h?x", "127.0.0.1.evil.example:80", "::1"} {
			f.Add("cn", region, endpoint)
			f.Add("intl", region, endpoint)
		}
	}
	own := regexp.MustCompile(`^cvm\.(intl\.|[a-z0-9-]+-fsi\.)?tencentcloudapi\.com$`)
	f.Fuzz(func(t *testing.T, site, region, endpoint string) {
		var to *url.URL
		fleet, err := tencent.NewFleet(tencent.Config{
			Credentials: tencent.Static("id", "key", ""), Site: site, Endpoint: endpoint,
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) { to = r.URL; return nil, errors.New("seen") }),
		}, region)
		if err != nil {
			if !errors.Is(err, rotation.ErrConfig) {
				t.Errorf("NewFleet = %v; want an ErrConfig", err)
			}
			return
		}
		_, _ = fleet.Start(t.Context(), machines("ins-00000001"))
		switch {
		case to == nil:
			return // refused before it was sent
		case to.User != nil || to.RawQuery != "" || to.Fragment != "" || strings.Trim(to.Path, "/") != "":
			t.Errorf("site %q, region %q, endpoint %q: a request went to %s", site, region, endpoint, to)
		case endpoint == "" && (to.Scheme != "https" || !own.MatchString(to.Host)):
			t.Errorf("site %q, region %q: a request went to %s", site, region, to)
		case to.Scheme == "http" && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(endpoint)), "http://") && !isLoopback(to.Hostname()):
			t.Errorf("endpoint %q: a request went to %s in the clear", endpoint, to)
		}
	})
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "::ffff:127.") || strings.HasPrefix(host, "::ffff:7f")
}
