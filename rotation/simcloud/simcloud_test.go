package simcloud_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestThingsHappenInOrderAndOnce(t *testing.T) {
	t.Parallel()
	var a simcloud.Agenda
	var got []string
	note := func(what string) func(time.Time) {
		return func(at time.Time) { got = append(got, at.Format("04:05 ")+what) }
	}
	a.Schedule(noon.Add(2*time.Minute), note("late"))
	a.Schedule(noon.Add(time.Minute), func(at time.Time) {
		note("first")(at)
		a.Schedule(at.Add(30*time.Second), note("then"))
	})
	a.Schedule(noon.Add(time.Minute), note("second"))
	line := a.From(noon)
	line.After(10*time.Second, note("line"))
	line.After(5*time.Second, note("line"))
	if a.Settle(noon); len(got) != 0 {
		t.Errorf("at once: %q", got)
	}
	a.Settle(noon.Add(3 * time.Minute))
	a.Settle(noon.Add(4 * time.Minute))
	want := []string{"00:10 line", "00:15 line", "01:00 first", "01:00 second", "01:30 then", "02:00 late"}
	if !slices.Equal(got, want) || !line.At().Equal(noon.Add(15*time.Second)) {
		t.Errorf("%q, the line is at %v; want %q", got, line.At(), want)
	}
	a.Schedule(noon, note("never"))
	a.Cancel()
	if a.Settle(noon.Add(time.Hour)); len(got) != len(want) {
		t.Errorf("%q after Cancel", got[len(want):])
	}
}

func TestRatesAreOfAnySecond(t *testing.T) {
	t.Parallel()
	l := simcloud.NewRates(0.5)
	for _, step := range []struct {
		after time.Duration
		key   string
		ok    bool
	}{
		{0, "a", true}, {900 * time.Millisecond, "a", true}, {950 * time.Millisecond, "a", false}, {950 * time.Millisecond, "b", true},
		{time.Second, "a", true}, {1500 * time.Millisecond, "a", false}, {1900 * time.Millisecond, "a", true},
	} {
		if n, allowed, ok := l.Take(step.key, 4, noon.Add(step.after)); ok != step.ok || allowed != 2 || (n > allowed) == ok {
			t.Errorf("%s after %v: request %d of %d, taken: %v; want %v", step.key, step.after, n, allowed, ok, step.ok)
		}
	}
}

func TestAuthorizationIsTakenApart(t *testing.T) {
	t.Parallel()
	want := map[string]string{"Key": "k", "Signature": "a=b"}
	for header, ok := range map[string]bool{
		"ALG Key=k, Signature=a=b": true, "ALG Signature=a=b,Key=k": true, "OTHER Key=k, Signature=a=b": false, "ALG Key=k": false,
		"ALG Key=, Signature=a=b": false, "ALG Key=k, Signature=a=b, More=x": false, "ALG": false, "": false,
	} {
		got, is := simcloud.Authorization(header, "ALG", "Key", "Signature")
		if is != ok || ok && !maps.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", header, got, is, ok)
		}
	}
}

func TestNothingIsEqualToNothing(t *testing.T) {
	t.Parallel()
	if simcloud.Equal("", "") || simcloud.Equal("a", "b") || !simcloud.Equal("a", "a") {
		t.Error("Equal compares wrongly")
	}
}

func TestOfTwoFaultsTheEarlierCounts(t *testing.T) {
	t.Parallel()
	k := simcloud.Catalogue{Requests: []string{"first", "second"}, Machines: []string{"third"},
		Applies: func(fault, action string) bool { return fault != "first" || action == "act" }}
	f := simcloud.NewFate(k, simcloud.NewRandom(1))
	f.SetFaults(simcloud.Faults{"first": 1, "second": 1, "third": 1})
	for action, want := range map[string]string{"act": "first", "look": "second"} {
		if fault, forced := f.Draw(action); fault != want || forced != "" {
			t.Errorf("%s draws %q, %q; want %q", action, fault, forced, want)
		}
	}
	f.SetFaults(nil)
	f.FailNext("act", 2, "third")
	for _, want := range []string{"", "third", ""} {
		f.Draw("look") // does not count
		if fault, forced := f.Draw("act"); fault != "" || forced != want {
			t.Errorf("draws %q, %q; want %q for its machines", fault, forced, want)
		}
	}
	if got := f.Befall("act", ""); got != "" {
		t.Errorf("a machine has %q; want nothing", got)
	}
}
