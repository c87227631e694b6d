package sshlogin

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// KnownHosts reads host keys as they are configured: one or more known_hosts lines, or the path of a file of them. A
// value without white space is a path, since a line has three words at least; a relative one starts at the folder of
// the program.
func KnownHosts(value string) (*HostKeys, error) {
	value = strings.TrimSpace(value)
	if strings.ContainsAny(value, " \t\r\n") {
		return ParseKnownHosts(value)
	}
	if value == "" {
		return nil, errors.New("known hosts: neither a line nor a file")
	}
	path := value
	if !filepath.IsAbs(path) {
		program, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("known hosts: find the program's folder: %w", err)
		}
		path = filepath.Join(filepath.Dir(program), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	keys, err := ParseKnownHosts(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// ParseKnownHosts reads a known_hosts text: host keys, hashed host names, @cert-authority and @revoked lines. Empty
// lines and comments are skipped. All bad lines are named, and a text without any key is an error.
func ParseKnownHosts(text string) (*HostKeys, error) {
	keys := &HostKeys{}
	var faults []error
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := keys.add(number, line); err != nil {
			faults = append(faults, fmt.Errorf("known hosts: line %d: %w", number, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(keys.entries) == 0 {
		return nil, errors.New("known hosts: no host key in it")
	}
	return keys, nil
}

// add reads one line.
func (k *HostKeys) add(number int, line string) error {
	marker, hosts, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil {
		return errors.New("not a host, a key type and its key, after @cert-authority or @revoked or neither")
	}
	if _, ok := key.(*ssh.Certificate); ok {
		return errors.New("a certificate; the key of its authority is wanted")
	}
	switch marker {
	case "", "cert-authority", "revoked":
	default:
		return errors.New("marker is neither @cert-authority nor @revoked")
	}
	patterns, err := parsePatterns(hosts)
	if err != nil {
		return err
	}
	if marker == "revoked" {
		k.revoked = append(k.revoked, key)
		return nil
	}
	k.entries = append(k.entries, entry{line: number, authority: marker != "", hosts: patterns, key: key})
	return nil
}

// A pattern is one of the comma-separated host names of a line.
type pattern struct {
	not        bool
	glob       string
	salt, hash []byte // instead of glob, where names are hashed
}

func parsePatterns(hosts []string) ([]pattern, error) {
	var patterns []pattern
	for _, text := range hosts {
		var p pattern
		p.glob, p.not = strings.CutPrefix(text, "!")
		switch {
		case p.glob == "":
			return nil, errors.New("empty host name")
		case p.glob[0] == '@':
			return nil, errors.New("more than one marker")
		case p.glob[0] == '|':
			if err := p.unhash(); err != nil || p.not {
				return nil, errors.New("hashed host name is not |1|salt|hash")
			}
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// unhash reads a hashed host name: |1|salt|HMAC-SHA1(salt, name), see HASH_HOSTS in OpenSSH's sshd(8).
func (p *pattern) unhash() error {
	parts := strings.Split(p.glob, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return errors.New("not |1|salt|hash")
	}
	var err error
	if p.salt, err = base64.StdEncoding.DecodeString(parts[2]); err != nil {
		return err
	}
	if p.hash, err = base64.StdEncoding.DecodeString(parts[3]); err != nil {
		return err
	}
	if len(p.hash) != sha1.Size {
		return errors.New("not the length of a hash")
	}
	return nil
}

// matches reports whether patterns speak of a host with these names: one is matched, and none is excluded.
func matches(patterns []pattern, names []string) bool {
	found := false
	for _, p := range patterns {
		for _, name := range names {
			if !p.match(name) {
				continue
			}
			if p.not {
				return false
			}
			found = true
		}
	}
	return found
}

func (p pattern) match(name string) bool {
	if p.hash == nil {
		return glob(p.glob, name)
	}
	mac := hmac.New(sha1.New, p.salt)
	mac.Write([]byte(name))
	return bytes.Equal(mac.Sum(nil), p.hash)
}

// glob matches * with any text and ? with any one byte. Unlike in path.Match, [ is itself: it begins an address.
func glob(pattern, name string) bool {
	star, resume := -1, 0 // the last *, and where its text ends
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			resume++
			p, n = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
