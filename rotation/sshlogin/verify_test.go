package sshlogin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// logins are n, each to its own machine.
func logins(n int) []rotation.Login {
	all := make([]rotation.Login, n)
	for i := range all {
		all[i] = login(wrong)
		all[i].Instance.Addresses = []string{fmt.Sprintf("10.0.%d.%d", i/250, 1+i%250)}
	}
	return all
}

func TestAnswersAreInTheOrderOfTheLogins(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	all := logins(40)
	for i := range all {
		if i%3 == 0 {
			all[i].Credential.Password = rotation.NewPassword(right)
		}
		if i%7 == 0 {
			all[i].Instance.Power = rotation.Stopped
		}
	}
	for i, err := range m.verifier(t).Verify(t.Context(), all) {
		want := "rejected"
		if i%3 == 0 {
			want = "proven"
		}
		if i%7 == 0 {
			want = "cannot try"
		}
		if got := kind(t, err); got != want {
			t.Errorf("answer %d is %q; want %q", i, got, want)
		}
	}
}

func TestNoLoginsNoAnswers(t *testing.T) {
	t.Parallel()
	if got := (&sshlogin.Verifier{}).Verify(t.Context(), nil); len(got) != 0 {
		t.Errorf("Verify(nil) gave %d answers", len(got))
	}
}

// A gauge dials nothing for a second, and keeps how many were doing so.
type gauge struct {
	mu        sync.Mutex
	now, peak int
	dialed    []string
}

func (g *gauge) dial(ctx context.Context, _, address string) (net.Conn, error) {
	g.mu.Lock()
	g.now++
	g.peak = max(g.peak, g.now)
	g.dialed = append(g.dialed, address)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.now--
		g.mu.Unlock()
	}()
	return nil, errors.Join(errWrong, rotation.SystemClock{}.Wait(ctx, time.Second))
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	for configured, want := range map[int]int{0: 64, -1: 64, 8: 8} {
		synctest.Test(t, func(t *testing.T) {
			g := &gauge{}
			v := &sshlogin.Verifier{Concurrency: configured, Dial: g.dial}
			began := time.Now()
			var callers sync.WaitGroup
			for _, part := range slices.Collect(slices.Chunk(logins(512), 128)) {
				callers.Go(func() { v.Verify(t.Context(), part) })
			}
			callers.Wait()
			if g.peak != want {
				t.Errorf("Concurrency %d: %d logins at once; want %d", configured, g.peak, want)
			}
			if took := time.Since(began); took != time.Duration(512/want)*time.Second {
				t.Errorf("Concurrency %d: took %v; the slots were not all used", configured, took)
			}
		})
	}
}

func TestOneMachineGetsOneLoginAtATimeInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{}
		v := &sshlogin.Verifier{Dial: g.dial}
		same := slices.Repeat([]rotation.Login{login(wrong)}, 5)
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() { v.Verify(t.Context(), same) })
		}
		callers.Wait()
		if g.peak != 1 || len(g.dialed) != 15 {
			t.Errorf("%d logins, up to %d at once; want 15, one at a time", len(g.dialed), g.peak)
		}
	})
	m := newMachine(t, byPassword)
	var candidates []rotation.Login
	for _, p := range []string{"first", "second", right, "last"} {
		candidates = append(candidates, login(p))
	}
	m.verifier(t).Verify(t.Context(), candidates)
	if got := m.stop().offered; !slices.Equal(got, []string{"first", "second", right, "last"}) {
		t.Errorf("candidates were offered in the order %q", got)
	}
}

// tarpit accepts whatever it is sent; it says greeting, and nothing after it.
func tarpit(greeting string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() { _, _ = io.WriteString(theirs, greeting) }()
		return ours, nil
	}
}

func TestSilentMachineIsUnreachableWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	for _, greeting := range []string{"", "SSH-2.0-tarpit\r\n"} {
		for configured, want := range map[time.Duration]time.Duration{0: 10 * time.Second, -1: 10 * time.Second, time.Minute: time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				v := &sshlogin.Verifier{Timeout: configured, Dial: tarpit(greeting)}
				began := time.Now()
				mustBe(t, try(t, v, login(right)), "unreachable")
				if took := time.Since(began); took != want {
					t.Errorf("Timeout %v: took %v; want %v", configured, took, want)
				}
			})
		}
	}
}

func TestEndOfContextEndsLogins(t *testing.T) {
	t.Parallel()
	cause := errors.New("the function is about to be stopped")
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"in the handshake": tarpit("SSH-2.0-tarpit\r\n"),
		"while dialing": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(3*time.Second, func() { cancel(cause) })
			v := &sshlogin.Verifier{Concurrency: 1, Dial: dial}
			began := time.Now()
			waiting := append(logins(2), login(right), login(right))
			for i, err := range v.Verify(ctx, waiting) {
				if kind(t, err) != "unknown" || !errors.Is(err, cause) {
					t.Errorf("%s: answer %d is %v; want the context's cause", name, i, err)
				}
			}
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("%s: took %v; want 3s", name, took)
			}
		})
	}
}

func TestAddressesShareTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		v := &sshlogin.Verifier{Timeout: 12 * time.Second, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			at = append(at, time.Since(began))
			if address == "10.0.0.7:22" {
				return tarpit("")(ctx, network, address)
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		l := login(right)
		l.Instance.Addresses = []string{"10.0.0.5", "10.0.0.6", "10.0.0.7"}
		mustBe(t, try(t, v, l), "unreachable")
		if want := []time.Duration{0, 3 * time.Second, 6 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("dialed after %v; want %v", at, want)
		}
		if took := time.Since(began); took != 12*time.Second {
			t.Errorf("took %v; want 12s", took)
		}
	})
}
