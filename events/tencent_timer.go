package events

import (
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// TencentTimer is what a timer trigger of Tencent Cloud SCF sends. It is invoked asynchronously, so the same event may
// come again.
//
// https://www.tencentcloud.com/document/product/583/9708 and
// https://www.tencentcloud.com/document/product/583/31439, as of 2024-12-02.
type TencentTimer struct {
	// Type is "Timer".
	Type string `json:"Type"`
	// TriggerName is unique within the function. With Time it is the request's token.
	TriggerName string `json:"TriggerName"`
	// Time is when the timer was due.
	Time string `json:"Time"`
	// Message is the trigger's input parameter, free text of up to 4 KB: a Payload, or empty to rotate.
	Message string `json:"Message"`
}

func isTencentTimer(o object) bool { return o.has("TriggerName") || string(o["Type"]) == `"Timer"` }

func parseTencentTimer(o object) (rotation.Request, error) {
	var e TencentTimer
	if err := o.decode(&e); err != nil {
		return rotation.Request{}, err
	}
	if e.Type != "Timer" {
		return rotation.Request{}, fmt.Errorf(`field Type: %s with a TriggerName: only "Timer" is known`, short(e.Type))
	}
	return timer{"TriggerName", e.TriggerName, "Time", e.Time, "Message", e.Message}.request()
}
