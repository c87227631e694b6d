package e2e_test

import (
	"iter"
	"slices"
	"testing"
	"time"
)

// shortLimit is what the platform gives a function that waits for an answer in vain.
const shortLimit = 4 * time.Second

// inShort are the variables for that limit.
func inShort(vars map[string]string) map[string]string {
	return with(vars, "RELOCK_SETTLE", "2s", "RELOCK_SOFT_STOP_TIMEOUT", "2s", "RELOCK_RESET_TIMEOUT", "2s")
}

// Whatever becomes of a call and of its answer, a rotation ends or goes on, and nothing is lost.
func TestSpoiledCallsLoseNothing(t *testing.T) {
	t.Parallel()
	for i, p := range append(programs(), bootstrap()) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := &tally{serve: killable}
			calls := slices.DeleteFunc(undisturbed(t, p, killable), func(c call) bool { return c.action == login })
			spread(t, spoilings(p, calls, i), func(t *testing.T, at point) { s.visit(t, p, at) })
			s.tell(t, p.name)
			if full() {
				s.wantEvery(t, calls)
			}
		})
	}
}

// spoilings are the points where a call or its answer is spoiled: each trouble at each call, and silence, which costs a
// whole time limit, at one of each kind. A sample has a seventh of what there is at one of each kind.
func spoilings(p program, calls []call, shift int) iter.Seq[point] {
	return func(yield func(point) bool) {
		n := shift
		for _, t := range troubles() {
			if t.hangs && !p.limited {
				continue // it waits as long as its client does
			}
			places := oneOfEachKind(calls)
			if full() && !t.hangs {
				places = eachOf(calls)
			}
			for at := range places {
				n++
				here := point{at.name, at.is, t.name, func(*process) trouble { return t }, t.hangs}
				if (full() || n%7 == 0) && !yield(here) {
					return
				}
			}
		}
	}
}

// Where nobody limits the time, a request without an answer is given up all the same. It takes half a minute.
func TestARequestWithoutAnAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	if !full() {
		t.Log("not in a sample: make e2e does it")
		return
	}
	p, s := programs()[0], &tally{serve: killable}
	calls := slices.DeleteFunc(undisturbed(t, p, killable), func(c call) bool {
		return c.action != "StopInstances" && c.action != "ResetInstancesPassword" && c.action != "PutSecretValue"
	})
	spread(t, func(yield func(point) bool) {
		for at := range oneOfEachKind(calls) {
			for _, silent := range troubles() {
				if silent.hangs && !yield(point{at.name, at.is, silent.name, func(*process) trouble { return silent }, false}) {
					return
				}
			}
		}
	}, func(t *testing.T, at point) { s.visit(t, p, at) })
	s.tell(t, p.name)
	s.wantEvery(t, calls)
}
