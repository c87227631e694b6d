package simcloud

import (
	"io"
	"net/http"
	"time"
)

// A Delivery is how an answer reaches the client. The zero Delivery is at once and whole.
type Delivery struct {
	Cut     bool // the connection is cut instead
	Gateway bool // a gateway's page, HTTP 502, instead
	Delay   time.Duration
}

// Deliver has answer write the answer, or does what is wrong with the delivery. A connection is cut by panicking with
// http.ErrAbortHandler, which net/http's server recovers.
func (d Delivery) Deliver(w http.ResponseWriter, r *http.Request, answer func()) {
	if d.Delay > 0 {
		timer := time.NewTimer(d.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case d.Cut:
		panic(http.ErrAbortHandler)
	case d.Gateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		io.WriteString(w, "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"+
			"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n")
	default:
		answer()
	}
}
