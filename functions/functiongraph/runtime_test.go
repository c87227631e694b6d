package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
)

// The platform ends an invocation at its limit: what handles the event has to end so long before that the answer is still sent.
func TestEventIsHandledBeforeThePlatformEndsIt(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{
		15 * time.Minute: 15*time.Minute - time.Second,
		time.Second:      500 * time.Millisecond, // too little for a whole second
		0:                0,                      // the platform does not say
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, _ = within(t.Context(), limit, invocation{}, func(ctx context.Context, _ invocation) (*rotation.Report, error) {
				deadline, ok := ctx.Deadline()
				if ok != (want > 0) || ok && deadline.Sub(began) != want {
					t.Errorf("of %s it has %s (any at all: %t); want %s", limit, deadline.Sub(began), ok, want)
				}
				return nil, nil
			})
		})
	}
}
