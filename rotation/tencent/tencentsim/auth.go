package tencentsim

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	algorithm = "TC3-HMAC-SHA256"
	// maxSkew: https://www.tencentcloud.com/document/product/598/32225, X-TC-Timestamp.
	maxSkew         = 5 * time.Minute
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// An authorization is the Authorization header taken apart.
type authorization struct {
	secretID, date, service string
	signed                  []string
	signature               string
}

// parseAuthorization reads "TC3-HMAC-SHA256 Credential=…/date/service/tc3_request, SignedHeaders=…, Signature=…".
func parseAuthorization(header string) (authorization, bool) {
	fields, ok := simcloud.Authorization(header, algorithm, "Credential", "SignedHeaders", "Signature")
	scope := strings.Split(fields["Credential"], "/")
	if !ok || len(scope) != 4 || scope[2] == "" || scope[3] != "tc3_request" {
		return authorization{}, false
	}
	return authorization{secretID: scope[0], date: scope[1], service: scope[2],
		signed: strings.Split(fields["SignedHeaders"], ";"), signature: fields["Signature"]}, true
}

// authenticate checks a request as signature method v3 prescribes:
// https://www.tencentcloud.com/document/product/1154/48911.
func (c *Cloud) authenticate(r *http.Request, a authorization, body []byte, now time.Time) *apiError {
	stamp := r.Header.Get("X-TC-Timestamp")
	if stamp == "" {
		return missing("Timestamp")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return refuse("InvalidParameter", "The value of `X-TC-Timestamp` is not an integer.")
	}
	signedAt := time.Unix(seconds, 0).UTC()
	if skew := now.Sub(signedAt); skew > maxSkew || skew < -maxSkew {
		return refuse("AuthFailure.SignatureExpire", "The provided credentials are expired. Please make sure that "+
			"your local time is within five minutes of the standard time.")
	}
	if a.secretID != c.cfg.SecretID {
		return refuse("AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct.")
	}
	// The token is not signed, so it is checked by itself.
	if c.cfg.Token != "" && !simcloud.Equal(r.Header.Get("X-TC-Token"), c.cfg.Token) {
		return refuse("AuthFailure.TokenFailure", "The provided token could not be validated.")
	}
	if a.date != signedAt.Format(time.DateOnly) || !simcloud.Equal(a.signature, c.signature(r, a, body, stamp)) {
		return refuse("AuthFailure.SignatureFailure",
			"The provided credentials could not be validated. Please check your signature is correct.")
	}
	return nil
}

// signature is what a's signature has to be. It is empty, which no signature is, when a does not sign what it must.
func (c *Cloud) signature(r *http.Request, a authorization, body []byte, stamp string) string {
	if !slices.Contains(a.signed, "content-type") || !slices.Contains(a.signed, "host") || !slices.IsSorted(a.signed) {
		return ""
	}
	var headers strings.Builder
	for _, name := range a.signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(strings.ToLower(name) + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	payload := simcloud.Digest(body)
	if r.Header.Get("X-TC-Content-SHA256") == unsignedPayload {
		payload = simcloud.Digest([]byte(unsignedPayload))
	}
	canonical := strings.Join([]string{r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(a.signed, ";"), payload}, "\n")
	scope := a.date + "/" + a.service + "/tc3_request"
	toSign := strings.Join([]string{algorithm, stamp, scope, simcloud.Digest([]byte(canonical))}, "\n")

	key := simcloud.MAC([]byte("TC3"+c.cfg.SecretKey), a.date)
	key = simcloud.MAC(key, a.service)
	key = simcloud.MAC(key, "tc3_request")
	return hex.EncodeToString(simcloud.MAC(key, toSign))
}
