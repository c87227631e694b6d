package sshlogin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// line is a known_hosts line.
func line(hosts string, key ssh.Signer) string {
	return hosts + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey()))) + " a comment\n"
}

// at is a login to the machine ins-1 at an address and port.
func at(address string, port int) rotation.Login {
	l := login(right)
	l.Instance.Addresses = []string{address}
	l.Instance.Port = port
	return l
}

func TestPasswordIsOfferedOnlyToAKnownHostKey(t *testing.T) {
	t.Parallel()
	mine, other := newKey(t), newKey(t)
	hash := knownhosts.HashHostname("10.0.0.5")
	for name, row := range map[string]struct {
		text string
		at   rotation.Login
		want string
	}{
		"address":                     {line("10.0.0.5", mine), at("10.0.0.5", 0), "proven"},
		"IPv6 address":                {line("2001:db8::5", mine), at("2001:db8:0::5", 0), "proven"},
		"one of several":              {line("10.0.0.4,10.0.0.5", mine), at("10.0.0.5", 22), "proven"},
		"subnet":                      {line("10.0.*", mine), at("10.0.0.5", 22), "proven"},
		"nothing after it":            {line("10.0.0.5*", mine), at("10.0.0.5", 22), "proven"},
		"one digit":                   {line("10.0.0.?", mine), at("10.0.0.5", 22), "proven"},
		"hashed":                      {line(hash, mine), at("10.0.0.5", 22), "proven"},
		"after comments":              {"# ours\r\n\r\n" + line("10.0.0.5", mine), at("10.0.0.5", 22), "proven"},
		"old key and new key":         {line("10.0.0.5", other) + line("10.0.0.5", mine), at("10.0.0.5", 22), "proven"},
		"port":                        {line("[10.0.0.5]:2222", mine), at("10.0.0.5", 2222), "proven"},
		"any address, port":           {line("[*]:2222", mine), at("10.0.0.5", 2222), "proven"},
		"anything, any port":          {line("*", mine), at("10.0.0.5", 2222), "proven"},
		"instance id":                 {line("ins-1", mine), at("10.0.0.5", 2222), "proven"},
		"another address":             {line("10.0.0.6", mine), at("10.0.0.5", 22), "host key unknown"},
		"another hashed":              {line(hash, mine), at("10.0.0.6", 22), "host key unknown"},
		"another id":                  {line("ins-11", mine), at("10.0.0.5", 22), "host key unknown"},
		"another subnet":              {line("10.0.?", mine), at("10.0.0.5", 22), "host key unknown"},
		"excluded":                    {line("!10.0.0.5,10.*", mine), at("10.0.0.5", 22), "host key unknown"},
		"another port":                {line("10.0.0.5", mine), at("10.0.0.5", 2222), "host key unknown"},
		"standard port":               {line("[10.0.0.5]:2222", mine), at("10.0.0.5", 22), "host key unknown"},
		"another key":                 {line("10.0.0.5", other), at("10.0.0.5", 22), "host key differs"},
		"another key for all":         {line("*", other), at("10.0.0.5", 2222), "host key differs"},
		"another key for the id":      {line("ins-1", other), at("10.0.0.5", 22), "host key differs"},
		"authority's name only":       {line("@cert-authority *", mine), at("10.0.0.5", 22), "host key unknown"},
		"revoked":                     {line("10.0.0.5", mine) + line("@revoked *", mine), at("10.0.0.5", 22), "host key differs"},
		"revoked for another address": {line("10.0.0.5", mine) + line("@revoked 10.9.9.9", mine), at("10.0.0.5", 22), "host key differs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, byPassword, mine)
			v := &sshlogin.Verifier{HostKeys: parse(t, row.text), Dial: m.dial}
			mustBe(t, try(t, v, row.at), row.want)
			if got := len(m.stop().offered); (got > 0) != (row.want == "proven") {
				t.Errorf("the machine was given %d passwords", got)
			}
		})
	}
}

func TestNoHostKeysMeansNoPasswordOffered(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	mustBe(t, try(t, &sshlogin.Verifier{Dial: m.dial}, login(right)), "host key unknown")
	if got := len(m.stop().offered); got != 0 {
		t.Errorf("the machine was given %d passwords; want none", got)
	}
}

// On what both understand, x/crypto's reader is the judge.
func TestKnownHostsAreReadAsByXCrypto(t *testing.T) {
	t.Parallel()
	mine, other := newKey(t), newKey(t)
	m := newMachine(t, byPassword, mine)
	for _, text := range []string{
		line("10.0.0.5", mine), line("10.0.0.5", other), line("10.0.*", mine), line("*.5", mine), line("1*0*5", mine),
		line("?????????", mine), line("????????", mine), line("**", mine), line("", mine),
		line("10.0.0.6", mine), line("*,!10.0.0.5", mine), line("!10.0.0.6", mine), line("10.0.0.6,10.0.0.5", mine),
		line(knownhosts.HashHostname("10.0.0.5"), mine), line(knownhosts.HashHostname("10.0.0.6"), mine),
		line("10.0.0.5", other) + line("*", mine), line("*", mine) + line("@revoked *", mine), line("[10.0.0.5]:2222", mine),
	} {
		path := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		theirs, theirErr := knownhosts.New(path)
		ours, ourErr := sshlogin.ParseKnownHosts(text)
		if (theirErr != nil) != (ourErr != nil) {
			t.Errorf("ParseKnownHosts(%q): %v; x/crypto: %v", text, ourErr, theirErr)
		}
		if theirErr != nil || ourErr != nil {
			continue
		}
		l := login(right)
		l.Instance.ID = ""
		got := try(t, &sshlogin.Verifier{HostKeys: ours, Dial: m.dial}, l)
		want := theirs("10.0.0.5:22", m.listener.Addr(), mine.PublicKey())
		if (got != nil) != (want != nil) {
			t.Errorf("with %q: %v; x/crypto: %v", text, got, want)
		}
	}
}

// A machine has host keys of several types, and prefers another than the one that is known.
func TestKnownKeyIsAskedForAmongSeveral(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []ssh.Signer{newKey(t)}
	for _, k := range []any{private, curve} {
		s, err := ssh.NewSignerFromKey(k)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, s)
	}
	authority := newKey(t)
	all := append([]ssh.Signer{certified(t, authority, keys[0], nil)}, keys...)
	for _, known := range keys {
		m := newMachine(t, byPassword, all...)
		v := &sshlogin.Verifier{HostKeys: parse(t, line("10.0.0.5", known)), Dial: m.dial}
		if err := try(t, v, login(right)); err != nil {
			t.Errorf("with the %s key known: %v", known.PublicKey().Type(), err)
		}
	}
	m := newMachine(t, byPassword, all...)
	v := &sshlogin.Verifier{HostKeys: parse(t, line("@cert-authority *", authority)), Dial: m.dial}
	mustBe(t, try(t, v, login(right)), "proven")
}

// certified returns key with a host certificate of authority, changed by change.
func certified(t *testing.T, authority, key ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	c := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, ValidBefore: ssh.CertTimeInfinity}
	if change != nil {
		change(c)
	}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewCertSigner(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHostCertificateIsAcceptedFromAKnownAuthorityOnly(t *testing.T) {
	t.Parallel()
	authority, foreign, key := newKey(t), newKey(t), newKey(t)
	names := func(n ...string) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) { c.ValidPrincipals = n }
	}
	ours := line("@cert-authority *", authority)
	for name, row := range map[string]struct {
		text   string
		signer ssh.Signer
		change func(*ssh.Certificate)
		want   string
	}{
		"for anyone":       {ours, authority, nil, "proven"},
		"for the address":  {ours, authority, names("10.9.9.9", "10.0.0.5"), "proven"},
		"for the instance": {ours, authority, names("ins-1"), "proven"},
		"for another":      {ours, authority, names("10.0.0.6", "ins-2"), "host key unknown"},
		"expired": {ours, authority, func(c *ssh.Certificate) {
			c.ValidBefore = uint64(time.Now().Add(-time.Hour).Unix())
		}, "host key unknown"},
		"of a user":                   {ours, authority, func(c *ssh.Certificate) { c.CertType = ssh.UserCert }, "host key unknown"},
		"foreign":                     {ours, foreign, nil, "host key unknown"},
		"foreign, key known":          {ours + line("10.0.0.5", key), foreign, nil, "proven"},
		"foreign, another key known":  {ours + line("10.0.0.5", foreign), foreign, nil, "host key differs"},
		"authority for other hosts":   {line("@cert-authority 10.9.*", authority), authority, nil, "host key unknown"},
		"authority as a host key":     {line("*", authority), authority, nil, "host key differs"},
		"authority revoked":           {ours + line("@revoked *", authority), authority, nil, "host key differs"},
		"key revoked":                 {ours + line("@revoked *", key), authority, nil, "host key differs"},
		"key revoked, though foreign": {ours + line("@revoked *", key), foreign, nil, "host key differs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, byPassword, certified(t, row.signer, key, row.change))
			l := login(right)
			l.Instance.Port = 2222
			if strings.Contains(row.text, "\n10.0.0.5 ") {
				l.Instance.Port = 22
			}
			mustBe(t, try(t, &sshlogin.Verifier{HostKeys: parse(t, row.text), Dial: m.dial}, l), row.want)
			if got := len(m.stop().offered); (got > 0) != (row.want == "proven") {
				t.Errorf("the machine was given %d passwords", got)
			}
		})
	}
}
