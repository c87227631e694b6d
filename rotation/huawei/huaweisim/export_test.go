package huaweisim

import "net/http"

// Unauthentic says why a request without a body is not; empty when it is.
func (c *Cloud) Unauthentic(r *http.Request) string {
	if failure := c.authenticate(r, nil, c.cfg.Now()); failure != nil {
		return failure.Message
	}
	return ""
}
