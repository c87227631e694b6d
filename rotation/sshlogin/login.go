package sshlogin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation"
)

const (
	byPassword    = "password"
	byInteractive = "keyboard-interactive"
)

// errAccepted ends a login whose password was accepted when the machine asks for a second factor.
var errAccepted = errors.New("password accepted")

// offer shows the password to the machine at the other end of conn, if it proves to be h, and says what it answered. It
// closes conn.
func (v *Verifier) offer(ctx context.Context, conn net.Conn, h host, user string, p rotation.Password) error {
	defer conn.Close()
	// The handshake knows no context: the end of ctx, its deadline included, becomes a deadline that has passed.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	c := &conversation{password: p}
	client, channels, requests, err := ssh.NewClientConn(conn, h.at.String(), &ssh.ClientConfig{
		User:              user,
		AuthCallback:      c.next,
		HostKeyCallback:   func(_ string, _ net.Addr, key ssh.PublicKey) error { return v.HostKeys.check(h, key) },
		HostKeyAlgorithms: v.HostKeys.algorithms(h),
		ClientVersion:     "SSH-2.0-relock", // so that it can be told in the machine's own log
	})
	if err == nil {
		_ = ssh.NewClient(client, channels, requests).Close()
	}
	return c.answer(ctx, err)
}

// A conversation is one login as seen from here. It shows its password at most once.
type conversation struct {
	password rotation.Password
	tried    string // the method that was tried
	shown    bool   // the password was
	stopped  error  // why the conversation was broken off by us
}

// next chooses the method to try, after the machine has said which it accepts.
func (c *conversation) next(now *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	switch {
	case c.stopped != nil:
		return nil, c.stopped
	case c.shown && slices.Contains(now.PartialSuccessMethods, c.tried):
		return nil, errAccepted
	case c.tried != "":
		return nil, nil // nothing else to try: the handshake ends with what the machine said
	case slices.Contains(now.AllowedMethods, byPassword):
		c.tried = byPassword
		return ssh.PasswordCallback(c.show), nil
	case slices.Contains(now.AllowedMethods, byInteractive):
		c.tried = byInteractive
		return ssh.KeyboardInteractive(c.prompted), nil
	case slices.Contains(now.AllowedMethods, "publickey"):
		return nil, fmt.Errorf("%w: the machine accepts keys", ErrNotOffered)
	default:
		return nil, ErrNotOffered
	}
}

func (c *conversation) show() (string, error) {
	c.shown = true
	return c.password.Reveal(), nil
}

// prompted answers the first prompt if it is for the password, and breaks off at any other: an answer to "New
// password:", which comes when a password has expired, would change it.
func (c *conversation) prompted(_, _ string, questions []string, echoes []bool) ([]string, error) {
	if len(questions) == 0 { // a round that only shows something, or PAM's last one
		return nil, nil
	}
	if len(questions) > 1 || echoes[0] || c.shown || !asksForPassword(questions[0]) {
		c.stopped = ErrOtherPrompt
		return nil, c.stopped
	}
	p, err := c.show()
	return []string{p}, err
}

// otherPrompts are words of prompts that mention a password and mean another one than that in force.
var otherPrompts = []string{
	"new", "retype", "reenter", "re", "repeat", "again", "confirm", "change", "expired", "current", "old", "previous",
	"one", "onetime", "otp", "oath", "totp", "token", "code", "pin", "passcode", "temporary", "second",
}

// asksForPassword reports whether a prompt is for the password in force.
func asksForPassword(question string) bool {
	words := strings.FieldsFunc(strings.ToLower(question), func(r rune) bool { return r < 'a' || r > 'z' })
	return slices.Contains(words, "password") &&
		!slices.ContainsFunc(words, func(w string) bool { return slices.Contains(otherPrompts, w) })
}

// answer is what the login came to, given how the handshake ended.
func (c *conversation) answer(ctx context.Context, err error) error {
	var none *ssh.AlgorithmNegotiationError
	switch {
	case err == nil && !c.shown:
		return fmt.Errorf("%w: the machine lets this user in without", ErrNotOffered)
	case err == nil, errors.Is(err, errAccepted):
		return nil
	case errors.Is(err, rotation.ErrCannotTry):
		return err // our own decision, on the host key or on a prompt
	case c.tried != "" && refused(err) && !c.shown:
		return fmt.Errorf("%w by %s", ErrNotOffered, c.tried)
	case c.tried != "" && refused(err):
		return fmt.Errorf("%w: method %s", rotation.ErrRejected, c.tried)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &none):
		return fmt.Errorf("%w: no %s algorithm in common", rotation.ErrCannotTry, none.What)
	case c.shown:
		return fmt.Errorf("%w after the password was offered: %w", ErrUnreachable, local(err))
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, local(err))
	}
}

// refused reports whether the handshake ended because the machine refused the method that was tried. The library has no
// types for it. Should its texts change, a refusal becomes "no answer", never the reverse; what a machine sends itself
// comes after another beginning.
func refused(err error) bool {
	cause := errors.Unwrap(err)
	return cause != nil && (strings.HasPrefix(cause.Error(), "ssh: unable to authenticate, attempted methods") ||
		// SSH_MSG_USERAUTH_FAILURE where keyboard-interactive should have asked something.
		strings.HasPrefix(cause.Error(), "ssh: unexpected message type 51 (expected 60)"))
}

// local returns what this side knows of a broken connection, without any text of the machine's.
func local(err error) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return op
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return errors.New("the machine closed the connection")
	default:
		return errors.New("the machine ended the login, or does not speak SSH")
	}
}
