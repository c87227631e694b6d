package sshlogin_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

const (
	right = "Right-Horse7battery"
	wrong = "Wrong-Horse7battery"
)

var errWrong = errors.New("wrong password")

// A machine is an SSH server in this process, and what it saw. Whatever address is dialed leads to it.
type machine struct {
	keys     []ssh.Signer
	listener net.Listener
	asks     func(*seen, net.Conn) *ssh.ServerConfig

	serving sync.WaitGroup
	seen    seen
}

// seen is what reached a machine.
type seen struct {
	mu       sync.Mutex
	users    []string
	offered  []string // by either method
	channels int
}

func (s *seen) offer(user, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append(s.users, user)
	s.offered = append(s.offered, answer)
}

// newMachine serves until the test ends. Without keys it has one.
func newMachine(t *testing.T, asks func(*seen, net.Conn) *ssh.ServerConfig, keys ...ssh.Signer) *machine {
	t.Helper()
	if len(keys) == 0 {
		keys = []ssh.Signer{newKey(t)}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{keys: keys, listener: l, asks: asks}
	m.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.serving.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() { m.stop() })
	return m
}

// stop ends the machine, and returns what it saw once nothing more can be seen.
func (m *machine) stop() *seen {
	_ = m.listener.Close()
	m.serving.Wait()
	return &m.seen
}

func (m *machine) serve(conn net.Conn) {
	defer conn.Close()
	config := m.asks(&m.seen, conn)
	if config == nil {
		return
	}
	for _, k := range m.keys {
		config.AddHostKey(k)
	}
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		m.seen.mu.Lock()
		m.seen.channels++
		m.seen.mu.Unlock()
		_ = c.Reject(ssh.Prohibited, "no sessions here")
	}
	_ = server.Close()
}

func (m *machine) port() int { return m.listener.Addr().(*net.TCPAddr).Port }

func (m *machine) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, m.listener.Addr().String())
}

// verifier knows m's first key.
func (m *machine) verifier(t *testing.T) *sshlogin.Verifier {
	t.Helper()
	return &sshlogin.Verifier{HostKeys: parse(t, knownhosts.Line([]string{"*"}, m.keys[0].PublicKey())), Dial: m.dial}
}

func parse(t *testing.T, text string) *sshlogin.HostKeys {
	t.Helper()
	keys, err := sshlogin.ParseKnownHosts(text)
	if err != nil {
		t.Fatalf("ParseKnownHosts(%q): %v", text, err)
	}
	return keys
}

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// byPassword is a machine that takes the right password by the password method.
func byPassword(s *seen, _ net.Conn) *ssh.ServerConfig {
	return &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		s.offer(c.User(), string(p))
		if string(p) != right {
			return nil, errWrong
		}
		return nil, nil
	}}
}

// A round is one keyboard-interactive exchange: prompts, echoing when they begin with "!".
type round []string

// byRounds is a machine that asks by keyboard-interactive, and wants the right password for its first prompt.
func byRounds(rounds ...round) func(*seen, net.Conn) *ssh.ServerConfig {
	return func(s *seen, _ net.Conn) *ssh.ServerConfig {
		return &ssh.ServerConfig{KeyboardInteractiveCallback: func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			var all []string
			for _, r := range rounds {
				prompts, echoes := slices.Clone([]string(r)), make([]bool, len(r))
				for i := range prompts {
					prompts[i], echoes[i] = strings.CutPrefix(prompts[i], "!")
				}
				answers, err := ask("", "", prompts, echoes)
				if err != nil {
					return nil, err
				}
				for _, a := range answers {
					s.offer(c.User(), a)
					all = append(all, a)
				}
			}
			if len(all) > 0 && all[0] != right {
				return nil, errWrong
			}
			return nil, nil
		}}
	}
}

// login is one to a running machine at 10.0.0.5.
func login(password string) rotation.Login {
	return rotation.Login{
		Instance: rotation.Instance{
			ID: "ins-1", OS: rotation.Linux, Power: rotation.Running, LoginUser: "root", Addresses: []string{"10.0.0.5"},
		},
		Credential: rotation.Credential{Password: rotation.NewPassword(password)},
	}
}

// try asks v about one login.
func try(t *testing.T, v *sshlogin.Verifier, l rotation.Login) error {
	t.Helper()
	answers := v.Verify(t.Context(), []rotation.Login{l})
	if len(answers) != 1 {
		t.Fatalf("Verify gave %d answers to one login", len(answers))
	}
	return answers[0]
}

// kind names an answer, and fails the test when it is two at once.
func kind(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "proven"
	}
	var kinds []string
	for name, target := range map[string]error{
		"rejected":         rotation.ErrRejected,
		"not offered":      sshlogin.ErrNotOffered,
		"other prompt":     sshlogin.ErrOtherPrompt,
		"host key unknown": sshlogin.ErrHostKeyUnknown,
		"host key differs": sshlogin.ErrHostKeyDiffers,
		"address refused":  sshlogin.ErrAddressRefused,
		"unreachable":      sshlogin.ErrUnreachable,
	} {
		if errors.Is(err, target) {
			kinds = append(kinds, name)
		}
	}
	cannot := errors.Is(err, rotation.ErrCannotTry)
	switch {
	case len(kinds) > 1:
		t.Errorf("%v is %q at once", err, kinds)
	case len(kinds) == 0 && cannot:
		return "cannot try"
	case len(kinds) == 0:
		return "unknown"
	case cannot != (kinds[0] != "rejected" && kinds[0] != "unreachable"):
		t.Errorf("%v: %s, and ErrCannotTry is %t", err, kinds[0], cannot)
	}
	return strings.Join(kinds, " and ")
}

// mustBe checks an answer's kind, and that its text is fit to be shown.
func mustBe(t *testing.T, err error, want string) {
	t.Helper()
	if got := kind(t, err); got != want {
		t.Errorf("answer is %q (%v); want %q", got, err, want)
	}
	if leaks(fmt.Sprintf("%v %+v %q", err, err, err)) {
		t.Errorf("a password is in the answer of kind %q", want)
	}
}
