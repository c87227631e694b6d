package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

const uuid = "13a3f42d-7258-4ada-da6d-023a333b4662"

// cloudEvent is a good one, with more attributes.
func cloudEvent(more string) string {
	return `{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"plan"}` + more + `}`
}

func TestCloudEventIsAnEnvelope(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["cloudevent.json"]), rotation.Request{
		Action: rotation.Rotate, Only: []string{"ins-1f0c22aa", "ins-20ab17de"},
		Token: "cloudevent:/ops/password-desk:" + uuid, Time: time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC),
	})
	millis := time.UnixMilli(1615430559146).UTC()
	wantRequest(t, string(accepted(t)["cloudevent_eventbridge.json"]), rotation.Request{
		Action: rotation.Reconcile, Token: "cloudevent:password-desk:" + uuid, Time: millis,
	})
	wantRequest(t, string(accepted(t)["cloudevent_batch.json"]), rotation.Request{
		Action: rotation.Plan, Token: "cloudevent:password-desk:" + uuid, Time: millis,
	})
}

func TestCloudEventsTimeIsOptional(t *testing.T) {
	t.Parallel()
	want := rotation.Request{Action: rotation.Plan, Token: "cloudevent:s:1"}
	wantRequest(t, cloudEvent(""), want)
	wantRequest(t, cloudEvent(`,"time":null`), want)
	for raw, piece := range map[string]string{
		`""`:                 `time: "" is no time`,
		`"tomorrow"`:         `time: "tomorrow" is no time`,
		`true`:               `time: "true" is no time`,
		`1615430559.146`:     `time: "1615430559.146" is no time`,
		`1615430559`:         "time: in the year 1970: write it as 2019-08-17T05:26:00Z or in milliseconds since 1970",
		`"1615430559146000"`: "time: in the year 53160",
		`0`:                  "time: in the year 1970",
		`-1`:                 "time: in the year 1969",
	} {
		wantRefused(t, cloudEvent(`,"time":`+raw), piece)
	}
}

func TestPayloadsTokenComesBeforeTheEnvelopes(t *testing.T) {
	t.Parallel()
	wantRequest(t, `{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"rotate","token":"t"}}`,
		rotation.Request{Action: rotation.Rotate, Token: "t"})
}

// TestTwoCloudEventsNeverShareAToken: the second would be taken for done.
func TestTwoCloudEventsNeverShareAToken(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, source := range []string{"a", "a:b", "a:b:c", "a%3Ab"} {
		for _, id := range []string{"c", "b:c", "b%3Ac", "c:", ":c", "%"} {
			raw := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"dev.relock.request","data":{"action":"rotate"}}`, id, source)
			req, err := events.Parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[req.Token]; ok {
				t.Errorf("%s and %s share the token %q", other, raw, req.Token)
			}
			seen[req.Token] = raw
		}
	}
}

func TestCloudEventsAttributesAreJudged(t *testing.T) {
	t.Parallel()
	event := func(attributes string) string { return `{` + attributes + `}` }
	long := strings.Repeat("x", 200)
	for raw, piece := range map[string]string{
		event(`"specversion":"0","type":"dev.relock.request"`):                        `specversion: "0": only 1.0 is known`,
		event(`"specversion":"1.1","type":"dev.relock.request"`):                      `specversion: "1.1"`,
		event(`"specversion":1.0`):                                                    "specversion: of the wrong type: write a string",
		event(`"specversion":null`):                                                   `specversion: ""`,
		event(`"specversion":"1.0"`):                                                  `type: "" is another function's event`,
		event(`"specversion":"1.0","type":"relock.rotate"`):                           `type: "relock.rotate" is another function's event`,
		event(`"specversion":"1.0","type":"ssm:CloudEvent:ConsoleCall"`):              "relock makes such calls itself",
		event(`"specversion":"1.0","type":"cvm:CloudEvent:ApiCall"`):                  "relock makes such calls itself",
		event(`"specversion":"1.0","type":"dev.relock.request"`):                      "data: not there: put relock's own payload there as an object",
		event(`"specversion":"1.0","type":"dev.relock.request","data":null`):          "data: not there",
		event(`"specversion":"1.0","type":"dev.relock.request","data_base64":"e30="`): "data: not there",
		// The specification forbids to read JSON out of a string.
		event(`"specversion":"1.0","type":"dev.relock.request","data":"{\"action\":\"plan\"}"`):                                       "data: not a JSON object",
		event(`"specversion":"1.0","type":"dev.relock.request","data":{"action":"plant"}`):                                            `data: action: "plant"`,
		event(`"specversion":"1.0","type":"dev.relock.request","data":{"action":"plan"}`):                                             "source: empty or not there",
		event(`"specversion":"1.0","type":"dev.relock.request","source":"s","data":{"action":"plan"}`):                                "id: empty or not there",
		event(`"specversion":"1.0","type":"dev.relock.request","source":"s","id":7,"data":{"action":"plan"}`):                         "id: of the wrong type: write a string",
		event(`"specversion":"1.0","type":"dev.relock.request","source":"` + long + `","id":"` + long + `","data":{"action":"plan"}`): "source and id: 412 bytes long: write at most 256",
	} {
		wantRefused(t, raw, piece)
	}
	// What relock does not read it does not judge.
	wantRequest(t, cloudEvent(`,"subject":7,"tags":[],"resource":"x","region":null,"Type":"x","status":"1"`),
		rotation.Request{Action: rotation.Plan, Token: "cloudevent:s:1"})
}

func TestABatchIsOfOne(t *testing.T) {
	t.Parallel()
	one, want := cloudEvent(""), rotation.Request{Action: rotation.Plan, Token: "cloudevent:s:1"}
	wantRequest(t, `[`+one+`]`, want)
	wantRequest(t, `{"EventList":[`+one+`]}`, want)
	for raw, piece := range map[string]string{
		`[` + one + `,` + one + `]`:               "2 events in one: turn batch delivery off, or set its maximum to 1",
		`{"EventList":[` + one + `,` + one + `]}`: "EventList: 2 events in one",
		`[]`:                            "0 events in one",
		`{"EventList":null}`:            "EventList: 0 events in one",
		`{"EventList":` + one + `}`:     "EventList: of the wrong type: write a list of one CloudEvent",
		`[{"action":"rotate"}]`:         "a list of something else",
		`["rotate"]`:                    "a list of something else",
		`[[` + one + `]]`:               "a list of something else",
		`[{"EventList":[` + one + `]}]`: "a list of something else",
		`[` + strings.Replace(one, "dev.", "", 1) + `]`: "another function's event",
	} {
		wantRefused(t, raw, piece)
	}
}
