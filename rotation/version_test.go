package rotation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/relock-project/relock/rotation"
	"pgregory.net/rapid"
)

// sameVersion reports whether two versions say the same, whatever the store calls them.
func sameVersion(a, b rotation.Version) bool {
	return a.Generation == b.Generation && a.Token == b.Token && a.Baseline == b.Baseline && a.SamePassword(b) &&
		a.Created.Equal(b.Created) && a.Birth == b.Birth &&
		maps.EqualFunc(a.Extra, b.Extra, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}

// text draws what JSON can say.
func text() *rapid.Generator[string] {
	return rapid.String().Filter(utf8.ValidString)
}

// extras draws fields of somebody else's.
func extras() *rapid.Generator[map[string]json.RawMessage] {
	own := map[string]bool{"username": true, "password": true, "generation": true, "previous": true, "baseline": true, "token": true, "created": true, "birth": true}
	name := text().Filter(func(s string) bool { return !own[s] })
	value := rapid.Custom(func(t *rapid.T) json.RawMessage {
		return rapid.SampledFrom([]json.RawMessage{
			json.RawMessage(`"x<y>&z"`), json.RawMessage(`12345678901234567890.50`), json.RawMessage(`null`), json.RawMessage(`true`),
			json.RawMessage(`{"password":"nested","a":[1,2]}`), json.RawMessage(`[]`), json.RawMessage(`"\u2028"`),
		}).Draw(t, "value")
	})
	return rapid.MapOfN(name, value, 0, 4)
}

func TestVersionIsReadBackAsItWasStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rotation.Version{
			Generation: rapid.IntRange(0, 1e8).Draw(t, "generation"),
			Token:      text().Draw(t, "token"), Baseline: rapid.Bool().Draw(t, "baseline"), Username: text().Draw(t, "username"),
			Password: rotation.NewPassword(text().Filter(func(s string) bool { return s != "" }).Draw(t, "password")),
			Created:  time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "created"), 0).UTC(), Birth: text().Draw(t, "birth"),
			Extra: extras().Draw(t, "extra"),
		}
		value, err := v.Encode()
		if err != nil {
			t.Fatalf("Encode = %v", err)
		}
		got, err := rotation.DecodeVersion(value)
		if err != nil || !sameVersion(got, v) {
			t.Fatalf("DecodeVersion(Encode(%+v)) = %+v, %v", v, got, err)
		}
		if again, err := got.Encode(); err != nil || !bytes.Equal(again, value) {
			t.Fatalf("equal versions have the bytes %s and %s (%v)", value, again, err)
		}
	})
}

func TestStoredValueIsOneJSONObjectWithoutEscapes(t *testing.T) {
	v := rotation.Version{Generation: 42, Username: "root", Password: rotation.NewPassword("a<b>&c"), Created: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC),
		Extra: map[string]json.RawMessage{"host": json.RawMessage(`"bastion"`)}}
	got, err := v.Encode()
	if want := `{"created":"2026-11-21T18:00:00Z","generation":42,"host":"bastion","password":"a<b>&c","username":"root"}`; err != nil || string(got) != want {
		t.Errorf("Encode = %s, %v; want %s", got, err, want)
	}
}

func TestWhatPeopleStoreIsRead(t *testing.T) {
	for _, row := range []struct{ value, username, password string }{
		{`{"password":"p"}`, "", "p"},
		{`{"username":"root","password":"p"}`, "root", "p"},
		{"\n { \"password\" : \"p\" ,\n \"username\":null } ", "", "p"},
		{`{"password":"p","created":"yesterday"}`, "", "p"},
		{`{"password":"\u0070"}`, "", "p"},
	} {
		v, err := rotation.DecodeVersion([]byte(row.value))
		if err != nil || v.Username != row.username || v.Password.Reveal() != row.password {
			t.Errorf("DecodeVersion(%s) = %+v, %v; want %q with password %q", row.value, v, err, row.username, row.password)
		}
	}
}

func TestFieldOfTheWrongTypeIsNamedAndItsValueNotShown(t *testing.T) {
	const hidden = "S3cret-Value"
	for _, field := range []string{"username", "password", "generation", "previous", "baseline", "token", "created", "birth"} {
		wrong := `["` + hidden + `"]`
		value := `{"password":"` + hidden + `","` + field + `":` + wrong + `}`
		_, err := rotation.DecodeVersion([]byte(value))
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), `"`+field+`"`) || strings.Contains(err.Error(), hidden) {
			t.Errorf("DecodeVersion with %s %s: %v; want an ErrConfig that names the field and not the value", field, wrong, err)
		}
	}
	for _, value := range []string{``, `null`, `"` + hidden + `"`, `[{"password":"` + hidden + `"}]`, `{"password":"` + hidden + `"`, hidden, `{}`, `{"Password":"` + hidden + `"}`} {
		_, err := rotation.DecodeVersion([]byte(value))
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), rotation.Example) || strings.Contains(err.Error(), hidden) {
			t.Errorf("DecodeVersion(%s) = %v; want an ErrConfig that says what to store and not the value", value, err)
		}
	}
}

func TestVersionOpensEveryMachineWithItsPassword(t *testing.T) {
	v := rotation.Version{Generation: 1, Username: "ops", Password: rotation.NewPassword("p")}
	c := v.For(rotation.Instance{ID: "m0", LoginUser: "root"})
	if c.Username != "ops" || !c.Password.Equal(v.Password) {
		t.Errorf("For = %q with the same password %v; want ops and true", c.Username, c.Password.Equal(v.Password))
	}
	if v.IsZero() || !(rotation.Version{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	if v.SamePassword(rotation.Version{Password: v.Password}) || v.SamePassword(rotation.Version{Username: "ops", Password: rotation.NewPassword("q")}) {
		t.Error("SamePassword of another account or password is true")
	}
}

func FuzzDecodeVersion(f *testing.F) {
	for _, value := range []string{
		rotation.Example, `{"password":"p","generation":3,"created":"2026-11-21T18:00:00Z","host":"b","previous":2}`, `{"password":1}`,
		`{}`, `null`, `[]`, `{"password":"\ud800"}`, `{"password":"p","password":"q"}`, "{\"password\":\"\xff\"}", `{"password":"p","generation":-1}`,
		`{"baseline":true,"birth":"b0","created":"2026-11-21T18:00:00Z","generation":3,"password":"p,}","previous":2,"token":"t","username":"u"}`,
		`{"generation":03,"password":"p"}`, `{"generation":+3,"password":"p"}`, `{"password":"p","username":"u"} x`, `{"password":"p",}`,
		`{"password":"p","password":"q"}`, `{"baseline":tru,"password":"p"}`, `{"username":"u","password":"p"}`, `{"generation":99999999999999999999,"password":"p"}`,
		`{"username":"","password":"p","host":"bastion"}`, `{"host":"a","password":"p","host":"b"}`, `{"host":1,"password":"p"}`, `{"host":"a"b,"password":"p"}`,
		`{"password":"p","generation":1:2}`, `{"password":"p","host":""}`, `{"host":"h","password":"p"}}`, `{"password":"p" "host":"h"}`, `{"Password":"p","password":"q"}`,
		`{"password":{"Zq7Kv0xM2":1}}`, `Zq7Kv0xM2`, `{"password":"Zq7Kv0xM2","generation":"Zq7Kv0xM2"}`, `["Zq7Kv0xM2"]`,
	} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		v, err := rotation.DecodeVersion(value)
		// With a space before it, it is no value that relock wrote: the same all the same.
		other, otherErr := rotation.DecodeVersion(append([]byte(" "), value...))
		if (err == nil) != (otherErr == nil) || err == nil && !sameVersion(v, other) {
			t.Errorf("DecodeVersion(%q) = %+v, %v; with a space before it %+v, %v", value, v, err, other, otherErr)
		}
		if err != nil {
			if !errors.Is(err, rotation.ErrConfig) {
				t.Errorf("DecodeVersion(%q) = %v; want an ErrConfig", value, err)
			}
			if strings.Contains(err.Error(), "Zq7Kv0xM2") {
				t.Errorf("the error shows the value: %v", err)
			}
			return
		}
		if v.Password.IsZero() {
			t.Errorf("DecodeVersion(%q) has no password", value)
		}
		stored, err := v.Encode()
		if err != nil {
			t.Fatalf("DecodeVersion(%q) cannot be encoded again: %v", value, err)
		}
		if again, err := rotation.DecodeVersion(stored); err != nil || !sameVersion(again, v) {
			t.Errorf("DecodeVersion(%q) = %+v, and after Encode %+v, %v", value, v, again, err)
		}
	})
}
