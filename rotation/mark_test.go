package rotation_test

import (
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// marks are all that there are of one secret.
func marks() []rotation.Mark {
	var all []rotation.Mark
	for generation := range 140 {
		all = append(all, rotation.Mark{Generation: generation, State: rotation.MarkOK})
		for _, state := range []rotation.MarkState{rotation.MarkDown, rotation.MarkUp} {
			for tries := 1; tries <= 3; tries++ {
				all = append(all, rotation.Mark{Generation: generation, State: state, Tries: tries})
			}
		}
	}
	return all
}

func TestAMarkOfAMachineThatWaitsIsReadBack(t *testing.T) {
	for _, m := range []rotation.Mark{
		{Generation: 1, State: rotation.MarkWait}, {Generation: 139, State: rotation.MarkWait, Tries: 3, Refused: 5_980_464},
	} {
		m.Secret = "0123456789ab"
		if got := rotation.ParseMark(map[string]string{rotation.MarkTag: m.Value(), rotation.SecretTag: m.Secret}); got != m || len(m.Value()) > 43 {
			t.Errorf("ParseMark(%q) = %+v; want %+v, in at most 43 characters", m.Value(), got, m)
		}
	}
}

// Tencent Cloud takes 1,000 values per key.
func TestMarksAreReadBackAndStayBelowAThousandValues(t *testing.T) {
	values := map[string]bool{}
	for _, m := range marks() {
		m.Secret = "0123456789ab"
		values[m.Value()] = true
		if got := rotation.ParseMark(map[string]string{rotation.MarkTag: m.Value(), rotation.SecretTag: m.Secret}); got != m {
			t.Errorf("ParseMark(%q) = %+v; want %+v", m.Value(), got, m)
		}
		if len(m.Value()) > 43 { // what Huawei Cloud takes
			t.Errorf("%q is %d characters", m.Value(), len(m.Value()))
		}
	}
	if len(values) != len(marks()) || len(values) > 1000 {
		t.Errorf("%d marks have %d values; want each its own, and at most 1,000", len(marks()), len(values))
	}
}

func TestForeignTagIsNoMark(t *testing.T) {
	for _, value := range []string{
		"", "ok", "5", "5.", "5.ok.1", "5.up", "5.up.0", "5.up.4", "5.down.10", "140.ok", "999.ok", "1000.ok", "-1.ok", "+1.ok",
		"5.OK", "5.gone.1", "5.ok\x00", "five.ok", "5,ok", "5.ok 6.ok", "١.ok", strings.Repeat("9", 400) + ".ok",
	} {
		got := rotation.ParseMark(map[string]string{rotation.MarkTag: value, rotation.SecretTag: "0123456789ab"})
		if want := (rotation.Mark{Secret: "0123456789ab"}); got != want {
			t.Errorf("ParseMark(%q) = %+v; want a mark without a state", value, got)
		}
	}
	if got := rotation.ParseMark(nil); got != (rotation.Mark{}) {
		t.Errorf("ParseMark of no tags = %+v; want none", got)
	}
	if got := (rotation.Mark{Generation: 5}).Value(); got != "" {
		t.Errorf("a mark without a state has the value %q; want none", got)
	}
}

func TestMarkNamesOneSecretOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range [][4]string{
		{"tencent", "ap-guangzhou", "admin", "b1"}, {"huawei", "ap-guangzhou", "admin", "b1"}, {"tencent", "ap-shanghai", "admin", "b1"},
		{"tencent", "ap-guangzhou", "root", "b1"}, {"tencent", "ap-guangzhou", "admin", "b2"}, {"tencent", "ap-guangzhouadmin", "", "b1"},
	} {
		name := rotation.MarkSecret(s[0], s[1], s[2], s[3])
		if len(name) != 12 || strings.Trim(name, "0123456789abcdef") != "" || seen[name] {
			t.Errorf("MarkSecret(%q) = %q; want 12 hexadecimal digits of its own", s, name)
		}
		seen[name] = true
	}
}

func FuzzParseMark(f *testing.F) {
	for _, value := range []string{"5.ok", "139.down.3", "0.up.1", " 7.ok ", "140.ok", "5.up.0", "", "007.ok"} {
		f.Add(value, "0123456789ab")
	}
	f.Fuzz(func(t *testing.T, value, secret string) {
		m := rotation.ParseMark(map[string]string{rotation.MarkTag: value, rotation.SecretTag: secret})
		if m.Secret != secret {
			t.Errorf("ParseMark(%q) is of secret %q; want %q", value, m.Secret, secret)
		}
		if m.State == "" {
			if m != (rotation.Mark{Secret: secret}) {
				t.Errorf("ParseMark(%q) = %+v; want nothing of what it says", value, m)
			}
			return
		}
		if m.Generation < 0 || m.Generation >= 140 || m.Tries < 0 || m.Tries > 3 {
			t.Errorf("ParseMark(%q) = %+v: out of range", value, m)
		}
		if again := rotation.ParseMark(map[string]string{rotation.MarkTag: m.Value(), rotation.SecretTag: secret}); again != m {
			t.Errorf("ParseMark(%q) = %+v, and of its value %q %+v", value, m, m.Value(), again)
		}
	})
}
