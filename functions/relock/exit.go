package main

import (
	"errors"
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// The exit statuses. Scripts read them.
const (
	exitDone    = 0 // done, or nothing to do
	exitFailed  = 1
	exitUsage   = 2 // usage or configuration: a person has to correct something, and nothing was sent or stored
	exitPartial = 3 // partial, incomplete or drift
)

// A finish is how a command ended that has said so itself: only its exit status is still to be given.
type finish int

func (f finish) Error() string { return fmt.Sprintf("exit status %d", int(f)) }

// errUsage is a command line that is wrong.
var errUsage = errors.New("usage")

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUsage}, args...)...)
}

// statusOf is the exit status for the error that a command returned.
func statusOf(err error) int {
	var f finish
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &f):
		return int(f)
	case errors.Is(err, errUsage), errors.Is(err, rotation.ErrConfig):
		return exitUsage
	case errors.Is(err, rotation.ErrPartial):
		return exitPartial
	}
	return exitFailed
}

// statusOfRun is the exit status of a run.
func statusOfRun(outcome rotation.Outcome, err error) int {
	if err != nil {
		return statusOf(err)
	}
	switch outcome {
	case rotation.Incomplete, rotation.Partial, rotation.Drift:
		return exitPartial
	case rotation.Failure:
		return exitFailed
	}
	return exitDone
}
