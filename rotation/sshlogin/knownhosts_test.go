package sshlogin_test

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation/sshlogin"
)

func TestBadKnownHostsLinesAreNamed(t *testing.T) {
	t.Parallel()
	good := line("10.0.0.5", newKey(t))
	certificate := certified(t, newKey(t), newKey(t), nil)
	for name, row := range map[string]struct{ text, want string }{
		"no key":           {good + "10.0.0.6 ssh-ed25519\n", "line 2"},
		"one word":         {good + "\n# fine\n10.0.0.6\n", "line 4"},
		"no base64":        {"10.0.0.6 ssh-ed25519 !!!\n", "line 1"},
		"another type":     {strings.Replace(good, "ssh-ed25519", "ssh-rsa", 1), "line 1"},
		"unknown marker":   {"@trusted " + good, "line 1"},
		"two markers":      {"@cert-authority @revoked " + good, "line 1"},
		"marker, no host":  {"@cert-authority @revoked " + strings.SplitN(good, " ", 2)[1], "line 1"},
		"too short a hash": {"|1|YQ==|YQ== " + strings.SplitN(good, " ", 2)[1], "line 1"},
		"empty host":       {"10.0.0.4,," + good, "line 1"},
		"no hash":          {"|1|abc " + strings.SplitN(good, " ", 2)[1], "line 1"},
		"hash of a kind 2": {"|2|YQ==|YQ== " + strings.SplitN(good, " ", 2)[1], "line 1"},
		"a certificate":    {line("*", certificate), "line 1"},
		"nothing":          {"", "no host key"},
		"comments only":    {"# 10.0.0.5\n", "no host key"},
		"revoked only":     {"@revoked " + good, "no host key"},
	} {
		if _, err := sshlogin.ParseKnownHosts(row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: error is %v; want one that says %q", name, err, row.want)
		}
	}
	_, err := sshlogin.ParseKnownHosts("x\n" + good + "y\n")
	if err == nil || !strings.Contains(err.Error(), "line 1") || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("error is %v; want both bad lines named", err)
	}
}

func TestKnownHostsAreALineOrAFile(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	text := line("*", m.keys[0])
	path := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"a line": text, "a bare line": strings.TrimSpace(text), "a file": path} {
		keys, err := sshlogin.KnownHosts(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mustBe(t, try(t, &sshlogin.Verifier{HostKeys: keys, Dial: m.dial}, login(right)), "proven")
	}
}

func TestRelativeKnownHostsFileIsBesideTheProgram(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(program), "known_hosts_of_a_test")
	if err := os.WriteFile(path, []byte(line("*", newKey(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(path) })
	if _, err := sshlogin.KnownHosts("known_hosts_of_a_test"); err != nil {
		t.Error(err)
	}
	for _, value := range []string{"", " ", "no_such_file", "@no_such_file"} {
		if _, err := sshlogin.KnownHosts(value); err == nil {
			t.Errorf("KnownHosts(%q) succeeded", value)
		}
	}
}

func FuzzParseKnownHosts(f *testing.F) {
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		f.Fatal(err)
	}
	good := line("10.0.0.5", key)
	for _, seed := range []string{
		good, "@cert-authority * " + strings.SplitN(good, " ", 2)[1], "@revoked " + good, "# comment\r\n\r\n" + good,
		"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + strings.SplitN(good, " ", 2)[1],
		"!10.0.0.5,10.*,[::1]:2222 " + strings.SplitN(good, " ", 2)[1], "10.0.0.5 ssh-ed25519", "@ x y", "", "*",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := sshlogin.ParseKnownHosts(text)
		if (keys == nil) != (err != nil) {
			t.Fatalf("ParseKnownHosts = %v, %v; want one of them", keys, err)
		}
		if err != nil && !strings.Contains(err.Error(), "line ") && !strings.Contains(err.Error(), "no host key") {
			t.Fatalf("error is %v; want it to name a line", err)
		}
		_, more := sshlogin.ParseKnownHosts(text + "\n" + good)
		if err == nil && more != nil {
			t.Fatalf("with a good line more: %v", more)
		}
		_, crlf := sshlogin.ParseKnownHosts(strings.ReplaceAll(text, "\n", "\r\n"))
		if (err == nil) != (crlf == nil) {
			t.Fatalf("with CRLF: %v; without: %v", crlf, err)
		}
	})
}
