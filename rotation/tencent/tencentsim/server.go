package tencentsim

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody: https://cloud.tencent.com/document/product/1278/46710, a POST request signed with v3 may have 10 MB.
const maxBody = 10 << 20

// An outcome is what the client will see of a call.
type outcome struct {
	result  any
	failure *apiError
	aborted bool // the connection is cut
	gateway bool // a page instead of an answer
	delay   time.Duration
}

// ServeHTTP answers POST / as every service's endpoint does, and GET /healthz with 200. A connection is cut by
// panicking with http.ErrAbortHandler, which net/http's server recovers.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" && r.Method == http.MethodGet {
		io.WriteString(w, "ok\n")
		return
	}
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	k := &call{now: c.cfg.Now(), Request: Request{
		ID: c.random.uuid(), Action: r.Header.Get("X-TC-Action"), Region: r.Header.Get("X-TC-Region")}}
	k.Time = k.now
	a, authorized := parseAuthorization(r.Header.Get("Authorization"))
	k.Service = a.service
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	k.body, k.IDs = body, countIDs(body)
	c.tell(k.Request, false)

	var out outcome
	switch {
	case err != nil:
		out.failure = refuse("RequestSizeLimitExceeded", "The request is larger than %d bytes.", maxBody)
	case r.Method != http.MethodPost:
		out.failure = refuse("UnsupportedProtocol", "The method %s is not supported.", r.Method)
	case !authorized:
		out.failure = refuse("AuthFailure.InvalidAuthorization", "Authorization in the request header is invalid.")
	default:
		out = c.answer(k, r, a)
	}
	k.Code = out.code(k.Fault)
	c.tell(k.Request, true)
	c.send(w, r, k, out)
}

func (out outcome) code(fault string) string {
	if out.aborted || out.gateway {
		return fault
	}
	if out.failure != nil {
		return out.failure.Code
	}
	return ""
}

// send writes the answer, or does not.
func (c *Cloud) send(w http.ResponseWriter, r *http.Request, k *call, out outcome) {
	if out.delay > 0 {
		timer := time.NewTimer(out.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case out.aborted:
		panic(http.ErrAbortHandler)
	case out.gateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		io.WriteString(w, "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"+
			"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n")
	default:
		// Errors are HTTP 200 too: https://www.tencentcloud.com/document/product/597/35338.
		w.Header().Set("Content-Type", "application/json")
		w.Write(envelope(out.result, out.failure, k.ID))
	}
}

// answer authenticates a call, routes it, counts it, and has its effect unless a fault prevents that.
func (c *Cloud) answer(k *call, r *http.Request, a authorization) outcome {
	if failure := c.authenticate(r, a, k.body, k.now); failure != nil {
		return outcome{failure: failure}
	}
	act, failure := c.route(k, r.Header.Get("X-TC-Version"))
	if failure != nil {
		return outcome{failure: failure}
	}
	if failure := c.limits.take(k.Service+" "+k.Action+" "+k.Region, act.rate, k.now); failure != nil {
		return outcome{failure: failure}
	}
	k.Fault, k.forced = c.draw(k.Action)
	if out, prevented := c.prevent(k, act); prevented {
		return out
	}
	out := c.apply(k, act)
	switch k.Fault {
	case faultLost:
		out.aborted = true
	case faultGatewayAfter:
		out.gateway = true
	case faultInternalAfter:
		out.failure = internalError(k.Service)
	case faultSlow:
		out.delay = c.slowness()
	}
	if k.forced != "" && k.Fault == "" {
		k.Fault = k.forced
	}
	return out
}

// prevent answers a call whose fault keeps it from having an effect.
func (c *Cloud) prevent(k *call, act action) (outcome, bool) {
	switch k.Fault {
	case faultCut:
		return outcome{aborted: true}, true
	case faultGateway:
		return outcome{gateway: true}, true
	case faultThrottle:
		return outcome{failure: tooOften(act.rate+1, act.rate)}, true
	case faultInternal:
		return outcome{failure: internalError(k.Service)}, true
	case faultBusy:
		return outcome{failure: c.someoneBusy(k)}, true
	}
	return outcome{}, false
}

// route finds the action, or the common error that says why there is none.
// https://www.tencentcloud.com/document/product/1078/38658, common error codes.
func (c *Cloud) route(k *call, version string) (action, *apiError) {
	svc, ok := c.services[k.Service]
	switch {
	case !ok || k.Action == "":
		return action{}, refuse("InvalidAction", "The request is not valid for the action `%s` of service `%s`.", k.Action, k.Service)
	case version == "":
		return action{}, missing("Version")
	case version != svc.version:
		return action{}, refuse("NoSuchVersion", "The API version `%s` of service `%s` does not exist.", version, k.Service)
	}
	act, ok := svc.actions[k.Action]
	switch {
	case !ok:
		return action{}, refuse("InvalidAction", "The action `%s` is invalid or not found.", k.Action)
	case svc.regional && k.Region == "":
		return action{}, missing("Region")
	case svc.regional && !c.hasRegion(k.Region):
		return action{}, refuse("UnsupportedRegion", "The region `%s` is not supported by service `%s`.", k.Region, k.Service)
	}
	return act, nil
}

// apply has a call's effect.
func (c *Cloud) apply(k *call, act action) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	result, err := act.run(c, k)
	if failure := (*apiError)(nil); errors.As(err, &failure) {
		return outcome{failure: failure}
	}
	if err != nil {
		panic("tencentsim: " + k.Action + ": " + err.Error())
	}
	k.Applied = true
	return outcome{result: result}
}
