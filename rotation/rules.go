package rotation

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rules say which passwords are accepted for a kind of machine: data, with its source. A *Rules is not changed once it
// is in use, and may be shared: neither WithUsers nor Intersect changes one. The zero Rules accept nothing.
type Rules struct {
	// Name is what texts call them: "Tencent Linux".
	Name string
	// Source is the vendor's page and the page's date.
	Source string
	// MinLength and MaxLength are in characters, both included. A minimum below 1 counts as 1, a maximum above 128 as
	// 128.
	MinLength, MaxLength int
	// Characters are all that may occur. Only printable ASCII counts, repetition does not.
	Characters string
	// NotFirst are those that may not come first. Empty means that any may.
	NotFirst string
	// Mixes must all be met. None demands nothing.
	Mixes []Mix
	// Bans must all be respected. None forbids nothing.
	Bans []Ban
}

// maxLength bounds every length: 95 printable characters to the power of 128 is still a float64.
const maxLength = 128

// A Class is a set of kinds of characters.
type Class uint8

const (
	Lower   Class = 1 << iota // a-z
	Upper                     // A-Z
	Digit                     // 0-9
	Special                   // the other printable ASCII characters
)

// allClasses is every kind; sets of kinds are below classSets.
const (
	allClasses = Lower | Upper | Digit | Special
	classSets  = 1 << 4
)

// String names the kinds for people: "digits".
func (c Class) String() string {
	var names []string
	if c&(Lower|Upper) == Lower|Upper {
		names = append(names, "letters")
		c &^= Lower | Upper
	}
	for i, name := range []string{"lowercase letters", "uppercase letters", "digits", "special characters"} {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// split returns the kinds in c one by one.
func (c Class) split() []Class {
	var all []Class
	for _, one := range []Class{Lower, Upper, Digit, Special} {
		if c&one != 0 {
			all = append(all, one)
		}
	}
	return all
}

// classOf returns the kind of a printable ASCII character, and 0 for any other.
func classOf(c rune) Class {
	switch {
	case 'a' <= c && c <= 'z':
		return Lower
	case 'A' <= c && c <= 'Z':
		return Upper
	case '0' <= c && c <= '9':
		return Digit
	case ' ' <= c && c <= '~':
		return Special
	}
	return 0
}

// A Mix demands kinds of characters: at least Least of the Groups occur. A group that joins kinds, such as Lower|Upper,
// occurs when one of them does, and counts once.
type Mix struct {
	Least  int
	Groups []Class
}

// meets reports whether a password with these kinds of characters has the mix.
func (m Mix) meets(present Class) bool {
	n := 0
	for _, group := range m.Groups {
		if present&group != 0 {
			n++
		}
	}
	return n >= m.Least
}

// String says the demand: "at least 2 of: letters, digits, special characters".
func (m Mix) String() string {
	return fmt.Sprintf("at least %d of: %s", m.Least, classList(m.Groups))
}

func classList(classes []Class) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

// A Ban refuses words anywhere in a password, without regard to case.
type Ban struct {
	// Words are refused whole. Empty ones do not count.
	Words []string
	// Backwards refuses them spelled backwards too.
	Backwards bool
	// Run refuses any so many characters in a row of a word too, forwards. Zero means only whole words.
	Run int
}

// A piece is one text that a ban refuses, in lower case, and what to say of a password that contains it, as a format.
type piece struct {
	text, says string
	args       []any
}

// pieces returns everything that the ban refuses.
func (b Ban) pieces() []piece {
	var all []piece
	for _, word := range b.Words {
		letters := []rune(strings.ToLower(word))
		if len(letters) == 0 {
			continue
		}
		all = append(all, piece{string(letters), "contains %q", []any{word}})
		for i := 0; b.Run > 0 && i+b.Run <= len(letters); i++ {
			all = append(all, piece{string(letters[i : i+b.Run]), "contains %d characters in a row of %q", []any{b.Run, word}})
		}
		if b.Backwards {
			slices.Reverse(letters)
			all = append(all, piece{string(letters), "contains %q backwards", []any{word}})
		}
	}
	return all
}

// WithUsers returns new rules with more user names in every ban. Empty names do not count, nor do names that are there
// already. Rules without a ban say nothing of user names, and stay so.
func (r *Rules) WithUsers(names ...string) *Rules {
	out := *r
	out.Bans = slices.Clone(r.Bans)
	for i, ban := range out.Bans {
		words := slices.Clone(ban.Words)
		for _, name := range names {
			same := func(word string) bool { return strings.EqualFold(word, name) }
			if name != "" && !slices.ContainsFunc(words, same) {
				words = append(words, name)
			}
		}
		out.Bans[i].Words = words
	}
	return &out
}

// Specials returns the special characters that may occur, each once.
func (r *Rules) Specials() string {
	var specials []byte
	for _, c := range r.alphabet() {
		if classOf(rune(c)) == Special {
			specials = append(specials, c)
		}
	}
	return string(specials)
}

// allowed reports of each character whether it may occur.
func (r *Rules) allowed() (set [128]bool) {
	for _, c := range r.Characters {
		if classOf(c) != 0 {
			set[c] = true
		}
	}
	return set
}

// alphabet returns the characters that may occur, each once: repeated, it would be drawn more often than the others.
func (r *Rules) alphabet() []byte {
	var seen [128]bool
	all := make([]byte, 0, len(r.Characters))
	for _, c := range r.Characters {
		if classOf(c) != 0 && !seen[c] {
			seen[c] = true
			all = append(all, byte(c))
		}
	}
	return all
}

func (r *Rules) shortest() int { return max(r.MinLength, 1) }
func (r *Rules) longest() int  { return min(r.MaxLength, maxLength) }

// meets reports whether these kinds of characters satisfy every mix.
func (r *Rules) meets(present Class) bool {
	return !slices.ContainsFunc(r.Mixes, func(m Mix) bool { return !m.meets(present) })
}

// A Violation is one rule that a password breaks. It may be shown: of the password it tells no more than that, and no
// characters but a forbidden word.
type Violation struct {
	Rules string // their name
	Text  string // for people: "is shorter than 12 characters"
}

func (v Violation) String() string { return v.Rules + ": password " + v.Text }

// Violations are all the rules that a password breaks; none means that it complies.
type Violations []Violation

// Err returns them as one error, on one line; nil when there are none.
func (vs Violations) Err() error {
	if len(vs) == 0 {
		return nil
	}
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = v.Text
	}
	return fmt.Errorf("rules %q: password %s", vs[0].Rules, strings.Join(texts, ", "))
}

// Check returns every rule that the password breaks; none means that it complies. The zero Password never does.
func (r *Rules) Check(p Password) Violations { return p.inspect(r.check) }

func (r *Rules) check(text string) []Violation {
	var broken []Violation
	breaks := func(format string, args ...any) {
		v := Violation{Rules: r.Name, Text: fmt.Sprintf(format, args...)}
		if !slices.Contains(broken, v) {
			broken = append(broken, v)
		}
	}
	n := utf8.RuneCountInString(text)
	if n < r.shortest() {
		breaks("is shorter than %d characters", r.shortest())
	}
	if n > r.longest() {
		breaks("is longer than %d characters", r.longest())
	}
	allowed := r.allowed()
	var present Class
	for i, c := range text {
		if int(c) >= len(allowed) || !allowed[c] {
			breaks("has a character that is none of: %s", spell(string(r.alphabet())))
		}
		if i == 0 && strings.ContainsRune(r.NotFirst, c) {
			breaks("starts with one of: %s", r.NotFirst)
		}
		present |= classOf(c)
	}
	for _, mix := range r.Mixes {
		if !mix.meets(present) {
			breaks("does not have %v", mix)
		}
	}
	lower := strings.ToLower(text)
	for _, ban := range r.Bans {
		for _, p := range ban.pieces() {
			if strings.Contains(lower, p.text) {
				breaks(p.says, p.args...)
			}
		}
	}
	return broken
}

// spell shortens an alphabet for people: "a-z A-Z 0-9 !@%".
func spell(alphabet string) string {
	var parts []string
	for _, whole := range []struct{ letters, short string }{
		{lowerLetters, "a-z"}, {upperLetters, "A-Z"}, {digits, "0-9"},
	} {
		missing := func(c rune) bool { return !strings.ContainsRune(alphabet, c) }
		if strings.ContainsFunc(whole.letters, missing) {
			continue
		}
		parts = append(parts, whole.short)
		alphabet = strings.Join(strings.FieldsFunc(alphabet, func(c rune) bool {
			return strings.ContainsRune(whole.letters, c)
		}), "")
	}
	if alphabet != "" {
		parts = append(parts, alphabet)
	}
	return strings.Join(parts, " ")
}
