package huaweisim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func TestItIsServedOverHTTP(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	server := httptest.NewServer(w.Cloud)
	defer server.Close()
	w.last.next = through(server.URL)
	id := w.Add(huaweisim.Machine{})
	if s := w.listed(t, id); s.Status != "ACTIVE" {
		t.Errorf("%+v", s)
	}
	w.FailNext("BatchResetServersPassword", 1, "cut") // Go repeats a GET by itself
	_, err := w.reset(password, id)
	wantCode(t, err, "network")
	response, err := http.Get(server.URL + "/healthz")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v, %v", response, err)
	}
	response.Body.Close()
}

// through sends requests for any host to a server, with the host that was signed.
type through string

func (to through) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Host = strings.TrimPrefix(string(to), "http://")
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhatIsNoAPIIsNotFound(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	for _, request := range []string{"GET /", "GET /v1/p/cloudservers", "POST /v1/p/cloudservers/action", "DELETE /v1/p/secrets/s", "GET /v2/p/secrets"} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, "http://ecs.example"+path, strings.NewReader(`{"os-delete":{}}`))
		response, err := w.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"error_code":"APIGW.0101"`) || response.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: HTTP %d, %s", request, response.StatusCode, body)
		}
	}
}

func TestEveryRequestIsToldOfTwice(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{})
	var before, after []string
	w.OnRequest(func(r huaweisim.Request, done bool) {
		if !done {
			before = append(before, r.Action)
			return
		}
		if r.Action == "BatchResetServersPassword" && w.machine(t, id).Pending != password {
			t.Error("told of the effect before it")
		}
		after = append(after, r.Action+" "+r.Service)
	})
	w.reset(password, id)
	w.tag(id, "k", "v")
	w.untag(id, "k")
	w.stop(false, id)
	if got, want := strings.Join(before, ","), "BatchResetServersPassword,BatchCreateServerTags,BatchDeleteServerTags,BatchStopServers"; got != want {
		t.Errorf("before: %s; want %s", got, want)
	}
	if got, want := strings.Join(after, ","), "BatchResetServersPassword ecs,BatchCreateServerTags ecs,BatchDeleteServerTags ecs,BatchStopServers ecs"; got != want {
		t.Errorf("after: %s; want %s", got, want)
	}
	for _, r := range w.Requests() {
		if r.IDs != 1 || !r.Applied || r.ID == "" {
			t.Errorf("log %+v", r)
		}
	}
}
