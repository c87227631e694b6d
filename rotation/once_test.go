package rotation_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// What went wrong can be played again: the same world and the same faults give the same calls at the same times.
func TestSameWorldTwiceGivesTheSameCalls(t *testing.T) {
	onEvery(t, func(t *testing.T, _ *rotationtest.World) {
		play := func() (calls []string) {
			w := rotationtest.NewWorld(rotationtest.Kind{Labels: strings.Contains(t.Name(), "blind"), Boot: strings.Contains(t.Name(), "boot")})
			add(w, 9, rotation.Running)
			add(w, 2, rotation.Stopped)
			record := func(s rotationtest.Sent) error {
				calls = append(calls, fmt.Sprintf("%v %s %s %v %+v", w.Now(), s.Site, s.Region, s.IDs, s.Mark))
				return nil
			}
			for range 2 {
				r := w.Rotator()
				w.Tap(r, rotationtest.Tap{Before: record})
				marks := 0
				w.Run(r, rotation.Request{}, func(n int, site string) rotationtest.Fault {
					if site == "mark-down" { // what waits with nothing under way wakes at its own time
						if marks++; marks <= 2 {
							return rotationtest.Throttled
						}
					}
					if strings.HasPrefix(site, "store-") {
						return rotationtest.NoFault
					}
					return rotationtest.Fault([]string{"", "", "", "", "", "fail-before", "", "throttled", "fail-after", "", ""}[n%11])
				})
				w.Advance(time.Hour)
			}
			if w.Sites["reset"] < 4 {
				t.Fatalf("the runs did not get far: %q", w.Trace)
			}
			return append(calls, w.Trace...)
		}
		if a, b := play(), play(); !reflect.DeepEqual(a, b) {
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("call %d is once %q and once %q", i, a[i], b[i])
				}
			}
			t.Fatalf("once %d calls, once %d", len(a), len(b))
		}
	})
}

// farm is a Fleet, a Verifier and a Clock that many goroutines may use at once. Its machines are set while they run.
type farm struct {
	mu       sync.Mutex
	region   string
	now      time.Time
	live     map[string]string
	requests map[string][]string // done, by id
	under    int
	most     int
}

func newFarm(region string, n int) *farm {
	f := &farm{region: region, now: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC), live: map[string]string{}, requests: map[string][]string{}}
	for i := range n {
		f.live[fmt.Sprintf("%s-%03d", region, i)] = rotationtest.Baseline
	}
	return f
}

// enter counts how many calls are under way.
func (f *farm) enter() func() {
	f.mu.Lock()
	f.under++
	f.most = max(f.most, f.under)
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		f.under--
		f.mu.Unlock()
	}
}

func (f *farm) Region() string { return f.region }

func (f *farm) Describe(context.Context, rotation.Selector) ([]rotation.Instance, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rotation.Instance
	for id := range f.live {
		out = append(out, rotation.Instance{ID: id, Region: f.region, OS: rotation.Linux, Power: rotation.Running, Tags: map[string]string{"rotate": "yes"},
			Terms: rotation.Terms{Rules: rotation.TencentLinux(), MaxBatch: 1, Reported: true}})
	}
	return out, nil
}

func (f *farm) Reset(_ context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	op := rotation.Operation{Kind: rotation.OpReset, RequestID: fmt.Sprintf("%s-%d", f.region, len(f.requests)), Sent: f.now}
	for _, inst := range batch {
		f.live[inst.ID] = c.Password.Reveal()
		op.Instances = append(op.Instances, inst.ID)
	}
	f.requests[op.RequestID] = op.Instances
	return op, nil
}

func (f *farm) Observe(_ context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	defer f.enter()()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rotation.Result
	for _, op := range ops {
		for _, id := range op.Instances {
			out = append(out, rotation.Result{Instance: id, Kind: op.Kind, State: rotation.Done, Power: rotation.Running, RequestID: op.RequestID})
		}
	}
	return out, nil
}

func (f *farm) Mark(context.Context, []rotation.Instance, rotation.Mark) error {
	defer f.enter()()
	return nil
}

func (f *farm) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *farm) Wait(_ context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return nil
}

func TestManyRequestsAtOnceAreBoundedAndLoseNothing(t *testing.T) {
	for _, row := range []struct{ configured, want int }{{0, 16}, {16, 16}, {3, 3}, {1, 1}} {
		w := newWorld(t, whenStopped) // for its store
		a, b := newFarm("a", 100), newFarm("b", 60)
		r := w.Rotator()
		// The world is one goroutine's; the engine asks its store from one.
		r.Fleets, r.Clock, r.Verifier, r.Concurrency = []rotation.Fleet{a, b}, a, nil, row.configured
		var seen []rotation.Progress
		r.Progress = func(p rotation.Progress) { seen = append(seen, p) }
		r.Policy.Canary = -1
		report, err := r.Do(t.Context(), rotation.Request{})
		if err != nil || report.Outcome != rotation.Rotated || report.Counts.Record != 160 {
			t.Fatalf("ended %s, %v, %d proven by the record; want rotated, 160", report.Outcome, err, report.Counts.Record)
		}
		for _, f := range []*farm{a, b} {
			for id, p := range f.live {
				if p != w.Current() {
					t.Errorf("%s does not have what is current", id)
				}
			}
			if f.most > row.want {
				t.Errorf("%d calls were under way at once in region %s; want at most %d", f.most, f.region, row.want)
			}
		}
		last := seen[len(seen)-1]
		if last.Targets != 160 || last.Ended != 160 || last.Proven != 160 || last.Down != 0 || last.Generation != 2 {
			t.Errorf("progress ends at %+v; want 160 of 160", last)
		}
	}
}

func TestAnEventThatAsksForNothingTouchesNothing(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	report := must(t, w, rotation.Request{Action: rotation.Rotate, Ignored: "made by ourselves"}, rotation.Nothing)
	if report.Why != "made by ourselves" || w.Calls() != 0 {
		t.Errorf("%q after %d calls; want the reason, and none", report.Why, w.Calls())
	}
}
