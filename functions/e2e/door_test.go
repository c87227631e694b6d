package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A door is a way into a cloud, for one process or for several. It counts the calls, lets some of them go wrong, and
// listens for the witness: a password passes in the field that is made for it and nowhere else, and on to a machine only
// when the store holds it and has given it back.
type door struct {
	url     string
	cloud   http.Handler
	witness *witness
	heard   *output
	wrong   *output // what no test may find anything in

	mu    sync.Mutex
	calls []call
	plan  func(call) *trouble
	read  *sync.Map // passwords that the store gave back through this door, or one that shares it
}

// A call is one that leaves a process: a request to the cloud's API, or a login to a machine.
type call struct {
	n      int    // counted from 1, in the order of arrival
	action string // the API's, or login
	nth    int    // among those of the action
}

const login = "login"

// opening opens a door to a cloud until the test ends.
func (w *witness) opening(t testing.TB, cloud http.Handler) *door {
	t.Helper()
	d := &door{cloud: cloud, witness: w, heard: w.hear("the requests"), wrong: &output{}, read: &sync.Map{}}
	server := httptest.NewServer(d)
	d.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if text := d.wrong.String(); text != "" {
			t.Error(text)
		}
	})
	return d
}

// ServeHTTP takes a request to the cloud and the answer back, unless one of them is in for trouble.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // its sender is gone, and it never was whole
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	action := actionOf(r)
	d.listen(r, action, body)
	trouble := d.arrives(action)
	if trouble != nil && !trouble.after {
		trouble.befall(w, r, httptest.NewRecorder())
		return
	}
	reply := httptest.NewRecorder()
	d.cloud.ServeHTTP(reply, r)
	if trouble != nil {
		trouble.befall(w, r, reply)
		return
	}
	if action == "GetSecretValue" || action == "ShowSecretVersion" {
		d.gaveBack(reply.Body.Bytes())
	}
	maps.Copy(w.Header(), reply.Header())
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes()) // whoever is gone does not hear it
}

// actionOf is the action that a request asks for, of any vendor.
func actionOf(r *http.Request) string {
	if _, action, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return action
	}
	if action := r.Header.Get("X-TC-Action"); action != "" {
		return action
	}
	return huaweiAction(r)
}

// arrives counts a call and returns what goes wrong with it, or nil.
func (d *door) arrives(action string) *trouble {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := call{n: len(d.calls) + 1, action: action, nth: 1}
	for _, earlier := range d.calls {
		if earlier.action == action {
			c.nth++
		}
	}
	d.calls = append(d.calls, c)
	if d.plan == nil {
		return nil
	}
	return d.plan(c)
}

// logsIn counts a login, and returns what happens before its answer. Only its process can come to harm.
func (d *door) logsIn(string) (after func()) {
	t := d.arrives(login)
	switch {
	case t == nil:
		return nil
	case t.after:
		return t.first
	}
	t.first()
	return nil
}

// listen hears a request, without what it must carry.
func (d *door) listen(r *http.Request, action string, body []byte) {
	field := map[string]string{
		"ResetInstancesPassword": "Password", "PutSecretValue": "SecretString", "CreateSecret": "SecretString", "UpdateSecret": "SecretString",
		"BatchResetServersPassword": "new_password", "CreateSecretVersion": "secret_string",
	}[action]
	carried, rest := without(body, field)
	_, rest = without(rest, "RotationToken")
	header := r.Header.Clone()
	for _, own := range []string{"X-TC-Token", "X-Amz-Security-Token", "X-Security-Token"} { // the session token's own place
		header.Del(own)
	}
	var text bytes.Buffer
	_ = header.Write(&text) // a buffer takes everything
	_, _ = fmt.Fprintf(d.heard, "%s %s\n%s\n%s\n", r.Method, r.URL, &text, rest)
	if carried == "" {
		return
	}
	if field == "SecretString" || field == "secret_string" {
		d.witness.knows(passwordsIn(carried)...)
		return
	}
	d.witness.knows(carried)
	_, read := d.read.Load(carried)
	if thrownAway := bytes.Contains(body, []byte(`"dry_run":true`)); thrownAway == read {
		_, _ = io.WriteString(d.wrong, "a password was sent that the store had not given back, or one that it had for no more than a check\n")
	}
}

// without returns the text of a field of a JSON object, and the object without that text.
func without(body []byte, field string) (text string, rest []byte) {
	var fields map[string]json.RawMessage
	if field == "" || json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields[field], &text) != nil {
		return "", body
	}
	return text, bytes.Replace(body, fields[field], []byte(`""`), 1)
}

// gaveBack notes what the store answered.
func (d *door) gaveBack(reply []byte) {
	var answer struct {
		SecretString string   // AWS
		Version      struct { // Huawei
			Value string `json:"secret_string"`
		}
		Response struct{ SecretString string }
	}
	if json.Unmarshal(reply, &answer) != nil {
		return
	}
	for _, value := range []string{answer.Response.SecretString, answer.SecretString, answer.Version.Value} {
		for _, password := range passwordsIn(value) {
			d.read.Store(password, true)
		}
	}
}
