package tencent_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

const (
	region = "ap-guangzhou"
	// canary is a compliant password whose every piece would be recognised in an error. The forms that JSON and URLs
	// give it differ from it.
	canary = `Canary&24<Xy>%Zq7`
)

// A world is a simulated cloud behind HTTP and the drivers for its first region.
type world struct {
	*tencentsim.Cloud
	t     *testing.T
	cfg   tencent.Config
	calls *rotation.Calls
	fleet *tencent.Fleet
	shelf *tencent.Shelf
}

func open(t *testing.T, sim tencentsim.Config) *world {
	t.Helper()
	cloud, err := tencentsim.New(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	w := &world{Cloud: cloud, t: t, calls: &rotation.Calls{}}
	w.cfg = tencent.Config{
		Credentials: tencent.Static(tencentsim.DemoSecretID, tencentsim.DemoSecretKey, ""),
		Endpoint:    server.URL, Calls: w.calls, Transport: server.Client().Transport,
	}
	w.connect()
	return w
}

// connect makes new drivers, as a further invocation would.
func (w *world) connect() {
	w.t.Helper()
	w.fleet, w.shelf = drivers(w.t, w.cfg)
}

func drivers(t testing.TB, cfg tencent.Config) (*tencent.Fleet, *tencent.Shelf) {
	t.Helper()
	fleet, err := tencent.NewFleet(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := tencent.NewShelf(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	return fleet, shelf
}

// describe returns the machines with these ids, in the order of ids.
func (w *world) describe(ids ...string) []rotation.Instance {
	w.t.Helper()
	found, err := w.fleet.Describe(w.t.Context(), rotation.Selector{IDs: ids})
	if err != nil || len(found) != len(ids) {
		w.t.Fatalf("Describe(%d ids) = %d machines, %v", len(ids), len(found), err)
	}
	return found
}

// machine is the simulated machine as it truly is.
func (w *world) machine(id string) tencentsim.Machine {
	w.t.Helper()
	for _, m := range w.Machines() {
		if m.ID == id {
			return m
		}
	}
	w.t.Fatalf("no machine %s", id)
	return tencentsim.Machine{}
}

// stopped adds n machines that are off, and returns them as described.
func (w *world) stopped(n int) []rotation.Instance {
	w.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = w.Add(tencentsim.Machine{State: "STOPPED"})
	}
	return w.describe(ids...)
}

// observe looks until the operation has ended on its only machine.
func (w *world) observe(op rotation.Operation) rotation.Result {
	w.t.Helper()
	for range 200 {
		results, err := w.fleet.Observe(w.t.Context(), []rotation.Operation{op})
		if err != nil || len(results) != 1 {
			w.t.Fatalf("Observe(%v) = %v, %v", op, results, err)
		}
		if s := results[0].State; s == rotation.Done || s == rotation.Failed {
			return results[0]
		}
		if err := (rotation.SystemClock{}).Wait(w.t.Context(), 10*time.Millisecond); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("%s %s does not end", op.Kind, op.RequestID)
	return rotation.Result{}
}

// credential is a new password for the machines' own administrators.
func credential(password string) rotation.Credential {
	return rotation.Credential{Password: rotation.NewPassword(password)}
}

// A stub answers every request by a function, without a network.
type stub func(action, body string) (status int, answer string)

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer := s(r.Header.Get("X-TC-Action"), string(body))
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Location": {"http://elsewhere.example/"}},
		Body:   io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// stubbed are the drivers over a stub.
func stubbed(t testing.TB, s stub) (*tencent.Fleet, *tencent.Shelf) {
	t.Helper()
	return drivers(t, stubConfig(s))
}

const requestID = "6ef60bec-0242-43af-bb20-270359fb54a7"

// failing is a stub that answers everything with an error of the API.
func failing(code, message string) stub {
	return func(string, string) (int, string) { return 200, failure(code, message) }
}

// failure is an error as the API answers it.
func failure(code, message string) string {
	text, err := json.Marshal(map[string]any{"Response": map[string]any{
		"Error": map[string]string{"Code": code, "Message": message}, "RequestId": requestID,
	}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// machines are batch members that were never described.
func machines(ids ...string) []rotation.Instance {
	all := make([]rotation.Instance, len(ids))
	for i, id := range ids {
		all[i] = rotation.Instance{ID: id, Region: region}
	}
	return all
}

// stubConfig is the configuration of drivers over a stub.
func stubConfig(s stub) tencent.Config {
	return tencent.Config{Credentials: tencent.Static("id", "key", ""), Endpoint: "127.0.0.1:1", Transport: s}
}
