package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

func TestHuaweiTimerRotatesOrDoesWhatItsEventSays(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["huawei_timer.json"]), rotation.Request{
		Action: rotation.Rotate, Token: "timer:Timer_001:2018-06-01T00:30:00Z", Time: time.Date(2018, 6, 1, 0, 30, 0, 0, time.UTC),
	})
	wantRequest(t, string(accepted(t)["huawei_timer_payload.json"]), rotation.Request{
		Action: rotation.Resume, Secret: "ecs-admin-prod", Token: "timer:resume:2026-11-21T02:05:00Z", Time: due,
	})
	for raw, piece := range map[string]string{
		`{"trigger_type":"TIMER","trigger_name":"x","user_event":""}`:                                      "time: ",
		`{"trigger_type":"TIMER","time":"2026-11-21T02:05:00Z"}`:                                           "trigger_name: empty",
		`{"trigger_type":"OBS","trigger_name":"x","time":"2026-11-21T02:05:00Z"}`:                          `field trigger_type: "OBS"`,
		`{"trigger_type":"TIMER","trigger_name":"x","time":"2026-11-21T02:05:00Z","user_event":"rotate"}`:  "user_event: not JSON",
		`{"trigger_type":"TIMER","trigger_name":"x","time":"2026-11-21T02:05:00Z","action":"rotate"}`:      "send one of them",
		`{"trigger_type":"TIMER","trigger_name":"x","time":"2026-11-21T02:05:00Z","user_event":{"a":"b"}}`: "user_event: of the wrong type",
	} {
		wantRefused(t, raw, piece)
	}
}

// smn is a message of SMN that was published at due.
func smn(t *testing.T, message string) string {
	t.Helper()
	raw, err := json.Marshal(events.HuaweiSMN{Record: []events.HuaweiSMNRecord{{
		EventSource: "smn",
		SMN: events.HuaweiSMNMessage{
			Timestamp: "2026-11-21T02:05:00Z", Message: message, Type: "notification", MessageID: "id",
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnExpiredVersionRotates(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["huawei_smn_expired.json"]), rotation.Request{
		Action: rotation.Rotate, Secret: "ecs-admin-prod", Token: "smn:bf94b63a5dfb475994d3ac34664e24f2", Time: due,
	})
	want := rotation.Request{Action: rotation.Rotate, Secret: "s", Token: "smn:id", Time: due}
	wantRequest(t, smn(t, `{"eventType":"SECRET_VERSION_EXPIRED","secretName":"s","more":{"x":1}}`), want)
	wantRequest(t, smn(t, `{"action":"resume","secret":"s"}`), rotation.Request{Action: rotation.Resume, Secret: "s", Token: "smn:id", Time: due})
}

// A version that was made is our own doing: a rotation would cause the next.
func TestACreatedVersionIsIgnoredWithoutAnError(t *testing.T) {
	t.Parallel()
	req, err := events.Parse(accepted(t)["huawei_smn_created.json"])
	if err != nil || !strings.Contains(req.Ignored, "SECRET_VERSION_CREATED") {
		t.Errorf("Parse = %+v, %v; want it ignored", req, err)
	}
}

func TestAMessageThatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()
	for message, piece := range map[string]string{
		"":                       "message: empty",
		"the secret has expired": "message: not JSON",
		`{"trigger_event_type":"SECRET_DELETED","secret_name":"s"}`: `"SECRET_DELETED" is nothing to act on`,
		`{"secret_name":"s"}`: `"" is nothing to act on`,
		`{"trigger_event_type":"SECRET_VERSION_EXPIRED","event_type":"SECRET_VERSION_CREATED"}`: "two spellings",
		`{"trigger_event_type":["SECRET_VERSION_EXPIRED"]}`:                                     "of the wrong type",
		`{"trigger_event_type":"SECRET_VERSION_EXPIRED","secret_name":" s"}`:                    "white space",
		`{"action":"rotate","trigger_event_type":"SECRET_VERSION_EXPIRED"}`:                     "unknown fields",
	} {
		wantRefused(t, smn(t, message), piece)
	}
	one := smn(t, `{"action":"resume"}`)
	wantRefused(t, strings.Replace(one, `"smn",`, `"obs",`, 1), "event_source")
	wantRefused(t, strings.Replace(one, `"notification"`, `"subscription"`, 1), "type")
	wantRefused(t, `{"record":[]}`, "a list of one message")
	wantRefused(t, `{"record":[{},{}]}`, "a list of one message")
	wantRefused(t, `{"record":[null]}`, "record[0]")
	wantRefused(t, `{"record":[{"event_source":"smn"}]}`, "smn")
}
