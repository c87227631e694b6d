package rotationtest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

var (
	seeds = flag.Uint64("seeds", 20000, "how many random histories to try")
	seed  = flag.Uint64("seed", 0, "the one random history to replay")
	pairs = flag.Int("pairs", 4000, "how many histories with two faults to try, per kind of cloud")
)

var random = rotationtest.Random{Machines: 4, Concurrent: 3, Generations: 4, Faults: 12}

// TestNoPairOfFaultsBreaksThePromise fails two calls of two machines' two generations.
func TestNoPairOfFaultsBreaksThePromise(t *testing.T) {
	for _, k := range []rotationtest.Kind{{}, {Labels: true}, {Boot: true}, {Labels: true, Boot: true}} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			s := rotationtest.Scenario{Name: "two rotations", Kind: k, Runs: []*rotation.Request{rotate("a"), rotate("b")},
				Build: func(w *rotationtest.World) {
					w.Add(rotation.Linux, rotation.Running)
					if k.Boot {
						w.Add(rotation.Linux, rotation.Running)
					} else {
						w.Add(rotation.Windows, rotation.Stopped)
					}
				}}
			v, possible := rotationtest.FaultPairs(s, *pairs)
			report(t, fmt.Sprintf("pairs of faults (%d of %d)", v.Histories-1, possible), s, v)
		})
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
			fmt.Fprintf(os.Stderr, "seed %d\n%s\n", n, strings.Join(w.Trace, "\n"))
		}
		if len(w.Violations) > 0 {
			t.Errorf("seed %d: %s\nreplay: make sim SEED=%d", n, w.Violations[0], n)
		}
	}
	fmt.Fprintf(os.Stderr, "random histories: %d seeds, %d faults, %d boundary calls, %.0f calls per second, %d violations, %d left down within the documented window\n",
		last-first+1, faults, calls, float64(calls)/time.Since(began).Seconds(), violations, excused)
}
