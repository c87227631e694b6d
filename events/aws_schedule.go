package events

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// AWSSchedule is what an EventBridge rule with a schedule sends, and EventBridge Scheduler where its target has no input of
// its own. Either invokes asynchronously, so the same event may come again. It rotates; for anything else give the target
// relock's own payload as its constant input. Of what relock does not read, the JSON is kept as it came.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html and
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html.
type AWSSchedule struct {
	Version json.RawMessage `json:"version,omitempty"`
	// ID is the delivery's. It is the request's token.
	ID string `json:"id"`
	// DetailType is "Scheduled Event".
	DetailType string `json:"detail-type"`
	// Source is "aws.events" or "aws.scheduler".
	Source  string          `json:"source"`
	Account json.RawMessage `json:"account,omitempty"`
	// Time is when it was due.
	Time      string          `json:"time"`
	Region    json.RawMessage `json:"region,omitempty"`
	Resources json.RawMessage `json:"resources,omitempty"`
	Detail    json.RawMessage `json:"detail,omitempty"`
}

func isAWSSchedule(o object) bool { return o.has("detail-type") }

func parseAWSSchedule(o object) (rotation.Request, error) {
	var e AWSSchedule
	if err := o.decode(&e); err != nil {
		return rotation.Request{}, err
	}
	if e.DetailType != "Scheduled Event" || !slices.Contains([]string{"aws.events", "aws.scheduler"}, e.Source) {
		// Among them is the audit of relock's own writes: a rotation would cause the next.
		return rotation.Request{}, fmt.Errorf("detail-type: %s of source %s is another function's event: give this function a schedule, or its target relock's own payload as constant input",
			short(e.DetailType), short(e.Source))
	}
	if err := text("id", e.ID, maxToken/2); err != nil {
		return rotation.Request{}, err
	}
	due, err := rfc3339("time", e.Time)
	if err != nil {
		return rotation.Request{}, err
	}
	return rotation.Request{Action: rotation.Rotate, Token: "eventbridge:" + e.ID, Time: due}, nil
}
