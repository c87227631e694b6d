package events

import (
	"encoding/json"
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// HuaweiTimer is what a timer trigger of Huawei Cloud FunctionGraph sends. It is invoked asynchronously, so the same event
// may come again.
//
// https://support.huaweicloud.com/intl/en-us/devg-functiongraph/functiongraph_02_0102.html.
type HuaweiTimer struct {
	// Version is "v1.0"; it is not read.
	Version json.RawMessage `json:"version,omitempty"`
	// Time is when the timer was due.
	Time string `json:"time"`
	// TriggerType is "TIMER".
	TriggerType string `json:"trigger_type"`
	// TriggerName is unique within the function. With Time it is the request's token.
	TriggerName string `json:"trigger_name"`
	// UserEvent is the trigger's additional information, free text: a Payload, or empty to rotate.
	UserEvent string `json:"user_event"`
}

func isHuaweiTimer(o object) bool { return o.has("trigger_type") || o.has("trigger_name") }

func parseHuaweiTimer(o object) (rotation.Request, error) {
	var e HuaweiTimer
	if err := o.decode(&e); err != nil {
		return rotation.Request{}, err
	}
	if e.TriggerType != "TIMER" {
		return rotation.Request{}, fmt.Errorf(`field trigger_type: %s: only "TIMER" is known`, short(e.TriggerType))
	}
	return timer{"trigger_name", e.TriggerName, "time", e.Time, "user_event", e.UserEvent}.request()
}
