// Package events turns what arrives at a function into a rotation.Request: one file per source, each mirroring the
// vendor's JSON.
//
// Its one invariant: an event is understood in exactly one way or refused. Nothing is guessed, repaired or skipped,
// because what arrives may belong to another function, and a rotation cannot be taken back. The fields that are the
// operator's wishes ([rotation.Request.NewCandidate], [rotation.Request.TakeOver]) no event can set.
package events

import (
	"fmt"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A source is one kind of event.
type source struct {
	name string // for an error's text
	// owns reports whether an event is of this kind, by the fields that only this kind has. An event of two kinds is
	// refused, so owns leaves judging the fields to parse.
	owns  func(object) bool
	parse func(object) (rotation.Request, error)
}

// sources are all kinds of event. A further one is a file and a line here.
func sources() []source {
	return []source{
		{"a step of AWS Secrets Manager's rotation", isAWSRotation, parseAWSRotation},
		{"a scheduled event of AWS EventBridge", isAWSSchedule, parseAWSSchedule},
		{"a Tencent SCF timer", isTencentTimer, parseTencentTimer},
		{"a Huawei FunctionGraph timer", isHuaweiTimer, parseHuaweiTimer},
		{"a Huawei SMN message", isHuaweiSMN, parseHuaweiSMN},
		{"a CloudEvent of type " + RequestType, isCloudEvent, parseCloudEvent},
		{"an EventBridge batch of one such CloudEvent", isCloudEventBatch, parseCloudEventBatch},
		{`relock's own payload such as {"action":"rotate"}`, isPayload, parsePayload},
	}
}

// Parse returns the request that an event makes, and it is valid. An event that is not understood whole is an error
// that matches rotation.ErrConfig and says where, what is wrong and what to do; of the event it shows no more than
// field names and short pieces of fields that relock knows.
func Parse(raw []byte) (rotation.Request, error) {
	req, err := parse(raw)
	if err == nil {
		err = req.Validate()
	}
	if err != nil {
		return rotation.Request{}, fmt.Errorf("%w: event: %w", rotation.ErrConfig, err)
	}
	return req, nil
}

func parse(raw []byte) (rotation.Request, error) {
	raw, err := wellFormed(raw)
	if err != nil {
		return rotation.Request{}, err
	}
	if raw[0] == '[' {
		return parseCloudEventList(raw)
	}
	o, err := toObject(raw)
	if err != nil {
		return rotation.Request{}, fmt.Errorf("%w; relock accepts %s", err, accepted())
	}
	var owners []source
	for _, s := range sources() {
		if s.owns(o) {
			owners = append(owners, s)
		}
	}
	switch len(owners) {
	case 0:
		return rotation.Request{}, fmt.Errorf("%w; relock accepts %s", unowned(o), accepted())
	case 1:
		return owners[0].parse(o)
	}
	return rotation.Request{}, fmt.Errorf("has the fields of %s and of %s: send one of them", owners[0].name, owners[1].name)
}

// accepted says what Parse understands.
func accepted() string {
	var names []string
	for _, s := range sources() {
		names = append(names, s.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
