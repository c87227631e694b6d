package huaweisim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func TestOnlyTheRightKeysAreAccepted(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Token: "session"})
	project := w.Project(region)
	for _, tc := range []struct {
		name string
		keys keys
		code string
	}{
		{"right", keys{token: "session", project: project}, ""},
		{"no token", keys{project: project}, "APIGW.0301"},
		{"another token", keys{token: "other", project: project}, "APIGW.0301"},
		{"another key", keys{access: "OTHER", token: "session", project: project}, "APIGW.0301"},
		{"another secret", keys{secret: "other", token: "session", project: project}, "APIGW.0301"},
		{"nobody's project", keys{token: "session", project: strings.Repeat("0", 32)}, "APIGW.0301"},
	} {
		c := connect(t, w.Cloud, tc.keys)
		_, err := c.list(&model.ListServersDetailsRequest{Tags: ptr("rotate=yes, a b"), Limit: ptr[int32](5)})
		if got := code(err); got != tc.code {
			t.Errorf("%s: %q (%v); want %q", tc.name, got, err, tc.code)
		}
		if tc.code != "" && c.last.status != 401 {
			t.Errorf("%s: HTTP %d; want 401", tc.name, c.last.status)
		}
	}
}

// The example of https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-004.html, with its keys, time
// and path.
func TestTheGuidesExampleIsAuthentic(t *testing.T) {
	t.Parallel()
	const signature = "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
	at := time.Date(2019, 11, 15, 3, 36, 55, 0, time.UTC)
	for _, tc := range []struct {
		name, access, signature string
		now                     time.Time
		path, says              string
	}{
		{"as printed", "QTWAOYTTINDUT2QVKYUC", signature, at, "", ""},
		{"another signature", "QTWAOYTTINDUT2QVKYUC", "8" + signature[1:], at, "", "signature"},
		{"another path", "QTWAOYTTINDUT2QVKYUC", signature, at, "x", "signature"},
		{"another key", "QTWAOYTTINDUT2QVKYUX", signature, at, "", "access key"},
		{"late", "QTWAOYTTINDUT2QVKYUC", signature, at.Add(16 * time.Minute), "", "expired"},
		{"early", "QTWAOYTTINDUT2QVKYUC", signature, at.Add(-16 * time.Minute), "", "expired"},
		{"just in time", "QTWAOYTTINDUT2QVKYUC", signature, at.Add(14 * time.Minute), "", ""},
	} {
		cloud, err := huaweisim.New(huaweisim.Config{AccessKey: "QTWAOYTTINDUT2QVKYUC", SecretKey: "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
			Now: func() time.Time { return tc.now }})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "http://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"+tc.path+
			"?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0", nil)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Sdk-Date", "20191115T033655Z")
		r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+tc.access+", SignedHeaders=content-type;host;x-sdk-date, Signature="+tc.signature)
		if why := cloud.Unauthentic(r); (why == "") != (tc.says == "") || !strings.Contains(why, tc.says) {
			t.Errorf("%s: %q; want %q", tc.name, why, tc.says)
		}
	}
}

func TestTheDateHasToBeSigned(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	r := httptest.NewRequest(http.MethodGet, "http://ecs.example/v1/p/cloudservers/detail", nil)
	r.Header.Set("X-Sdk-Date", time.Now().UTC().Format("20060102T150405Z"))
	if w.Sign(r, "", "host", "x-sdk-date"); w.Unauthentic(r) != "" {
		t.Errorf("signed: %s", w.Unauthentic(r))
	}
	if w.Sign(r, "", "host"); w.Unauthentic(r) == "" {
		t.Error("a date that is not signed is taken")
	}
}

func TestTheProjectIsThatOfThePath(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	for project, want := range map[string]int{"": 200, w.Project(region): 200, w.Project("cn-east-3"): 401} {
		r := httptest.NewRequest(http.MethodGet, "http://ecs.example/v1/"+w.Project(region)+"/cloudservers/detail", nil)
		r.Header.Set("X-Sdk-Date", time.Now().UTC().Format("20060102T150405Z"))
		r.Header.Set("X-Project-Id", project)
		w.Sign(r, "", "host", "x-project-id", "x-sdk-date")
		response, err := w.Transport().RoundTrip(r)
		if err != nil || response.StatusCode != want {
			t.Errorf("X-Project-Id %q: HTTP %v, %v; want %d", project, response, err, want)
		}
	}
}

func TestWhatIsNotSignedIsNotAccepted(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	w.Add(huaweisim.Machine{})
	sent := make(chan *http.Request, 1)
	w.last.next = tap{sent, w.Transport()}
	if _, err := w.list(&model.ListServersDetailsRequest{Limit: ptr[int32](5)}); err != nil {
		t.Fatal(err)
	}
	good := <-sent
	for name, spoil := range map[string]func(*http.Request){
		"nothing":                 func(*http.Request) {},
		"a parameter":             func(r *http.Request) { r.URL.RawQuery += "&name=x" },
		"a signed header":         func(r *http.Request) { r.Header.Set("User-Agent", "other") },
		"the date":                func(r *http.Request) { r.Header.Set("X-Sdk-Date", "nonsense") },
		"no authorization":        func(r *http.Request) { r.Header.Del("Authorization") },
		"another algorithm":       func(r *http.Request) { edit(r, "SDK-HMAC-SHA256", "SDK-HMAC-SM3") },
		"a date that is unsigned": func(r *http.Request) { edit(r, ";x-sdk-date", "") },
	} {
		r := good.Clone(t.Context())
		r.Body = http.NoBody
		spoil(r)
		response, err := w.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusUnauthorized
		if name == "nothing" {
			want = http.StatusOK
		}
		if response.StatusCode != want {
			t.Errorf("%s changed: HTTP %d; want %d", name, response.StatusCode, want)
		}
	}
}

func edit(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

// A tap copies a request on its way.
type tap struct {
	to   chan *http.Request
	next http.RoundTripper
}

func (t tap) RoundTrip(r *http.Request) (*http.Response, error) {
	t.to <- r.Clone(r.Context())
	return t.next.RoundTrip(r)
}

// A swap changes a request's body on its way.
type swap struct {
	next     http.RoundTripper
	from, to string
}

func (s swap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), s.from, s.to)))
	return s.next.RoundTrip(r)
}

func TestABodyIsSigned(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{})
	w.last.next = swap{w.Transport(), "Another.2025-Xy", "Another.2025-Xz"}
	_, err := w.reset(password, id)
	wantCode(t, err, "APIGW.0301")
	if w.machine(t, id).Pending != "" {
		t.Error("a forged body has an effect")
	}
}

func TestClocksMayDifferByAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]string{14 * time.Minute: "", -14 * time.Minute: "", 16 * time.Minute: "APIGW.0301", -16 * time.Minute: "APIGW.0301"} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Now: func() time.Time { return time.Now().Add(skew) }})
			_, err := w.list(&model.ListServersDetailsRequest{})
			wantCode(t, err, want)
		})
	}
}
