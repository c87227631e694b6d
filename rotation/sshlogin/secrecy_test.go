package sshlogin_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// leaks reports whether a text holds one of the tests' passwords, in any encoding that is likely.
func leaks(text string) bool {
	for _, p := range []string{right, wrong} {
		reversed := []byte(p)
		slices.Reverse(reversed)
		for _, form := range []string{
			p, string(reversed), hex.EncodeToString([]byte(p)), base64.StdEncoding.EncodeToString([]byte(p)),
			base64.RawURLEncoding.EncodeToString([]byte(p)), url.QueryEscape(p), fmt.Sprint([]byte(p)),
		} {
			if strings.Contains(text, form) {
				return true
			}
		}
	}
	return false
}

// A machine that was given a password says it again wherever the protocol lets it.
func TestMachineCannotPutAPasswordIntoAnAnswer(t *testing.T) {
	t.Parallel()
	say := func(text string) error {
		return &ssh.BannerError{Err: fmt.Errorf("%s: %w", text, errWrong), Message: text}
	}
	for name, row := range map[string]struct {
		machine asks
		want    string
	}{
		"in a banner": {func(*seen, net.Conn) *ssh.ServerConfig {
			return &ssh.ServerConfig{
				BannerCallback: func(ssh.ConnMetadata) string { return wrong },
				PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
					return nil, say(string(p))
				},
			}
		}, "rejected"},
		"in a prompt": {func(*seen, net.Conn) *ssh.ServerConfig {
			return &ssh.ServerConfig{KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				p, err := ask("", "", []string{"Password: "}, []bool{false})
				if err != nil {
					return nil, err
				}
				return nil, second(ask(p[0], p[0], []string{p[0]}, []bool{false}))
			}}
		}, "other prompt"},
		"in its version": {func(_ *seen, conn net.Conn) *ssh.ServerConfig {
			_, _ = fmt.Fprintf(conn, "SSH-1.0-%s\r\n", wrong)
			return nil
		}, "unreachable"},
		"in a disconnect": {func(_ *seen, conn net.Conn) *ssh.ServerConfig {
			sayPlainly(conn, struct {
				Reason         uint32 `sshtype:"1"`
				Text, Language string
			}{2, wrong, ""})
			return nil
		}, "unreachable"},
		"in its algorithms": {func(_ *seen, conn net.Conn) *ssh.ServerConfig {
			sayPlainly(conn, struct {
				Cookie   [16]byte `sshtype:"20"`
				Exchange []string
				Others   []byte `ssh:"rest"`
			}{Exchange: []string{wrong}, Others: make([]byte, 9*4+1+4)})
			return nil
		}, "cannot try"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, row.machine)
			mustBe(t, try(t, m.verifier(t), login(wrong)), row.want)
		})
	}
}

func second(_ []string, err error) error { return err }

// sayPlainly sends a message as it may be before any key is agreed on, and waits until the other side hangs up.
func sayPlainly(conn net.Conn, message any) {
	payload := ssh.Marshal(message)
	padding := 16 - (5+len(payload))%8
	packet := binary.BigEndian.AppendUint32([]byte("SSH-2.0-plain\r\n"), uint32(1+len(payload)+padding))
	packet = append(packet, byte(padding))
	packet = append(packet, payload...)
	_, _ = conn.Write(append(packet, make([]byte, padding)...))
	_, _ = io.Copy(io.Discard, conn)
}
