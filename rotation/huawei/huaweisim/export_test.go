package huaweisim

import (
	"net/http"
	"strings"
)

// Sign signs these headers of a request with a body.
func (c *Cloud) Sign(r *http.Request, body string, headers ...string) {
	r.Header.Set("Authorization", algorithm+" Access="+c.cfg.AccessKey+", SignedHeaders="+strings.Join(headers, ";")+
		", Signature="+c.signature(r, headers, []byte(body)))
}

// Unauthentic says why a request without a body is not; empty when it is.
func (c *Cloud) Unauthentic(r *http.Request) string {
	if failure := c.authenticate(r, nil, c.cfg.Now()); failure != nil {
		return failure.Message
	}
	return ""
}
