package wire

import (
	"net/http"
	"time"
)

// idleConns is how many connections to one host are kept: more than are in use at once.
const idleConns = 32

// Transport returns custom, or, when that is nil, one that honours the proxy variables and keeps
// enough connections for the requests that are under way at once. Either follows no redirect.
func Transport(custom http.RoundTripper) http.RoundTripper {
	if custom != nil {
		return noRedirect{custom}
	}
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return noRedirect{http.DefaultTransport}
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = idleConns
	t.IdleConnTimeout = 30 * time.Second
	return noRedirect{t}
}

// noRedirect hides where a redirect leads: net/http would send the request, and the password in it, to another host.
type noRedirect struct{ next http.RoundTripper }

func (t noRedirect) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if resp != nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Header.Del("Location")
	}
	return resp, err
}
