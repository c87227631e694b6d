// Package sshlogin is a rotation.Verifier: it proves a password by logging in over SSH.
//
// Its invariant: a password is shown only to a machine whose host key is known, and an answer is rotation.ErrRejected
// only when such a machine was shown the password and refused it.
package sshlogin

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation"
)

const (
	defaultTimeout     = 10 * time.Second
	defaultConcurrency = 64
)

var _ rotation.Verifier = (*Verifier)(nil)

// A Verifier logs in with passwords, and opens no session. The zero Verifier knows no host key, so that it can log in
// nowhere. It must not be copied or changed after its first use; it may be used by many goroutines.
type Verifier struct {
	// HostKeys are checked before any password is offered. Nil means that none is known: every machine that answers
	// is ErrHostKeyUnknown.
	HostKeys *HostKeys
	// Timeout is for one whole login, from dialing to the machine's answer; the wait for a turn is not in it. Zero or
	// less means 10s. A wrong password takes 2 to 3 seconds with PAM's usual delay.
	Timeout time.Duration
	// Concurrency is how many logins go on at once, over all callers. Zero or less means 64. On one machine it is
	// always one at a time: sshd drops connections at random when many are logging in (MaxStartups).
	Concurrency int
	// AllowLoopback permits 127.0.0.0/8 and ::1, where simulated machines are. No other refused address is permitted
	// by it.
	AllowLoopback bool
	// Dial connects to an address that was found permissible. Nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	once  sync.Once
	slots chan struct{} // one per login that goes on
	turns sync.Map      // machine -> chan struct{} of one
}

// Verify answers each login, in order. One password is tried once per login: by the password method, or by
// keyboard-interactive where only that is offered. A machine that offers both asks the same accounts either way, and
// its lock-out counts each failure.
//
// Logins to one machine are tried one after the other, in order. A machine that accepts the password and then asks for
// a second factor has proven it. When ctx ends, what is not answered is its cause.
func (v *Verifier) Verify(ctx context.Context, logins []rotation.Login) []error {
	answers := make([]error, len(logins))
	var machines sync.WaitGroup
	for _, sequence := range byMachine(logins) {
		machines.Go(func() {
			for _, i := range sequence {
				answers[i] = v.login(ctx, logins[i])
			}
		})
	}
	machines.Wait()
	return answers
}

// byMachine groups the places of logins by the machine that they log in to.
func byMachine(logins []rotation.Login) [][]int {
	places := make(map[string]int, len(logins))
	var sequences [][]int
	for i, l := range logins {
		name := machineName(l.Instance)
		at, ok := places[name]
		if !ok {
			at = len(sequences)
			places[name] = at
			sequences = append(sequences, nil)
		}
		sequences[at] = append(sequences[at], i)
	}
	return sequences
}

// machineName says which logins share an sshd. Addresses, not ids: two records of one machine must not meet.
func machineName(m rotation.Instance) string {
	if len(m.Addresses) == 0 {
		return m.Region + " " + m.ID
	}
	return fmt.Sprint(m.Addresses, m.Port)
}

// login tries one credential once.
func (v *Verifier) login(ctx context.Context, l rotation.Login) error {
	t, err := v.target(l)
	if err != nil {
		return err
	}
	done, err := v.turn(ctx, machineName(l.Instance))
	if err != nil {
		return err
	}
	defer done()

	within := v.Timeout
	if within <= 0 {
		within = defaultTimeout
	}
	timedOut := fmt.Errorf("%w within %v", ErrUnreachable, within)
	ctx, cancel := context.WithTimeoutCause(ctx, within, timedOut)
	defer cancel()
	conn, at, err := v.connect(ctx, t.addresses)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	h := host{at: at, id: l.Instance.ID}
	if err := v.offer(ctx, conn, h, t.user, l.Credential.Password); err != nil {
		return fmt.Errorf("log in as %s at %s: %w", t.user, at, err)
	}
	return nil
}

// turn waits until the machine and a slot are free. The caller calls done when its login has ended.
func (v *Verifier) turn(ctx context.Context, machine string) (done func(), err error) {
	v.once.Do(func() {
		n := v.Concurrency
		if n <= 0 {
			n = defaultConcurrency
		}
		v.slots = make(chan struct{}, n)
	})
	gate, _ := v.turns.LoadOrStore(machine, make(chan struct{}, 1))
	mine := gate.(chan struct{})
	if err := enter(ctx, mine); err != nil {
		return nil, err
	}
	if err := enter(ctx, v.slots); err != nil {
		<-mine
		return nil, err
	}
	return func() { <-v.slots; <-mine }, nil
}

func enter(ctx context.Context, room chan struct{}) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
