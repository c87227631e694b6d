package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

var errAborted = errors.New("interrupted twice")

// interruptible tells a run from the signals. The first closes gently: the run begins nothing more and brings to an end
// what is under way. The second ends ctx. stop gives the signals back.
func interruptible(ctx context.Context, stderr io.Writer) (_ context.Context, gently <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals, first, done := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if n == 0 {
				fmt.Fprintln(stderr, "\nrelock: interrupted: nothing more is begun, what is under way is brought to an end; interrupt again to leave at once")
				close(first)
				continue
			}
			fmt.Fprintln(stderr, "\nrelock: leaving at once: machines may be down until the next relock resume, and no password is lost")
			cancel(errAborted)
			return
		}
	}()
	return ctx, first, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// untilSignal returns when a person or the system asks for the end, or with ctx.
func untilSignal(ctx context.Context) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
}
