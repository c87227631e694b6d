package awssim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/relock-project/relock/rotation/aws/awssim"
)

// FuzzRequest: whatever a client sends under a good signature, once and again, it gets an answer of the service, no version's
// value changes, and a secret that has a current value keeps one.
func FuzzRequest(f *testing.F) {
	const version = "00000000-0000-4000-8000-000000000001" // that is there
	const fresh = "6ef60bec-0242-43af-bb20-270359fb54a7"
	for _, seed := range [][2]string{
		{"CreateSecret", `{"Name":"","SecretString":"s","ClientRequestToken":"t"}`},
		{"CreateSecret", `{"Name":"s","SecretString":"s"}`},
		{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"` + version + `","SecretString":"x"}`},
		{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"` + fresh + `","SecretString":"x","VersionStages":["g00000001-c0",""]}`},
		{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"` + fresh + `","SecretBinary":"eA==","RotationToken":"x"}`},
		{"PutSecretValue", `{"SecretId":"s","SecretString":"x"}`},
		{"GetSecretValue", `{"SecretId":"s","VersionStage":"AWSCURRENT","VersionId":"` + version + `"}`},
		{"GetSecretValue", `{"secretid":null,"SecretId":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:s-a1B2c3"}`},
		{"DescribeSecret", `{"SecretId":"s"}{`},
		{"ListSecretVersionIds", `{"SecretId":"s","IncludeDeprecated":true,"MaxResults":-1,"NextToken":"x"}`},
		{"UpdateSecretVersionStage", `{"SecretId":"s","VersionStage":"AWSCURRENT","RemoveFromVersionId":"` + version + `"}`},
		{"UpdateSecretVersionStage", `{"SecretId":"s","VersionStage":"x","MoveToVersionId":"","RemoveFromVersionId":""}`},
		{"CancelRotateSecret", `{"SecretId":"s"}`},
		{"RotateSecret", `{}`},
		{"", `null`},
		{"DescribeSecret", `[`},
	} {
		f.Add("secretsmanager."+seed[0], seed[1], "")
	}
	f.Add("GetSecretValue", "", "AWS4-HMAC-SHA256 Credential=a/b/eu-central-1/secretsmanager/aws4_request, SignedHeaders=;, Signature=")
	f.Add("secretsmanager.GetSecretValue", "{}", "AWS4-HMAC-SHA256 ,,=")
	f.Fuzz(func(t *testing.T, target, body, authorization string) {
		if !sendable(target) || !sendable(authorization) {
			return
		}
		cloud := awssim.New(awssim.Config{})
		cloud.PutSecret("s", "found")
		before := cloud.Values("s")
		for try := 1; try <= 2; try++ {
			ask(t, cloud, target, body, authorization)
			if n := len(cloud.Requests()); n != try {
				t.Errorf("%d requests are in the log; want %d", n, try)
			}
			after := cloud.Values("s")
			for id, value := range before {
				if after[id] != value {
					t.Errorf("%s %s: version %s was %q and is %q", target, body, id, value, after[id])
				}
			}
			if current := cloud.Labels("s")["AWSCURRENT"]; current == "" {
				t.Errorf("%s %s: nothing is current any more", target, body)
			}
			before = after
		}
	})
}

// ask sends a request, signed unless there is an authorization, and fails the test unless the answer is one of the service.
func ask(t *testing.T, cloud *awssim.Cloud, target, body, authorization string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://secretsmanager.eu-central-1.amazonaws.com/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	sum := sha256.Sum256([]byte(body))
	keys := aws.Credentials{AccessKeyID: awssim.DemoAccessKey, SecretAccessKey: awssim.DemoSecretKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(sum[:]), "secretsmanager", awssim.DemoRegion, time.Now()); err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := cloud.Transport().RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v; want an answer", target, body, err)
	}
	text, err := io.ReadAll(resp.Body)
	var answer struct {
		ARN, Message *string
		Type         string `json:"__type"`
	}
	if err != nil || json.Unmarshal(text, &answer) != nil || resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Fatalf("%s %s: %d %s, %v; want JSON, and a request's id", target, body, resp.StatusCode, text, err)
	}
	refused := answer.Type != "" && answer.Message != nil && (resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusInternalServerError)
	if done := resp.StatusCode == http.StatusOK && answer.Type == "" && answer.ARN != nil; done == refused {
		t.Errorf("%s %s: %d %s; want a result or an error of the service", target, body, resp.StatusCode, text)
	}
	if signed := authorization == ""; !signed && resp.StatusCode == http.StatusOK {
		t.Errorf("%s %s: the authorization %q is taken", target, body, authorization)
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
