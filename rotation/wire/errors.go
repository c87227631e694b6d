package wire

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// An Error is a request that failed. Its text is fit for people and holds nothing of what was sent.
type Error struct {
	API       string
	Code      string // the provider's; empty when it did not answer, or not understandably
	Message   string // the provider's, or ours when there is no code
	RequestID string
	Meaning   Meaning
	Named     []string // the machines that the provider's message names
	kinds     []error  // what it means for package rotation; empty: ambiguous
	cause     error    // nil when it may quote an answer
}

func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.API)
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			text.WriteString(": " + part)
		}
	}
	if e.RequestID != "" {
		text.WriteString(" (request " + e.RequestID + ")")
	}
	if e.Meaning.Remedy != "" && e.Meaning.Kind.refusal() == "" {
		text.WriteString("; " + e.Meaning.Remedy)
	}
	return text.String()
}

// Unwrap makes errors.Is find the kinds and the end of a context.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return e.kinds
	}
	return append(slices.Clone(e.kinds), e.cause)
}

// Passing reports whether a read that failed so may succeed when it is repeated.
func Passing(err error) bool {
	var e *Error
	if !errors.As(err, &e) || errors.Is(err, rotation.ErrNotApplied) { // not even sent, or wrong in itself
		return false
	}
	return e.Meaning.Kind == Ambiguous || e.Meaning.Kind == Throttled
}

// CodeOf is the provider's code in err, empty when there is none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// RequestIDOf is the provider's id of the request that failed, empty when there is none.
func RequestIDOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.RequestID
	}
	return ""
}

// NamedIn are the machines that the provider's message in err names.
func NamedIn(err error) []string {
	var e *Error
	if errors.As(err, &e) {
		return e.Named
	}
	return nil
}

// Refused turns the failure of an operation on machines into a *rotation.RefusedError when the provider refused it
// because of some of them; any other error is returned as it is. underWay is the code which says that what was asked for
// is happening already; empty when there is none.
func Refused(batch []string, underWay string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Meaning.Kind.refusal() == "" {
		return err
	}
	why := e.Meaning.Refusal(e.Code, e.RequestID)
	if underWay == e.Code {
		why.Kind = rotation.RefusedState
	}
	machines := map[string]rotation.Refusal{}
	for _, id := range e.Named {
		if slices.Contains(batch, id) {
			machines[id] = why
		}
	}
	return &rotation.RefusedError{Machines: machines, Refusal: why, Err: e}
}

// network is why no answer came, without the texts of net/http that quote what did come.
func network(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	text := err.Error()
	for _, quoting := range []string{"malformed", "Content-Length", "encoding"} {
		if strings.Contains(text, quoting) {
			return errors.New("the connection broke")
		}
	}
	return err
}
