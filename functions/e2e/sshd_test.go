package e2e_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// needsSSHD ends the test, loudly, where there is no OpenSSH server or no leave to add a user to this machine. It
// returns the server's path.
func needsSSHD(t testing.TB) string {
	t.Helper()
	const what = "real logins to OpenSSH as a throw-away user"
	const how = "; as root, on a machine that may get a user: " +
		"apt-get install openssh-server && RELOCK_TEST_SSHD=1 go test -v -run SSHD ./functions/e2e/"
	if os.Getenv("RELOCK_TEST_SSHD") != "1" {
		notRun(t, what, "RELOCK_TEST_SSHD is not 1"+how)
	}
	if os.Getuid() != 0 {
		notRun(t, what, "not root"+how)
	}
	// sshd refuses to run by a relative name, and its folder is seldom in PATH.
	for _, path := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	notRun(t, what, "no sshd"+how)
	return ""
}

// An sshd is a running OpenSSH server with one user who may log in.
type sshd struct {
	user     string
	port     int
	hostKey  ssh.PublicKey
	hostCA   ssh.PublicKey
	verifier *sshlogin.Verifier
}

// startSSHD runs OpenSSH on loopback with further lines of sshd_config, until the test ends. It adds a user.
func startSSHD(t testing.TB, config ...string) *sshd {
	t.Helper()
	path := needsSSHD(t)
	s := &sshd{user: addSSHDUser(t)}
	dir := t.TempDir()
	key, hostCA := newHostKey(t), newHostKey(t)
	s.hostKey, s.hostCA = publicHalf(t, key), publicHalf(t, hostCA)
	writeHostKey(t, filepath.Join(dir, "key"), key)
	writeHostCertificate(t, filepath.Join(dir, "key-cert.pub"), s.hostKey, hostCA)
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where it empties its privileges into
		t.Fatal(err)
	}
	s.port = sshdPort(t)
	lines := append([]string{ // sshd takes the first of two lines on one matter
		"ListenAddress 127.0.0.1:" + strconv.Itoa(s.port),
		"HostKey " + filepath.Join(dir, "key"),
		"HostCertificate " + filepath.Join(dir, "key-cert.pub"),
		"PidFile none",
		"AllowUsers " + s.user,
	}, config...)
	file := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runSSHD(t, exec.Command(path, "-D", "-e", "-f", file))
	s.verifier = &sshlogin.Verifier{
		HostKeys:      parseKnownHosts(t, "[127.0.0.1]:"+strconv.Itoa(s.port)+" "+string(ssh.MarshalAuthorizedKey(s.hostKey))),
		AllowLoopback: true,
	}
	return s
}

// runSSHD starts a server, waits until it listens, and ends it with the test.
func runSSHD(t testing.TB, server *exec.Cmd) {
	t.Helper()
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	listens, ended := make(chan struct{}), make(chan []byte)
	go func() {
		var all bytes.Buffer
		lines := bufio.NewScanner(log)
		said := false
		for lines.Scan() {
			_, _ = fmt.Fprintln(&all, lines.Text())
			if !said && strings.HasPrefix(lines.Text(), "Server listening on") {
				close(listens)
				said = true
			}
		}
		ended <- all.Bytes()
	}()
	select {
	case <-listens:
	case all := <-ended:
		t.Fatalf("sshd did not start: %v: %s", server.Wait(), all)
	}
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		all := <-ended
		_ = server.Wait() // it was killed
		if t.Failed() {
			t.Logf("sshd's log:\n%s", all)
		}
	})
}

// addSSHDUser adds a user without a password until the test ends.
func addSSHDUser(t testing.TB) string {
	t.Helper()
	var random [4]byte
	_, _ = rand.Read(random[:])
	user := fmt.Sprintf("relock-e2e-%x", random)
	asRoot(t, "", "useradd", "--create-home", "--shell", "/bin/sh", user)
	t.Cleanup(func() { asRoot(t, "", "userdel", "--remove", user) })
	return user
}

// asRoot runs a command, and gives it its input by stdin: arguments are for everyone to read.
func asRoot(t testing.TB, input, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// setPassword is what a reset does.
func (s *sshd) setPassword(t testing.TB, password string) {
	t.Helper()
	asRoot(t, s.user+":"+password+"\n", "chpasswd")
}

// shadow is the user's line of /etc/shadow, which a changed password changes.
func (s *sshd) shadow(t *testing.T) string {
	t.Helper()
	all, err := os.ReadFile("/etc/shadow")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		if strings.HasPrefix(line, s.user+":") {
			return line
		}
	}
	t.Fatal("the user is not in /etc/shadow")
	return ""
}

// login asks whether a password opens the machine now.
func (s *sshd) login(t *testing.T, password string) error {
	t.Helper()
	return s.verifier.Verify(t.Context(), []rotation.Login{{
		Instance: rotation.Instance{
			ID: "ins-e2e", OS: rotation.Linux, Power: rotation.Running, LoginUser: s.user,
			Addresses: []string{"127.0.0.1"}, Port: s.port,
		},
		Credential: rotation.Credential{Password: rotation.NewPassword(password)},
	}})[0]
}

const (
	sshdOld = "Old-Horse7battery"
	sshdNew = "New-Horse8battery"
)

func TestSSHDNewPasswordIsProvenAndOldOneRejected(t *testing.T) {
	needsSSHD(t)
	for name, config := range map[string][]string{
		"password with PAM": {"UsePAM yes", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"},
		"interactive":       {"UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"},
		"both":              {"UsePAM yes", "PasswordAuthentication yes", "KbdInteractiveAuthentication yes"},
		"without PAM":       {"UsePAM no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, config...)
			s.setPassword(t, sshdOld)
			if err := s.login(t, sshdOld); err != nil {
				t.Fatalf("before the change the old password = %v; want it proven", err)
			}
			s.setPassword(t, sshdNew)
			if err := s.login(t, sshdNew); err != nil {
				t.Errorf("after the change the new password = %v; want it proven", err)
			}
			if err := s.login(t, sshdOld); !errors.Is(err, rotation.ErrRejected) {
				t.Errorf("after the change the old password = %v; want it rejected", err)
			}
		})
	}
}

// An expired password is asked to be changed, in the login itself where it is interactive.
func TestSSHDExpiredPasswordIsNotChanged(t *testing.T) {
	needsSSHD(t)
	for name, row := range map[string]struct {
		config []string
		want   error
	}{
		"password":    {[]string{"UsePAM yes", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"}, nil},
		"interactive": {[]string{"UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"}, sshlogin.ErrOtherPrompt},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, row.config...)
			s.setPassword(t, sshdOld)
			asRoot(t, "", "chage", "--lastday", "0", s.user)
			before := s.shadow(t)
			if err := s.login(t, sshdOld); !errors.Is(err, row.want) {
				t.Errorf("an expired password = %v; want %v", err, row.want)
			}
			if s.shadow(t) != before {
				t.Error("the login changed the password")
			}
		})
	}
}

func TestSSHDWithoutPasswordLoginsIsNotOffered(t *testing.T) {
	s := startSSHD(t, "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PubkeyAuthentication yes")
	s.setPassword(t, sshdOld)
	if err := s.login(t, sshdOld); !errors.Is(err, sshlogin.ErrNotOffered) {
		t.Errorf("a login where keys only are accepted = %v; want ErrNotOffered", err)
	}
}

func TestSSHDDroppingConnectionsIsNoRejection(t *testing.T) {
	s := startSSHD(t, "MaxStartups 1:100:1", "PasswordAuthentication yes")
	s.setPassword(t, sshdOld)
	other, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if _, err := other.Read(make([]byte, 1)); err != nil { // it has the only place
		t.Fatal(err)
	}
	err = s.login(t, sshdNew)
	if !errors.Is(err, sshlogin.ErrUnreachable) || errors.Is(err, rotation.ErrRejected) || errors.Is(err, rotation.ErrCannotTry) {
		t.Errorf("a dropped login = %v; want ErrUnreachable alone", err)
	}
}

func TestSSHDHostCertificateIsAccepted(t *testing.T) {
	s := startSSHD(t, "PasswordAuthentication yes")
	s.setPassword(t, sshdOld)
	authority := "@cert-authority * " + string(ssh.MarshalAuthorizedKey(s.hostCA))
	s.verifier.HostKeys = parseKnownHosts(t, authority)
	if err := s.login(t, sshdOld); err != nil {
		t.Errorf("with the authority known = %v; want it proven", err)
	}
}

func TestSSHDWithAnotherHostKeyDiffers(t *testing.T) {
	s := startSSHD(t, "PasswordAuthentication yes")
	s.setPassword(t, sshdOld)
	s.verifier.HostKeys = parseKnownHosts(t, "* "+string(ssh.MarshalAuthorizedKey(s.hostCA)))
	if err := s.login(t, sshdOld); !errors.Is(err, sshlogin.ErrHostKeyDiffers) {
		t.Errorf("with another host key known = %v; want ErrHostKeyDiffers", err)
	}
}

func parseKnownHosts(t testing.TB, text string) *sshlogin.HostKeys {
	t.Helper()
	keys, err := sshlogin.ParseKnownHosts(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newHostKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicHalf(t testing.TB, key ed25519.PrivateKey) ssh.PublicKey {
	t.Helper()
	p, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writeHostKey(t testing.TB, path string, key ed25519.PrivateKey) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeHostCertificate(t testing.TB, path string, key ssh.PublicKey, hostCA ed25519.PrivateKey) {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(hostCA)
	if err != nil {
		t.Fatal(err)
	}
	c := &ssh.Certificate{
		Key: key, CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity,
	}
	if err := c.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, ssh.MarshalAuthorizedKey(c), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sshdPort is one that was free a moment ago: sshd takes no port 0.
func sshdPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}
