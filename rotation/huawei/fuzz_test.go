package huawei_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// FuzzServersAnswer: whatever the provider answers, no machine is described that is not meant, and a reset is never seen to
// be done: the provider keeps no record of that.
func FuzzServersAnswer(f *testing.F) {
	server := func(id, fields string) string {
		return `{"id":"` + id + `","status":"ACTIVE","name":"web","tags":["rotate=yes"]` + fields + `}`
	}
	for _, servers := range []string{
		server(one, `,"metadata":{"os_type":"Windows"},"key_name":"k"`), server(two, ""), server(one, "") + "," + server(one, `,"tags":["x"]`),
		server(one, `,"addresses":{"v":[{"addr":"10.0.0.5","version":"4","OS-EXT-IPS:type":"fixed"},{"addr":"::","version":"6"}]}`),
		server(one, `,"tags":["rotate","=","rotate=yes=no"],"OS-EXT-STS:task_state":"rebooting","created":"x"`), `{"id":"` + one + `"}`, `null`,
	} {
		f.Add(200, `{"count":1,"servers":[`+servers+`]}`)
	}
	f.Add(200, `{"count":-1,"servers":null}`)
	f.Add(404, `{"error":{"code":"Ecs.0114","message":"x"}}`)
	f.Add(502, `<html>`)
	scope := rotation.Selector{IDs: []string{one}, Tags: map[string][]string{"rotate": {"yes"}}}
	operation := rotation.Operation{Kind: rotation.OpReset, Instances: []string{one}, RequestID: requestID}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		synctest.Test(t, func(t *testing.T) { // what fails is read again after a while
			fleet, _ := stubbed(t, answering(status, body))
			found, err := fleet.Describe(t.Context(), scope)
			if err != nil && len(found) > 0 || len(found) > 1 {
				t.Errorf("Describe = %d machines, %v", len(found), err)
			}
			for _, inst := range found {
				if !scope.Matches(inst.ID, inst.Tags) || inst.Terms.Rules == nil || inst.Region != region {
					t.Errorf("Describe found %+v", inst)
				}
			}
			results, err := fleet.Observe(t.Context(), []rotation.Operation{operation})
			if err != nil && len(results) > 0 {
				t.Errorf("Observe = %v, %v", results, err)
			}
			for _, r := range results {
				if r.Instance != one || r.State == rotation.Done || r.State == rotation.Failed {
					t.Errorf("Observe = %+v", r)
				}
			}
		})
	})
}

// known are the codes in a form that the provider's tables have.
var known = regexp.MustCompile(`^(Ecs\.[0-9]{4}|CSMS\.[0-9]{4}|APIGW?\.[0-9]{4}|[A-Z0-9]{3,4}\.[0-9]{4,7}|4[0-9]{2})$`)

// FuzzResetAnswer: only a code of the tables says that a reset was not applied, only an answer that names the machine that
// it was, no machine of another batch is refused, and no answer brings the password into an error.
func FuzzResetAnswer(f *testing.F) {
	for _, code := range []string{"Ecs.0005", "Ecs.0003", "Ecs.0011", "Ecs.0100", "Ecs.0611", "APIGW.0308", "Ecs.0005x", "ecs.0005", "429", "CSMS.0106", canary} {
		for _, body := range forms(code) {
			f.Add(400, body, "")
		}
		f.Add(400, fmt.Sprintf(partial, code), "")
	}
	f.Add(200, `{"response":[{"id":"`+one+`"},null]}`, "")
	f.Add(200, `{"response":[{"id":"`+two+`"}]}`, "")
	f.Add(200, `{"response":"`, `"}`)
	f.Add(400, `{"error":{"code":"Ecs.0005","message":"`, `"}}`)
	f.Add(302, "", "<html>")
	f.Fuzz(func(t *testing.T, status int, head, tail string) {
		if status < 200 || status > 599 {
			return
		}
		body := head + canary + tail
		if tail == "" {
			body = head
		}
		fleet, _ := stubbed(t, answering(status, body))
		_, err := fleet.Reset(t.Context(), machines(one), credential(canary))
		if err == nil {
			if status > 299 || !strings.Contains(body, one) && !strings.Contains(body, `\u`) {
				t.Errorf("%d %q is taken for a success", status, body)
			}
			return
		}
		rotationtest.ShowsNothing(t, canary, "reset", err, canary)
		var refused *rotation.RefusedError
		if errors.As(err, &refused) {
			for id := range refused.Machines {
				if id != one {
					t.Errorf("%s is refused, which was not asked for", id)
				}
			}
		}
		if rotation.DefinitelyNotApplied(err) && !anyKnown(body) {
			t.Errorf("%d %q is taken for one after which nothing happened: %v", status, body, err)
		}
	})
}

// anyKnown reports whether one of the words of a body is in the form of a code.
func anyKnown(body string) bool {
	for word := range strings.FieldsFuncSeq(body, func(r rune) bool { return strings.ContainsRune("\"{}[]:, \t\r\n", r) }) {
		if known.MatchString(word) || strings.Contains(word, `\u`) {
			return true
		}
	}
	return false
}

// FuzzHost: requests go to the configured endpoint, or else to Huawei Cloud's own hosts, and never in the clear there.
func FuzzHost(f *testing.F) {
	for _, region := range []string{region, "evil.example/-x", "a.b-c", "cn-north-4#-x", "cn-north-4@evil.example", ""} {
		for _, endpoint := range []string{"", "http://127.0.0.1:1", "localhost:1/", "api.example", "http://u:p@h", "h?x", "127.0.0.1.evil.example:80"} {
			f.Add(region, endpoint)
		}
	}
	own := regexp.MustCompile(`^ecs\.[a-z0-9-]+\.myhuaweicloud\.com$`)
	f.Fuzz(func(t *testing.T, region, endpoint string) {
		var to *url.URL
		cfg := stubConfig(roundTrip(func(r *http.Request) (*http.Response, error) { to = r.URL; return nil, errors.New("seen") }))
		cfg.Projects, cfg.Endpoint = map[string]string{region: project}, endpoint
		fleet, err := huawei.NewFleet(cfg, region)
		if err != nil {
			if !errors.Is(err, rotation.ErrConfig) {
				t.Errorf("NewFleet = %v; want an ErrConfig", err)
			}
			return
		}
		_, _ = fleet.Reset(t.Context(), machines(one), credential(canary))
		switch {
		case to == nil:
			return // refused before it was sent
		case to.User != nil || to.Fragment != "" || to.RawQuery != "":
			t.Errorf("region %q, endpoint %q: a request went to %s", region, endpoint, to)
		case endpoint == "" && (to.Scheme != "https" || !own.MatchString(to.Host)):
			t.Errorf("region %q: a request went to %s", region, to)
		case to.Scheme == "http" && !strings.HasPrefix(strings.ToLower(endpoint), "http://") && !strings.HasPrefix(to.Hostname(), "127.") && to.Hostname() != "localhost" && to.Hostname() != "::1":
			t.Errorf("endpoint %q: a request went to %s in the clear", endpoint, to)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
