package rotation_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

var fleetSizes = flag.String("machines", "100,1000", "sizes of the fleets whose rotation is timed, in virtual time")

// A trial is one rotation of a fleet in virtual time.
type trial struct {
	power    rotation.PowerState
	machines int
	latency  time.Duration // of a call
	faults   bool
	atOnce   rotation.Share // may be down
	restart  rotation.Restart
}

// measured is what came of a trial.
type measured struct {
	took    time.Duration
	calls   int
	perAPI  map[string]int
	tooFast int           // calls that were refused because of this client
	down    time.Duration // of all machines
	behind  int           // machines that do not have the new password, or do not run as before
	cpu     time.Duration // per machine and tick of the engine, the cloud's own included
	live    uint64        // bytes per machine that the engine holds when half of them are done
}

const (
	poll     = 5 * time.Second // the engine's default
	busyFor  = time.Minute     // how long somebody else's operation lasts where there are faults
	oneOfAll = 100             // machines of which one is busy and one is refused where there are faults
)

// limit is what no client that keeps the promise can do better than. It lists the machines before and after the password
// is stored; of the requests that are under way at once the quota of resets is the one that counts; every wave that the
// policy demands takes as long as its operations, each of which is one call and one look; it looks once more after the
// last, and at those that it stopped before it ends. Where there are faults every batch holds a machine that is refused,
// so that the others are sent twice, and it waits for those that are busy.
func (t trial) limit() time.Duration {
	quota := func(api string, n int) time.Duration {
		return time.Duration(n) * time.Second / time.Duration(perSecond[api])
	}
	wave := resetTakes + 2*t.latency
	if t.power == rotation.Running {
		wave = stopTakes + resetTakes + startTakes + 6*t.latency
	}
	listings, resets := 2, pagesOf(t.machines)
	if t.power == rotation.Running {
		listings++
	}
	if t.faults {
		resets *= 2
	}
	took := quota("describe", listings*pagesOf(t.machines)) + time.Duration(listings)*t.latency + poll
	all := took + quota("reset", resets) + time.Duration(len(t.waves()))*wave
	if t.faults {
		return max(all, took+busyFor+wave)
	}
	return all
}

// fewest is how many calls the promise takes at least: the machines are listed before and after the password is stored; in
// every wave each request is sent once, looked at once, and noted before and after; where machines were stopped, a last
// look makes sure that they run.
func (t trial) fewest() int {
	calls := 2 * pagesOf(t.machines)
	if t.power == rotation.Running {
		calls += pagesOf(t.machines)
	}
	for _, n := range t.waves() {
		notes := (n + perRequest/2 - 1) / (perRequest / 2)
		if t.power == rotation.Stopped {
			calls += 2*pagesOf(n) + notes
			continue
		}
		calls += 6*pagesOf(n) + 2*notes
	}
	return calls
}

func pagesOf(n int) int { return (n + perRequest - 1) / perRequest }

// waves are the sizes of the groups that are begun one after the other: the canary, and then what may be down at once.
func (t trial) waves() []int {
	out, size := []int{1}, t.machines
	if t.power == rotation.Running {
		size = t.atOnce.Of(t.machines)
	}
	for left := t.machines - 1; left > 0; left -= size {
		out = append(out, min(left, size))
	}
	return out
}

// rotate has a client rotate the fleet of the trial.
func (t trial) rotate(tb *testing.T, client func(tb *testing.T, c *quotaCloud) (ticks, live int)) (m measured) {
	tb.Helper()
	synctest.Test(tb, func(tb *testing.T) {
		c := newQuotaCloud(t.machines, t.power, t.latency)
		if t.faults {
			c.disturb()
		}
		began, cpu := time.Now(), cpuTime()
		ticks, live := client(tb, c)
		m.took = time.Since(began)
		m.cpu = (cpuTime() - cpu) / time.Duration(t.machines*max(1, ticks))
		for _, n := range c.calls {
			m.calls += n
		}
		m.perAPI, m.tooFast, m.down = c.calls, c.tooFast, c.down
		for _, q := range c.order {
			c.settle(q, time.Now())
			if q.Power != t.power {
				m.down += time.Since(q.downAt) // until the script ended
			}
			if !q.unable && (q.live == "" || q.Power != t.power) {
				m.behind++
			}
		}
		m.live = uint64(live) / uint64(t.machines)
	})
	return m
}

// heap is how many bytes are in use.
func heap() int {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	return int(mem.HeapAlloc)
}

// engine is relock.
func (t trial) engine(tb *testing.T, c *quotaCloud) (ticks, live int) {
	before := heap()
	r := &rotation.Rotator{
		Secret: rotationtest.Secret, Store: rotationtest.NewWorld(rotationtest.Kind{}).Ledger(), Home: [2]string{"world", "here"},
		Scope: rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}, Fleets: []rotation.Fleet{c},
		Policy: rotation.Policy{
			Restart: t.restart, Proof: rotation.ProofProvider, MaxUnavailable: t.atOnce, PollInterval: poll,
			MaxExceptions: t.machines / 10,
		},
		Progress: func(p rotation.Progress) {
			if ticks++; live == 0 && 2*p.Ended >= p.Targets {
				live = heap() - before
			}
		},
	}
	report, err := r.Do(tb.Context(), rotation.Request{Action: rotation.Rotate, Token: "t"})
	if report.Outcome != rotation.Rotated {
		tb.Fatalf("ended %s: %s (%v)", report.Outcome, report.Why, err)
	}
	return ticks, live
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sizes(t *testing.T) []int {
	var out []int
	for text := range strings.SplitSeq(*fleetSizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// table prints what it is given as a table that BENCHMARKS.md can hold.
func table(title string, columns ...string) (row func(cells ...any)) {
	fmt.Fprintf(os.Stderr, "\n## %s\n\n| %s |\n|%s\n", title, strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	return func(cells ...any) {
		for _, cell := range cells {
			if f, ok := cell.(float64); ok {
				fmt.Fprintf(os.Stderr, "| %.2f ", f)
				continue
			}
			fmt.Fprintf(os.Stderr, "| %v ", cell)
		}
		fmt.Fprintln(os.Stderr, "|")
	}
}

func yesNo(b bool) string {
	if b {
		return "1 % each"
	}
	return "none"
}

var tenth = rotation.Share{Number: 10, Percent: true}

// TestFleetRotationIsCloseToWhatTheQuotasAllow is in virtual time: its figures do not depend on what it runs on.
func TestFleetRotationIsCloseToWhatTheQuotasAllow(t *testing.T) {
	row := table("Rotation of a fleet, in virtual time", "machines", "found", "call latency", "faults", "took", "limit", "ratio", "calls", "fewest", "ratio", "throttled by us", "µs of CPU per machine and tick", "bytes per machine")
	for _, n := range sizes(t) {
		for _, tr := range []trial{
			{power: rotation.Stopped, machines: n},
			{power: rotation.Stopped, machines: n, faults: true},
			{power: rotation.Running, machines: n},
			{power: rotation.Running, machines: n, latency: 50 * time.Millisecond},
			{power: rotation.Running, machines: n, latency: 200 * time.Millisecond},
			{power: rotation.Running, machines: n, latency: 50 * time.Millisecond, faults: true},
		} {
			if n > 10_000 && tr.power == rotation.Running && tr.latency != 50*time.Millisecond {
				continue // a minute each, for what the smaller fleets show
			}
			tr.atOnce, tr.restart = tenth, rotation.RestartGraceful
			m := tr.rotate(t, tr.engine)
			most := 1.05
			if tr.faults {
				most = 1.25
			}
			slower, more := m.took.Seconds()/tr.limit().Seconds(), float64(m.calls)/float64(tr.fewest())
			row(n, tr.power, tr.latency, yesNo(tr.faults), m.took.Round(time.Second), tr.limit().Round(time.Second), slower, m.calls, tr.fewest(), more, m.tooFast, float64(m.cpu.Nanoseconds())/1000, m.live)
			if m.tooFast > 0 || m.behind > 0 {
				t.Errorf("%d machines: %d calls came too fast, %d machines stay behind", n, m.tooFast, m.behind)
			}
			if slower > most && n <= 10_000 { // beyond, the table tells
				t.Errorf("%+v: %.2f times the limit, want at most %.2f", tr, slower, most)
			}
		}
	}
}

// TestFleetRotationAgainstNaiveScripts shows what a user would do instead, and what it costs.
func TestFleetRotationAgainstNaiveScripts(t *testing.T) {
	row := table("Against naive scripts, and what it disrupts, in virtual time", "machines", "faults", "client", "took", "calls", "throttled by us",
		"left behind or down", "hours of downtime, all machines", "of each machine")
	for _, n := range sizes(t) {
		if n > 10_000 {
			continue // a script would take months, and the machine that simulates it minutes
		}
		for _, faults := range []bool{false, true} {
			tr := trial{power: rotation.Running, machines: n, latency: 50 * time.Millisecond, faults: faults, atOnce: tenth, restart: rotation.RestartGraceful}
			all, hard := tr, tr
			all.atOnce = rotation.Share{Number: 100, Percent: true}
			hard.restart = rotation.RestartForce
			for _, client := range []struct {
				name  string
				trial trial
				run   func(*testing.T, *quotaCloud) (ticks, live int)
			}{
				{"relock: graceful, 10% down at once", tr, tr.engine},
				{"relock: graceful, 100% down at once", all, all.engine},
				{"relock: force, 10% down at once", hard, hard.engine},
				{"script: one machine at a time", tr, oneAtATime},
				{"script: all batches of 100 at once, no limiter", tr, allBatchesAtOnce},
			} {
				m := client.trial.rotate(t, client.run)
				row(n, yesNo(faults), client.name, m.took.Round(time.Second), m.calls, m.tooFast, m.behind, m.down.Hours(), (m.down / time.Duration(n)).Round(time.Second))
			}
		}
	}
}
