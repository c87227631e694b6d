package awssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const service = "secretsmanager"

// ServeHTTP answers one request of the AWS JSON 1.1 protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	action, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), service+".")
	request := simcloud.Request{Time: c.cfg.Now(), Service: service, Action: action, Region: c.cfg.Region}
	c.mu.Lock()
	c.serial++
	request.ID = fmt.Sprintf("request-%06d", c.serial)
	c.mu.Unlock()
	request.Fault = c.nextFault(action)
	c.Tell(request, false)

	var answer any
	err = c.authenticate(r, body)
	switch {
	case err != nil:
	case request.Fault == simcloud.Throttle:
		err = refuse("ThrottlingException", "Rate exceeded")
	case request.Fault == simcloud.Internal:
		err = refuse("InternalServiceError", "An error occurred on the server side.")
	case isCode(request.Fault):
		err = refuse(request.Fault, "as it was told to")
	case simcloud.Prevents(request.Fault):
	case !known || actions()[action] == nil:
		err = refuse("UnknownOperationException", "")
	default:
		answer, err = c.run(action, body)
		request.Applied = err == nil
		if err == nil && request.Fault == simcloud.InternalAfter {
			err = refuse("InternalServiceError", "An error occurred on the server side.")
		}
	}
	var refused *apiError
	if errors.As(err, &refused) {
		request.Code = refused.code
	}
	c.Tell(request, true)
	simcloud.DeliveryOf(request.Fault, func() time.Duration { return 0 }).Deliver(w, r, func() { respond(w, request.ID, answer, refused) })
}

// isCode reports whether a fault is an error code of the service, which begins with a capital letter.
func isCode(fault string) bool { return fault != "" && fault[0] >= 'A' && fault[0] <= 'Z' }

func (c *Cloud) run(action string, body []byte) (any, error) {
	var p parameters
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, refuse("SerializationException", "")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return actions()[action](c, p)
}

func respond(w http.ResponseWriter, id string, answer any, refused *apiError) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", id)
	if refused != nil {
		status := http.StatusBadRequest
		if refused.code == "InternalServiceError" {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		answer = map[string]string{"__type": refused.code, "Message": refused.message}
	}
	_ = json.NewEncoder(w).Encode(answer)
}
