package simcloud

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Transport returns a RoundTripper that calls a handler directly, without a network, so that a client's test may run
// in a testing/synctest bubble. A cut connection is io.ErrUnexpectedEOF.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (response *http.Response, err error) {
	request := r.Clone(r.Context())
	if request.Host == "" {
		request.Host = r.URL.Host
	}
	if request.Body == nil {
		request.Body = http.NoBody
	}
	defer request.Body.Close()
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			response, err = nil, io.ErrUnexpectedEOF
			if r.Context().Err() != nil {
				err = r.Context().Err()
			}
		} else if p != nil {
			panic(p)
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &recorder{header: make(http.Header), status: http.StatusOK}
	t.handler.ServeHTTP(w, request)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}, nil
}

// A recorder is the ResponseWriter of a call without a network.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }
