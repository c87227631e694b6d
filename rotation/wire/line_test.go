package wire_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// TestAReadIsRepeatedWithinItsTime: what may pass is tried again, for a time that is bounded twice; what was said is final.
func TestAReadIsRepeatedWithinItsTime(t *testing.T) {
	broken, refused := &wire.Error{API: "get"}, &wire.Error{API: "get", Meaning: wire.Meaning{Kind: wire.Unauthorized}}
	for _, c := range []struct {
		name  string
		read  func(context.Context, func() error) error
		err   error
		limit time.Duration // of the run
		tries int
		lasts time.Duration
	}{
		{"again", wire.Again, broken, time.Hour, 3, 600 * time.Millisecond},
		{"patiently", wire.Patiently, broken, time.Hour, 6, 6200 * time.Millisecond},
		{"patiently, and the run ends first", wire.Patiently, broken, time.Second, 3, time.Second},
		{"refused", wire.Patiently, refused, time.Hour, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				tries, began := 0, time.Now()
				err := c.read(ctx, func() error { tries++; return c.err })
				if lasted := time.Since(began); !errors.Is(err, c.err) || tries != c.tries || lasted != c.lasts {
					t.Errorf("%v after %d tries in %s; want the last error after %d in %s", err, tries, lasted, c.tries, c.lasts)
				}
				if ended := ctx.Err() != nil; ended != errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rotation.ErrNotApplied) {
					t.Errorf("%v; want to be told that the run ended, if it did (%t)", err, ended)
				}
			})
		})
	}
}
