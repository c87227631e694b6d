package rotation_test

import (
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// TestGenerationFromTheFutureDoesNotSwallowEvents: a function whose clock was a year ahead once must not make every later
// event look as if it had been done.
func TestGenerationFromTheFutureDoesNotSwallowEvents(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Stopped)
	r := w.Rotator()
	r.Clock = ahead{r.Clock}
	if report, err, _ := w.Run(r, rotation.Request{Time: w.Now()}, nil); report.Outcome != rotation.Rotated {
		t.Fatalf("the first rotation ended %s: %v", report.Outcome, err)
	}
	w.Advance(24 * time.Hour)
	if report, err, _ := w.Run(w.Rotator(), rotation.Request{Time: w.Now()}, nil); report.Outcome != rotation.Rotated {
		t.Errorf("the next day's rotation ended %s: %s (%v)", report.Outcome, report.Why, err)
	}
	if report, err, _ := w.Run(w.Rotator(), rotation.Request{Time: w.Now().Add(-time.Hour)}, nil); report.Outcome != rotation.Nothing {
		t.Errorf("an event from before the newest generation ended %s: %s (%v)", report.Outcome, report.Why, err)
	}
}

// ahead is a clock that is a year ahead.
type ahead struct{ rotation.Clock }

func (c ahead) Now() time.Time { return c.Clock.Now().AddDate(1, 0, 0) }
