package rotationtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation/rotationtest"
)

// FuzzShelf puts anything under any name on a shelf, beside what relock keeps there: a version, an archive, a person's
// note. No error quotes it, and no rotation that comes after it loses a password of ours.
func FuzzShelf(f *testing.F) {
	const canary = "Zq7Kv0xM2"
	for _, name := range []string{
		"note", "g00000001", "g00000009", "g00000009-c00", "g00000009-b00", "g00000000", "g0000009x", "g00000009-",
		"a00000001-00000002-0123", "a00000002-00000001-", "a00000001-00000001-x-y", "a0000000100000002", "previous", "g99999999",
	} {
		for _, value := range []string{
			byHand(canary), canary, `{"password":"` + canary + `","generation":3}`, `{"password":{"` + canary + `":1}}`,
			`{"archive":[{"name":"g00000001","value":` + byHand(canary) + `}]}`, `{"archive":[{"name":"` + canary + `","value":{}}]}`,
			`{"archive":[{"name":"g00000002","value":"` + canary + `"}],"rank":7}`, `{"archive":null,"rank":-1}`, `{"archive":{}}`, "null",
		} {
			f.Add(name, value, false)
			f.Add(name, value, true)
		}
	}
	begun := map[bool]*cabinet{}
	for _, labels := range []bool{false, true} {
		c := newCabinet(capacity{labels: labels, slots: 10, compactAt: 6, maxBytes: 4096})
		c.human(byHand("before"))
		for i := range 3 {
			if err := c.rotate(fmt.Sprintf("ours-%d", i)); err != nil {
				f.Fatal(err)
			}
		}
		begun[labels] = c
	}
	f.Fuzz(func(t *testing.T, name, value string, labels bool) {
		c := begun[labels].clone()
		ours := c.kept(true)
		if _, taken := c.at(name); taken || name == "" || isStage(name) || len(value) > c.maxBytes {
			return
		}
		c.add(name, value)
		_, err := c.open("0", c.serve).History(ctx, rotationtest.Secret)
		for i := 0; err == nil && i < 3; i++ {
			err = c.rotate(fmt.Sprintf("later-%d", i))
		}
		if err != nil && strings.Contains(err.Error(), canary) && !strings.Contains(name, canary) {
			t.Errorf("the error quotes the value: %v", err)
		}
		for _, password := range ours {
			if !slices.Contains(c.kept(true), password) {
				t.Errorf("with %q on the shelf %q is lost (%v)", name, password, err)
			}
		}
		if !strings.HasPrefix(name, "g") && !strings.HasPrefix(name, "a") && c.version(name) < 0 {
			t.Errorf("%q, which is not ours, is gone", name)
		}
	})
}
