package sshlogin_test

import (
	"context"
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

type asks = func(*seen, net.Conn) *ssh.ServerConfig

func TestDifferentAnswersAreDifferent(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		machine  asks
		password string
		want     string
		offered  int
	}{
		"right":                         {byPassword, right, "proven", 1},
		"wrong":                         {byPassword, wrong, "rejected", 1},
		"asked, right":                  {byRounds(round{"Password: "}), right, "proven", 1},
		"asked, wrong":                  {byRounds(round{"Password: "}), wrong, "rejected", 1},
		"asked by BSD, right":           {byRounds(round{"Password for root@host:"}), right, "proven", 1},
		"asked, then PAM's empty round": {byRounds(round{"Password: "}, round{}), right, "proven", 1},
		"both methods, right":           {both, right, "proven", 1},
		"keys only":                     {keysOnly, right, "not offered", 0},
		"anyone is let in":              {anyone, right, "not offered", 0},
		"nothing is asked":              {byRounds(round{}), right, "not offered", 0},
		"interactive refused at once":   {byRounds(), right, "not offered", 0},
		"interactive, but not this one": {refusedUnasked, right, "not offered", 0},
		"password, then another factor": {secondFactor, right, "proven", 1},
		"wrong, before another factor":  {secondFactor, wrong, "rejected", 1},
		"expired, right":                {byRounds(round{"Password: "}, round{"New password: "}), right, "other prompt", 1},
		"new password asked":            {byRounds(round{"New password: "}), right, "other prompt", 0},
		"current password asked":        {byRounds(round{"(current) UNIX password: "}), right, "other prompt", 0},
		"retype asked":                  {byRounds(round{"Re-enter password: "}), right, "other prompt", 0},
		"one-time password asked":       {byRounds(round{"One-time password (OATH) for `root': "}), right, "other prompt", 0},
		"code asked":                    {byRounds(round{"Verification code: "}), right, "other prompt", 0},
		"code asked afterwards":         {byRounds(round{"Password: "}, round{"Verification code: "}), right, "other prompt", 1},
		"password asked twice":          {byRounds(round{"Password: "}, round{"Password: "}), right, "other prompt", 1},
		"two prompts at once":           {byRounds(round{"Password: ", "Password: "}), right, "other prompt", 0},
		"echoing prompt":                {byRounds(round{"!Password: "}), right, "other prompt", 0},
		"dropped at once":               {dropped, right, "unreachable", 0},
		"dropped when password offered": {droppedAfterOffer, wrong, "unreachable", 1},
		"dropped before any prompt":     {droppedBeforePrompt, wrong, "unreachable", 0},
		"disconnected for the failure":  {disconnects, wrong, "unreachable", 1},
		"no SSH":                        {notSSH, right, "unreachable", 0},
		"old algorithms":                {oldAlgorithms, right, "cannot try", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, row.machine)
			mustBe(t, try(t, m.verifier(t), login(row.password)), row.want)
			s := m.stop()
			if len(s.offered) != row.offered {
				t.Errorf("the machine was given %d answers; want %d", len(s.offered), row.offered)
			}
			if s.channels != 0 {
				t.Errorf("%d sessions were opened; want none", s.channels)
			}
		})
	}
}

func both(s *seen, conn net.Conn) *ssh.ServerConfig {
	config := byPassword(s, conn)
	config.KeyboardInteractiveCallback = byRounds(round{"Password: "})(s, conn).KeyboardInteractiveCallback
	return config
}

func keysOnly(*seen, net.Conn) *ssh.ServerConfig {
	return &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return nil, errWrong
	}}
}

func anyone(*seen, net.Conn) *ssh.ServerConfig { return &ssh.ServerConfig{NoClientAuth: true} }

func refusedUnasked(*seen, net.Conn) *ssh.ServerConfig {
	return &ssh.ServerConfig{KeyboardInteractiveCallback: func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		return nil, errWrong
	}}
}

func secondFactor(s *seen, conn net.Conn) *ssh.ServerConfig {
	config := byPassword(s, conn)
	first := config.PasswordCallback
	config.PasswordCallback = func(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if _, err := first(c, p); err != nil {
			return nil, err
		}
		return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
			KeyboardInteractiveCallback: byRounds(round{"Verification code: "})(s, conn).KeyboardInteractiveCallback,
		}}
	}
	return config
}

func dropped(*seen, net.Conn) *ssh.ServerConfig { return nil }

func droppedAfterOffer(s *seen, conn net.Conn) *ssh.ServerConfig {
	return &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		s.offer(c.User(), string(p))
		_ = conn.Close()
		return nil, errWrong
	}}
}

func droppedBeforePrompt(_ *seen, conn net.Conn) *ssh.ServerConfig {
	return &ssh.ServerConfig{KeyboardInteractiveCallback: func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		_ = conn.Close()
		return nil, errWrong
	}}
}

func disconnects(s *seen, conn net.Conn) *ssh.ServerConfig {
	config := byPassword(s, conn)
	config.MaxAuthTries = 1
	return config
}

func notSSH(_ *seen, conn net.Conn) *ssh.ServerConfig {
	_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	return nil
}

func oldAlgorithms(s *seen, conn net.Conn) *ssh.ServerConfig {
	config := byPassword(s, conn)
	config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
	return config
}

func TestPasswordIsTriedOnceOverBothMethods(t *testing.T) {
	t.Parallel()
	m := newMachine(t, both)
	mustBe(t, try(t, m.verifier(t), login(wrong)), "rejected")
	if got := m.stop().offered; len(got) != 1 {
		t.Errorf("a login failed %d times on the machine; want once", len(got))
	}
}

func TestUserIsTheCredentialsElseTheMachines(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	v := m.verifier(t)
	named := login(right)
	named.Credential.Username = "ubuntu"
	mustBe(t, try(t, v, named), "proven")
	mustBe(t, try(t, v, login(right)), "proven")
	if got := m.stop().users; len(got) != 2 || got[0] != "ubuntu" || got[1] != "root" {
		t.Errorf("logged in as %q; want ubuntu, then root", got)
	}
}

func TestMachineThatCannotBeTriedIsNotDialed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rotation.Login){
		"Windows":       func(l *rotation.Login) { l.Instance.OS = rotation.Windows },
		"stopped":       func(l *rotation.Login) { l.Instance.Power = rotation.Stopped },
		"changing":      func(l *rotation.Login) { l.Instance.Power = rotation.Changing },
		"no power":      func(l *rotation.Login) { l.Instance.Power = "" },
		"no user":       func(l *rotation.Login) { l.Instance.LoginUser = "" },
		"no address":    func(l *rotation.Login) { l.Instance.Addresses = nil },
		"port too high": func(l *rotation.Login) { l.Instance.Port = 65536 },
		"port below 0":  func(l *rotation.Login) { l.Instance.Port = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := login(right)
			change(&l)
			mustBe(t, try(t, &sshlogin.Verifier{Dial: mustNotDial(t)}, l), "cannot try")
		})
	}
}

func mustNotDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("dialed %s", address)
		return nil, errWrong
	}
}
