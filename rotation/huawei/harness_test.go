package huawei_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
)

const (
	region  = "cn-north-4"
	project = "0123456789abcdef0123456789abcdef"
	one     = "616fb98f-46ca-475e-917e-2563e5a8cd19"
	two     = "516fb98f-46ca-475e-917e-2563e5a8cd12"
	// canary is a compliant password whose every piece would be recognised in an error. The forms that JSON and URLs
	// give it differ from it.
	canary    = `Canary%24:Xy=%Zq7/`
	requestID = "6ef60bec-0242-43af-bb20-270359fb54a7"
)

// An asked is a request as a stub sees it.
type asked struct{ method, path, query, body string }

// A stub answers every request by a function, without a network.
type stub func(asked) (status int, answer string)

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	status, answer := s(asked{r.Method, r.URL.Path, r.URL.RawQuery, string(body)})
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {requestID}, "Location": {"http://elsewhere.example/"}},
		Body:   io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// stubConfig is the configuration of drivers over a stub.
func stubConfig(s http.RoundTripper) huawei.Config {
	return huawei.Config{
		Credentials: huawei.Static("access", "secret", ""), Projects: map[string]string{region: project},
		Endpoint: "127.0.0.1:1", Transport: s,
	}
}

// stubbed are the drivers over a stub.
func stubbed(t testing.TB, s stub) (*huawei.Fleet, *huawei.Shelf) {
	t.Helper()
	return drivers(t, stubConfig(s))
}

func drivers(t testing.TB, cfg huawei.Config) (*huawei.Fleet, *huawei.Shelf) {
	t.Helper()
	fleet, err := huawei.NewFleet(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := huawei.NewShelf(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	return fleet, shelf
}

// answering is a stub that answers everything alike.
func answering(status int, answer string) stub {
	return func(asked) (int, string) { return status, answer }
}

// machines are batch members that were never described.
func machines(ids ...string) []rotation.Instance {
	all := make([]rotation.Instance, len(ids))
	for i, id := range ids {
		all[i] = rotation.Instance{ID: id, Region: region, LoginUser: "root", Terms: rotation.Terms{Rules: rotation.HuaweiLinux()}}
	}
	return all
}

func credential(password string) rotation.Credential {
	return rotation.Credential{Password: rotation.NewPassword(password)}
}
