package sshlogin

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeys are the host keys and host certificate authorities that a known_hosts text declares.
//
// A line is found by a machine's address ("10.0.0.5", or "[10.0.0.5]:2222" for another port than 22) or by its
// instance id, which outlives an address. As in OpenSSH, a pattern like * matches the port as well; x/crypto's own
// reader does not (https://go.dev/issue/52056). A host certificate must name the address, the instance id, or nobody.
type HostKeys struct {
	entries []entry
	revoked []ssh.PublicKey // wherever they are presented
}

// An entry is a line that declares a key.
type entry struct {
	line      int
	authority bool
	hosts     []pattern
	key       ssh.PublicKey
}

// A host is who is expected at the other end.
type host struct {
	at netip.AddrPort
	id string
}

// names are what a known_hosts line may call h.
func (h host) names() []string { return named(knownhosts.Normalize(h.at.String()), h.id) }

// principals are what a certificate may call h.
func (h host) principals() []string { return named(h.at.Addr().String(), h.id) }

func named(address, id string) []string {
	if id == "" {
		return []string{address}
	}
	return []string{address, id}
}

// check returns nil when key is one that is known to be h's. A nil HostKeys knows none.
func (k *HostKeys) check(h host, key ssh.PublicKey) error {
	if k == nil {
		return fmt.Errorf("%w: none is configured", ErrHostKeyUnknown)
	}
	certificate, ok := key.(*ssh.Certificate)
	if !ok {
		return k.checkPlain(h, key, "")
	}
	if err := errors.Join(k.checkRevoked(certificate.SignatureKey), k.checkRevoked(certificate.Key)); err != nil {
		return err
	}
	doubt := k.vouch(h, certificate)
	if doubt == "" {
		return nil
	}
	return k.checkPlain(h, certificate.Key, doubt)
}

// checkPlain looks for the key itself. The doubt is what was wrong with its certificate.
func (k *HostKeys) checkPlain(h host, key ssh.PublicKey, doubt string) error {
	if err := k.checkRevoked(key); err != nil {
		return err
	}
	known := 0
	for e := range k.about(h) {
		if e.authority {
			continue
		}
		if same(e.key, key) {
			return nil
		}
		known = e.line
	}
	presented := ssh.FingerprintSHA256(key) + doubt
	if known > 0 {
		return fmt.Errorf("%w: presented is %s; known is another, in line %d", ErrHostKeyDiffers, presented, known)
	}
	return fmt.Errorf("%w: presented is %s", ErrHostKeyUnknown, presented)
}

func (k *HostKeys) checkRevoked(key ssh.PublicKey) error {
	if slices.ContainsFunc(k.revoked, func(r ssh.PublicKey) bool { return same(r, key) }) {
		return fmt.Errorf("%w: %s is revoked", ErrHostKeyDiffers, ssh.FingerprintSHA256(key))
	}
	return nil
}

// vouch returns "" when a known authority says that c is h's, or why it does not.
func (k *HostKeys) vouch(h host, c *ssh.Certificate) string {
	if c.CertType != ssh.HostCert {
		return ", with a certificate that is no host's"
	}
	for e := range k.about(h) {
		if !e.authority || !same(e.key, c.SignatureKey) {
			continue
		}
		var checker ssh.CertChecker
		for _, name := range h.principals() {
			if checker.CheckCert(name, c) == nil {
				return ""
			}
		}
		return fmt.Sprintf(", with a certificate that is not valid now for %s", strings.Join(h.principals(), " or "))
	}
	return ", with a certificate of an unknown authority"
}

// about yields the entries that speak of h.
func (k *HostKeys) about(h host) func(yield func(entry) bool) {
	names := h.names()
	return func(yield func(entry) bool) {
		for _, e := range k.entries {
			if matches(e.hosts, names) && !yield(e) {
				return
			}
		}
	}
}

// algorithms are the host key algorithms to ask h for, best first. A machine has several host keys, and one of another
// type than the known one must not look like a changed key (https://go.dev/issue/29286).
func (k *HostKeys) algorithms(h host) []string {
	var types []string
	authority := false
	if k != nil {
		for e := range k.about(h) {
			authority = authority || e.authority
			if !e.authority {
				types = append(types, e.key.Type())
			}
		}
	}
	rank := func(algorithm string) int {
		certificate := strings.Contains(algorithm, "-cert-v01@")
		switch {
		case certificate && authority:
			return 0
		case !certificate && slices.Contains(types, keyType(algorithm)):
			return 1
		case !certificate:
			return 2
		default:
			return 3
		}
	}
	all := ssh.SupportedAlgorithms().HostKeys
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

// keyType is the type of the keys that an algorithm signs with.
func keyType(algorithm string) string {
	if algorithm == ssh.KeyAlgoRSASHA256 || algorithm == ssh.KeyAlgoRSASHA512 {
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }
