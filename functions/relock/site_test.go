package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// A gate is an HTTPS proxy that lets nobody through, and notes where requests were going.
type gate struct {
	mu    sync.Mutex
	hosts []string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts = append(g.hosts, r.Method+" "+r.Host)
	w.WriteHeader(http.StatusForbidden)
}

// proxied runs "proxied": from now on requests go through a gate.
func proxied(ts *testscript.TestScript, neg bool, args []string) {
	g := &gate{}
	server := httptest.NewServer(g)
	ts.Defer(server.Close)
	ts.Value(heldKey{}).(*inTest).gate = g
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		ts.Setenv(name, server.URL)
	}
	ts.Setenv("NO_PROXY", "")
	ts.Setenv("no_proxy", "")
}

// went runs "went HOST...": since the last time requests were going to these hosts, over TLS, and to no others.
func went(ts *testscript.TestScript, neg bool, args []string) {
	g := ts.Value(heldKey{}).(*inTest).gate
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.Sort(g.hosts)
	got := slices.Compact(g.hosts)
	g.hosts = nil
	var want []string
	for _, host := range args {
		want = append(want, "CONNECT "+host+":443")
	}
	slices.Sort(want)
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		ts.Fatalf("requests were going to %q; want %q", got, want)
	}
}
