package events_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

// FuzzParse: whatever arrives, Parse returns a valid request without the operator's wishes, the same each time, or a
// short error that matches ErrConfig.
func FuzzParse(f *testing.F) {
	for _, raw := range accepted(f) {
		f.Add(raw)
	}
	for _, raw := range refused(f) {
		f.Add(raw)
	}
	f.Add([]byte(`[` + cloudEvent(`,"time":"1615430559146"`) + `]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		req, err := events.Parse(raw)
		again, errAgain := events.Parse(raw)
		if diff := cmp.Diff(req, again); diff != "" || said(err) != said(errAgain) {
			t.Fatalf("Parse differs from itself: %q, %q\n%s", said(err), said(errAgain), diff)
		}
		if err != nil {
			if !errors.Is(err, rotation.ErrConfig) || len(err.Error()) > 3000 {
				t.Errorf("Parse: %d bytes of error, %.3000q; want a short one that matches ErrConfig", len(err.Error()), err)
			}
			return
		}
		if err := req.Validate(); err != nil {
			t.Errorf("Parse = %+v, which is not valid: %v", req, err)
		}
		if got := wishes(req); len(got) > 0 {
			t.Errorf("Parse sets %v", got)
		}
		if req.Action == "" {
			t.Errorf("Parse = %+v; want an action", req)
		}
		if req.Step == "" && req.Ignored == "" { // no payload can ask for a step, or for nothing
			reencode(t, req)
		}
	})
}

// reencode fails unless req, written as relock's own payload, is the same request without its time.
func reencode(t *testing.T, req rotation.Request) {
	t.Helper()
	raw, err := json.Marshal(events.Payload{
		Action: string(req.Action), Secret: req.Secret, Only: req.Only, DryRun: req.DryRun, Token: req.Token,
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := events.Parse(raw)
	if err != nil {
		t.Fatalf("Parse(%s), which is %+v: %v", raw, req, err)
	}
	req.Time = time.Time{}
	if diff := cmp.Diff(req, back); diff != "" {
		t.Errorf("Parse(%s): -want +got\n%s", raw, diff)
	}
}

// said is an error's text; empty for nil.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
