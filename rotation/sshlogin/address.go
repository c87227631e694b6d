package sshlogin

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A target is where a login goes.
type target struct {
	user      string
	addresses []netip.AddrPort // permissible, in order; not empty
}

// target reads a login, and refuses the ones that cannot be tried without asking the machine.
func (v *Verifier) target(l rotation.Login) (target, error) {
	m := l.Instance
	t := target{user: l.Credential.Username}
	if t.user == "" {
		t.user = m.LoginUser
	}
	port := m.Port
	if port == 0 {
		port = 22
	}
	switch {
	case m.OS == rotation.Windows:
		return t, fmt.Errorf("%w: Windows takes no SSH logins", rotation.ErrCannotTry)
	case m.Power != rotation.Running:
		return t, fmt.Errorf("%w: the machine is not running", rotation.ErrCannotTry)
	case t.user == "":
		return t, fmt.Errorf("%w: no user name is known", rotation.ErrCannotTry)
	case port < 1 || port > 65535:
		return t, fmt.Errorf("%w: no port %d", rotation.ErrCannotTry, port)
	case len(m.Addresses) == 0:
		return t, fmt.Errorf("%w: the machine has no address", rotation.ErrCannotTry)
	}
	var refused error
	for _, text := range m.Addresses {
		ip, err := v.permissible(text)
		if err != nil {
			refused = err
			continue
		}
		t.addresses = append(t.addresses, netip.AddrPortFrom(ip, uint16(port)))
	}
	if len(t.addresses) == 0 {
		return t, refused
	}
	return t, nil
}

// refusedPrefixes are never a machine's address, besides what netip.Addr itself can tell. Whoever can make a provider
// describe such an address must not get a password sent there, or a request made from where the function runs.
var refusedPrefixes = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),          // this host, on Linux
	netip.MustParsePrefix("240.0.0.0/4"),        // reserved, and broadcast
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud's metadata
	netip.MustParsePrefix("fd00:ec2::/32"),      // the AWS services of an instance: metadata, DNS, time
	netip.MustParsePrefix("::/96"),              // an IPv4 address, compatible
	netip.MustParsePrefix("64:ff9b::/96"),       // an IPv4 address behind NAT64
	netip.MustParsePrefix("2002::/16"),          // an IPv4 address, 6to4
}

// permissible parses an address and says whether a password may be sent there. Names are refused: what a provider
// describes are addresses, and a name could lead anywhere. Tencent Cloud's, Huawei Cloud's and AWS's metadata are
// link-local.
func (v *Verifier) permissible(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return ip, fmt.Errorf("%w: %q is no IP address", ErrAddressRefused, text)
	}
	if ip = ip.Unmap(); ip.Zone() != "" {
		return ip, fmt.Errorf("%w: %s is an address on one link", ErrAddressRefused, ip)
	}
	if ip.IsLoopback() {
		if v.AllowLoopback {
			return ip, nil
		}
		return ip, fmt.Errorf("%w: %s is this host", ErrAddressRefused, ip)
	}
	if !ip.IsGlobalUnicast() { // link-local, multicast, unspecified
		return ip, fmt.Errorf("%w: %s is no machine's", ErrAddressRefused, ip)
	}
	for _, p := range refusedPrefixes {
		if p.Contains(ip) {
			return ip, fmt.Errorf("%w: %s is in %s", ErrAddressRefused, ip, p)
		}
	}
	return ip, nil
}

// connect dials the addresses in order until one answers. Each gets its share of the time that is left, and so does the
// login after them.
func (v *Verifier) connect(ctx context.Context, addresses []netip.AddrPort) (net.Conn, netip.AddrPort, error) {
	dial := v.Dial
	if dial == nil {
		dial = (&net.Dialer{Control: v.control}).DialContext
	}
	deadline, _ := ctx.Deadline()
	failed := ErrUnreachable
	for i, at := range addresses {
		share := time.Until(deadline) / time.Duration(len(addresses)-i+1)
		mine, cancel := context.WithTimeout(ctx, share)
		conn, err := dial(mine, "tcp", at.String())
		cancel()
		if err == nil {
			return conn, at, nil
		}
		if ctx.Err() != nil {
			return nil, at, context.Cause(ctx)
		}
		failed = fmt.Errorf("%w: %w", failed, err)
	}
	return nil, netip.AddrPort{}, failed
}

// control checks what is really dialed, after any resolving.
func (v *Verifier) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrAddressRefused, address)
	}
	_, err = v.permissible(at.Addr().String())
	return err
}
