package e2e_test

import (
	"bytes"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// opens reports whether a password opens a machine over SSH, whose host key an authority must have signed. The client
// is this test's own: it shares nothing with the one that relock has.
func opens(t testing.TB, knownHosts, address string, port int, user, password string) bool {
	t.Helper()
	_, _, authority, _, _, err := ssh.ParseKnownHosts([]byte(knownHosts))
	if err != nil {
		t.Fatal(err)
	}
	hosts := &ssh.CertChecker{IsHostAuthority: func(key ssh.PublicKey, _ string) bool {
		return bytes.Equal(key.Marshal(), authority.Marshal())
	}}
	client, err := ssh.Dial("tcp", net.JoinHostPort(address, strconv.Itoa(port)), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: hosts.CheckHostKey, Timeout: 10 * time.Second,
	})
	if err != nil {
		return false
	}
	client.Close()
	return true
}

// wantOpen fails the test unless every machine that answers logins opens with the current password, and with no other.
// It returns how many do not open.
func (c *cloud) wantOpen(t testing.TB) (closed int) {
	t.Helper()
	current, _ := c.version(t, tencentsim.DemoVersion)
	tried := 0
	for id, m := range c.byID() {
		if m.SSHPort == 0 || m.State != "RUNNING" || !resettable(m) {
			continue
		}
		tried++
		if !opens(t, c.KnownHosts(), "127.0.0.1", m.SSHPort, m.DefaultLoginUser, current.Password) {
			closed++
			t.Errorf("machine %s does not open with the current password", id)
		}
		if opens(t, c.KnownHosts(), "127.0.0.1", m.SSHPort, m.DefaultLoginUser, tencentsim.BaselinePassword) {
			t.Errorf("machine %s still opens with the password from before", id)
		}
	}
	if tried == 0 {
		t.Error("no machine answers logins; want some")
	}
	return closed
}
