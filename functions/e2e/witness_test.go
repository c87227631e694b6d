package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A witness hears all that the processes of a test say, and asks its clouds for every password. When the test ends it
// looks for the ones in the other.
type witness struct {
	mu      sync.Mutex
	said    []*output
	secrets []string
	asked   []func() []string // more secrets, known at the end only
	folder  string            // of the processes; its files are read at the end
}

// newWitness returns the witness of a test. What the test starts, it has to start afterwards: the witness looks last.
func newWitness(t testing.TB) *witness {
	t.Helper()
	w := &witness{folder: t.TempDir()} // which thereby goes after the witness has looked
	t.Cleanup(func() {
		for _, ask := range w.asked {
			w.secrets = append(w.secrets, ask()...)
		}
		w.readFiles(t)
		if len(w.secrets) == 0 || len(w.said) == 0 {
			t.Errorf("the witness knows %d secrets and heard %d outputs; want some of both", len(w.secrets), len(w.said))
		}
		for _, o := range w.said {
			for _, form := range shown(o.String(), w.secrets) {
				t.Errorf("%s shows a secret, %s", o.name, form)
			}
		}
	})
	return w
}

// hear returns a writer for something that is said, by a name that tells people who said it.
func (w *witness) hear(name string) *output {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &output{name: name}
	w.said = append(w.said, o)
	return o
}

// knows adds secrets that nothing may show.
func (w *witness) knows(secrets ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, secrets...)
}

// readFiles hears every file that a process has left behind.
func (w *witness) readFiles(t testing.TB) {
	err := filepath.WalkDir(w.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		_, _ = fmt.Fprintf(w.hear("a file"), "%s\n%s", path, text)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// asks adds somebody who knows secrets at the end.
func (w *witness) asks(who func() []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, who)
}

// output keeps what is written to it. Several may write and read it at once.
type output struct {
	name string
	mu   sync.Mutex
	b    bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// shown returns the forms in which a text shows any of the secrets, never the secrets.
func shown(text string, secrets []string) []string {
	var found []string
	for _, secret := range slices.Compact(slices.Sorted(slices.Values(secrets))) {
		for form, written := range forms(secret) {
			if strings.Contains(text, written) {
				found = append(found, form)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// forms are the ways in which a secret can be written so that somebody could read it again, by name.
func forms(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	reversed := []rune(secret)
	slices.Reverse(reversed)
	all := map[string]string{
		"plain":             secret,
		"reversed":          string(reversed),
		"in hexadecimal":    hex.EncodeToString([]byte(secret)),
		"in HEXADECIMAL":    strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"escaped for JSON":  string(quoted[1 : len(quoted)-1]),
		"quoted by Go":      strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"escaped for a URL": url.QueryEscape(secret),
		"in a URL's path":   url.PathEscape(secret),
		"as numbers":        strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
	for i := range 3 { // within something longer, a secret begins at one of three places of a group
		padded := append(make([]byte, i), secret...)
		whole := len(padded) / 3 * 3
		for name, e := range map[string]*base64.Encoding{"in base64": base64.RawStdEncoding, "in base64 for URLs": base64.RawURLEncoding} {
			text := e.EncodeToString(padded[:whole])
			all[fmt.Sprintf("%s, shifted by %d", name, i)] = text[(i*8+5)/6:]
		}
	}
	return all
}

// passwordsIn returns the passwords in a stored value: all text at a field "password", or all of it when it is no object.
func passwordsIn(value string) []string {
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		return []string{value}
	}
	var found []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, part := range v {
				walk(part)
			}
		case map[string]any:
			for name, part := range v {
				if text, ok := part.(string); ok && name == "password" {
					found = append(found, text)
				}
				walk(part)
			}
		case string: // a value within a value
			if strings.HasPrefix(v, "{") {
				found = append(found, passwordsIn(v)...)
			}
		}
	}
	walk(v)
	return found
}

// A witness that finds nothing proves nothing: each form has to be found in the midst of other text.
func TestAPasswordIsFoundInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = `Ab!@%-_=+[]:.?&"xyz0129`
	for name, written := range forms(secret) {
		if got := shown("before "+written+" after", []string{"Another-Secret.77", secret}); !slices.Contains(got, name) {
			t.Errorf("%s: found %q; want it found", name, got)
		}
	}
	for i := range 6 { // base64 of something longer, wherever the secret begins in it
		long := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + secret + "yy"))
		if len(shown(long, []string{secret})) == 0 {
			t.Errorf("base64 of a text with the secret at %d: not found", i)
		}
	}
	if got := shown("nothing of it: Ab!@%-_=+[]:.?", []string{secret}); len(got) != 0 {
		t.Errorf("a text without the secret: found %q", got)
	}
	archive := `{"archive":[{"name":"g1","value":{"password":"one"}},{"name":"g2","value":{"password":"two"}}],"password":"three"}`
	if got := passwordsIn(archive); len(got) != 3 {
		t.Errorf("%d passwords in an archive of 2 beside one; want 3", len(got))
	}
}
