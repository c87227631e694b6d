package sshlogin_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/relock-project/relock/rotation/sshlogin"
)

var neverDialed = []string{
	"169.254.169.254", "169.254.0.23", "169.254.10.10", "::ffff:169.254.169.254", "::ffff:100.100.100.200",
	"::ffff:0.1.2.3", "fd00:ec2::254", "100.100.100.200",
	"fe80::1", "fe80::1%eth0", "::1%eth0", "fd00::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
	"240.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
	"localhost", "metadata.tencentyun.com", "10.0.0.5:22", "010.0.0.5", "", " 10.0.0.5", "2130706433",
}

var loopback = []string{"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"}

func TestAddressOfNoMachineIsNotDialed(t *testing.T) {
	t.Parallel()
	for _, allow := range []bool{false, true} {
		v := &sshlogin.Verifier{AllowLoopback: allow, Dial: mustNotDial(t)}
		refused := neverDialed
		if !allow {
			refused = append(slices.Clone(neverDialed), loopback...)
		}
		for _, address := range refused {
			l := login(right)
			l.Instance.Addresses = []string{address}
			if err := try(t, v, l); kind(t, err) != "address refused" {
				t.Errorf("AllowLoopback %t: login at %q = %v; want it refused", allow, address, err)
			}
		}
	}
}

func TestAddressIsCheckedAgainWhereItIsDialed(t *testing.T) {
	t.Parallel()
	v := &sshlogin.Verifier{}
	for _, address := range []string{"169.254.169.254:22", "127.0.0.1:22", "[::1]:22", "[fe80::1%eth0]:22", "localhost:22", ""} {
		if err := v.Control(address); !errors.Is(err, sshlogin.ErrAddressRefused) {
			t.Errorf("dialing %q = %v; want it refused", address, err)
		}
	}
	for _, address := range []string{"10.0.0.5:22", "[2001:db8::5]:2222", "203.0.113.9:22"} {
		if err := v.Control(address); err != nil {
			t.Errorf("dialing %q = %v; want it permitted", address, err)
		}
	}
}

func TestLoopbackIsDialedWhenAllowed(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	v := &sshlogin.Verifier{HostKeys: parse(t, knownhosts.Line([]string{"*"}, m.keys[0].PublicKey())), AllowLoopback: true}
	l := login(right)
	l.Instance.Addresses = []string{"127.0.0.1"}
	l.Instance.Port = m.port()
	mustBe(t, try(t, v, l), "proven")
}

func TestNextAddressIsTriedUntilOneAnswers(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	v := m.verifier(t)
	var dialed []string
	v.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		if address != "[2001:db8::5]:2222" {
			return nil, errWrong
		}
		return m.dial(ctx, network, address)
	}
	l := login(right)
	l.Instance.Port = 2222
	l.Instance.Addresses = []string{"10.0.0.5", "169.254.169.254", "2001:db8::5", "10.0.0.6"}
	mustBe(t, try(t, v, l), "proven")
	if want := []string{"10.0.0.5:2222", "[2001:db8::5]:2222"}; !slices.Equal(dialed, want) {
		t.Errorf("dialed %q; want %q", dialed, want)
	}
}

func TestClosedPortIsUnreachable(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	port := m.port()
	m.stop()
	l := login(right)
	l.Instance.Addresses = loopback[:1]
	l.Instance.Port = port
	mustBe(t, try(t, &sshlogin.Verifier{AllowLoopback: true}, l), "unreachable")
}
