package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// starts is how often each binary is started: the middle one counts.
const starts = 15

// BenchmarkColdStart is what a cold start takes without what the platform adds, from exec to the first event taken, beside the
// least that a function of that platform can be, built from the same library and started in turns.
func BenchmarkColdStart(b *testing.B) {
	for _, c := range []struct {
		platform string
		relock   func() (string, error)
		ready    func(w *witness, b *testing.B, path string) time.Duration
	}{
		{"scf", scfBinary, (*witness).pinged},
		{"lambda", lambdaBinary, (*witness).polling},
		{"functiongraph", graphBinary, (*witness).polling},
	} {
		b.Run(c.platform, func(b *testing.B) {
			w := &witness{}
			path := binary(b, c.relock)
			least, err := build("e2e/testdata/minimal/"+c.platform, "minimal-"+c.platform, "-tags=lambda.norpc")
			if err != nil {
				b.Fatal(err)
			}
			var ours, theirs []time.Duration
			for b.Loop() {
				for range starts {
					ours = append(ours, c.ready(w, b, path))
					theirs = append(theirs, c.ready(w, b, least))
				}
			}
			b.ReportMetric(0, "ns/op") // of no interest
			b.ReportMetric(milliseconds(middle(ours)), "ms")
			b.ReportMetric(milliseconds(middle(theirs)), "ms-minimal")
			b.ReportMetric(float64(middle(ours))/float64(middle(theirs)), "times")
			b.ReportMetric(limitReady, "ms-limit")
			b.ReportMetric(megabytes(b, path), "MB")
			b.ReportMetric(limitSize, "MB-limit")
			b.ReportMetric(megabytes(b, least), "MB-minimal")
		})
	}
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func megabytes(b *testing.B, path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}

// pinged starts a function of SCF and returns when it has answered.
func (w *witness) pinged(b *testing.B, path string) time.Duration {
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	p := w.prepare(b, path, map[string]string{"_LAMBDA_SERVER_PORT": port})
	began := time.Now()
	p.start(b)
	client, err := dial("localhost:"+port, p.done)
	took := time.Since(began)
	if err != nil {
		b.Fatalf("%s does not answer: %v\n%s", path, err, p.stderr)
	}
	client.Close()
	p.kill()
	return took
}

// polling starts a custom runtime and returns when it has asked for an event.
func (w *witness) polling(b *testing.B, path string) time.Duration {
	asked := make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-r.Context().Done()
	}))
	address := strings.TrimPrefix(server.URL, "http://")
	p := w.prepare(b, path, map[string]string{"AWS_LAMBDA_RUNTIME_API": address, "RUNTIME_API_ADDR": address, "RUNTIME_TIMEOUT": "60"})
	began := time.Now()
	p.start(b)
	select {
	case <-asked:
	case <-p.done:
		b.Fatalf("%s has ended\n%s", path, p.stderr)
	}
	took := time.Since(began)
	p.kill()
	server.CloseClientConnections()
	server.Close()
	return took
}

// BenchmarkMemoryOfARotation is what the function takes at most while it rotates 1,000 machines.
func BenchmarkMemoryOfARotation(b *testing.B) {
	w := &witness{}
	var memory float64
	for b.Loop() {
		c := w.serve(b, tencentsim.Config{Instances: 1000, Seed: 1, Rates: 100})
		p := w.function(b)
		vars := with(c.inSCF(), "RELOCK_PROOF", "provider", "RELOCK_SSH_KNOWN_HOSTS", "", "RELOCK_SSH_ALLOW_LOOPBACK", "")
		wantReport(b, p.invoke(b, `{"action":"rotate"}`, vars, time.Minute), rotation.Rotated)
		memory = max(memory, resident(b, p.cmd.Process.Pid))
		p.kill()
	}
	b.ReportMetric(memory, "MB-peak")
}

// resident is the most memory in MB that a process has had; 0 where there is no /proc.
func resident(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); n == 1 {
			return kilobytes / 1000
		}
	}
	b.Fatal("no VmHWM")
	return 0
}

// BenchmarkLogins is how many SSH logins a second prove passwords, at several at once: on simulated machines, which take as
// many as come, and on one real sshd. That drops connections at random from 10 at once on (MaxStartups); relock tries one at
// a time on one machine.
func BenchmarkLogins(b *testing.B) {
	for _, atOnce := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("simulated/%d", atOnce), func(b *testing.B) {
			w := &witness{}
			c := w.serve(b, tencentsim.Config{Instances: 200, Seed: 1})
			keys, err := sshlogin.ParseKnownHosts(c.KnownHosts())
			if err != nil {
				b.Fatal(err)
			}
			var logins []rotation.Login
			for _, m := range c.Machines() {
				if m.SSHPort != 0 && m.State == "RUNNING" && len(m.KeyIDs) == 0 {
					logins = append(logins, loginTo(m.ID, m.DefaultLoginUser, m.SSHPort, m.Password))
				}
			}
			measureLogins(b, &sshlogin.Verifier{HostKeys: keys, AllowLoopback: true, Concurrency: atOnce}, logins)
		})
	}
	for _, atOnce := range []int{1, 4, 8, 16} {
		b.Run(fmt.Sprintf("sshd/%d", atOnce), func(b *testing.B) {
			s := startSSHD(b, "UsePAM yes", "PasswordAuthentication yes")
			s.setPassword(b, sshdNew)
			var logins []rotation.Login
			for i := range 32 { // to the verifier as many machines
				logins = append(logins, loginTo(fmt.Sprintf("ins-%d", i), s.user, s.port, sshdNew))
			}
			s.verifier.Concurrency = atOnce
			measureLogins(b, s.verifier, logins)
		})
	}
}

func loginTo(id, user string, port int, password string) rotation.Login {
	return rotation.Login{
		Instance: rotation.Instance{
			ID: id, OS: rotation.Linux, Power: rotation.Running, LoginUser: user, Addresses: []string{"127.0.0.1"}, Port: port,
		},
		Credential: rotation.Credential{Password: rotation.NewPassword(password)},
	}
}

func measureLogins(b *testing.B, v *sshlogin.Verifier, logins []rotation.Login) {
	proven, dropped := 0, 0
	for b.Loop() {
		for _, err := range v.Verify(b.Context(), logins) {
			if err == nil {
				proven++
			} else {
				dropped++
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of no interest
	b.ReportMetric(float64(proven)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(dropped)/float64(proven+dropped)*100, "%-unanswered")
}
