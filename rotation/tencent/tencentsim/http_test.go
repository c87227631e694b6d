package tencentsim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// serve opens a cloud behind a real server, with the SDK's clients talking to it.
func serve(t *testing.T, cfg tencentsim.Config) (*world, *httptest.Server) {
	t.Helper()
	cloud, err := tencentsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(func() { server.Close(); cloud.Close() })
	return connect(t, cloud, server.Client().Transport, strings.TrimPrefix(server.URL, "http://"), region,
		common.NewCredential(tencentsim.DemoSecretID, tencentsim.DemoSecretKey)), server
}

func TestSDKRotatesAMachineOverHTTP(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	wantCode(t, w.create("http", "g1", password), "")
	stored, err := w.get("http", "g1")
	if err != nil {
		t.Fatal(err)
	}
	requestID, err := w.forceReset(stored, id)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; wait(30 * time.Millisecond) {
		i := w.shown(t, id)
		if i.LatestOperationRequestId != nil && *i.LatestOperationRequestId == requestID && *i.LatestOperationState == "SUCCESS" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the reset does not end")
		}
	}
	if got := w.machine(t, id).Password; got != password {
		t.Errorf("password = %q", got)
	}
	wantCode(t, w.attach("relock", "1.ok", id), "")
}

func TestFaultsOverHTTP(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, tencentsim.Config{Scale: 1})
	w.FailNext("PutSecretValue", 1, "lost-reply")
	wantCode(t, w.put(tencentsim.DemoSecret, "v1", "x"), "ClientError.NetworkError")
	wantCode(t, w.put(tencentsim.DemoSecret, "v1", "x"), "ResourceInUse.VersionIdExists")
	w.FailNext("PutSecretValue", 1, "cut")
	wantCode(t, w.put(tencentsim.DemoSecret, "v2", "x"), "ClientError.NetworkError")
	wantCode(t, w.put(tencentsim.DemoSecret, "v2", "x"), "")
	w.FailNext("PutSecretValue", 1, "bad-gateway")
	err := w.put(tencentsim.DemoSecret, "v3", "x")
	wantCode(t, err, "ClientError.ParseJsonError")
	if !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("error %v does not show the page", err)
	}

	w.FailNext("DescribeInstances", 1, "slow")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = w.cvm.DescribeInstancesWithContext(ctx, cvm.NewDescribeInstancesRequest())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow answer: %v; want the deadline", err)
	}
}

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	w, server := serve(t, tencentsim.Config{})
	for _, tc := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/elsewhere", 404, ""},
		{"GET", "/", 200, "UnsupportedProtocol"},
		{"POST", "/", 200, "AuthFailure.InvalidAuthorization"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tc.status || !strings.Contains(string(body), tc.body) {
			t.Errorf("%s %s = %d %s; want %d %s", tc.method, tc.path, resp.StatusCode, body, tc.status, tc.body)
		}
	}
	if got := len(w.Requests()); got != 2 {
		t.Errorf("%d requests logged; want 2: no health checks", got)
	}
}

func TestRequestsLargerThanTenMegabytesAreRefused(t *testing.T) {
	t.Parallel()
	c, err := tencentsim.New(tencentsim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := goodSigner()
	s.body = `{"x":"` + strings.Repeat("x", 10<<20) + `"}`
	if got, _ := send(t, c, s.request()); got != "RequestSizeLimitExceeded" {
		t.Errorf("code = %q; want RequestSizeLimitExceeded", got)
	}
}

func TestUnsignedPayloadIsAccepted(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	s := goodSigner()
	s.body, s.sentBody = "UNSIGNED-PAYLOAD", `{"Limit":1}`
	s.header = http.Header{"X-Tc-Content-Sha256": {"UNSIGNED-PAYLOAD"}}
	if got, _ := send(t, w.Cloud, s.request()); got != "" {
		t.Errorf("code = %q; want success", got)
	}
}
