package rotation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Version is one version of a secret: one generation's password.
type Version struct {
	// ID is the store's name of it; empty before it is stored.
	ID string
	// Stage is set by History: Current or Pending; empty for all others.
	Stage Stage
	// Generation counts 1, 2, 3 … per secret. Numbers are never reused.
	Generation int
	// Token names the rotation that made it; empty for a baseline.
	Token string
	// Baseline marks a value that relock found and kept: it is never pending, adopted or promoted.
	Baseline bool
	// Username is the account; empty means each machine's own administrator.
	Username string
	Password Password
	// Created is when the rotation made it, to the second, UTC; zero for a baseline.
	Created time.Time
	// Birth is a random id that the secret got with its first version and that each version hands on.
	Birth string
	// Extra holds the fields of the stored object that relock does not know; they are carried over from the version
	// that is current when a new one is proposed.
	Extra map[string]json.RawMessage
}

// For returns what opens the machine under this version. It is the engine's only way to a password.
func (v Version) For(Instance) Credential {
	return Credential{Username: v.Username, Password: v.Password}
}

// IsZero reports whether v is no version at all.
func (v Version) IsZero() bool { return v.Generation == 0 && v.Password.IsZero() }

// SamePassword reports whether both open the same accounts with the same password, whatever else they say.
func (v Version) SamePassword(w Version) bool {
	return v.Username == w.Username && v.Password.Equal(w.Password)
}

// fields are the ones that relock writes. No one else's: an unknown field is carried over untouched.
type fields struct {
	Username, Password   string
	Generation, Previous int
	Baseline             bool
	Token, Created       string
	Birth                string
}

// Example is what a secret must hold before its first rotation.
const Example = `{"username":"","password":"the password in force now"}`

// Encode returns the stored form: one JSON object, its fields in the order of their names. Equal versions have equal bytes.
func (v Version) Encode() ([]byte, error) { return v.encode(0) }

// encode adds which generation was previous, for a store whose current version is a copy; zero leaves it out.
func (v Version) encode(previous int) ([]byte, error) {
	all := make(map[string]any, len(v.Extra)+8)
	for name, raw := range v.Extra {
		all[name] = raw
	}
	all["username"], all["password"] = v.Username, v.Password.Reveal()
	if v.Generation != 0 {
		all["generation"] = v.Generation
	}
	if previous != 0 {
		all["previous"] = previous
	}
	if v.Baseline {
		all["baseline"] = true
	}
	if v.Token != "" {
		all["token"] = v.Token
	}
	if !v.Created.IsZero() {
		all["created"] = v.Created.UTC().Format(time.RFC3339)
	}
	if v.Birth != "" {
		all["birth"] = v.Birth
	}
	value, err := marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode generation %d: %w", v.Generation, err)
	}
	return value, nil
}

// marshal is json.Marshal that leaves < > & as they are: passwords may hold them, and values have a size limit.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// DecodeVersion reads the stored form. A value that is not a JSON object with a password is an error that says what to
// store; it never shows the value. ID stays empty: the store knows it.
func DecodeVersion(value []byte) (Version, error) {
	v, _, err := decodeVersion(value)
	return v, err
}

// decodeVersion also returns which generation the value says was previous; zero when it does not say.
func decodeVersion(value []byte) (Version, int, error) {
	f, extra, err := decodeFields(value)
	if err != nil {
		return Version{}, 0, err
	}
	if f.Password == "" {
		return Version{}, 0, fmt.Errorf("%w: the secret's value has no \"password\": store %s", ErrConfig, Example)
	}
	v := Version{
		Generation: f.Generation, Token: f.Token, Baseline: f.Baseline, Username: f.Username,
		Password: NewPassword(f.Password), Birth: f.Birth, Extra: extra,
	}
	if f.Created != "" {
		if created, err := time.Parse(time.RFC3339, f.Created); err == nil {
			v.Created = created.UTC()
		}
	}
	return v, f.Previous, nil
}

// decodeFields also returns the fields that relock does not know; nil when there are none.
func decodeFields(value []byte) (f fields, extra map[string]json.RawMessage, _ error) {
	if f, extra, ok := decodePlain(string(value)); ok {
		return f, extra, nil
	}
	if err := json.Unmarshal(value, &extra); err != nil || extra == nil {
		return fields{}, nil, fmt.Errorf("%w: the secret's value is no JSON object: store %s", ErrConfig, Example)
	}
	for name, to := range map[string]any{
		"username": &f.Username, "password": &f.Password, "generation": &f.Generation, "previous": &f.Previous,
		"baseline": &f.Baseline, "token": &f.Token, "created": &f.Created, "birth": &f.Birth,
	} {
		raw, ok := extra[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, to); err != nil {
			// The cause would quote a piece of the value.
			return fields{}, nil, fmt.Errorf("%w: the secret's field %q is of the wrong type: store %s", ErrConfig, name, Example)
		}
		delete(extra, name)
	}
	if len(extra) == 0 {
		extra = nil
	}
	return f, extra, nil
}

// decodePlain reads an object of plain fields without a space between them: texts of printable ASCII without an escape,
// and of ours what encode writes. ok is false for any other. It is for the histories that are tried by the million, which
// read most of their time.
func decodePlain(value string) (f fields, extra map[string]json.RawMessage, ok bool) {
	rest, ok := strings.CutPrefix(value, "{")
	for ok {
		end := plainText(rest)
		if end == 0 || end == len(rest) || rest[end] != ':' {
			break
		}
		name := rest[1 : end-1]
		rest = rest[end+1:]
		text := ""
		end = plainText(rest)
		isText := end > 0
		if isText {
			text = rest[1 : end-1]
		} else {
			end = max(0, strings.IndexAny(rest, ",}"))
		}
		if end == len(rest) {
			break
		}
		switch name {
		case "baseline":
			f.Baseline, ok = true, rest[:end] == "true"
		case "birth":
			f.Birth, ok = text, isText
		case "created":
			f.Created, ok = text, isText
		case "generation":
			f.Generation, ok = plainNumber(rest[:end])
		case "password":
			f.Password, ok = text, isText
		case "previous":
			f.Previous, ok = plainNumber(rest[:end])
		case "token":
			f.Token, ok = text, isText
		case "username":
			f.Username, ok = text, isText
		default:
			if extra == nil {
				extra = map[string]json.RawMessage{}
			}
			extra[name], ok = json.RawMessage(rest[:end]), isText
		}
		if rest[end] == '}' {
			return f, extra, ok && end == len(rest)-1
		}
		ok = ok && rest[end] == ','
		rest = rest[end+1:]
	}
	return fields{}, nil, false
}

// plainText is the length of the JSON string that s begins with, if it is printable ASCII without an escape; else 0.
func plainText(s string) int {
	if !strings.HasPrefix(s, `"`) {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c == '\\' || c < ' ' || c > '~':
			return 0
		}
	}
	return 0
}

// plainNumber reads a number as encode writes it: of any other size it is for encoding/json.
func plainNumber(raw string) (int, bool) {
	n, ok := decimal(raw)
	return n, ok && raw[0] != '0' && len(raw) < 10
}
