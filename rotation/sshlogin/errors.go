package sshlogin

import (
	"errors"
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// The answers that are told apart besides nil and rotation.ErrRejected. All but ErrUnreachable match
// rotation.ErrCannotTry; ErrUnreachable matches neither, because it proves nothing. No answer holds text that a machine
// sent: it may have been given a password.
var (
	// ErrNotOffered: the machine was reached, and does not ask this user for a password: only keys are accepted, or
	// nothing is asked at all.
	ErrNotOffered = fmt.Errorf("%w: no password asked for", rotation.ErrCannotTry)
	// ErrOtherPrompt: the machine asked for something else than the password, such as a new one or a one-time code.
	// It got no answer to that.
	ErrOtherPrompt = fmt.Errorf("%w: something other than the password asked for", rotation.ErrCannotTry)
	// ErrHostKeyUnknown: nothing is known about the host key that the machine presents. No password was offered.
	ErrHostKeyUnknown = fmt.Errorf("%w: host key unknown", rotation.ErrCannotTry)
	// ErrHostKeyDiffers: the host key is another one than is known for the machine, or it is revoked. The machine was
	// installed anew, or this is another machine. No password was offered.
	ErrHostKeyDiffers = fmt.Errorf("%w: host key differs", rotation.ErrCannotTry)
	// ErrAddressRefused: no address of the machine is one to connect to. Nothing was dialed.
	ErrAddressRefused = fmt.Errorf("%w: address refused", rotation.ErrCannotTry)
	// ErrUnreachable: no connection, or one that ended before the machine answered: refused, reset, dropped because
	// too many logins were going on, timed out. The password may have been offered.
	ErrUnreachable = errors.New("no answer over SSH")
)
