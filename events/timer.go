package events

import (
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A timer is what the timers of all clouds tell, with the vendor's names of the fields.
type timer struct {
	nameField, name   string
	timeField, due    string
	inputField, input string
}

// request is what a timer asks for: a rotation, or what its input says. It is asked once per name and time.
func (t timer) request() (rotation.Request, error) {
	const (
		maxTrigger = 128 // SCF allows 60 characters, FunctionGraph 64
		remedy     = `leave the trigger's input empty to rotate, or put relock's own payload there, such as {"action":"resume"}`
	)
	if err := text(t.nameField, t.name, maxTrigger); err != nil {
		return rotation.Request{}, err
	}
	due, err := rfc3339(t.timeField, t.due)
	if err != nil {
		// Without it, a second delivery of the event could not be told from the next one.
		return rotation.Request{}, err
	}
	req := rotation.Request{Action: rotation.Rotate}
	if strings.TrimSpace(t.input) != "" {
		if req, err = payloadIn(t.inputField, remedy, []byte(t.input)); err != nil {
			return rotation.Request{}, err
		}
	}
	req.Time = due
	if req.Token == "" {
		req.Token = "timer:" + t.name + ":" + due.Format(time.RFC3339Nano)
	}
	return req, nil
}
