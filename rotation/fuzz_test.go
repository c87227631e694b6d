package rotation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relock-project/relock/rotation"
)

func FuzzParseShare(f *testing.F) {
	for _, text := range []string{"10", "5%", " 100% ", "0", "101%", "-1", "%", "1e3", "007", "+7", "99999999999999999999"} {
		f.Add(text, 1000)
		f.Add(text, 3)
	}
	f.Fuzz(func(t *testing.T, text string, machines int) {
		s, err := rotation.ParseShare(text)
		if err != nil {
			return
		}
		if again, err := rotation.ParseShare(s.String()); err != nil || again != s {
			t.Errorf("ParseShare(%q) is %v, which reads back as %v, %v", text, s, again, err)
		}
		if machines < 0 || machines > 1<<20 {
			return
		}
		n := s.Of(machines)
		if n < 1 || s.Percent && n > max(1, machines) || !s.Percent && n != s.Number {
			t.Errorf("%v of %d machines is %d", s, machines, n)
		}
	})
}

// FuzzCheck: whatever a password is, the rules' verdicts agree with each other, say nothing of it but which rule it
// breaks, and what complies can be stored.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{"abc123ABC!@#", "abcABC12", "/bcABC12", "", "Administrator1!", "tooR.2024-xy", "ＡＢ12abc", "\xff\x00", strings.Repeat("aB1", 11)} {
		f.Add(text, "")
	}
	f.Add("Ab1!", "\x80")
	const canary = "Zq7Kv0xM2"
	all := providerRules()
	both, err := rotation.Intersect(all...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, head, tail string) {
		everywhere := true
		for _, r := range all {
			violations := r.Check(rotation.NewPassword(head + tail))
			everywhere = everywhere && len(violations) == 0
			if (violations.Err() == nil) != (len(violations) == 0) {
				t.Errorf("Check = %v, and Err %v", violations, violations.Err())
			}
			if err := r.Check(rotation.NewPassword(head + canary + tail)).Err(); err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the violations quote the password: %v", err)
			}
			if n := len([]rune(head + tail)); len(violations) == 0 && (n < r.MinLength || n > r.MaxLength || strings.ContainsAny(head+tail, " \"\\\n\x00")) {
				t.Errorf("%s takes %d characters, %q", r.Name, n, head+tail)
			}
		}
		if together := len(both.Check(rotation.NewPassword(head+tail))) == 0; together != everywhere {
			t.Errorf("%q: all rules together say %t, one after the other %t", head+tail, together, everywhere)
		}
		if everywhere {
			stores(t, head+tail)
		}
	})
}

// stores fails unless a password comes back from the store as it is.
func stores(t *testing.T, password string) {
	t.Helper()
	value, err := rotation.Version{Generation: 1, Password: rotation.NewPassword(password)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := rotation.DecodeVersion(value); err != nil || !v.Password.Equal(rotation.NewPassword(password)) {
		t.Errorf("%q complies, and comes back from the store as another (%v)", password, err)
	}
}

// FuzzIntersect draws rules and passwords as the properties of the rules do, and lets the fuzzer choose.
func FuzzIntersect(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		a, b := drawRules(t, "a"), drawRules(t, "b")
		both, err := rotation.Intersect(a, b)
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abAB01!?# ")), 0, 8, -1).Draw(t, "text")
		each := len(a.Check(rotation.NewPassword(text))) == 0 && len(b.Check(rotation.NewPassword(text))) == 0
		switch {
		case err != nil && (each || !errors.Is(err, rotation.ErrConfig)):
			t.Fatalf("Intersect = %v, and %q satisfies both: %t", err, text, each)
		case err == nil && each != (len(both.Check(rotation.NewPassword(text))) == 0):
			t.Fatalf("%q satisfies both: %t, and their intersection says otherwise", text, each)
		}
	}))
}

// FuzzSelectorNeverWidens: whatever a machine's tags are, another condition never adds it to the scope, and nothing is in
// the scope of no condition.
func FuzzSelectorNeverWidens(f *testing.F) {
	f.Add("ins-1", "rotate", "yes", "rotate", "yes")
	f.Add("ins-1", "rotate", "no", "rotate", "yes")
	f.Add("", "", "", "", "")
	f.Add("ins-1", "Rotate", "yes ", "rotate", "")
	f.Add("ins-1", "rotate", "yes ", "rotate", "yes")
	f.Fuzz(func(t *testing.T, id, key, value, wantKey, wantValue string) {
		tags := map[string]string{key: value}
		if (rotation.Selector{}).Matches(id, tags) || (rotation.Selector{ExcludeTags: map[string][]string{wantKey: nil}}).Matches(id, tags) {
			t.Errorf("a scope that names nothing matches %q", id)
		}
		byTag := rotation.Selector{Tags: map[string][]string{wantKey: {wantValue}}}
		if got := byTag.Matches(id, tags); got != (key == wantKey && value == wantValue) {
			t.Errorf("%v of a machine with %v: %t", byTag, tags, got)
		}
		wide := rotation.Selector{Tags: map[string][]string{wantKey: nil}}
		for _, narrow := range []rotation.Selector{
			byTag,
			{Tags: wide.Tags, IDs: []string{"ins-other"}},
			{Tags: wide.Tags, ExcludeTags: map[string][]string{key: {value}}},
			{Tags: map[string][]string{wantKey: nil, wantKey + "x": nil}},
		} {
			if narrow.Matches(id, tags) && !wide.Matches(id, tags) {
				t.Errorf("%v matches %q with %v, and %v does not", narrow, id, tags, wide)
			}
			if len(narrow.IDs) > 0 && narrow.Matches(id, tags) && !slices.Contains(narrow.IDs, id) {
				t.Errorf("%v matches %q", narrow, id)
			}
		}
		if (rotation.Selector{Tags: wide.Tags, ExcludeTags: wide.Tags}).Matches(id, tags) {
			t.Errorf("a machine that is excluded by %q matches", wantKey)
		}
	})
}

// FuzzErrorsProveNothing builds errors of any shape, and holds that only three of the sentinels say "not applied".
func FuzzErrorsProveNothing(f *testing.F) {
	f.Add([]byte{0, 3, 9}, "RequestLimitExceeded: throttled")
	f.Add([]byte{4, 12, 255}, rotation.ErrNotApplied.Error())
	kinds := []error{
		rotation.ErrNotFound, rotation.ErrExists, rotation.ErrConflict, rotation.ErrFull, rotation.ErrPasswordRefused,
		rotation.ErrRejected, rotation.ErrCannotTry, rotation.ErrConfig, rotation.ErrPartial,
		rotation.ErrNotApplied, rotation.ErrThrottled, rotation.ErrUnauthorized,
	}
	const firstProving = 9
	for i := range kinds {
		f.Add([]byte{byte(i<<2 | 3), byte(i << 2)}, "x")
		f.Add([]byte{byte(i<<2 | 1), 2}, "x")
	}
	f.Fuzz(func(t *testing.T, shape []byte, text string) {
		err, proves := errors.New(text), false
		for _, b := range shape[:min(len(shape), 32)] {
			kind := int(b>>2) % len(kinds)
			switch b % 4 {
			case 0:
				err = fmt.Errorf("%s: %w", text, err)
			case 1:
				err = errors.Join(err, errors.New(kinds[kind].Error())) // its text alone
			case 2:
				err = &rotation.RefusedError{Refusal: rotation.Refusal{Reason: text}, Err: err}
			case 3:
				err, proves = fmt.Errorf("%w: %w", kinds[kind], err), proves || kind >= firstProving
			}
		}
		if got := rotation.DefinitelyNotApplied(err); got != proves {
			t.Errorf("DefinitelyNotApplied(%v) = %t; want %t", err, got, proves)
		}
	})
}
