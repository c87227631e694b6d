package tencentsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	actionReset  = "ResetInstancesPassword"
	actionStop   = "StopInstances"
	actionStart  = "StartInstances"
	actionReboot = "RebootInstances"
)

// A call is one request on its way through the simulator.
type call struct {
	simcloud.Request
	now    time.Time
	body   []byte
	forced string // fault of every machine of the call; empty means none is forced
}

// A service is one API: its version and its actions.
type service struct {
	version string
	// regional reports that X-TC-Region is required and has to exist.
	regional bool
	actions  map[string]action
}

// An action is what one API action does, and how often in a second.
type action struct {
	rate int
	// run has the effect and returns the response without its RequestId; nil means that there is nothing else in it.
	// It is called with Cloud.mu held.
	run func(*Cloud, *call) (any, error)
}

// services is the API that exists. Rates are those of the API pages: CVM https://cloud.tencent.com/document/api/213/15689,
// Secrets Manager https://www.tencentcloud.com/document/product/1078/38633, tags
// https://www.tencentcloud.com/document/product/651/37823.
func services() map[string]service {
	return map[string]service{
		"cvm": {version: "2017-03-12", regional: true, actions: map[string]action{
			"DescribeInstances":       bind(40, describeInstances),
			"DescribeInstancesStatus": bind(40, describeInstancesStatus),
			actionReset:               bind(10, resetInstancesPassword),
			actionStop:                bind(10, stopInstances),
			actionStart:               bind(10, startInstances),
			actionReboot:              bind(10, rebootInstances),
		}},
		"ssm": {version: "2019-09-23", regional: true, actions: map[string]action{
			"CreateSecret":         bind(100, createSecret),
			"PutSecretValue":       bind(100, putSecretValue),
			"UpdateSecret":         bind(50, updateSecret),
			"GetSecretValue":       bind(300, getSecretValue),
			"ListSecretVersionIds": bind(40, listSecretVersionIDs),
			"DeleteSecretVersion":  bind(50, deleteSecretVersion),
			"DescribeSecret":       bind(40, describeSecret),
			"ListSecrets":          bind(30, listSecrets),
		}},
		// The tag service has one set of tags per account: its Region "is not required and will not take effect".
		"tag": {version: "2018-08-13", actions: map[string]action{
			"AttachResourcesTag":      bind(20, attachResourcesTag),
			"ModifyResourcesTagValue": bind(20, modifyResourcesTagValue),
			"DetachResourcesTag":      bind(20, detachResourcesTag),
			"CreateTag":               bind(20, createTag),
		}},
	}
}

func bind[T any](rate int, run func(*Cloud, *call, *T) (any, error)) action {
	return action{rate: rate, run: func(c *Cloud, k *call) (any, error) {
		var request T
		if err := decode(k.body, &request); err != nil {
			return nil, err
		}
		return run(c, k, &request)
	}}
}

// decode reads a request's JSON into the struct that into points at. Names are compared exactly: what the struct does
// not have is an UnknownParameter.
func decode(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return refuse("InvalidParameter", "The request body is not a JSON object.")
	}
	known := make(map[string]bool)
	for _, field := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = true
	}
	for name := range fields {
		if !known[name] {
			return refuse("UnknownParameter", "The parameter `%s` is not recognized.", name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if mistyped := (*json.UnmarshalTypeError)(nil); errors.As(err, &mistyped) {
		return refuse("InvalidParameter", "The type of the value in parameter `%s` is not correct.", mistyped.Field)
	}
	if err != nil {
		name := strings.TrimPrefix(err.Error(), "json: unknown field ")
		return refuse("UnknownParameter", "The parameter `%s` is not recognized.", strings.Trim(name, `"`))
	}
	return nil
}

// countIDs returns how many machines a request names, whatever its action is.
func countIDs(body []byte) int {
	var named struct{ InstanceIds, ResourceIds []json.RawMessage }
	if json.Unmarshal(body, &named) != nil {
		return 0
	}
	return len(named.InstanceIds) + len(named.ResourceIds)
}

// envelope is a response as it is sent: result's fields, or the error, and the request's id.
func envelope(result any, failure *apiError, requestID string) []byte {
	response := make(map[string]json.RawMessage)
	switch {
	case failure != nil:
		response["Error"] = object(failure)
	case result != nil:
		if err := json.Unmarshal(object(result), &response); err != nil {
			panic("tencentsim: response is no object: " + err.Error())
		}
	}
	response["RequestId"] = object(requestID)
	return object(map[string]any{"Response": response})
}

// object is v as JSON. What the simulator answers can always be written as JSON.
func object(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic("tencentsim: response: " + err.Error())
	}
	return out
}
