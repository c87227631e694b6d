package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

var due = time.Date(2026, 11, 21, 2, 5, 0, 0, time.UTC)

// timer is a timer event that was due at due.
func timer(t *testing.T, message string) string {
	t.Helper()
	raw, err := json.Marshal(events.TencentTimer{
		Type: "Timer", TriggerName: "nightly", Time: "2026-11-21T02:05:00Z", Message: message,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTimerRotatesOncePerTime(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["tencent_timer.json"]), rotation.Request{
		Action: rotation.Rotate, Token: "timer:oneminute:2019-08-17T05:26:00Z",
		Time: time.Date(2019, 8, 17, 5, 26, 0, 0, time.UTC),
	})
	want := rotation.Request{Action: rotation.Rotate, Token: "timer:nightly:2026-11-21T02:05:00Z", Time: due}
	wantRequest(t, timer(t, ""), want)
	wantRequest(t, timer(t, " \n"), want)
	wantRequest(t, `{"Type":"Timer","TriggerName":"nightly","Time":"2026-11-21T02:05:00Z"}`, want)
	wantRequest(t, `{"Type":"Timer","TriggerName":"nightly","Time":"2026-11-21T02:05:00Z","Message":null}`, want)
	// The same time written otherwise is the same event.
	wantRequest(t, `{"Type":"Timer","TriggerName":"nightly","Time":"2026-11-21T10:05:00+08:00","Message":""}`, want)
	// A field that the vendor adds one day.
	wantRequest(t, `{"Type":"Timer","TriggerName":"nightly","Time":"2026-11-21T02:05:00Z","Message":"","Region":"x"}`, want)
	// Not the vendor's field.
	wantRequest(t, `{"Type":"Timer","TriggerName":"nightly","Time":"2026-11-21T02:05:00Z","Message":"","message":"no"}`, want)
}

func TestTimerCarriesAPayload(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["tencent_timer_payload.json"]), rotation.Request{
		Action: rotation.Resume, Secret: "cvm-admin-prod", Token: "timer:EveryFiveMinutes:2026-11-21T02:05:00Z", Time: due,
	})
	wantRequest(t, timer(t, `{"action":"rotate","only":["ins-1"],"dry_run":true,"token":"2026-Q4"}`), rotation.Request{
		Action: rotation.Rotate, Only: []string{"ins-1"}, DryRun: true, Token: "2026-Q4", Time: due,
	})
}

func TestTimersMessageIsAPayloadOrEmpty(t *testing.T) {
	t.Parallel()
	const put = `leave the trigger's input empty to rotate, or put relock's own payload there, such as {"action":"resume"}`
	for message, pieces := range map[string][]string{
		"rotate":                              {"Message: not JSON", put},
		`"rotate"`:                            {"Message: not a JSON object", put},
		`[{"action":"rotate"}]`:               {"Message: not a JSON object", put},
		`null`:                                {"Message: not a JSON object", put},
		`{"action":"rotate"`:                  {"Message: cut off", put},
		`{"action":"rotate"} `:                nil,
		`{"action":"rotate"}.`:                {"Message: something follows", put},
		`{"action":"plan","action":"rotate"}`: {`Message: field "action" is there twice`},
		`{"action":"rotat"}`:                  {`Message: action: "rotat": write one of`},
		`{"Action":"rotate"}`:                 {`Message: unknown fields ("Action")`},
		`{}`:                                  {"Message: action: not there"},
		timer(t, ""):                          {"Message: unknown fields"},
	} {
		if pieces == nil {
			wantRequest(t, timer(t, message), rotation.Request{
				Action: rotation.Rotate, Token: "timer:nightly:2026-11-21T02:05:00Z", Time: due,
			})
			continue
		}
		wantRefused(t, timer(t, message), pieces...)
	}
}

func TestTimerWithoutATokensPartsIsRefused(t *testing.T) {
	t.Parallel()
	for raw, piece := range map[string]string{
		`{"Type":"Timer"}`: "TriggerName: empty or not there",
		`{"Type":"Timer","TriggerName":null,"Time":"x"}`:                   "TriggerName: empty or not there",
		`{"Type":"Timer","TriggerName":"t"}`:                               `Time: "" is no time: write it as 2019-08-17T05:26:00Z`,
		`{"Type":"Timer","TriggerName":"t","Time":"tomorrow"}`:             `Time: "tomorrow" is no time`,
		`{"Type":"Timer","TriggerName":"t","Time":1566019560}`:             "Time: of the wrong type: write a string",
		`{"Type":"Timer","TriggerName":"t","Time":"0001-01-01T00:00:00Z"}`: "Time: in the year 1",
		`{"TriggerName":"t","Time":"2026-11-21T02:05:00Z"}`:                `Type: "" with a TriggerName`,
		`{"Type":"timer","TriggerName":"t"}`:                               `Type: "timer" with a TriggerName`,
		`{"Type":"Timer","TriggerName":"t\u0000"}`:                         "TriggerName: ",
	} {
		wantRefused(t, raw, piece)
	}
}
