package huaweisim

import (
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	algorithm = "SDK-HMAC-SHA256"
	stampForm = "20060102T150405Z"
	// maxSkew: "the difference between X-Sdk-Date and the current time must be within 15 minutes".
	// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-faq.html
	maxSkew         = 15 * time.Minute
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// An authorization is the Authorization header taken apart.
type authorization struct {
	access    string
	signed    []string
	signature string
}

// parseAuthorization reads "SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…".
// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-005.html
func parseAuthorization(header string) (authorization, bool) {
	fields, ok := simcloud.Authorization(header, algorithm, "Access", "SignedHeaders", "Signature")
	return authorization{fields["Access"], strings.Split(fields["SignedHeaders"], ";"), fields["Signature"]}, ok
}

// authenticate checks a request as the signing guide prescribes:
// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html.
func (c *Cloud) authenticate(r *http.Request, body []byte, now time.Time) *apiError {
	a, ok := parseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return unauthenticated("the Authorization header is missing or malformed")
	}
	signedAt, err := time.Parse(stampForm, r.Header.Get("X-Sdk-Date"))
	if err != nil {
		return unauthenticated("X-Sdk-Date is missing or malformed")
	}
	if skew := now.Sub(signedAt); skew > maxSkew || skew < -maxSkew {
		return unauthenticated("the request is expired")
	}
	if a.access != c.cfg.AccessKey {
		return unauthenticated("the access key does not exist")
	}
	// A temporary key goes with its token.
	if c.cfg.Token != "" && !simcloud.Equal(r.Header.Get("X-Security-Token"), c.cfg.Token) {
		return unauthenticated("the security token is wrong")
	}
	// "X-Sdk-Date must be signed; other headers are optional."
	if !slices.Contains(a.signed, "x-sdk-date") || !slices.IsSorted(a.signed) {
		return unauthenticated("X-Sdk-Date is not signed")
	}
	if !simcloud.Equal(a.signature, c.signature(r, a.signed, body)) {
		return unauthenticated("verify aksk signature fail")
	}
	return nil
}

// signature is what the signature of a request has to be.
func (c *Cloud) signature(r *http.Request, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(strings.ToLower(name) + ":" + strings.TrimSpace(value) + "\n")
	}
	payload := simcloud.Digest(body)
	if r.Header.Get("X-Sdk-Content-Sha256") == unsignedPayload {
		payload = unsignedPayload
	}
	canonical := strings.Join([]string{r.Method, canonicalPath(r.URL.Path), canonicalQuery(r.URL.Query()),
		headers.String(), strings.Join(signed, ";"), payload}, "\n")
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Sdk-Date"), simcloud.Digest([]byte(canonical))}, "\n")
	return hex.EncodeToString(simcloud.MAC([]byte(c.cfg.SecretKey), toSign))
}

// canonicalPath escapes each segment, and always ends with a slash.
func canonicalPath(path string) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/") + "/"
}

// canonicalQuery is the parameters sorted by name and then by value.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range slices.Sorted(slices.Values(query[name])) {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

// escape keeps the unreserved characters of RFC 3986.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
