package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
)

// A trouble is what goes wrong with one call.
type trouble struct {
	name  string
	after bool   // the call has its effect, and the answer is spoiled
	first func() // comes before anything that the process could see; nil is nothing
	spoil func(w http.ResponseWriter, r *http.Request, reply *httptest.ResponseRecorder)
	kills bool // the process
	hangs bool // it ends when the process gives up, and not before
}

func (t *trouble) befall(w http.ResponseWriter, r *http.Request, reply *httptest.ResponseRecorder) {
	if t.first != nil {
		t.first()
	}
	t.spoil(w, r, reply)
}

// killing ends the process with SIGKILL at the call.
func killing(p *process, after bool) trouble {
	return trouble{name: "kill -9" + when(after), after: after, first: p.kill, spoil: hangUp, kills: true}
}

func when(after bool) string {
	if after {
		return ", applied"
	}
	return ", not applied"
}

// troubles are those of the connection and of what is between a process and the cloud, each before the effect and after.
func troubles() []trouble {
	var all []trouble
	for _, after := range []bool{false, true} {
		for _, t := range []trouble{
			{name: "cut", spoil: hangUp},
			{name: "502 page", spoil: func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { gatewayAlone(w, r) }},
			{name: "no answer", spoil: silence, hangs: true},
		} {
			t.name, t.after = t.name+when(after), after
			all = append(all, t)
		}
	}
	return append(all,
		trouble{name: "half an answer", after: true, spoil: half},
		trouble{name: "empty answer", after: true, spoil: func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {}})
}

// hangUp cuts the connection.
func hangUp(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	panic(http.ErrAbortHandler)
}

// gatewayAlone answers as a gateway does that has nobody behind it.
func gatewayAlone(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"))
}

// silence answers nothing for as long as the process waits.
func silence(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// half cuts the connection in the midst of the answer.
func half(w http.ResponseWriter, _ *http.Request, reply *httptest.ResponseRecorder) {
	text := reply.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text[:len(text)/2])
	panic(http.ErrAbortHandler)
}

// meets makes the first call that is chosen meet a trouble. came returns that call, if there was one.
func (d *door) meets(t trouble, chosen func(call) bool) (came func() (call, bool)) {
	var met atomic.Pointer[call]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan = func(c call) *trouble {
		if !chosen(c) || !met.CompareAndSwap(nil, &c) {
			return nil
		}
		return &t
	}
	return func() (call, bool) {
		if c := met.Load(); c != nil {
			return *c, true
		}
		return call{}, false
	}
}
