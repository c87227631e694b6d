package rotationtest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation/rotationtest"
)

var (
	seeds = flag.Uint64("seeds", 20000, "how many random histories to try")
	seed  = flag.Uint64("seed", 0, "the one random history to replay")
	// A budget of states gives the same histories on every machine.
	budget   = flag.Int("budget", 40_000, "how many states a search of several faults may visit, per kind of cloud; 0 is all")
	switches = flag.Int("switches", 2, "how often one of two invocations at once may be put off for the other")
)

var random = rotationtest.Random{Machines: 4, Concurrent: 3, Generations: 4, Faults: 12}

// TestTheSameSeedGivesTheSameHistory plays each seed twice, once with and once without a trace: whoever ranges over a map,
// or asks for the time of day, is found here.
func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	t.Parallel()
	told := random
	told.Tell = true
	hashes := map[uint64]bool{}
	for n := uint64(1); n <= 300; n++ {
		first, second := random.Play(rotationtest.Seeded(n)), told.Play(rotationtest.Seeded(n))
		if first.Hash() != second.Hash() || first.Calls() != second.Calls() {
			t.Fatalf("seed %d: two histories of %d and %d calls; want the same", n, first.Calls(), second.Calls())
		}
		hashes[first.Hash()] = true
	}
	if len(hashes) != 300 {
		t.Errorf("300 seeds gave %d histories: the hash does not tell them apart", len(hashes))
	}
}

// TestNoRandomHistoryBreaksThePromise runs several invocations at once, with several faults each, as a seed decides.
func TestNoRandomHistoryBreaksThePromise(t *testing.T) {
	first, last := uint64(1), *seeds
	if *seed != 0 {
		first, last = *seed, *seed
	}
	began := time.Now()
	calls, faults, violations, excused := 0, 0, 0, 0
	for n := first; n <= last; n++ {
		w := random.Play(rotationtest.Seeded(n))
		calls += w.Calls()
		faults += w.Injected()
		if w.Excused() {
			excused++
		}
		if len(w.Violations) > 0 || *seed != 0 {
			if violations += min(1, len(w.Violations)); violations > 3 {
				break
			}
			told := random
			told.Tell = true
			fmt.Fprintf(os.Stderr, "seed %d\n%s\n", n, strings.Join(told.Play(rotationtest.Seeded(n)).Trace, "\n"))
		}
		if len(w.Violations) > 0 {
			t.Errorf("seed %d: %s\nreplay: make sim SEED=%d", n, w.Violations[0], n)
		}
	}
	fmt.Fprintf(os.Stderr, "random histories: %d seeds, %d faults, %d boundary calls, %.0f calls per second, %d violations, %d left down within the documented window\n",
		last-first+1, faults, calls, float64(calls)/time.Since(began).Seconds(), violations, excused)
}
