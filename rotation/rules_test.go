package rotation_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relock-project/relock/rotation"
)

const (
	lowers = "abcdefghijklmnopqrstuvwxyz"
	uppers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func providerRules() []*rotation.Rules {
	return []*rotation.Rules{
		rotation.TencentLinux(), rotation.TencentWindows(), rotation.TencentLinux2018(), rotation.TencentWindows2018(),
		rotation.HuaweiLinux(), rotation.HuaweiWindows(),
	}
}

func TestCheckFollowsTheVendorsPages(t *testing.T) {
	t.Parallel()
	tl, tw := rotation.TencentLinux(), rotation.TencentWindows()
	tl18, tw18 := rotation.TencentLinux2018(), rotation.TencentWindows2018()
	hl, hw := rotation.HuaweiLinux(), rotation.HuaweiWindows()
	for _, c := range []struct {
		rules    *rotation.Rules
		password string
		want     string // in the only violation; empty for none
	}{
		{tl, "abc123ABC!@#", ""}, // the page's own example
		{tl, "abcABC12", ""},
		{tl, "abcAB12", "shorter than 8"},
		{tl, strings.Repeat("aB1", 10), ""},
		{tl, strings.Repeat("aB1", 10) + "x", "longer than 30"},
		{tl, "/abcABC12", "starts with one of: /"},
		{tl, "abcABC12/", ""},
		{tl, "abcdefg1", "does not have at least 3 of: lowercase letters, uppercase letters, digits, special characters"},
		{tl, "abcdef1`", ""},
		{tl, `abcABC12"`, "none of: a-z A-Z 0-9 ()`~!@#$%^&*-+=_|{}[]:;'<>,.?/"},
		{tl, `abcABC12\`, "none of"},
		{tl, "abcABC12 ", "none of"},
		{tl, "abcABC12é", "none of"},
		{tl, "abcABC12\n", "none of"},
		{tl, "abcABC12\x80", "none of"},
		{tl, "rootABC123", ""},
		{tw, "abcABC12345", "shorter than 12"},
		{tw, "abcABC123456", ""},
		{tw, "abcABC 123456", "none of"},
		{tw, "xaDMINISTRATOR1", `contains "Administrator"`},
		{tw, "xrotartsinimdA1", ""},
		{tw, "/abcABC123456", "starts with"},
		{tl18, "abcdEFG1", ""},
		{tl18, "abcdEFGH", "at least 2 of: letters, digits, special characters"},
		{tl18, "12345678!", ""},
		{tl18, "abcdefg!", ""},
		{tl18, "abcABC12`", "none of"},
		{tl18, "abcABC12345678901", "longer than 16"},
		{tw18, "abcABC123456", ""},
		{tw18, "abcdefgh1234", "at least 3 of: lowercase letters"},
		{tw18, "abcABC12345678901", "longer than 16"},
		{hl, "Test@123", ""}, // the page's own example
		{hl, "abcABC12#", "none of: a-z A-Z 0-9 !@%-_=+[]:./?"},
		{hl, "/abcABC12", ""},
		{hl, strings.Repeat("aB", 12) + "1x", ""},
		{hl, strings.Repeat("aB", 13) + "1", "longer than 26"},
		{hl, "xyTOOR12", `contains "root" backwards`},
		{hl, "xyMIN123", `contains 3 characters in a row of "Administrator"`},
		{hw, "xyaDm123", `contains 3 characters in a row of "Administrator"`},
		{hw, "xyadADni12", ""},
		{hw, "xynim123A", ""}, // a run backwards
		{hw, "xyTu3ABnu", ""},
	} {
		got := c.rules.Check(rotation.NewPassword(c.password))
		ok := len(got) == 0 && c.want == "" || len(got) == 1 && c.want != "" && strings.Contains(got[0].Text, c.want)
		if !ok || len(got) == 1 && got[0].Rules != c.rules.Name {
			t.Errorf("%s: Check(%q) = %v; want %q", c.rules.Name, c.password, got, c.want)
		}
	}
}

func TestCheckListsEveryBrokenRule(t *testing.T) {
	t.Parallel()
	r := rotation.TencentWindows()
	got := r.Check(rotation.NewPassword(`/root\`))
	if len(got) != 5 {
		t.Errorf("Check = %q; want length, characters, first character, mix and word", got)
	}
	want := `rules "Tencent Windows": password is shorter than 12 characters, starts with one of: /, ` +
		`has a character that is none of: a-z A-Z 0-9 ` + "()`~!@#$%^&*-+=_|{}[]:;'<>,.?/" +
		`, does not have at least 3 of: lowercase letters, uppercase letters, digits, special characters, contains "root"`
	if err := got.Err(); err == nil || err.Error() != want {
		t.Errorf("Err() = %v\nwant    %s", err, want)
	}
	if s := fmt.Sprint(got[4]); s != `Tencent Windows: password contains "root"` {
		t.Errorf("violation prints as %q", s)
	}
	if err := r.Check(rotation.NewPassword("abcABC123456")).Err(); err != nil {
		t.Errorf("Err() of a compliant password = %v", err)
	}
	if got := r.Check(rotation.Password{}); len(got) == 0 {
		t.Error("Check of the zero password = none; want violations")
	}
}

func TestEveryRuleHasASource(t *testing.T) {
	t.Parallel()
	again := providerRules()
	for i, r := range providerRules() {
		if !strings.HasPrefix(r.Source, "https://") || !strings.Contains(r.Source, ", of 20") {
			t.Errorf("%s: Source = %q; want a page and its date", r.Name, r.Source)
		}
		if r == again[i] {
			t.Errorf("%s: two calls share one value that either may change", r.Name)
		}
	}
	if got := len(rotation.TencentLinux().Specials()); got != 30 {
		t.Errorf("Tencent has %d special characters; want 30", got)
	}
	if got := rotation.HuaweiLinux().Specials(); got != "!@%-_=+[]:./?" {
		t.Errorf("Huawei's special characters = %s", got)
	}
}

func TestWithUsersRefusesTheNames(t *testing.T) {
	t.Parallel()
	base := rotation.HuaweiWindows()
	r := base.WithUsers("deploy", "", "ROOT", "张wei")
	for text, want := range map[string]string{
		"xyPLO1234":    `contains 3 characters in a row of "deploy"`,
		"xyYOLPED12":   `contains "deploy" backwards`,
		"xywei123A":    `contains 3 characters in a row of "张wei"`,
		"abcABC123toy": "",
	} {
		got := r.Check(rotation.NewPassword(text))
		ok := want == "" && len(got) == 0 || want != "" && len(got) == 1 && got[0].Text == want
		if !ok {
			t.Errorf("Check(%q) = %v; want %q", text, got, want)
		}
	}
	if got := base.Check(rotation.NewPassword("xyPLO1234")); len(got) != 0 {
		t.Errorf("WithUsers changed the rules it was called on: %v", got)
	}
	if n := len(r.Bans[0].Words); n != 5 {
		t.Errorf("words = %q; want the three, deploy and 张wei", r.Bans[0].Words)
	}
	if got := rotation.TencentLinux().WithUsers("deploy").Check(rotation.NewPassword("deployABC1")); len(got) != 0 {
		t.Errorf("rules that say nothing of user names refuse one: %v", got)
	}
}

func TestIntersectOfProviders(t *testing.T) {
	t.Parallel()
	tl, tw := rotation.TencentLinux(), rotation.TencentWindows()
	tl18, hw := rotation.TencentLinux2018(), rotation.HuaweiWindows()
	both, err := rotation.Intersect(tl, tw, rotation.TencentLinux())
	if err != nil {
		t.Fatal(err)
	}
	if both.Name != "Tencent Linux ∩ Tencent Windows" || both.Source != tl.Source || both.MinLength != 12 {
		t.Errorf("Intersect = %+v", both)
	}
	if got, want := both.Bits(24), tw.Bits(24); got != want {
		t.Errorf("the stricter one: Bits = %v; want %v", got, want)
	}
	all, err := rotation.Intersect(both, hw, tl18, both)
	if err != nil {
		t.Fatal(err)
	}
	if all.Name != "Tencent Linux ∩ Tencent Windows ∩ Huawei Windows ∩ Tencent Linux 2018" {
		t.Errorf("Name = %q", all.Name)
	}
	if all.MinLength != 12 || all.MaxLength != 16 || all.Specials() != "!@%-+=_[]:.?/" || all.NotFirst != "/" {
		t.Errorf("Intersect = %+v", all)
	}
	alone, err := rotation.Intersect(tl18)
	if err != nil || alone.Bits(10) != tl18.Bits(10) || alone.Name != tl18.Name {
		t.Errorf("Intersect of one = %+v, %v", alone, err)
	}
}

func TestIntersectSaysWhichTwoDisagree(t *testing.T) {
	t.Parallel()
	all := &rotation.Rules{Name: "all", MinLength: 1, MaxLength: 30, Characters: "abcABC123!?"}
	with := func(name string, change func(*rotation.Rules)) *rotation.Rules {
		r := *all
		r.Name = name
		change(&r)
		return &r
	}
	long := with("long", func(r *rotation.Rules) { r.MinLength, r.MaxLength = 31, 40 })
	three := []rotation.Class{rotation.Lower, rotation.Upper, rotation.Digit, rotation.Special}
	noSpecials := with("no specials", func(r *rotation.Rules) { r.Characters = "abcABC123" })
	allFour := with("all four", func(r *rotation.Rules) { r.Mixes = []rotation.Mix{{Least: 4, Groups: three}} })
	onlyA := with("only a", func(r *rotation.Rules) { r.Characters = "a" })
	notA := with("not a", func(r *rotation.Rules) { r.Bans = []rotation.Ban{{Words: []string{"A"}}} })
	upside := with("upside down", func(r *rotation.Rules) { r.MinLength, r.MaxLength = 9, 8 })
	over := func(chars string) *rotation.Rules {
		return with(chars, func(r *rotation.Rules) { r.Characters = chars })
	}
	for _, c := range []struct {
		rules []*rotation.Rules
		want  string
	}{
		{nil, "there are none"},
		{[]*rotation.Rules{all, nil}, "one of them is nil"},
		{[]*rotation.Rules{all, rotation.HuaweiLinux(), long},
			`rules "long" need at least 31 characters, rules "all" allow at most 30`,
		},
		{[]*rotation.Rules{all, long}, `rules "long" need at least 31 characters, rules "all" allow at most 30`},
		{[]*rotation.Rules{all, noSpecials, allFour}, `no password satisfies both rules "no specials" and ` +
			`rules "all four": only lowercase letters, uppercase letters, digits are allowed, and at least 4 of: ` +
			`lowercase letters, uppercase letters, digits, special characters are needed`},
		{[]*rotation.Rules{onlyA, notA}, `both rules "only a" and rules "not a": ` +
			`lengths, first characters and forbidden words leave none`},
		{[]*rotation.Rules{all, upside}, `no password satisfies rules "upside down" by themselves: at least 9 characters`},
		{[]*rotation.Rules{all, {Name: "zero"}}, `no password satisfies rules "zero" by themselves`},
		{[]*rotation.Rules{over("ab"), over("bc"), over("ca")},
			`no password satisfies all of rules "ab ∩ bc ∩ ca": no character is allowed`},
	} {
		got, err := rotation.Intersect(c.rules...)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("Intersect = %v, %v\nwant an ErrConfig with %q", got, err, c.want)
		}
	}
}

// complies is the meaning of rules once more, as plainly as possible.
func complies(r *rotation.Rules, text string) bool {
	if len(text) < max(1, r.MinLength) || len(text) > r.MaxLength || strings.ContainsAny(text[:1], r.NotFirst) {
		return false
	}
	classes := map[rotation.Class]string{
		rotation.Lower: lowers, rotation.Upper: uppers, rotation.Digit: "0123456789", rotation.Special: "!?#",
	}
	for _, c := range text {
		if !strings.ContainsRune(r.Characters, c) {
			return false
		}
	}
	for _, mix := range r.Mixes {
		found := 0
		for _, group := range mix.Groups {
			members := ""
			for class, chars := range classes {
				if group&class != 0 {
					members += chars
				}
			}
			if strings.ContainsAny(text, members) {
				found++
			}
		}
		if found < mix.Least {
			return false
		}
	}
	for _, ban := range r.Bans {
		for _, word := range ban.Words {
			back := ""
			for _, c := range word {
				back = string(c) + back
			}
			if containsFold(text, word) || ban.Backwards && containsFold(text, back) {
				return false
			}
			for i := range word {
				if ban.Run > 0 && i+ban.Run <= len(word) && containsFold(text, word[i:i+ban.Run]) {
					return false
				}
			}
		}
	}
	return true
}

func containsFold(text, word string) bool {
	for i := 0; i+len(word) <= len(text) && word != ""; i++ {
		if strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// everyText calls f with every text of up to longest characters.
func everyText(characters string, longest int, f func(string)) {
	var extend func(string)
	extend = func(text string) {
		f(text)
		if len(text) == longest {
			return
		}
		for i := range characters {
			extend(text + characters[i:i+1])
		}
	}
	extend("")
}

// drawRules are rules small enough to try every text. Most of them accept some texts and refuse others.
func drawRules(t *rapid.T, name string) *rotation.Rules {
	number := func(what string, from ...int) int { return rapid.SampledFrom(from).Draw(t, name+" "+what) }
	some := func(what string, least, most int, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), least, most, rapid.ID[string]).Draw(t, name+" "+what)
	}
	r := &rotation.Rules{Name: name}
	r.MinLength, r.MaxLength = number("min", 1, 1, 2, 0, -1, 4), number("max", 5, 4, 3, 5, 2, 0)
	least := number("least characters", 4, 3, 0)
	r.Characters = strings.Join(some("characters", least, 5, "a", "b", "A", "1", "!", "aa"), "")
	r.NotFirst = strings.Join(some("not first", number("least not first", 0, 1), 2, "a", "A", "1", "!", "#"), "")
	groups := rapid.SampledFrom([]rotation.Class{
		rotation.Lower, rotation.Upper, rotation.Digit, rotation.Special, rotation.Lower | rotation.Upper,
		rotation.Digit | rotation.Special,
	})
	for i := range number("mixes", 0, 1, 2) {
		mix := rotation.Mix{Least: number(fmt.Sprint("least ", i), 1, 2, 0, 3)}
		some := rapid.SliceOfNDistinct(groups, 1, 4, rapid.ID[rotation.Class])
		mix.Groups = some.Draw(t, fmt.Sprint(name, " groups ", i))
		r.Mixes = append(r.Mixes, mix)
	}
	for i := range number("bans", 0, 1, 2) {
		r.Bans = append(r.Bans, rotation.Ban{
			Words:     some(fmt.Sprint("words ", i), 1, 3, "ab", "B1a", "1", "ab1!", "bb", "aAb", "z", "", "a!1", "BA2a", "b!b"),
			Backwards: rapid.Bool().Draw(t, fmt.Sprint(name, " backwards ", i)),
			Run:       number(fmt.Sprint("run ", i), 0, 0, 3, 2, 1),
		})
	}
	return r
}

// TestCheckAndBitsAreExact tries every text of small alphabets: Check refuses exactly what the rules refuse, and Bits
// counts exactly what Check accepts.
func TestCheckAndBitsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t, "r")
		accepted := make([]float64, 7)
		everyText(distinct(r.Characters+"z"), 4, func(text string) {
			want := complies(r, text)
			if got := len(r.Check(rotation.NewPassword(text))) == 0; got != want {
				t.Fatalf("Check(%q) accepts: %v; want %v", text, got, want)
			}
		})
		everyText(distinct(r.Characters), r.MaxLength, func(text string) {
			if complies(r, text) {
				accepted[len(text)]++
			}
		})
		for length, n := range accepted {
			if got, want := r.Bits(length), math.Log2(n); got != want && !(math.Abs(got-want) < 1e-9) {
				t.Fatalf("Bits(%d) = %v; want log2(%v) = %v", length, got, n, want)
			}
		}
	})
}

func distinct(s string) string {
	out := ""
	for _, c := range s {
		if !strings.ContainsRune(out, c) {
			out += string(c)
		}
	}
	return out
}

// TestIntersectAcceptsWhatAllAccept tries every text: the intersection accepts those that all members accept and no
// other, and is refused only when there is none.
func TestIntersectAcceptsWhatAllAccept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		members := []*rotation.Rules{drawRules(t, "x"), drawRules(t, "y")}
		if rapid.Bool().Draw(t, "three") {
			members = append(members, drawRules(t, "z"))
		}
		all, err := rotation.Intersect(members...)
		found := false
		everyText(distinct(members[0].Characters), members[0].MaxLength, func(text string) {
			want := true
			for _, m := range members {
				want = want && complies(m, text)
			}
			found = found || want
			if err == nil && complies(all, text) != want {
				t.Fatalf("the intersection accepts %q: %v; want %v", text, !want, want)
			}
		})
		if (err == nil) != found {
			t.Fatalf("Intersect: %v; but a password for all exists: %v", err, found)
		}
	})
}
