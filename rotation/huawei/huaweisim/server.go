package huaweisim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// maxBody: https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html, a body may have 12 MB.
const maxBody = 12 << 20

// A call is one request on its way through the simulator.
type call struct {
	simcloud.Request
	now    time.Time
	path   map[string]string // what the route's names stand for
	query  map[string][]string
	body   []byte
	forced string // fault of every machine of the call; empty means none is forced
}

// An outcome is what the client will see of a call.
type outcome struct {
	result  any // nil is an empty body
	failure *apiError
	simcloud.Delivery
}

// ServeHTTP answers what the endpoints ecs.<region> and kms.<region> do, and GET /healthz with 200. A connection is cut by
// panicking with http.ErrAbortHandler, which net/http's server recovers.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" && r.Method == http.MethodGet {
		io.WriteString(w, "ok\n")
		return
	}
	k := &call{now: c.cfg.Now(), query: r.URL.Query(), Request: simcloud.Request{ID: plainID(c.random)}}
	k.Time = k.now
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	k.body = body
	to, found := c.find(k, r)
	c.Tell(k.Request, false)

	var out outcome
	switch {
	case err != nil:
		out.failure = refuse(http.StatusRequestEntityTooLarge, "APIGW.0201", "The request body is larger than %d bytes.", maxBody)
	case !found:
		out.failure = refuse(http.StatusNotFound, "APIGW.0101", "The API does not exist or has not been published in the environment.")
	default:
		out = c.answer(k, r, to)
	}
	k.Code = out.code(k.Fault)
	c.Tell(k.Request, true)
	out.Deliver(w, r, func() { out.write(w, k.ID, to.status) })
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

func (out outcome) write(w http.ResponseWriter, id string, status int) {
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	result := out.result
	if out.failure != nil {
		status, result = out.failure.Status, out.failure.body()
	}
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if result == nil {
		return
	}
	b, err := json.Marshal(result)
	if err != nil {
		panic("huaweisim: response: " + err.Error())
	}
	w.Write(b)
}

// answer authenticates a call, counts it, and has its effect unless a fault prevents that.
func (c *Cloud) answer(k *call, r *http.Request, to route) outcome {
	if failure := c.authenticate(r, k.body, k.now); failure != nil {
		return outcome{failure: failure}
	}
	project := k.path["project_id"]
	if header := r.Header.Get("X-Project-Id"); k.Region == "" || header != "" && header != project {
		return outcome{failure: unauthenticated("the project is not one of the user's")}
	}
	key, rate := to.rate(k)
	if _, allowed, ok := c.rates.Take(key, rate, k.now); !ok {
		return outcome{failure: tooOften(allowed)}
	}
	k.Fault, k.forced = c.Draw(k.Action)
	out := outcome{failure: c.prevented(k, rate)}
	if !simcloud.Prevents(k.Fault) {
		out = c.apply(k, to)
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
func (c *Cloud) prevented(k *call, rate int) *apiError {
	switch k.Fault {
	case simcloud.Throttle:
		return tooOften(rate)
	case simcloud.Internal:
		return internalError(k.Service)
	case simcloud.Busy:
		return c.everyoneBusy(k)
	}
	return nil
}

// apply has a call's effect.
func (c *Cloud) apply(k *call, to route) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	result, err := to.run(c, k)
	failure := (*apiError)(nil)
	if err != nil && !errors.As(err, &failure) {
		panic("huaweisim: " + k.Action + ": " + err.Error())
	}
	// Of a batch that is refused for some of its machines, the others may have had their effect.
	k.Applied = failure == nil || failure.Refused != nil && !c.cfg.Answers.OthersNotReset
	return outcome{result: result, failure: failure}
}
