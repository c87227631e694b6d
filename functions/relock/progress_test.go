package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/rotation"
)

func TestLinesAreFew(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := began
	l := &lines{w: &out, every: 5 * time.Second, now: func() time.Time { return now }}
	l.tell(rotation.Progress{Generation: 42}) // nothing to tell yet
	for i := range 200 {
		l.tell(rotation.Progress{Generation: 42, Targets: 2000, Proven: i * 10, Down: 7})
		now = now.Add(100 * time.Millisecond)
	}
	now = now.Add(time.Hour)
	l.tell(rotation.Progress{Generation: 42, Targets: 2000, Proven: 1500, Down: 7}) // as it was told last
	want := "relock: generation 42: 0 of 2,000 machines proven, 7 down\n" +
		"relock: generation 42: 500 of 2,000 machines proven, 7 down\n" +
		"relock: generation 42: 1,000 of 2,000 machines proven, 7 down\n" +
		"relock: generation 42: 1,500 of 2,000 machines proven, 7 down\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBarTellsProvenAndDownAndGoesAway(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := &bar{w: &out}
	b.end() // before anything was told
	b.tell(rotation.Progress{Generation: 42})
	b.tell(rotation.Progress{Generation: 42, Targets: 250, Ended: 10, Proven: 9, Down: 50})
	b.tell(rotation.Progress{Generation: 42, Targets: 250, Ended: 250, Proven: 240})
	b.tell(rotation.Progress{Generation: 42, Targets: 249, Ended: 260, Proven: 240})
	b.end()
	text := out.String()
	if !strings.Contains(text, "generation 42: 9 proven, 50 down") {
		t.Errorf("the bar shows %q", text)
	}
	if last := text[strings.LastIndex(strings.TrimRight(text, "\r"), "\r")+1:]; strings.TrimSpace(last) != "" {
		t.Errorf("the bar leaves %q", last)
	}
}

func TestQuietTellsNothing(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	q := (&options{stderr: &out, quiet: true}).teller()
	q.tell(rotation.Progress{Generation: 1, Targets: 2})
	q.end()
	if out.Len() != 0 {
		t.Errorf("a quiet run tells %q", out.String())
	}
}
