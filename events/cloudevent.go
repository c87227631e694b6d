package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// RequestType is the type of the CloudEvents that ask relock for something. Their data is a Payload.
const RequestType = "dev.relock.request"

// CloudEvent is a CloudEvent 1.0 as a JSON object, with the extensions of Tencent Cloud EventBridge. Of what relock does
// not read, the JSON is kept as it came. A null is an attribute that is not there, as the specification has it.
//
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md and
// https://www.tencentcloud.com/document/product/1108/46255, as of 2024-07-23.
type CloudEvent struct {
	// SpecVersion is "1.0". EventBridge's sample of a batch has "1.0.2".
	SpecVersion string `json:"specversion"`
	// ID is unique within Source. Both together are the request's token.
	ID     string `json:"id"`
	Source string `json:"source"`
	// Type must be RequestType.
	Type string `json:"type"`
	// Subject, Region, Resource, Tags, DataContentType and DataSchema are not read.
	Subject json.RawMessage `json:"subject,omitempty"`
	// Time is when it happened; absent means unknown. The specification has RFC 3339, EventBridge milliseconds since
	// 1970, as a number on one page and in a string on another.
	Time            json.RawMessage `json:"time,omitempty"`
	Region          json.RawMessage `json:"region,omitempty"`
	Resource        json.RawMessage `json:"resource,omitempty"`
	Tags            json.RawMessage `json:"tags,omitempty"`
	DataContentType json.RawMessage `json:"datacontenttype,omitempty"`
	DataSchema      json.RawMessage `json:"dataschema,omitempty"`
	// Data is a Payload: a JSON object, not a string that holds one.
	Data json.RawMessage `json:"data,omitempty"`
}

// CloudEventBatch is how Tencent Cloud EventBridge delivers when batch delivery is enabled. A bare list of CloudEvents,
// the batch format of the specification, means the same.
//
// https://www.tencentcloud.com/document/product/1108/46254; the sample was read in an undated copy of its source.
type CloudEventBatch struct {
	EventList []CloudEvent `json:"EventList"`
}

func isCloudEvent(o object) bool { return o.has("specversion") }

func isCloudEventBatch(o object) bool { return o.has("EventList") }

func parseCloudEventBatch(o object) (rotation.Request, error) {
	req, err := parseCloudEventList(o["EventList"])
	if err != nil {
		return rotation.Request{}, fmt.Errorf("EventList: %w", err)
	}
	return req, nil
}

// parseCloudEventList takes a list of one only: a function's invocation makes one request, and leaving events out
// would lose them.
func parseCloudEventList(raw json.RawMessage) (rotation.Request, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return rotation.Request{}, errors.New("of the wrong type: write a list of one CloudEvent")
	}
	if len(list) != 1 {
		return rotation.Request{}, fmt.Errorf("%d events in one: turn batch delivery off, or set its maximum to 1", len(list))
	}
	o, err := toObject(list[0])
	if err != nil || !isCloudEvent(o) {
		return rotation.Request{}, fmt.Errorf("a list of something else: write a list of one CloudEvent of type %s", RequestType)
	}
	return parseCloudEvent(o)
}

func parseCloudEvent(o object) (rotation.Request, error) {
	var e CloudEvent
	if err := o.decode(&e); err != nil {
		return rotation.Request{}, err
	}
	if e.SpecVersion != "1.0" && !strings.HasPrefix(e.SpecVersion, "1.0.") {
		return rotation.Request{}, fmt.Errorf("specversion: %s: only 1.0 is known", short(e.SpecVersion))
	}
	if e.Type != RequestType {
		return rotation.Request{}, strangeType(e.Type)
	}
	const remedy = `put relock's own payload there as an object, such as {"action":"resume"}`
	if e.Data == nil {
		return rotation.Request{}, errors.New("data: not there: " + remedy)
	}
	req, err := payloadIn("data", remedy, e.Data)
	if err != nil {
		return rotation.Request{}, err
	}
	if e.Time != nil {
		if req.Time, err = rfc3339OrMillis("time", e.Time); err != nil {
			return rotation.Request{}, err
		}
	}
	if req.Token == "" {
		if req.Token, err = e.token(); err != nil {
			return rotation.Request{}, err
		}
	}
	return req, nil
}

// token has no ":" in its last part, so that no two pairs of source and id make one token.
func (e CloudEvent) token() (string, error) {
	if err := errors.Join(text("source", e.Source, maxToken), text("id", e.ID, maxToken)); err != nil {
		return "", err
	}
	token := "cloudevent:" + e.Source + ":" + strings.NewReplacer("%", "%25", ":", "%3A").Replace(e.ID)
	return token, text("source and id", token, maxToken)
}

// strangeType names the events that must never start a rotation: EventBridge delivers the audit of every write to a
// cloud, relock's own writes to Secrets Manager included, as <product>:CloudEvent:ApiCall, ConsoleCall or
// MiniProgramCall: https://www.tencentcloud.com/document/product/1108/46246, as of 2024-07-23.
func strangeType(typ string) error {
	if strings.Contains(typ, ":CloudEvent:") {
		return fmt.Errorf("type: %s is the audit of an API call, and relock makes such calls itself, so that a rotation "+
			"would cause the next: let the rule match the type %s only", short(typ), RequestType)
	}
	return fmt.Errorf("type: %s is another function's event: let the rule match the type %s only", short(typ), RequestType)
}
