package rotation

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// A Rotator rotates the password of one scope of machines, kept in one secret. Its fields are set once, before Do.
type Rotator struct {
	// Secret is the name of the secret in Store. StoreName is for people. Home names the store's provider and region;
	// with the secret's name and birth it makes the mark that machines carry.
	Secret    string
	Store     Store
	StoreName string
	Home      [2]string
	// Fleets are the machines, a region each. Scope selects among them.
	Fleets []Fleet
	Scope  Selector
	Policy Policy
	// Verifier proves by login. Nil means that no login can be tried.
	Verifier Verifier
	// Recipe says how a new password is made; Username is the account, empty for each machine's own administrator.
	Recipe   Recipe
	Username string
	// DryRun makes every request a dry run.
	DryRun bool
	// Clock is the time. Nil means SystemClock.
	Clock Clock
	// Rand is where tokens come from. Nil means crypto/rand.
	Rand io.Reader
	// Log gets what happens, never a secret. Nil means nothing is logged.
	Log *slog.Logger
	// Calls are what the drivers count into. Nil means that the report has no calls.
	Calls *Calls
	// Progress is told after every tick; nil means nobody. It must return quickly.
	Progress func(Progress)
	// Ticks is told before every tick of the loop all that decides how the run goes on, without a secret: runs of which it is
	// told the same, and that read the same versions, go on alike when they get the same answers. Nil means nobody.
	Ticks func(string)
	// Interrupt ends the run early when it is closed: nothing more is begun, what is under way is brought to an end. Nil
	// means that nobody interrupts.
	Interrupt <-chan struct{}
	// Concurrency is how many requests of one kind are under way at once. Zero means 16; 1 issues all of them in order on
	// the caller's goroutine.
	Concurrency int
}

// Progress is how far a run is.
type Progress struct {
	Generation int
	Targets    int // machines that this run may touch
	Ended      int // of those, how many are done with
	Proven     int
	Down       int // down now because of relock
}

func (r *Rotator) clock() Clock {
	if r.Clock == nil {
		return SystemClock{}
	}
	return r.Clock
}

func (r *Rotator) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}

func (r *Rotator) concurrency() int {
	if r.Concurrency <= 0 {
		return 16
	}
	return r.Concurrency
}

// random returns n random bytes in hexadecimal.
func (r *Rotator) random(n int) (string, error) {
	source := r.Rand
	if source == nil {
		source = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		return "", fmt.Errorf("draw a random id: %w", err)
	}
	return hex.EncodeToString(b), nil
}
