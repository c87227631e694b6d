package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/relock-project/relock/rotation"
)

func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		outcome rotation.Outcome
		err     error
		want    int
	}{
		{rotation.Rotated, nil, exitDone},
		{rotation.Nothing, nil, exitDone},
		{rotation.Planned, nil, exitDone},
		{rotation.Verified, nil, exitDone},
		{rotation.Incomplete, nil, exitPartial},
		{rotation.Drift, nil, exitPartial},
		{rotation.Partial, fmt.Errorf("%w: 3 machines", rotation.ErrPartial), exitPartial},
		{rotation.Planned, fmt.Errorf("%w: refused", rotation.ErrConfig), exitUsage},
		{rotation.Failure, fmt.Errorf("%w: refused", rotation.ErrConfig), exitUsage},
		{rotation.Failure, fmt.Errorf("x: %w", rotation.ErrUnauthorized), exitFailed},
		{rotation.Failure, errors.New("anything"), exitFailed},
		{rotation.Failure, nil, exitFailed},
	} {
		if got := statusOfRun(test.outcome, test.err); got != test.want {
			t.Errorf("statusOfRun(%s, %v) = %d; want %d", test.outcome, test.err, got, test.want)
		}
	}
}

func TestExitStatusOfErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, exitDone},
		{usage("no such flag"), exitUsage},
		{finish(exitPartial), exitPartial},
		{errors.Join(errors.New("a"), fmt.Errorf("%w: b", rotation.ErrConfig)), exitUsage},
		{errors.New("anything"), exitFailed},
	} {
		if got := statusOf(test.err); got != test.want {
			t.Errorf("statusOf(%v) = %d; want %d", test.err, got, test.want)
		}
	}
}

func TestGravestStatus(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]int{
		{exitDone, exitDone, exitDone}, {exitDone, exitPartial, exitPartial}, {exitPartial, exitUsage, exitUsage},
		{exitUsage, exitFailed, exitFailed}, {exitFailed, exitDone, exitFailed},
	} {
		if got := graver(test[0], test[1]); got != test[2] {
			t.Errorf("graver(%d, %d) = %d; want %d", test[0], test[1], got, test[2])
		}
	}
}
