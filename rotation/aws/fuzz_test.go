package aws_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
)

// A stub answers every request alike, without a network, but for what a secret's versions are.
type stub struct {
	status int
	body   string
}

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeSecret") {
		s = stub{200, `{"ARN":"a","Name":"s","VersionIdsToStages":{"6ef60bec-0242-43af-bb20-270359fb54a7":["AWSCURRENT"]}}`}
	}
	return &http.Response{
		StatusCode: s.status, Status: fmt.Sprint(s.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {"r"}},
		Body:   io.NopCloser(strings.NewReader(s.body)), Request: r,
	}, nil
}

// FuzzAnswer: whatever the service answers, no error brings the value that was sent or read, an answer that is no error of
// the API does not say that nothing happened, and there is no empty value.
func FuzzAnswer(f *testing.F) {
	const canary = "Zq7-Kv0xM2.9bT"
	value := `{\"password\":\"` + canary + `\"}`
	f.Add(200, `{"ARN":"a","Name":"s","VersionId":"v","SecretString":"`+value+`","VersionStages":["AWSCURRENT"]}`, "")
	f.Add(200, `{"SecretString":"`, `"}`)
	f.Add(200, `{"SecretString":{"`, `":1}}`)
	f.Add(200, `{"Versions":[{"VersionId":"`, `","VersionStages":[null]},null]}`)
	f.Add(400, `{"__type":"ResourceNotFoundException","Message":"x"}`, "")
	f.Add(400, `{"__type":"com.amazonaws#SomethingNewException","message":"`, `"}`)
	f.Add(502, "<html>", "</html>")
	f.Add(307, "", "x")
	f.Fuzz(func(t *testing.T, status int, head, tail string) {
		if status < 200 || status > 599 {
			return
		}
		body := head
		if tail != "" {
			body = head + canary + tail
		}
		shelf, err := aws.NewShelf(aws.Config{
			Credentials: aws.Static("id", "key", ""), Endpoint: "http://127.0.0.1:1", Transport: stub{status, body}, Clock: instant{},
		}, region)
		if err != nil {
			t.Fatal(err)
		}
		err = shelf.Create(t.Context(), secret, "g00000009-c0", []byte(`{"password":"`+canary+`"}`))
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("create: the error shows the value: %v", err)
		}
		said := strings.ToLower(body)
		fault := strings.Contains(said, "type") || strings.Contains(said, "code") || strings.Contains(said, `\u`)
		if !fault && rotation.DefinitelyNotApplied(err) {
			t.Errorf("create: %d %q is taken for one after which nothing happened: %v", status, body, err)
		}
		if _, held, err := shelf.Read(t.Context(), secret, "current"); err == nil && len(held) == 0 {
			t.Errorf("read: nothing of %q, without an error", body)
		} else if err != nil && !fault && strings.Contains(err.Error(), canary) {
			t.Errorf("read: the error shows the value: %v", err)
		}
	})
}
