package rotation

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// hidden is all that a Password shows of itself.
const hidden = "[hidden]"

var errNotDecoded = errors.New("a password is not decoded: it comes from a secret's stored value only")

// A Password is a secret text that does not print: formatting, logging and encoding show "[hidden]" or refuse, and
// decoding refuses. The zero Password is none. Passwords are compared with Equal, never with reflect.DeepEqual.
type Password struct {
	// A closure, because fmt calls no methods on unexported fields and walks strings, slices and pointers in them;
	// of a function it prints an address.
	reveal func() string
}

// NewPassword returns s as a Password. The empty text gives the zero Password.
func NewPassword(s string) Password {
	if s == "" {
		return Password{}
	}
	return Password{reveal: func() string { return s }}
}

// Reveal returns the text; "" of the zero Password. Whoever calls it answers for where the text goes.
func (p Password) Reveal() string {
	if p.reveal == nil {
		return ""
	}
	return p.reveal()
}

// IsZero reports whether p is no password at all.
func (p Password) IsZero() bool { return p.reveal == nil }

// Equal reports whether p and q are the same text. How long it takes tells at most their lengths.
func (p Password) Equal(q Password) bool {
	return subtle.ConstantTimeCompare([]byte(p.Reveal()), []byte(q.Reveal())) == 1
}

// is reports whether p is this text. How long it takes tells where they begin to differ: it is for what was read from one
// place twice.
func (p Password) is(text []byte) bool { return p.Reveal() == string(text) }

// inspect hands the text to one of this package's own checks, whose result must not hold it.
func (p Password) inspect(check func(text string) []Violation) []Violation {
	return check(p.Reveal())
}

// String returns "[hidden]".
func (p Password) String() string { return hidden }

// Format prints "[hidden]", whatever the verb.
func (p Password) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue returns "[hidden]".
func (p Password) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON returns the JSON string "[hidden]".
func (p Password) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "[hidden]"; encoding/xml uses it too.
func (p Password) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// GobEncode fails: what gob writes is meant to be read back.
func (p Password) GobEncode() ([]byte, error) {
	return nil, errors.New("a password is not encoded with gob")
}

// UnmarshalJSON fails: a password never comes out of an event or a report.
func (p *Password) UnmarshalJSON([]byte) error { return errNotDecoded }

// UnmarshalText fails as UnmarshalJSON does.
func (p *Password) UnmarshalText([]byte) error { return errNotDecoded }

// GobDecode fails as UnmarshalJSON does.
func (p *Password) GobDecode([]byte) error { return errNotDecoded }
