package e2e_test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// Limits are what the metrics are to be compared with. They are reported beside them, not asserted: a benchmark says
// what is, on the machine that it runs on.
const (
	limitReady    = 50  // ms from the start of a function's process to its first event
	limitSize     = 20  // MB of a function's stripped binary, with the drivers of three clouds
	limitSimulate = 30  // seconds for 250 simulated machines, on 2 cores
	limitMemory   = 150 // MB that the command takes at most, the simulated cloud included
)

// BenchmarkSimulate250 rotates 250 machines as `make run` does: the SDK, HTTP, signatures and SSH logins are real.
func BenchmarkSimulate250(b *testing.B) {
	path := binary(b, relockBinary)
	var rotations, memory float64
	for b.Loop() {
		cmd := exec.Command(path, "simulate", "--instances", "250", "--quiet", "--output", "json")
		cmd.Env = []string{"HOME=" + b.TempDir()}
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("simulate: %v\n%s", err, out)
		}
		r := parsed[rotation.Report](b, string(out))
		if r.Outcome != rotation.Rotated {
			b.Fatalf("outcome %s: %s; want rotated", r.Outcome, r.Why)
		}
		rotations += r.Seconds
		memory = max(memory, peak(cmd.ProcessState))
	}
	b.ReportMetric(rotations/float64(b.N), "s-rotation")
	b.ReportMetric(limitSimulate, "s-limit")
	b.ReportMetric(memory, "MB-peak")
	b.ReportMetric(limitMemory, "MB-limit")
}

// BenchmarkCommandStart is the command's own cold start.
func BenchmarkCommandStart(b *testing.B) {
	path := binary(b, relockBinary)
	var memory float64
	for b.Loop() {
		cmd := exec.Command(path, "--version")
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		memory = max(memory, peak(cmd.ProcessState))
	}
	b.ReportMetric(milliseconds(b.Elapsed())/float64(b.N), "ms-start")
	b.ReportMetric(memory, "MB-peak")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// peak is the most memory in MB that a process that has ended had at one time.
func peak(state *os.ProcessState) float64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	unit := 1024.0 // Linux counts in kilobytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(usage.Maxrss) * unit / 1e6
}
