package rotationtest_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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
	full     = flag.Bool("full", false, "try single faults in every scenario, not only in half of them")
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

// TestNoRandomHistoryBreaksThePromise runs several invocations at once, with several faults each, as a seed decides. A seed
// is played on one core; which core plays it makes no difference.
func TestNoRandomHistoryBreaksThePromise(t *testing.T) {
	if *seed != 0 {
		replay(t, *seed)
		return
	}
	began := cpu(t)
	var next atomic.Uint64
	var wg sync.WaitGroup
	tallies := make([]tally, runtime.GOMAXPROCS(0))
	for i := range tallies {
		wg.Go(func() { tallies[i].play(&next) })
	}
	wg.Wait()
	var all tally
	for i := range tallies {
		all.add(&tallies[i])
	}
	slices.Sort(all.broken)
	for i, n := range all.broken {
		if i == 3 {
			t.Errorf("… and %d more: %v", len(all.broken)-i, all.broken[i:])
			break
		}
		replay(t, n)
	}
	fmt.Fprintf(os.Stderr, "random histories: %d schedules, %d faults injected, %d boundary calls, %.0f per second and core, %d violations, %d left down within the documented window\n",
		all.seeds, all.faults, all.calls, float64(all.calls)/(cpu(t)-began).Seconds(), len(all.broken), all.excused)
}

// replay plays one seed and prints its whole history.
func replay(t *testing.T, n uint64) {
	t.Helper()
	told := random
	told.Tell = true
	w := told.Play(rotationtest.Seeded(n))
	fmt.Fprintf(os.Stderr, "seed %d\n%s\n%d boundary calls, %d faults, hash %016x\n", n, strings.Join(w.Trace, "\n"), w.Calls(), w.Injected(), w.Hash())
	if len(w.Violations) > 0 {
		keep(t, fmt.Sprint("seed-", n), w.Violations[0], fmt.Sprint("seed: ", n))
		t.Errorf("seed %d: %s\nreplay: make sim SEED=%d", n, w.Violations[0], n)
	}
}

// cpu is the time that this process has spent on all cores: what it says of speed does not depend on who else is at work.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// tally is what the seeds of one core came to.
type tally struct {
	seeds, calls, faults, excused int
	broken                        []uint64
}

func (t *tally) play(next *atomic.Uint64) {
	for n := next.Add(1); n <= *seeds; n = next.Add(1) {
		w := random.Play(rotationtest.Seeded(n))
		t.seeds++
		t.calls += w.Calls()
		t.faults += w.Injected()
		if w.Excused() {
			t.excused++
		}
		if len(w.Violations) > 0 {
			t.broken = append(t.broken, n)
		}
	}
}

func (t *tally) add(o *tally) {
	t.seeds, t.calls, t.faults, t.excused = t.seeds+o.seeds, t.calls+o.calls, t.faults+o.faults, t.excused+o.excused
	t.broken = append(t.broken, o.broken...)
}
