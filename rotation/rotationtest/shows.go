package rotationtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// ShowsNothing fails the test when err, or anything that it wraps, shows a piece of the secret, or the quote of it that the
// provider had in its answer. A nil error fails, too.
func ShowsNothing(t *testing.T, secret, what string, err error, quote string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", what)
	}
	texts := []string{fmt.Sprintf("%v %+v %#v", err, err, err)}
	var collect func(error)
	collect = func(err error) {
		texts = append(texts, err.Error())
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				collect(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				collect(inner)
			}
		}
	}
	collect(err)
	var refused *rotation.RefusedError
	if errors.As(err, &refused) {
		texts = append(texts, fmt.Sprintf("%+v", refused.Refusal), fmt.Sprintf("%+v", refused.Machines))
	}
	for _, text := range texts {
		for _, piece := range []string{secret, secret[:8], secret[len(secret)-8:], quote} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(piece)) {
				t.Errorf("%s: %q shows a piece of the secret", what, text)
				return
			}
		}
	}
}
