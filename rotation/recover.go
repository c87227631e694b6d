package rotation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RecoverOptions bound what a Recover asks of a machine, which may lock the account when too many passwords are wrong.
type RecoverOptions struct {
	// Tries is how many logins may fail before Recover stops. A login without an answer is one of them: it may have been
	// refused. Zero means 3, negative as many as there are passwords.
	Tries int
	// Pause is the time between two logins. Zero means 2s, negative none.
	Pause time.Duration
	// From is the generation to begin with, in the order of Lookup: those before it there are left out. Zero means the
	// first.
	From int
}

// Recovered is how a Recover ended.
type Recovered string

const (
	Opened      Recovered = "opened"       // the last password that was tried opens the machine
	NoneOpens   Recovered = "none opens"   // the machine refuses every password, but for those that were left out
	OutOfTries  Recovered = "out of tries" // RecoverOptions.Tries were spent
	Interrupted Recovered = "interrupted"  // the context ended
	NotTried    Recovered = "cannot try"   // no login can be tried: stopped, no port, host key unknown
	NoAnswer    Recovered = "no answer"    // the machine does not answer
)

// A Recovery is what trying the passwords of a machine found. It holds passwords, which do not print.
type Recovery struct {
	// Answer is what Lookup says.
	Answer
	Outcome Recovered
	// Reason is why no login could be tried or was answered.
	Reason string
	// Tries are the passwords that were tried, in order. Left are those that were not, in order. Skipped come before
	// RecoverOptions.From and were left out. A password that several generations share is one of the first of them only.
	Tries         []Try
	Left, Skipped []Version
}

// A Try is one password that was tried on a machine, once unless there was no answer.
type Try struct {
	Version Version
	Answer  TryAnswer
}

// TryAnswer is what came of trying a password.
type TryAnswer string

const (
	TryOpens   TryAnswer = "opens"
	TryRefused TryAnswer = "refused"
	TryUnknown TryAnswer = "no answer" // it may open the machine
)

// maxUnanswered is how often a password is tried that gets no answer, before the machine is given up.
const maxUnanswered = 3

// Opens returns the version that opens the machine, and whether one does.
func (r Recovery) Opens() (Version, bool) {
	if r.Outcome != Opened {
		return Version{}, false
	}
	return r.Tries[len(r.Tries)-1].Version, true
}

// GoOn returns the RecoverOptions that try the rest, of which From is zero when none is left.
func (r Recovery) GoOn(o RecoverOptions) RecoverOptions {
	o.From = 0
	if len(r.Left) == 0 {
		return o
	}
	o.From = r.Left[0].Generation
	// A generation may have several versions, which From does not tell apart: those that were tried cost a try again.
	again := 0
	for _, t := range r.Tries {
		if t.Version.Generation == o.From && t.Answer == TryRefused {
			again++
		}
	}
	if again > 0 && o.Tries >= 0 {
		o.Tries = max(o.tries(), again+1)
	}
	return o
}

func (o RecoverOptions) tries() int { return cmp.Or(o.Tries, 3) }

func (o RecoverOptions) pause() time.Duration { return max(0, cmp.Or(o.Pause, 2*time.Second)) }

// Recover tries the stored passwords on a machine of the scope, one login at a time in the order of Lookup, until one
// opens it. It changes nothing. The Recovery beside an error that ends ctx says what was tried until then.
func (r *Rotator) Recover(ctx context.Context, id string, o RecoverOptions) (Recovery, error) {
	if r.Verifier == nil {
		return Recovery{}, fmt.Errorf("%w: RELOCK_SSH_KNOWN_HOSTS is not set: without a host key no login can be tried", ErrConfig)
	}
	a, err := r.Lookup(ctx, id)
	if err != nil {
		return Recovery{}, err
	}
	out := Recovery{Answer: a}
	if out.Skipped, out.Left, err = a.divide(o.From); err != nil {
		return Recovery{}, err
	}
	err = r.tryAll(ctx, &out, o)
	r.log().Info("relock.recover", "secret", r.Secret, "machine", id, "region", a.Instance.Region, "outcome", string(out.Outcome),
		"tries", len(out.Tries), "left", len(out.Left))
	return out, err
}

// divide returns the different passwords that come before a generation in the answer's order, and the others.
func (a Answer) divide(from int) (before, rest []Version, err error) {
	at := 0
	if from != 0 {
		at = slices.IndexFunc(a.Versions, func(v Version) bool { return v.Generation == from })
	}
	if at < 0 {
		return nil, nil, fmt.Errorf("%w: the secret holds no generation %d to begin with", ErrConfig, from)
	}
	for i, v := range a.Versions {
		same := func(w Version) bool { return a.sameLogin(v, w) }
		switch {
		case slices.ContainsFunc(before, same) || slices.ContainsFunc(rest, same):
		case i < at:
			before = append(before, v)
		default:
			rest = append(rest, v)
		}
	}
	return before, rest, nil
}

// sameLogin reports whether both versions are one and the same login to the machine.
func (a Answer) sameLogin(v, w Version) bool {
	x, y := v.For(a.Instance), w.For(a.Instance)
	return cmp.Or(x.Username, a.Instance.LoginUser) == cmp.Or(y.Username, a.Instance.LoginUser) && x.Password.Equal(y.Password)
}

// tryAll moves versions from out.Left to out.Tries until one opens the machine or there is a reason to stop.
func (r *Rotator) tryAll(ctx context.Context, out *Recovery, o RecoverOptions) error {
	out.Outcome = NoneOpens
	for failed, unanswered, logins := 0, 0, 0; len(out.Left) > 0; logins++ {
		if o.tries() > 0 && failed >= o.tries() {
			out.Outcome = OutOfTries
			return nil
		}
		if logins > 0 {
			if err := r.clock().Wait(ctx, o.pause()); err != nil {
				out.Outcome = Interrupted
				return err
			}
		}
		v := out.Left[0]
		err := r.Verifier.Verify(ctx, []Login{{Instance: out.Instance, Credential: v.For(out.Instance)}})[0]
		r.log().Debug("relock.try", "machine", out.Instance.ID, "generation", v.Generation, "answer", answerOf(err))
		switch {
		case err == nil:
			out.try(v, TryOpens)
			out.Outcome = Opened
			return nil
		case errors.Is(err, ErrRejected):
			out.try(v, TryRefused)
			failed, unanswered = failed+1, 0
		case errors.Is(err, ErrCannotTry):
			out.Outcome, out.Reason = NotTried, err.Error()
			return nil
		default:
			out.Reason = err.Error()
			failed, unanswered = failed+1, unanswered+1
			if ctx.Err() != nil {
				out.Outcome = Interrupted
				return context.Cause(ctx)
			}
			if unanswered >= maxUnanswered || o.tries() > 0 && failed >= o.tries() {
				out.Tries = append(out.Tries, Try{v, TryUnknown}) // and it stays among those that are left
				out.Outcome = NoAnswer
				return nil
			}
		}
	}
	return nil
}

// try notes what came of a version and takes it from those that are left.
func (r *Recovery) try(v Version, a TryAnswer) {
	r.Tries, r.Left = append(r.Tries, Try{v, a}), r.Left[1:]
}

// answerOf is an answer without the machine's words.
func answerOf(err error) string {
	switch {
	case err == nil:
		return string(TryOpens)
	case errors.Is(err, ErrRejected):
		return string(TryRefused)
	case errors.Is(err, ErrCannotTry):
		return string(NotTried)
	}
	return string(TryUnknown)
}
