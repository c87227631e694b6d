package events_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

func TestPayloadIsTheRequest(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["payload.json"]), rotation.Request{
		Action: rotation.Rotate, Secret: "cvm-admin-prod", Token: "change-4711",
		Only: []string{"ins-1f0c22aa", "ins-20ab17de"}, DryRun: true,
	})
	wantRequest(t, `{"action":"rotate","dry_run":false}`, rotation.Request{Action: rotation.Rotate})
}

// TestEventsActionsAreTheseFive: an action that is new in rotation is not an event's without a decision.
func TestEventsActionsAreTheseFive(t *testing.T) {
	t.Parallel()
	five := []rotation.Action{"rotate", "resume", "reconcile", "verify", "plan"}
	if got := rotation.Actions(); !slices.Equal(got, five) {
		t.Errorf("Actions = %v; want %v", got, five)
	}
	for _, a := range five {
		wantRequest(t, fmt.Sprintf(`{"action":%q}`, a), rotation.Request{Action: a})
	}
	for _, a := range []string{"", "Rotate", "rotate ", "forget", "recover", "lookup"} {
		wantRefused(t, fmt.Sprintf(`{"action":%q}`, a), fmt.Sprintf("action: %q", a), "write one of [rotate resume reconcile verify plan]")
	}
}

func TestPayloadFieldsAreExact(t *testing.T) {
	t.Parallel()
	const use = "use action, secret, only, dry_run, token, in lower case"
	for raw, pieces := range map[string][]string{
		`{}`:                                     {"action: not there: write one of", "relock accepts"},
		`{"secret":"s"}`:                         {"action: not there", "relock accepts"},
		`{"Action":"rotate"}`:                    {`unknown fields ("Action")`, use, "relock accepts"},
		`{"action":"plan","Action":"rotate"}`:    {`unknown fields ("Action")`, use},
		`{"action":"rotate","Dry_Run":true}`:     {`unknown fields ("Dry_Run")`, use},
		`{"action":"rotate","dryRun":true}`:      {`unknown fields ("dryRun")`, use},
		`{"action":"rotate","\u017fecret":"s"}`:  {`unknown fields ("ſecret")`, use},
		`{"action":"rotate","step":"create"}`:    {`unknown fields ("step")`, use},
		`{"action":"rotate","time":"2026"}`:      {`unknown fields ("time")`, use},
		`{"action":"rotate","a":1,"b":1,"c":1}`:  {`unknown fields ("a", "b", "c")`},
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}`:  {`unknown fields ("a", "b", "c", "d", 2 more)`},
		`{"action":"rotate","only":null}`:        {"only: null: give it a value or leave it out"},
		`{"action":"rotate","dry_run":null}`:     {"dry_run: null"},
		`{"action":null}`:                        {"action: null"},
		`{"action":7}`:                           {"action: of the wrong type: write a string"},
		`{"action":["rotate"]}`:                  {"action: of the wrong type: write a string"},
		`{"action":"rotate","dry_run":"true"}`:   {"dry_run: of the wrong type: write true or false"},
		`{"action":"rotate","dry_run":1}`:        {"dry_run: of the wrong type: write true or false"},
		`{"action":"rotate","only":"ins-1"}`:     {"only: of the wrong type: write a list of strings"},
		`{"action":"rotate","only":["a",7]}`:     {"only: of the wrong type: write a list of strings"},
		`{"action":"rotate","secret":{"a":"b"}}`: {"secret: of the wrong type: write a string"},
	} {
		wantRefused(t, raw, pieces...)
	}
}

// TestNothingNarrowTurnsIntoAll: a list that came out empty must not mean every machine.
func TestNothingNarrowTurnsIntoAll(t *testing.T) {
	t.Parallel()
	list := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("i-%d", i)
		}
		raw, err := json.Marshal(events.Payload{Action: "verify", Only: ids})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for raw, piece := range map[string]string{
		`{"action":"rotate","only":[]}`:            "only: empty: name a machine",
		`{"action":"rotate","only":[""]}`:          "only[0]: empty",
		`{"action":"rotate","only":["a",null]}`:    "only[1]: empty",
		`{"action":"rotate","only":["a"," b"]}`:    `only[1]: " b" has white space around it`,
		`{"action":"rotate","only":["a\u200b"]}`:   "only[0]: \"a\\u200b\" has characters that do not print",
		`{"action":"rotate","only":["a","b","a"]}`: `only[2]: "a" is only[0] already: name each machine once`,
		list(10_001):                                                       "only: 10001 machines: name at most 10000",
		`{"action":"rotate","secret":""}`:                                  "secret: empty",
		`{"action":"rotate","secret":" s"}`:                                "secret: ",
		`{"action":"rotate","token":""}`:                                   "token: empty",
		`{"action":"rotate","token":"a\nb"}`:                               "token: ",
		`{"action":"rotate","token":"` + strings.Repeat("t", 257) + `"}`:   "token: 257 bytes long: write at most 256",
		`{"action":"rotate","secret":"` + strings.Repeat("s", 1025) + `"}`: "secret: 1025 bytes long: write at most 1024",
	} {
		wantRefused(t, raw, piece)
	}
	req, err := events.Parse([]byte(list(10_000)))
	if err != nil || len(req.Only) != 10_000 {
		t.Errorf("Parse(10,000 machines) = %d machines, %v; want them all", len(req.Only), err)
	}
}
