package huaweisim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// FuzzRequest: whatever a client sends under a good signature, once and again, it gets an answer of the API, a machine's
// password changes by a reset alone, and no version's value changes. {project} in a path is the region's.
func FuzzRequest(f *testing.F) {
	const id = "0a1b2c3d-0000-4000-8000-000000000001"
	const servers, secrets = "/v1/{project}/cloudservers", "/v1/{project}/secrets"
	const demo = secrets + "/" + huaweisim.DemoSecret
	for _, seed := range [][3]string{
		{"GET", servers + "/detail?limit=0&offset=-1&tags=rotate%3Dyes,,=&server_id=", ""},
		{"GET", servers + "/detail?server_id=" + id + ",x,,&not-tags=%zz&limit=1&limit=2", ""},
		{"GET", servers + "/detail?offset=1073741824&limit=1000&marker=x", ""},
		{"PUT", servers + "/os-reset-passwords", `{"new_password":"Another.2025-Xy","dry_run":false,"servers":[{"id":"` + id + `"}]}`},
		{"PUT", servers + "/os-reset-passwords", `{"new_password":"Another.2025-Xy","dry_run":true,"servers":[{"id":"` + id + `","userdata":null},{"id":"x"}]}`},
		{"PUT", servers + "/os-reset-passwords", `{"new_password":null,"servers":[null,{}]}`},
		{"GET", servers + "/" + id + "/os-resetpwd-flag", ""},
		{"POST", servers + "/action", `{"reboot":{"type":"SOFT","servers":[{"id":"` + id + `"}]}}`},
		{"POST", servers + "/action", `{"os-stop":{"type":"HARD","servers":[]},"os-start":null}`},
		{"POST", servers + "/action", `{"os-start":null}`},
		{"GET", "/v1/{project}/jobs/x", ""},
		{"POST", servers + "/" + id + "/tags/action", `{"action":"create","tags":[{"key":"k","value":"v"},null]}`},
		{"POST", servers + "/" + id + "/tags/action", `{"action":"delete","tags":[{"key":"rotate"}]}`},
		{"GET", servers + "/none/tags", ""},
		{"POST", secrets, `{"name":"n","secret_string":"s","kms_key_id":null}`},
		{"GET", secrets + "?limit=x&marker=", ""},
		{"GET", demo, ""},
		{"POST", demo + "/versions", `{"secret_string":"x","version_stages":["g00000001","SYSCURRENT",""]}`},
		{"GET", demo + "/versions?limit=-1&marker=v9", ""},
		{"GET", demo + "/versions/v1", ""},
		{"GET", demo + "/stages/SYSCURRENT", ""},
		{"PUT", demo + "/stages/SYSCURRENT", `{"version_id":"v9"}`},
		{"DELETE", demo + "/stages/SYSCURRENT", ""},
		{"POST", "/v1/0/secrets", `null`},
		{"POST", "//%2f/../?;&%", `[`},
	} {
		f.Add(seed[0], seed[1], seed[2], "")
	}
	f.Add("GET", servers+"/detail", "", "SDK-HMAC-SHA256 Access=a, SignedHeaders=;x-sdk-date, Signature=x")
	f.Fuzz(func(t *testing.T, method, path, body, authorization string) {
		cloud, err := huaweisim.New(huaweisim.Config{Scale: 1e-6})
		if err != nil {
			t.Fatal(err)
		}
		defer cloud.Close()
		cloud.Add(huaweisim.Machine{ID: id, Region: region, Status: "SHUTOFF", Tags: map[string]string{"rotate": "yes"}})
		path = strings.ReplaceAll(path, "{project}", cloud.Project(region))
		before, machine := cloud.Secret(huaweisim.DemoSecret), cloud.Machines()[0]
		for try := 1; try <= 2; try++ {
			r, err := http.NewRequest(method, "http://ecs.example"+path, strings.NewReader(body))
			if err != nil || !strings.HasPrefix(path, "/") || r.URL.Path == "/healthz" || !sendable(authorization) {
				return // a client that cannot send it, or no API
			}
			r.Header.Set("X-Sdk-Date", time.Now().UTC().Format("20060102T150405Z"))
			cloud.Sign(r, body, "host", "x-sdk-date")
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			answered(t, cloud, r, body)
			log := cloud.Requests()
			if len(log) != try {
				t.Fatalf("%d requests are in the log; want %d", len(log), try)
			}
			last := log[len(log)-1]
			if m := cloud.Machines()[0]; (m.Password != machine.Password || m.Pending != machine.Pending) && (last.Action != "BatchResetServersPassword" || !last.Applied) {
				t.Errorf("%s %s %s: code %q, and the password changed", method, path, body, last.Code)
			} else {
				machine = m
			}
			after := cloud.Secret(huaweisim.DemoSecret)
			for version, value := range before {
				if after[version] != value {
					t.Errorf("%s %s %s: version %s was %q and is %q", method, path, body, version, value, after[version])
				}
			}
			before = after
		}
	})
}

// answered sends a request and fails the test unless the answer is one of the API: a result, or an error in one of the forms
// of the gateway and the services.
func answered(t *testing.T, cloud *huaweisim.Cloud, r *http.Request, body string) {
	t.Helper()
	resp, err := cloud.Transport().RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s %s: %v; want an answer", r.Method, r.URL, body, err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("X-Request-Id") == "" {
		t.Fatalf("%s %s %s: %v, no request's id", r.Method, r.URL, body, err)
	}
	var answer struct {
		ErrorCode string `json:"error_code"`
		Message   string `json:"error_msg"`
		Error     struct{ Code, Message string }
		Code      string
		Said      string `json:"message"`
	}
	whole := json.Unmarshal(text, &answer) == nil
	fault := whole && (answer.ErrorCode != "" && answer.Message != "" || answer.Error.Code != "" && answer.Error.Message != "" || answer.Code != "" && answer.Said != "")
	done := resp.StatusCode/100 == 2 && !fault && (whole || len(text) == 0)
	if refused := resp.StatusCode >= 400 && fault; done == refused {
		t.Errorf("%s %s %s: %d %s; want a result or an error of the API", r.Method, r.URL, body, resp.StatusCode, text)
	}
	if r.Header.Get("Authorization") == "" && done {
		t.Errorf("%s %s %s: it is taken without a signature", r.Method, r.URL, body)
	}
}

// sendable reports whether net/http would send a header with this value.
func sendable(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
