package tencentsim

import (
	"errors"
	"io"
	"net/http"

	"github.com/relock-project/relock/rotation/simcloud"
)

// maxBody: https://cloud.tencent.com/document/product/1278/46710, a POST request signed with v3 may have 10 MB.
const maxBody = 10 << 20

// An outcome is what the client will see of a call.
type outcome struct {
	result  any
	failure *apiError
	simcloud.Delivery
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
	k := &call{now: c.cfg.Now(), Request: simcloud.Request{
		ID: c.random.UUID(), Action: r.Header.Get("X-TC-Action"), Region: r.Header.Get("X-TC-Region")}}
	k.Time = k.now
	a, authorized := parseAuthorization(r.Header.Get("Authorization"))
	k.Service = a.service
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	k.body, k.IDs = body, countIDs(body)
	c.Tell(k.Request, false)

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
	c.Tell(k.Request, true)
	out.Deliver(w, r, func() {
		// Errors are HTTP 200 too: https://www.tencentcloud.com/document/product/597/35338.
		w.Header().Set("Content-Type", "application/json")
		w.Write(envelope(out.result, out.failure, k.ID))
	})
}

func (out outcome) code(fault string) string {
	if out.Cut || out.Gateway {
		return fault
	}
	if out.failure != nil {
		return out.failure.Code
	}
	return ""
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
	if n, allowed, ok := c.rates.Take(k.Service+" "+k.Action+" "+k.Region, act.rate, k.now); !ok {
		return outcome{failure: tooOften(n, allowed)}
	}
	k.Fault, k.forced = c.Draw(k.Action)
	out := outcome{failure: c.prevented(k, act)}
	if !simcloud.Prevents(k.Fault) {
		out = c.apply(k, act)
	}
	if k.Fault == simcloud.InternalAfter {
		out.failure = internalError(k.Service)
	}
	out.Delivery = simcloud.DeliveryOf(k.Fault, c.slowness)
	if k.forced != "" && k.Fault == "" {
		k.Fault = k.forced
	}
	return out
}

// prevented is the refusal of a call whose fault keeps it from having an effect; nil when that is none.
func (c *Cloud) prevented(k *call, act action) *apiError {
	switch k.Fault {
	case simcloud.Throttle:
		return tooOften(act.rate+1, act.rate)
	case simcloud.Internal:
		return internalError(k.Service)
	case simcloud.Busy:
		return c.someoneBusy(k)
	}
	return nil
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
