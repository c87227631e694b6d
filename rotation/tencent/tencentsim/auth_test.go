package tencentsim_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A signer signs a request by hand, so that it can be signed wrong.
type signer struct {
	id, key, token          string
	service, version        string
	action, region          string
	body                    string
	at                      time.Time
	scopeDate               string   // empty means at's
	signed                  []string // empty means content-type and host
	header                  http.Header
	sentBody, authorization string // empty means the right ones
}

func goodSigner() signer {
	return signer{id: tencentsim.DemoSecretID, key: tencentsim.DemoSecretKey, service: "cvm", version: "2017-03-12",
		action: "DescribeInstances", region: region, body: `{"Limit":1}`, at: time.Now()}
}

func (s signer) request() *http.Request {
	if len(s.signed) == 0 {
		s.signed = []string{"content-type", "host"}
	}
	if s.scopeDate == "" {
		s.scopeDate = s.at.UTC().Format(time.DateOnly)
	}
	if s.sentBody == "" {
		s.sentBody = s.body
	}
	r, err := http.NewRequest(http.MethodPost, "http://cvm.example/", strings.NewReader(s.sentBody))
	if err != nil {
		panic(err)
	}
	stamp := fmt.Sprint(s.at.Unix())
	r.Header = http.Header{}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-TC-Action": s.action,
		"X-TC-Version": s.version, "X-TC-Region": s.region, "X-TC-Timestamp": stamp, "X-TC-Token": s.token} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	var canonical strings.Builder
	for _, name := range s.signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		canonical.WriteString(name + ":" + strings.ToLower(value) + "\n")
	}
	scope := s.scopeDate + "/" + s.service + "/tc3_request"
	toSign := "TC3-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" +
		hash("POST\n/\n\n"+canonical.String()+"\n"+strings.Join(s.signed, ";")+"\n"+hash(s.body))
	key := sum(sum(sum([]byte("TC3"+s.key), s.scopeDate), s.service), "tc3_request")
	if s.authorization == "" {
		s.authorization = "TC3-HMAC-SHA256 Credential=" + s.id + "/" + scope + ", SignedHeaders=" +
			strings.Join(s.signed, ";") + ", Signature=" + hex.EncodeToString(sum(key, toSign))
	}
	r.Header.Set("Authorization", s.authorization)
	for name, values := range s.header {
		r.Header[name] = values
	}
	return r
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func sum(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// send returns the error code answered and whether there was a RequestId.
func send(t *testing.T, c *tencentsim.Cloud, r *http.Request) (code string, hasID bool) {
	t.Helper()
	resp, err := c.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v; want 200 whatever the error is", resp.StatusCode, err)
	}
	var envelope struct {
		Response struct {
			Error     struct{ Code, Message string }
			RequestId string
		}
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&envelope); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return envelope.Response.Error.Code, envelope.Response.RequestId != ""
}

func TestRequestsThatAreNotAuthenticOrNotKnownAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(*signer)
		want string
	}{
		{"good", func(s *signer) {}, ""},
		{"more headers signed", func(s *signer) { s.signed = []string{"content-type", "host", "x-tc-action"} }, ""},
		{"wrong key", func(s *signer) { s.key = "wrong" }, "AuthFailure.SignatureFailure"},
		{"wrong id", func(s *signer) { s.id = "AKIDwrong" }, "AuthFailure.SecretIdNotFound"},
		{"body changed", func(s *signer) { s.sentBody = `{"Limit":2}` }, "AuthFailure.SignatureFailure"},
		{"host not signed", func(s *signer) { s.signed = []string{"content-type"} }, "AuthFailure.SignatureFailure"},
		{"other day's scope", func(s *signer) { s.scopeDate = "2001-02-03" }, "AuthFailure.SignatureFailure"},
		{"five minutes old", func(s *signer) { s.at = s.at.Add(-5*time.Minute - 2*time.Second) }, "AuthFailure.SignatureExpire"},
		{"five minutes early", func(s *signer) { s.at = s.at.Add(5*time.Minute + 2*time.Second) }, "AuthFailure.SignatureExpire"},
		{"within five minutes", func(s *signer) { s.at = s.at.Add(-4 * time.Minute) }, ""},
		{"no signature", func(s *signer) { s.authorization = "none" }, "AuthFailure.InvalidAuthorization"},
		{"other scheme", func(s *signer) { s.authorization = "TC3-HMAC-SHA256 Credential=a/b" }, "AuthFailure.InvalidAuthorization"},
		{"no timestamp", func(s *signer) { s.header = http.Header{"X-Tc-Timestamp": nil} }, "MissingParameter"},
		{"unknown action", func(s *signer) { s.action = "DescribeEverything" }, "InvalidAction"},
		{"action of another service", func(s *signer) { s.action = "GetSecretValue" }, "InvalidAction"},
		{"unknown service", func(s *signer) { s.service = "cbs" }, "InvalidAction"},
		{"wrong version", func(s *signer) { s.version = "2019-09-23" }, "NoSuchVersion"},
		{"no version", func(s *signer) { s.version = "" }, "MissingParameter"},
		{"unknown region", func(s *signer) { s.region = "mars-north-1" }, "UnsupportedRegion"},
		{"no region", func(s *signer) { s.region = "" }, "MissingParameter"},
		{"unknown parameter", func(s *signer) { s.body = `{"limit":1}` }, "UnknownParameter"},
		{"unknown nested parameter", func(s *signer) { s.body = `{"Filters":[{"Key":"zone"}]}` }, "UnknownParameter"},
		{"wrong type", func(s *signer) { s.body = `{"Limit":"1"}` }, "InvalidParameter"},
		{"no JSON", func(s *signer) { s.body = `Limit=1` }, "InvalidParameter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := tencentsim.New(tencentsim.Config{})
			if err != nil {
				t.Fatal(err)
			}
			s := goodSigner()
			tc.edit(&s)
			got, hasID := send(t, c, s.request())
			if got != tc.want || !hasID {
				t.Errorf("code = %q, has a RequestId = %v; want %q, true", got, hasID, tc.want)
			}
			if log := c.Requests(); len(log) != 1 || log[0].Code != tc.want || log[0].Applied != (tc.want == "") {
				t.Errorf("log = %+v; want one entry with code %q", log, tc.want)
			}
		})
	}
}

func TestTokenIsRequiredWhenConfigured(t *testing.T) {
	t.Parallel()
	c, err := tencentsim.New(tencentsim.Config{SecretID: "AKIDtemp", SecretKey: "key", Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"token": "", "other": "AuthFailure.TokenFailure", "": "AuthFailure.TokenFailure"} {
		w := connect(t, c, c.Transport(), "x.example", region, common.NewTokenCredential("AKIDtemp", "key", token))
		_, err := w.filtered()
		wantCode(t, err, want)
	}
}

func TestSignatureSkewFollowsTheClock(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	c, err := tencentsim.New(tencentsim.Config{Now: func() time.Time { return later }})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := send(t, c, goodSigner().request()); got != "AuthFailure.SignatureExpire" {
		t.Errorf("code an hour late = %q; want AuthFailure.SignatureExpire", got)
	}
}

func TestConfigThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, cfg := range []tencentsim.Config{
		{Instances: -1},
		{KeyPairs: -1},
		{Scale: -1},
		{Rates: -1},
		{Regions: []string{"ap-tokyo", "ap-tokyo"}},
		{Faults: tencentsim.Faults{"earthquake": 1}},
		{Faults: tencentsim.Faults{"cut": 2}},
	} {
		if _, err := tencentsim.New(cfg); err == nil {
			t.Errorf("New(%+v) succeeded", cfg)
		}
	}
}

func TestLogNamesActionsAndNeverValues(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{State: "STOPPED"})
	var told []string
	w.OnRequest(func(r tencentsim.Request, after bool) {
		told = append(told, fmt.Sprintf("%s %v %v", r.Action, after, r.Applied))
		w.Machines() // a hook may look at the world
	})
	requestID, err := w.reset(password, id)
	if err != nil {
		t.Fatal(err)
	}
	w.OnRequest(nil)
	want := []string{"ResetInstancesPassword false false", "ResetInstancesPassword true true"}
	if !slices.Equal(told, want) {
		t.Errorf("hook was told %q; want %q", told, want)
	}
	log := w.Requests()
	if len(log) != 1 || log[0].ID != requestID || log[0].IDs != 1 || log[0].Region != region || log[0].Service != "cvm" {
		t.Errorf("log = %+v", log)
	}
	if strings.Contains(fmt.Sprintf("%+v", log), password) {
		t.Error("the log holds the password")
	}
}
