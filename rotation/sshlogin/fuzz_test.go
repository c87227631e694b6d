package sshlogin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation/sshlogin"
)

// fit fails when an answer holds a password, or is of a kind that is not among those wanted.
func fit(t *testing.T, err error, want ...string) {
	t.Helper()
	if got := kind(t, err); !slices.Contains(want, got) {
		t.Errorf("answer is %q (%v); want one of %q", got, err, want)
	}
	if leaks(fmt.Sprintf("%v %+v %q", err, err, err)) {
		t.Errorf("a password is in the answer %v", err)
	}
}

// newPassword is what a machine asks for that wants another password than that in force.
var newPassword = regexp.MustCompile(`(^|[^a-z])new password`)

// FuzzPrompt: whatever a machine asks, the password is its only answer, given once, to something that asks for a password
// and shows nothing of it.
func FuzzPrompt(f *testing.F) {
	for _, prompt := range []string{
		"Password: ", "PASSWORD", "Password for root@host:", "(current) UNIX password: ", "New password: ", "!Password: ", "Verification code: ",
		"One-time password (OATH) for `root': ", "Re-enter password", "", "\x00password\x00", "pass word", "passwords?", right,
	} {
		f.Add(prompt, "")
		f.Add("Password: ", prompt)
	}
	key := newKey(f)
	f.Fuzz(func(t *testing.T, first, then string) {
		m := newMachine(t, byRounds(round{first}, round{then}), key)
		err := try(t, m.verifier(t), login(right))
		s := m.stop()
		fit(t, err, "proven", "other prompt", "unreachable")
		for i, answer := range s.offered {
			asked := strings.ToLower([]string{first, then}[i])
			switch {
			case answer != right:
				t.Errorf("%q was answered %q", asked, answer)
			case i > 0:
				t.Errorf("the password was shown again, to %q", asked)
			case !strings.Contains(asked, "password"), strings.HasPrefix(first, "!"), newPassword.MatchString(asked):
				t.Errorf("the password was shown to %q", first)
			}
		}
	})
}

// FuzzMachineThatSpeaksOtherwise: bytes that are no SSH prove nothing, and get nothing.
func FuzzMachineThatSpeaksOtherwise(f *testing.F) {
	for _, said := range []string{"", "SSH-2.0-x\r\n", "SSH-1.99-old\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x14", "\r\n\r\n", right} {
		f.Add([]byte(said))
	}
	key := newKey(f)
	f.Fuzz(func(t *testing.T, said []byte) {
		m := newMachine(t, func(_ *seen, conn net.Conn) *ssh.ServerConfig {
			_, _ = conn.Write(said)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			return nil
		}, key)
		fit(t, try(t, m.verifier(t), login(right)), "unreachable", "cannot try")
	})
}

// FuzzAddress: what is dialed is an address that a machine can have, as it was described.
func FuzzAddress(f *testing.F) {
	for _, address := range slices.Concat(neverDialed, loopback, []string{"10.0.0.5", "203.0.113.7", "fd00::5", "::ffff:10.0.0.5", "::1%eth0"}) {
		f.Add(address, 22, false)
		f.Add(address, -1, true)
	}
	f.Fuzz(func(t *testing.T, address string, port int, loopbackToo bool) {
		var dialed []string
		v := &sshlogin.Verifier{AllowLoopback: loopbackToo, Dial: func(_ context.Context, _, at string) (net.Conn, error) {
			dialed = append(dialed, at)
			return nil, errors.New("seen")
		}}
		l := login(right)
		l.Instance.Addresses, l.Instance.Port = []string{address}, port
		fit(t, try(t, v, l), "unreachable", "address refused", "cannot try")
		for _, text := range dialed {
			at, err := netip.ParseAddrPort(text)
			described, parsed := netip.ParseAddr(address)
			switch {
			case err != nil || parsed != nil || at.Addr() != described.Unmap():
				t.Errorf("%q was described, %q dialed", address, text)
			case at.Addr().IsLinkLocalUnicast(), at.Addr().IsMulticast(), at.Addr().IsUnspecified(), at.Addr().Zone() != "":
				t.Errorf("%s is no machine's, and was dialed", text)
			case at.Addr().IsLoopback() && !loopbackToo:
				t.Errorf("%s is this host, and was dialed", text)
			case port != 0 && int(at.Port()) != port || port == 0 && at.Port() != 22:
				t.Errorf("port %d was described, %d dialed", port, at.Port())
			}
		}
	})
}
