package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

// accepted and refused are the payloads in testdata by their file names.
func accepted(t testing.TB) map[string][]byte { return read(t, "testdata/*.json") }
func refused(t testing.TB) map[string][]byte  { return read(t, "testdata/refused/*.json") }

func read(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(%q) = %v, %v; want files", pattern, files, err)
	}
	all := make(map[string][]byte)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = raw
	}
	return all
}

// wantRefused fails unless raw is refused as a person's mistake, in a text that has all of the pieces.
func wantRefused(t *testing.T, raw string, pieces ...string) {
	t.Helper()
	req, err := events.Parse([]byte(raw))
	if !errors.Is(err, rotation.ErrConfig) {
		t.Fatalf("Parse(%.200s) = %+v, %v; want an error that matches ErrConfig", raw, req, err)
	}
	if diff := cmp.Diff(rotation.Request{}, req); diff != "" {
		t.Errorf("Parse(%.200s) returns a request with its error:\n%s", raw, diff)
	}
	for _, piece := range pieces {
		if !strings.Contains(err.Error(), piece) {
			t.Errorf("Parse(%.200s): error %q; want it to say %q", raw, err, piece)
		}
	}
}

// wantRequest fails unless raw makes the request want.
func wantRequest(t *testing.T, raw string, want rotation.Request) {
	t.Helper()
	got, err := events.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("Parse(%s): %v", raw, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse(%s): -want +got\n%s", raw, diff)
	}
}

// shapes are the structs that testdata is read into, by the beginning of the file name.
func shapes(file string) any {
	switch {
	case strings.HasPrefix(file, "aws_rotation"):
		return new(events.AWSRotation)
	case strings.HasPrefix(file, "aws_schedule"):
		return new(events.AWSSchedule)
	case strings.HasPrefix(file, "huawei_timer"):
		return new(events.HuaweiTimer)
	case strings.HasPrefix(file, "huawei_smn"):
		return new(events.HuaweiSMN)
	case strings.HasPrefix(file, "tencent_timer"):
		return new(events.TencentTimer)
	case strings.HasPrefix(file, "cloudevent_batch"):
		return new(events.CloudEventBatch)
	case strings.HasPrefix(file, "cloudevent"):
		return new(events.CloudEvent)
	case strings.HasPrefix(file, "payload"):
		return new(events.Payload)
	}
	return nil
}

func TestStructsMirrorTheVendorsJSON(t *testing.T) {
	t.Parallel()
	for file, raw := range accepted(t) {
		to := shapes(file)
		if to == nil {
			t.Errorf("%s: no struct mirrors it", file)
			continue
		}
		if err := json.Unmarshal(raw, to); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		back, err := json.Marshal(to)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(value(t, raw), value(t, back)); diff != "" {
			t.Errorf("%s: -vendor +%T\n%s", file, to, diff)
		}
	}
}

// value is what raw means as JSON, its numbers as they are written.
func value(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryFixtureIsDecided(t *testing.T) {
	t.Parallel()
	for file, raw := range accepted(t) {
		if _, err := events.Parse(raw); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for file, raw := range refused(t) {
		if req, err := events.Parse(raw); err == nil {
			t.Errorf("%s: accepted as %+v", file, req)
		}
	}
}

func TestAnotherFunctionsEventIsNamed(t *testing.T) {
	t.Parallel()
	const know = "a Huawei SMN message, a CloudEvent of type dev.relock.request"
	says := map[string][]string{
		"tencent_cos.json":                {"a COS event", "take its trigger off", know},
		"tencent_cmq.json":                {"a CMQ message", "take its trigger off", know},
		"tencent_ckafka.json":             {"a CKafka message", "take its trigger off", know},
		"tencent_apigateway.json":         {"an API Gateway request", "take its trigger off", know},
		"tencent_cls.json":                {"a delivery of CLS logs", "take its trigger off", know},
		"tencent_console_test.json":       {`unknown fields ("key1", "key2")`, know},
		"tencent_cloudaudit.json":         {`type: "ssm:CloudEvent:ApiCall"`, "relock makes such calls itself", "match the type dev.relock.request only"},
		"tencent_alarm.json":              {`type: "cvm:ErrorEvent:ping_unreachable"`, "another function's event", "match the type dev.relock.request only"},
		"aws_cloudtrail.json":             {`"AWS API Call via CloudTrail"`, "another function's event", "constant input"},
		"huawei_obs.json":                 {"an OBS event", "take its trigger off", know},
		"huawei_smn_rotation_failed.json": {`"SECRET_ROTATED_FAILED" is nothing to act on`, "let CSMS notify of SECRET_VERSION_EXPIRED"},
		"tencent_timer_text.json":         {"Message: not JSON", "leave the trigger's input empty to rotate", `{"action":"resume"}`},
	}
	for file, raw := range refused(t) {
		pieces, ok := says[file]
		if !ok {
			t.Errorf("%s: nothing here says what its error says", file)
		}
		wantRefused(t, string(raw), pieces...)
	}
	wantRefused(t, `{"Records":[]}`, "a batch of records")
	wantRefused(t, `{"Records":7}`, "a batch of records")
	wantRefused(t, `{"requestContext":{"http":{"method":"POST"}}}`, "an HTTP request")
}

func TestOnlyWholeUnambiguousJSONIsRead(t *testing.T) {
	t.Parallel()
	const good = `{"action":"verify"}`
	pad := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
	deep := func(n int) string {
		return `{"action":"verify","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	wantRequest(t, "\r\n\t "+good+"\n", rotation.Request{Action: rotation.Verify})
	wantRequest(t, pad(256<<10), rotation.Request{Action: rotation.Verify})
	for name, row := range map[string]struct{ raw, says string }{
		"nothing":               {"", "empty: send"},
		"white space":           {" \n", "empty: send"},
		"null":                  {"null", "not a JSON object"},
		"a string":              {`"rotate"`, "not a JSON object"},
		"a number":              {`7`, "not a JSON object"},
		"a word":                {`rotate`, "not JSON (invalid character 'r'"},
		"cut off":               {good[:12], "cut off after 12 bytes"},
		"cut off in a list":     {`[{"action":"verify"}`, "cut off after 20 bytes"},
		"a comma too many":      {`{"action":"verify",}`, "not JSON (invalid character '}'"},
		"a second value":        {good + good, "something follows the JSON that ends at byte 19"},
		"rubbish behind":        {good + "\x00", "something follows the JSON that ends at byte 19"},
		"too long":              {pad(256<<10 + 1), "262145 bytes long: send at most 262144"},
		"not UTF-8":             {"{\"action\":\"verify\",\"token\":\"\xff\"}", "not UTF-8"},
		"half a surrogate":      {`{"action":"verify","token":"\ud800"}`, "token: "},
		"a byte order mark":     {"\ufeff" + good, "not JSON"},
		"a no-break space":      {"\u00a0" + good, "not JSON"},
		"a field twice":         {`{"action":"plan","action":"rotate"}`, `field "action" is there twice`},
		"a field twice, escape": {`{"action":"plan","\u0061ction":"rotate"}`, `field "action" is there twice`},
		"a field twice, inside": {`{"action":"plan","x":[{"y":1,"y":2}]}`, `field "y" is there twice`},
		"32 deep":               {deep(31), `unknown fields ("x")`},
		"33 deep":               {deep(32), "nested deeper than 32"},
		"20,000 deep":           {deep(20_000), "depth"},
		"a number out of range": {`{"action":"verify","x":1e999}`, `unknown fields ("x")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, row.raw, row.says)
		})
	}
}

func TestAnEventOfTwoKindsIsRefused(t *testing.T) {
	t.Parallel()
	wantRefused(t, `{"action":"plan","Type":"Timer","TriggerName":"t","Time":"2026-11-21T02:00:00Z","Message":""}`,
		"has the fields of a Tencent SCF timer and of relock's own payload")
	wantRefused(t, `{"action":"plan","specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"rotate"}}`,
		"has the fields of a CloudEvent of type dev.relock.request and of relock's own payload")
}

// TestErrorsShowLittleOfTheEvent: an event may be huge, and fields that relock does not know may hold anything.
func TestErrorsShowLittleOfTheEvent(t *testing.T) {
	t.Parallel()
	const marker = "hunter2"
	long := strings.Repeat("x", 100_000)
	for _, raw := range []string{
		`{"key1":"` + marker + `","key2":{"` + marker + `":["` + marker + `"]}}`,
		`{"action":"rotate","password":"` + marker + `"}`,
		`{"action":"rotate","only":{"x":"` + marker + `"}}`,
		`{"action":"rotate","dry_run":"` + marker + `"}`,
		`{"Records":[{"cos":"` + marker + `"}]}`,
		`{"httpMethod":"POST","body":"` + marker + `"}`,
		`{"Type":"Timer","TriggerName":"t","Time":"2026-11-21T02:00:00Z","Message":"{\"x\":\"` + marker + `\"}"}`,
		`{"specversion":"1.0","id":"1","source":"s","type":"other","data":"` + marker + `"}`,
		`{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"x":"` + marker + `"}}`,
		`["` + marker + `"]`,
		`"` + marker + `"`,
		`{"action":"` + long + `"}`,
		`{"action":"rotate","token":"` + long + `"}`,
		`{"action":"rotate","only":["` + long + `"]}`,
		`{"` + long + `":1}`,
		`{"` + long + `":1,"` + long + `":2}`,
		`{"Type":"` + long + `","TriggerName":"t"}`,
		`{"Type":"Timer","TriggerName":"t","Time":"` + long + `"}`,
		`{"specversion":"` + long + `"}`,
		`{"specversion":"1.0","type":"` + long + `"}`,
		`{"specversion":"1.0","type":"dev.relock.request","data":{"action":"plan"},"time":{"x":"` + long + `"}}`,
	} {
		_, err := events.Parse([]byte(raw))
		if err == nil {
			t.Errorf("Parse(%.100s): accepted", raw)
			continue
		}
		if strings.Contains(err.Error(), marker) {
			t.Errorf("Parse(%.100s): error %q shows a value", raw, err)
		}
		if n := len(err.Error()); n > 500 {
			t.Errorf("Parse(%.100s): error of %d bytes; want at most 500", raw, n)
		}
	}
}

// eventFields are the fields of a request that an event may set. The others are the operator's wishes.
var eventFields = []string{"Ignored", "Action", "Step", "Proof", "Secret", "Token", "Time", "Only", "DryRun"}

// wishes are the operator's wishes that req has.
func wishes(req rotation.Request) []string {
	var set []string
	v := reflect.ValueOf(req)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !slices.Contains(eventFields, name) && !v.Field(i).IsZero() {
			set = append(set, name)
		}
	}
	return set
}

func TestNoEventSetsTheOperatorsWishes(t *testing.T) {
	t.Parallel()
	if got := wishes(rotation.Request{NewCandidate: true, TakeOver: []string{"all"}}); len(got) != 2 {
		t.Fatalf("wishes = %v; want NewCandidate and TakeOver", got)
	}
	carriers := []string{
		`{"action":"rotate",%s}`,
		`{"Type":"Timer","TriggerName":"t","Time":"2026-11-21T02:00:00Z","Message":"",%s}`,
		`{"Type":"Timer","TriggerName":"t","Time":"2026-11-21T02:00:00Z","Message":%q}`,
		`{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"rotate",%s}}`,
		`{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"rotate"},%s}`,
		`{"EventList":[{"specversion":"1.0","id":"1","source":"s","type":"dev.relock.request","data":{"action":"rotate"}}],%s}`,
	}
	for _, wish := range []string{
		`"NewCandidate":true`, `"newCandidate":true`, `"new_candidate":true`, `"new-candidate":true`, `"newcandidate":true`,
		`"TakeOver":["all"]`, `"takeOver":["all"]`, `"take_over":["all"]`, `"take-over":["all"]`, `"takeover":["all"]`,
	} {
		for _, carrier := range carriers {
			put := wish
			if strings.Contains(carrier, "%q") {
				put = `{"action":"rotate",` + wish + `}`
			}
			raw := fmt.Sprintf(carrier, put)
			req, err := events.Parse([]byte(raw))
			if got := wishes(req); len(got) > 0 {
				t.Errorf("Parse(%s) sets %v", raw, got)
			}
			if own := !strings.Contains(carrier, "Type") && !strings.Contains(carrier, "specversion"); own && err == nil {
				t.Errorf("Parse(%s) passes over a wish; want an error", raw)
			}
		}
	}
}

func TestParseIsDeterministic(t *testing.T) {
	t.Parallel()
	const raw = `{"z":1,"y":2,"x":3,"w":4,"v":5,"u":6,"action":"rotate","only":null,"token":null}`
	_, first := events.Parse([]byte(raw))
	for range 50 {
		if _, err := events.Parse([]byte(raw)); err.Error() != first.Error() {
			t.Fatalf("Parse: %q, then %q", first, err)
		}
	}
}
