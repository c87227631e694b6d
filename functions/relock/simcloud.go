package main

import (
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/relock-project/relock/rotation/simcloud"
)

// A simCloud is a simulated cloud that is being served.
type simCloud struct {
	url      string
	settings []setting // what points relock and other clients at it
	machines func() []simMachine
	calm     func() // nothing goes wrong any more
	close    func()
}

// A setting is one variable of the environment.
type setting struct{ name, value string }

// A simMachine is a machine as it truly is.
type simMachine struct {
	id       string
	power    string
	password string // in force
	next     string // in force from its next boot on; empty means none
}

// The power of a simMachine that relock has to leave as it was.
const (
	powerOn  = "RUNNING"
	powerOff = "STOPPED"
)

// simOptions say what to simulate.
type simOptions struct {
	regions   []string
	instances int
	seed      uint64
	scale     float64
	faults    string
	noSSH     bool
}

func (so *simOptions) flags(set *pflag.FlagSet, instances int, scale float64) {
	set.IntVar(&so.instances, "instances", instances, "simulate `N` machines: Linux and Windows, some stopped, some that cannot be reset")
	set.StringSliceVar(&so.regions, "regions", nil, "spread them over `REGIONS`, a,b; without it two of the cloud's")
	set.Uint64Var(&so.seed, "seed", 1, "draw everything random from `NUMBER`")
	set.Float64Var(&so.scale, "scale", scale, "multiply by `FACTOR` how long operations take: at 1 a stop takes about two seconds")
	set.StringVar(&so.faults, "faults", "", "let things go wrong, each as probably as it says: `NAME=0.05,...`")
	set.BoolVar(&so.noSSH, "no-ssh", false, "simulate machines that answer no logins")
}

// faultsHelp lists the names that --faults takes.
func faultsHelp() string {
	clouds := simClouds()
	common := clouds["tencent"].faults
	for _, kind := range clouds {
		common = among(common, kind.faults, true)
	}
	text := "\nFaults: " + strings.ReplaceAll(wrapped(common, ", "), "\n", "\n        ")
	for _, name := range cloudNames() {
		text += "\n        of " + name + " also: " + strings.Join(among(clouds[name].faults, common, false), ", ")
	}
	return text
}

// among returns those of names that are, or are not, in other.
func among(names, other []string, want bool) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(other, n) != want })
}

func (so *simOptions) check() error {
	switch {
	case so.instances < 1 || so.instances > 20_000:
		return usage("--instances %d: use 1 to 20,000", so.instances)
	case !(so.scale > 0 && so.scale <= 10):
		return usage("--scale %v: use more than 0, and no more than 10", so.scale)
	}
	return nil
}

// A simKind is a cloud that can be simulated.
type simKind struct {
	regions []string // when none are named
	faults  []string // what can go wrong, by name
	open    func(simOptions, net.Listener) (*simCloud, error)
}

// simClouds are those that can be served, by name. A further one is a file like simtencent.go and a line here.
func simClouds() map[string]simKind {
	return map[string]simKind{"huawei": huaweiKind(), "tencent": tencentKind()}
}

// cloudNames are their names, sorted.
func cloudNames() []string { return slices.Sorted(maps.Keys(simClouds())) }

// serve opens the simulated cloud of that name on an address.
func serve(name, address string, so simOptions) (*simCloud, error) {
	if err := so.check(); err != nil {
		return nil, err
	}
	kind, ok := simClouds()[name]
	if !ok {
		return nil, usage("cloud %q: there is %s", name, strings.Join(cloudNames(), ", "))
	}
	if len(so.regions) == 0 {
		so.regions = kind.regions
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, usage("--listen %s: %w", address, err)
	}
	c, err := kind.open(so, l)
	if err != nil {
		l.Close()
		return nil, err
	}
	return c, nil
}

// served is a simulator that is being served, as far as all clouds are alike in it.
func (so simOptions) served(l net.Listener, sim simulator, machines func() []simMachine, own func(url string) []setting) *simCloud {
	stop := serveHTTP(l, sim)
	url := "http://" + reachable(l.Addr())
	return &simCloud{
		url:      url,
		settings: append(own(url), so.settings(sim.KnownHosts())...),
		machines: machines,
		calm:     func() { sim.SetFaults(nil) },
		close: func() {
			stop()
			sim.Close() // ends the machines' SSH servers; it has nothing else to report
		},
	}
}

// A simulator is what every simulated cloud can do.
type simulator interface {
	http.Handler
	KnownHosts() string
	SetFaults(simcloud.Faults)
	Close() error
}

// settings are relock's variables that do not depend on the cloud.
func (so simOptions) settings(knownHosts string) []setting {
	all := []setting{
		{"RELOCK_STORE_REGION", so.regions[0]},
		{"RELOCK_REGIONS", strings.Join(so.regions, ",")},
		{"RELOCK_RESTART", "graceful"},
		{"RELOCK_MAX_UNAVAILABLE", "20%"},
	}
	if !so.noSSH {
		all = append(all, setting{"RELOCK_PROOF", "login"}, setting{"RELOCK_SSH_KNOWN_HOSTS", knownHosts},
			setting{"RELOCK_SSH_ALLOW_LOOPBACK", "true"})
	}
	scaled := func(atOne, least time.Duration) string {
		return max(least, time.Duration(so.scale*float64(atOne))).Round(time.Millisecond).String()
	}
	return append(all,
		setting{"RELOCK_POLL_INTERVAL", scaled(500*time.Millisecond, 50*time.Millisecond)},
		setting{"RELOCK_SOFT_STOP_TIMEOUT", scaled(30*time.Second, 3*time.Second)},
		setting{"RELOCK_RESET_TIMEOUT", scaled(10*time.Second, 2*time.Second)},
		setting{"RELOCK_START_TIMEOUT", scaled(30*time.Second, 3*time.Second)},
		setting{"RELOCK_LOGIN_TIMEOUT", scaled(10*time.Second, 5*time.Second)},
	)
}

// serveHTTP serves until stop is called.
func serveHTTP(l net.Listener, h http.Handler) (stop func()) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l) // returns when it is closed
	}()
	return func() {
		server.Close()
		<-done
	}
}

// reachable is an address as a client on this machine uses it.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// shellLine exports a setting in a POSIX shell.
func (s setting) shellLine() string {
	return fmt.Sprintf("export %s='%s'", s.name, strings.ReplaceAll(s.value, "'", `'\''`))
}
