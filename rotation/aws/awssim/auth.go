package awssim

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// skew is how far a client's clock may be off.
const skew = 5 * time.Minute

// authenticate verifies a signature of version 4:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
func (c *Cloud) authenticate(r *http.Request, body []byte) error {
	fields := map[string]string{}
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if !ok || len(scope) != 5 {
		return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	signed := strings.Split(fields["SignedHeaders"], ";")
	switch {
	case scope[0] != c.cfg.AccessKey || r.Header.Get("X-Amz-Security-Token") != c.cfg.Token:
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	case err != nil || scope[1] != stamp[:8] || at.Sub(c.cfg.Now()).Abs() > skew:
		return refuse("InvalidSignatureException", "Signature expired")
	case scope[2] != c.cfg.Region || scope[3] != service || scope[4] != "aws4_request":
		return refuse("InvalidSignatureException", "Credential should be scoped to a valid region and to this service.")
	case !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-target") || !slices.Contains(signed, "x-amz-date"):
		return refuse("InvalidSignatureException", "What is signed has to include host, x-amz-date and x-amz-target.")
	}
	key := []byte("AWS4" + c.cfg.SecretKey)
	for _, part := range scope[1:] {
		key = simcloud.MAC(key, part)
	}
	text := strings.Join([]string{
		"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), simcloud.Digest([]byte(canonical(r, signed, body))),
	}, "\n")
	if !simcloud.Equal(hex.EncodeToString(simcloud.MAC(key, text)), fields["Signature"]) {
		return refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

// canonical is the request as it is signed. The service has no paths and no queries.
func canonical(r *http.Request, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = r.Header.Get("Content-Length")
			if value == "" {
				value = strconv.FormatInt(r.ContentLength, 10)
			}
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return strings.Join([]string{
		r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(signed, ";"), simcloud.Digest(body),
	}, "\n")
}
