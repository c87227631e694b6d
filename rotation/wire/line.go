package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/relock-project/relock/rotation"
)

// An API is one action, named as a person would look it up, and how many of it a second one region and account takes.
type API struct {
	Name      string
	PerSecond float64
	// Burst is how many may go at once; zero means 1: a burst of 10 lets 19 requests into one second.
	Burst int
	// Quota is what an API shares with the others that name it: they take PerSecond, the same for all, together. Empty means
	// that it shares nothing.
	Quota string
}

// share of the documented rate that is used. At the full rate a request that is delayed on its way meets the next one
// in the provider's second, and one of them is refused.
const share = 0.95

// An Answer is a provider's refusal of a request, as it came.
type Answer struct {
	Code, Message, RequestID string
	Named                    []string // the machines that the message names
}

// A Reader tells what an SDK's error is: the provider's answer, or a request that the network broke. Neither is an answer
// that nobody understands.
type Reader func(error) (answer *Answer, broken bool)

// A Line sends requests in one region. It may be used by several goroutines.
type Line struct {
	limits  map[API]*rate.Limiter
	calls   *rotation.Calls
	timeout time.Duration
	codes   Codes
	read    Reader
}

// NewLine returns a Line for these APIs. A request that takes longer than timeout has an unknown outcome; zero or less
// means 30s. Nil calls counts nothing.
func NewLine(calls *rotation.Calls, timeout time.Duration, codes Codes, read Reader, apis ...API) *Line {
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	l := &Line{limits: map[API]*rate.Limiter{}, calls: calls, timeout: timeout, codes: codes, read: read}
	shared := map[string]*rate.Limiter{}
	for _, a := range apis {
		limit := shared[a.Quota]
		if a.Quota == "" || limit == nil {
			limit = rate.NewLimiter(rate.Limit(a.PerSecond*share), max(1, a.Burst))
			shared[a.Quota] = limit
		}
		l.limits[a] = limit
	}
	return l
}

// Send makes one request when its turn has come, and counts it. v, which may be nil, hides what the request held from
// the provider's messages. The error is an *Error.
func (l *Line) Send(ctx context.Context, a API, v Veil, do func(context.Context) error) error {
	return l.SendMany(ctx, a, 1, v, do)
}

// SendMany is Send of a request that counts as n of its API: where the provider counts machines. n is no more than the
// API's Burst.
func (l *Line) SendMany(ctx context.Context, a API, n int, v Veil, do func(context.Context) error) error {
	if err := l.limits[a].WaitN(ctx, n); err != nil {
		return unsent(ctx, a)
	}
	l.calls.Add(a.Name)
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	err := guarded(func() error { return do(limited) })
	if err == nil {
		return nil
	}
	failure := l.failure(ctx, limited, a, v, err)
	if errors.Is(failure, rotation.ErrThrottled) {
		l.calls.Throttled()
	}
	return failure
}

// ErrNoContent is an answer without the content that every answer has.
var ErrNoContent = errors.New("an answer without content")

// Answered checks that an answer has content.
func Answered[T any](body *T) error {
	if body == nil {
		return ErrNoContent
	}
	return nil
}

// guarded turns a panic into an unreadable answer: the SDKs follow nil where an answer is the JSON null. What was
// panicked with is not kept: it may hold the answer.
func guarded(do func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = ErrNoContent
		}
	}()
	return do()
}

// failure turns an error of the SDK into ours. limited is the request's own context within ctx.
func (l *Line) failure(ctx, limited context.Context, a API, v Veil, err error) *Error {
	e := &Error{API: a.Name}
	answer, broken := l.read(err)
	switch {
	case answer != nil:
		e.Meaning = l.codes.Meaning(answer.Code)
		e.Code, e.RequestID = v.Word(answer.Code, l.codes), v.Word(answer.RequestID, l.codes)
		e.Named = answer.Named
		e.kinds = e.Meaning.Kind.sentinels()
		e.Message = v.People(answer.Message)
		if e.Meaning.Kind == Password {
			e.Message = e.Meaning.Reason // the provider's may say how the password is made
		}
	case ctx.Err() != nil:
		e.Message, e.cause = "no answer before the run ended: "+Ended(ctx).Error(), Ended(ctx)
	case limited.Err() != nil:
		e.Message = fmt.Sprintf("no answer within %s", l.timeout)
	case broken:
		e.cause = network(err)
		e.Message = "no answer: " + e.cause.Error()
	default:
		// The SDKs' texts hold the whole answer. A secret's value may be in it.
		e.Message = "no answer of the API: the connection broke, or a proxy or gateway answered instead"
	}
	return e
}

// unsent is the error of a request whose turn does not come before ctx ends.
func unsent(ctx context.Context, a API) error {
	e := &Error{API: a.Name, Message: "not sent: the run ends first", kinds: []error{rotation.ErrNotApplied}}
	if ctx.Err() != nil {
		e.cause = Ended(ctx)
	} else {
		e.cause = context.DeadlineExceeded
	}
	return e
}

// Ended is why ctx ended; it matches ctx.Err() whatever the cause is.
func Ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}

// Again reads once more what the provider or the way to it failed to give: a listing is all or nothing, and of the
// thousand pages of a large fleet one always fails.
func Again(ctx context.Context, read func() error) error { return again(ctx, 3, read) }

// Patiently is Again, for up to six seconds of pauses, of a read that nobody repeats: the engine repeats its own.
func Patiently(ctx context.Context, read func() error) error { return again(ctx, 6, read) }

func again(ctx context.Context, tries int, read func() error) error {
	clock, pause := rotation.SystemClock{}, 200*time.Millisecond
	for try := 1; ; try++ {
		err := read()
		if err == nil || try == tries || !Passing(err) {
			return err
		}
		if clock.Wait(ctx, pause) != nil {
			return fmt.Errorf("%w, after %w", Ended(ctx), err)
		}
		pause *= 2
	}
}
