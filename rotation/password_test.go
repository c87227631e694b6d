package rotation_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/rotation"
)

// leakText is long and odd, so that no form of it is in an output by chance.
const leakText = `Zq7!Kv@x%M2-pW_t`

// leakForms are the encodings in which a sink could show the text or its first half.
func leakForms() map[string]string {
	forms := map[string]string{}
	for name, text := range map[string]string{"whole": leakText, "half": leakText[:8]} {
		b := []byte(text)
		forms[name+" plain"] = text
		forms[name+" hex"] = hex.EncodeToString(b)
		forms[name+" spaced hex"] = fmt.Sprintf("% x", b)
		forms[name+" base64"] = base64.StdEncoding.EncodeToString(b)[:10]
		forms[name+" base64 url"] = base64.URLEncoding.EncodeToString(b)[:10]
		forms[name+" decimal bytes"] = strings.Trim(fmt.Sprint(b), "[]")
		forms[name+" decimal list"] = strings.ReplaceAll(strings.Trim(fmt.Sprint(b), "[]"), " ", ",")
		forms[name+" octal bytes"] = strings.Trim(fmt.Sprintf("%o", b), "[]")
		forms[name+" binary bytes"] = strings.Trim(fmt.Sprintf("%b", b), "[]")
		forms[name+" code points"] = strings.Trim(fmt.Sprintf("%U", b), "[]")
	}
	return forms
}

func mustNotLeak(t *testing.T, sink, out string) {
	t.Helper()
	for form, text := range leakForms() {
		if strings.Contains(strings.ToLower(out), strings.ToLower(text)) {
			t.Errorf("%s shows the password as %s:\n%s", sink, form, out)
		}
	}
}

// A leakHolder holds a password in every place that a formatter may walk to.
type leakHolder struct {
	Shown  rotation.Password
	hidden rotation.Password
	ptr    *rotation.Password
	any    any
	list   []rotation.Password
	byName map[string]rotation.Password
	inner  struct{ deep struct{ p rotation.Password } }
}

func newLeakHolder() leakHolder {
	p := rotation.NewPassword(leakText)
	h := leakHolder{Shown: p, hidden: p, ptr: &p, any: p, list: []rotation.Password{p}}
	h.byName = map[string]rotation.Password{"x": p}
	h.inner.deep.p = p
	return h
}

type leakError struct{ holder leakHolder }

func (e leakError) Error() string { return fmt.Sprintf("%v %+v", e.holder, e.holder.hidden) }

func TestPasswordShowsInNoFormat(t *testing.T) {
	t.Parallel()
	p, h := rotation.NewPassword(leakText), newLeakHolder()
	values := map[string]any{
		"value": p, "pointer": &p, "struct": h, "struct pointer": &h, "slice": []rotation.Password{p},
		"map": map[string]rotation.Password{"x": p}, "nested": []any{[]any{p, &p, h}}, "error": leakError{h},
		"array": [1]rotation.Password{p}, "unexported": struct{ p rotation.Password }{p},
		"credential": struct{ user *rotation.Password }{&p},
	}
	for _, verb := range strings.Split("v +v #v s q x X d o b c U t e g T p 50s -9q #x 08d +q", " ") {
		for name, value := range values {
			mustNotLeak(t, fmt.Sprintf("%%%s of %s", verb, name), fmt.Sprintf("%"+verb, value))
		}
		if verb == "T" || verb == "p" { // these two never ask the value
			continue
		}
		if got := fmt.Sprintf("%"+verb, p); got != "[hidden]" {
			t.Errorf("Sprintf(%%%s) = %q; want [hidden]", verb, got)
		}
	}
}

// TestPasswordShowsInNoSink is the list of places that a value ends up in.
func TestPasswordShowsInNoSink(t *testing.T) {
	t.Parallel()
	p, h := rotation.NewPassword(leakText), newLeakHolder()
	logged := func(handler func(*bytes.Buffer) slog.Handler) string {
		var b bytes.Buffer
		log := slog.New(handler(&b)).With("with", p).WithGroup("group")
		log.Info("message", "value", p, "pointer", &p, "struct", h, "pointed", &h, "list", []rotation.Password{p},
			slog.Group("inner", "p", p, "h", h), "err", fmt.Errorf("wrapped: %w", leakError{h}))
		return b.String()
	}
	executed := func(text string) string {
		var b bytes.Buffer
		err := template.Must(template.New("t").Parse(text)).Execute(&b, map[string]any{"P": p, "H": h, "Ptr": &p})
		return fmt.Sprint(b.String(), err)
	}
	encoded := func(encode func(any) ([]byte, error), value any) string {
		b, err := encode(value)
		return fmt.Sprint(string(b), err)
	}
	sinks := map[string]func() string{
		"slog text": func() string {
			return logged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) })
		},
		"slog JSON": func() string {
			return logged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) })
		},
		"json value":    func() string { return encoded(json.Marshal, p) },
		"json struct":   func() string { return encoded(json.Marshal, h) },
		"json map":      func() string { return encoded(json.Marshal, map[string]any{"a": []any{p, &p}}) },
		"xml value":     func() string { return encoded(xml.Marshal, p) },
		"xml struct":    func() string { return encoded(xml.Marshal, struct{ P rotation.Password }{p}) },
		"xml attribute": func() string { return encoded(xml.Marshal, xmlAttr{P: p}) },
		"gob value":     func() string { return encoded(gobMarshal, p) },
		"gob struct":    func() string { return encoded(gobMarshal, struct{ P rotation.Password }{p}) },
		"text template": func() string { return executed(`{{.P}} {{.H}} {{.Ptr}} {{printf "%x" .P}} {{.H.Shown | html}}`) },
		"html template": func() string {
			var b bytes.Buffer
			tmpl := htmltemplate.Must(htmltemplate.New("t").Parse(`<a href="{{.}}">{{.}}</a><script>var x = {{.}}</script>`))
			err := tmpl.Execute(&b, p)
			return fmt.Sprint(b.String(), err)
		},
		"error":       func() string { return fmt.Errorf("outer: %w", leakError{h}).Error() },
		"join":        func() string { return errors.Join(leakError{h}, fmt.Errorf("%v", p)).Error() },
		"recovered":   func() string { return recovered(h) },
		"cmp.Diff":    func() string { return cmp.Diff(p, rotation.NewPassword("other")) },
		"print":       func() string { return fmt.Sprint(p, &p, h, &h) + fmt.Sprintln(p, h) },
		"append":      func() string { return string(fmt.Append(nil, p, h)) },
		"String":      func() string { return p.String() },
		"violations":  func() string { return violationsOf(p) },
		"json errors": func() string { return fmt.Sprint(json.Unmarshal([]byte(`"`+leakText+`"`), &rotation.Password{})) },
	}
	for name, sink := range sinks {
		mustNotLeak(t, name, sink())
	}
	if b, err := json.Marshal(struct{ P rotation.Password }{p}); string(b) != `{"P":"[hidden]"}` || err != nil {
		t.Errorf("json.Marshal = %s, %v; want the string [hidden]", b, err)
	}
}

type xmlAttr struct {
	P rotation.Password `xml:"p,attr"`
}

func gobMarshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func recovered(v any) (out string) {
	defer func() { out = fmt.Sprint(recover()) }()
	panic(v)
}

func violationsOf(p rotation.Password) string {
	var out []string
	for _, r := range providerRules() {
		vs := r.Check(p)
		out = append(out, fmt.Sprint(vs, vs.Err()))
	}
	short := &rotation.Rules{Name: "one", MaxLength: 1, Characters: "a", NotFirst: leakText}
	return strings.Join(append(out, fmt.Sprint(short.Check(p)[:2])), "\n")
}

// TestPasswordShowsInNoPanic crashes a copy of this test: the runtime prints a panic's value in its own way.
func TestPasswordShowsInNoPanic(t *testing.T) {
	const variable = "RELOCK_TEST_PANIC_WITH"
	p := rotation.NewPassword(leakText)
	switch os.Getenv(variable) {
	case "value":
		panic(p)
	case "pointer":
		panic(&p)
	case "struct":
		panic(newLeakHolder())
	case "error":
		panic(leakError{newLeakHolder()})
	}
	t.Parallel()
	for _, what := range []string{"value", "pointer", "struct", "error"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPasswordShowsInNoPanic$")
		cmd.Env = append(os.Environ(), variable+"="+what, "GOTRACEBACK=all")
		out, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic:")) {
			t.Fatalf("panic(%s) ended with %v and no panic:\n%s", what, err, out)
		}
		mustNotLeak(t, "panic of "+what, string(out))
	}
}

func TestPasswordIsNotDecoded(t *testing.T) {
	t.Parallel()
	var into struct{ P rotation.Password }
	if err := json.Unmarshal([]byte(`{"P":"x"}`), &into); err == nil {
		t.Error("json.Unmarshal accepted a password")
	}
	if err := xml.Unmarshal([]byte(`<a><P>x</P></a>`), &into); err == nil {
		t.Error("xml.Unmarshal accepted a password")
	}
	if _, err := gobMarshal(rotation.NewPassword("x")); err == nil {
		t.Error("gob encoded a password")
	}
	if err := into.P.GobDecode([]byte("x")); err == nil {
		t.Error("GobDecode accepted a password")
	}
	if !into.P.IsZero() {
		t.Errorf("after refused decoding IsZero() = false; want true")
	}
}

func TestPasswordHoldsItsText(t *testing.T) {
	t.Parallel()
	var zero rotation.Password
	a, same, b := rotation.NewPassword("aB3!"), rotation.NewPassword("aB3!"), rotation.NewPassword("aB3?")
	if got := a.Reveal(); got != "aB3!" {
		t.Errorf("Reveal() = %q; want aB3!", got)
	}
	if zero.Reveal() != "" || !zero.IsZero() || !rotation.NewPassword("").IsZero() || a.IsZero() {
		t.Error("only the zero Password and that of the empty text are zero, and reveal nothing")
	}
	for _, c := range []struct {
		p, q rotation.Password
		want bool
	}{
		{a, same, true},
		{a, b, false},
		{a, zero, false},
		{zero, a, false},
		{zero, zero, true},
		{a, rotation.NewPassword("aB3!x"), false},
	} {
		if got := c.p.Equal(c.q); got != c.want {
			t.Errorf("Equal of %d and %d characters = %v; want %v", len(c.p.Reveal()), len(c.q.Reveal()), got, c.want)
		}
	}
	if diff := cmp.Diff(a, same); diff != "" {
		t.Errorf("cmp.Diff of equal passwords: %s", diff)
	}
}
