package tencentsim_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// trusting checks host keys as an SSH client that was given KnownHosts does. The package compares ports even where a
// pattern has none, so the port is left out, as OpenSSH does when the address with its port is not known.
func trusting(t *testing.T, c *tencentsim.Cloud) ssh.HostKeyCallback {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(c.KnownHosts()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(file)
	if err != nil {
		t.Fatal(err)
	}
	return func(address string, remote net.Addr, key ssh.PublicKey) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		return check(net.JoinHostPort(host, "22"), remote, key)
	}
}

func login(m tencentsim.Machine, check ssh.HostKeyCallback, user string, methods ...ssh.AuthMethod) error {
	client, err := ssh.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.SSHPort)), &ssh.ClientConfig{
		User: user, Auth: methods, HostKeyCallback: check, Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	if session, err := client.NewSession(); err == nil {
		session.Close()
		return errors.New("a session was opened")
	}
	return nil
}

func keyboard(answer string) ssh.AuthMethod {
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 1 && !echos[0] {
			return []string{answer}, nil
		}
		return make([]string, len(questions)), nil
	})
}

func TestThePasswordInForceOpensAMachine(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{SSH: true})
	id := w.Add(tencentsim.Machine{Users: map[string]string{"ops": "ops-password"}})
	m := w.machine(t, id)
	check := trusting(t, w.Cloud)
	i := w.shown(t, id)
	if *i.PrivateIpAddresses[0] != "127.0.0.1" || int(*i.DefaultLoginPort) != m.SSHPort {
		t.Errorf("described at %s:%d; want 127.0.0.1:%d", *i.PrivateIpAddresses[0], *i.DefaultLoginPort, m.SSHPort)
	}
	for _, tc := range []struct {
		user   string
		method ssh.AuthMethod
		opens  bool
	}{
		{"ubuntu", ssh.Password(tencentsim.BaselinePassword), true},
		{"ubuntu", keyboard(tencentsim.BaselinePassword), true},
		{"ubuntu", ssh.Password(password), false},
		{"ubuntu", keyboard(password), false},
		{"ubuntu", ssh.Password(""), false},
		{"ops", ssh.Password("ops-password"), true},
		{"root", ssh.Password(tencentsim.BaselinePassword), false},
	} {
		err := login(m, check, tc.user, tc.method)
		if (err == nil) != tc.opens {
			t.Errorf("login of %s: %v; want it to open = %v", tc.user, err, tc.opens)
		}
		if err != nil && !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("login of %s: %v; want a refusal", tc.user, err)
		}
	}
	w.Console(id, "changed by hand")
	if err := login(m, check, "ubuntu", ssh.Password("changed by hand")); err != nil {
		t.Errorf("after the console: %v", err)
	}
	if err := login(m, check, "ubuntu", ssh.Password(tencentsim.BaselinePassword)); err == nil {
		t.Error("the old password opens the machine after the console")
	}
}

func TestHostKeysAreVouchedForByTheAuthority(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{SSH: true, Seed: 1})
	m := w.machine(t, w.Add(tencentsim.Machine{}))
	if line := w.KnownHosts(); !strings.HasPrefix(line, "@cert-authority * ssh-ed25519 AAAA") || strings.Contains(line, "\n") {
		t.Errorf("KnownHosts = %q", line)
	}
	other := open(t, tencentsim.Config{Seed: 2})
	tried := false
	err := login(m, trusting(t, other.Cloud), "ubuntu", ssh.PasswordCallback(func() (string, error) {
		tried = true
		return tencentsim.BaselinePassword, nil
	}))
	if err == nil || tried {
		t.Errorf("another cloud's authority vouches for the machine: %v; password offered: %v", err, tried)
	}
	same := open(t, tencentsim.Config{Seed: 1})
	if err := login(m, trusting(t, same.Cloud), "ubuntu", ssh.Password(tencentsim.BaselinePassword)); err != nil {
		t.Errorf("the same seed has another authority: %v", err)
	}
}

func TestOnlyRunningMachinesAnswer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	w := open(t, tencentsim.Config{SSH: true, Scale: 1, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	id := w.Add(tencentsim.Machine{})
	port := w.machine(t, id).SSHPort
	check := trusting(t, w.Cloud)
	answers := func() error {
		return login(w.machine(t, id), check, "ubuntu", ssh.Password(w.machine(t, id).Password))
	}
	expect := func(when string, want bool) {
		t.Helper()
		err := answers()
		if (err == nil) != want {
			t.Errorf("%s: login %v; want success = %v", when, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("%s: the machine refuses a password: %v; want no answer", when, err)
		}
	}
	expect("running", true)
	wantCode(t, w.stop("SOFT", id), "")
	expect("stopping", false)
	pass(3 * time.Second)
	expect("stopped", false)
	if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("a stopped machine says something")
		}
		conn.Close()
	}
	wantCode(t, w.start(id), "")
	expect("starting", false)
	pass(3 * time.Second)
	expect("running again", true)
	if _, err := w.forceReset(password, id); err != nil {
		t.Fatal(err)
	}
	expect("during a forced reset", false)
	pass(10 * time.Second)
	expect("after it", true)
	if m := w.machine(t, id); m.SSHPort != port || m.Password != password {
		t.Errorf("port %d, then %d; password %s", port, m.SSHPort, m.Password)
	}
}

func TestShutdownDuringALoginRefusesNothing(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{SSH: true, Scale: 1})
	id := w.Add(tencentsim.Machine{})
	err := login(w.machine(t, id), trusting(t, w.Cloud), "ubuntu", ssh.PasswordCallback(func() (string, error) {
		wantCode(t, w.stop("SOFT", id), "")
		return tencentsim.BaselinePassword, nil
	}))
	if err == nil || strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("login %v; want a broken connection", err)
	}
}

func TestWindowsMachinesDoNotAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{SSH: true})
	id := w.Add(tencentsim.Machine{OSName: "Windows Server 2022"})
	if m := w.machine(t, id); m.SSHPort != 0 || *w.shown(t, id).DefaultLoginPort != 3389 {
		t.Errorf("a Windows machine has SSH port %d", m.SSHPort)
	}
}

func TestKeyPairsTurnPasswordLoginOffUntilAReset(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} {
		w := open(t, tencentsim.Config{SSH: true, Answers: tencentsim.Answers{ResetKeepsPasswordLoginOff: keeps}})
		id := w.Add(tencentsim.Machine{KeyIDs: []string{"skey-12345678"}})
		check := trusting(t, w.Cloud)
		m := w.machine(t, id)
		if err := login(m, check, "ubuntu", ssh.Password(m.Password)); err == nil {
			t.Error("a machine with a key pair takes its password")
		}
		if _, err := w.forceReset(password, id); err != nil {
			t.Fatal(err)
		}
		for w.machine(t, id).State != "RUNNING" {
			runtime.Gosched()
		}
		if err := login(m, check, "ubuntu", ssh.Password(password)); (err != nil) != keeps {
			t.Errorf("after a reset (login stays off: %v): %v", keeps, err)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	c, err := tencentsim.New(tencentsim.Config{SSH: true, Instances: 40})
	if err != nil {
		t.Fatal(err)
	}
	check := trusting(t, c)
	var wg sync.WaitGroup
	var held []net.Conn
	for _, m := range c.Machines() {
		if m.SSHPort == 0 || m.State != "RUNNING" {
			continue
		}
		wg.Go(func() {
			if err := login(m, check, m.DefaultLoginUser, ssh.Password(m.Password)); err != nil {
				t.Errorf("login to %s: %v", m.ID, err)
			}
		})
		if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.SSHPort))); err == nil {
			held = append(held, conn) // says nothing
		}
	}
	wg.Wait()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	for _, conn := range held {
		conn.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after Close", before, runtime.NumGoroutine())
		}
	}
	for _, m := range c.Machines() {
		if m.SSHPort == 0 {
			continue
		}
		if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.SSHPort))); err == nil {
			conn.Close()
			t.Errorf("machine %s answers after Close", m.ID)
		}
	}
}

// Each offered password is told of before it is looked at, when the machine may still change, and before the answer.
func TestLoginIsToldOfBeforeItIsJudgedAndBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{SSH: true})
	id := w.Add(tencentsim.Machine{})
	m, check := w.machine(t, id), trusting(t, w.Cloud)
	var judged, answered atomic.Int64
	w.OnLogin(func(at string) func() {
		if at != id {
			t.Errorf("told of a login to %s; want %s", at, id)
		}
		if judged.Add(1) == 1 {
			w.Console(id, "By-Hand.2024-Ab")
			return nil
		}
		return func() { answered.Add(1) }
	})
	if err := login(m, check, "ubuntu", ssh.Password(tencentsim.BaselinePassword)); err == nil {
		t.Error("the password from before opens the machine, though it was changed before it was looked at")
	}
	if err := login(m, check, "ubuntu", ssh.Password("By-Hand.2024-Ab")); err != nil {
		t.Error(err)
	}
	w.OnLogin(nil)
	if err := login(m, check, "ubuntu", ssh.Password("By-Hand.2024-Ab")); err != nil {
		t.Error(err)
	}
	if judged.Load() != 2 || answered.Load() != 1 {
		t.Errorf("told of %d logins and %d answers; want 2 and, of the second, 1", judged.Load(), answered.Load())
	}
}
