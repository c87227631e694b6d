package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// A Veil returns a provider's text, or a note in its place when the text quotes what the veil is for. It is a closure,
// so that what it hides cannot be printed with it. A nil Veil hides nothing.
type Veil func(text string) string

const withheld = "(the provider's text is withheld: it quotes what was sent)"

// quoted is how long a piece of what was sent has to be to count as quoted; shorter ones are words that anybody uses.
const quoted = 8

// For hides a secret: text with a piece of it in it, in any usual encoding, is withheld as a whole.
func For(secret string) Veil {
	return func(text string) string {
		pieces := map[string]bool{}
		for _, form := range encodings(secret) {
			form = strings.ToLower(form)
			for i := 0; i+quoted <= len(form); i++ {
				pieces[form[i:i+quoted]] = true
			}
			if form != "" && len(form) < quoted && strings.Contains(strings.ToLower(text), form) {
				return withheld
			}
		}
		lower := strings.ToLower(text)
		for i := 0; i+quoted <= len(lower); i++ {
			if pieces[lower[i:i+quoted]] {
				return withheld
			}
		}
		return text
	}
}

// encodings are the forms in which a provider might quote secret.
func encodings(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret))}
	escaped, err := json.Marshal(secret)
	if err == nil {
		forms = append(forms, strings.Trim(string(escaped), `"`))
	}
	forms = append(forms, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret))
	for shift := range min(3, len(secret)) {
		// Within the encoding of something longer, secret starts at any of three places.
		forms = append(forms,
			base64.RawStdEncoding.EncodeToString([]byte(secret[shift:])),
			base64.RawURLEncoding.EncodeToString([]byte(secret[shift:])))
	}
	return forms
}

// Over is v and then w.
func (v Veil) Over(w Veil) Veil {
	if v == nil {
		return w
	}
	if w == nil {
		return v
	}
	return func(text string) string { return v(w(text)) }
}

// words are codes and ids of requests.
var words = regexp.MustCompile(`^[0-9A-Za-z._-]{1,128}$`)

// Word returns text if it can be a code or an id, and else nothing: neither carries anything else. A code of our table
// is shown even when the secret's value happens to have a piece of it.
func (v Veil) Word(text string, codes Codes) string {
	if _, known := codes.Exact[text]; known || words.MatchString(text) && (v == nil || v(text) == text) {
		return text
	}
	return ""
}

const longestText = 400

// People makes a provider's text fit for one line of a report.
func (v Veil) People(text string) string {
	if v != nil && text != "" {
		text = v(text)
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runes := []rune(text); len(runes) > longestText {
		text = string(runes[:longestText]) + "…"
	}
	return text
}
