package rotationtest_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// TestASearchCopiesAllOfAWorld names every field of a world and of a machine. A new one has to be thought of in World.clone
// and in World.digest: a search takes worlds for equal that differ in what these leave out.
func TestASearchCopiesAllOfAWorld(t *testing.T) {
	for _, row := range []struct {
		of     any
		fields []string
	}{
		{rotationtest.World{}, []string{
			"Machines", "Sites", "Trace", "Violations", "algorithm", "allowed", "answers", "atMost", "calls", "current", "dead", "excused",
			"faults", "hash", "hushed", "injected", "inv", "kind", "knobs", "linux", "lost", "now", "order", "other", "otherCalls",
			"overlap", "pending", "reader", "requests", "setters", "shelf", "stale", "started", "suffixes", "view", "windows",
		}},
		{rotationtest.Machine{}, []string{
			"Broken", "Hangs", "ID", "KeyPair", "Live", "Next", "NoLogin", "OS", "Power", "Refuse", "Region", "Stops", "Tags", "Was",
			"ever", "fooled", "found", "inflight", "landed", "lateSets", "marker", "nextAt", "oldTags", "op", "past", "record", "refusal", "stopper",
			"tagsAt", "unsure", "woken",
		}},
	} {
		var got []string
		for f := range reflect.TypeOf(row.of).Fields() {
			got = append(got, f.Name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(row.fields, got); diff != "" {
			t.Errorf("fields of %T (-known to a search +there):\n%s", row.of, diff)
		}
	}
}
