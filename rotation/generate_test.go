package rotation_test

import (
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/relock-project/relock/rotation"
)

// seeded is a source that gives the same bytes in every run.
func seeded(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// TestEveryCompliantPasswordIsEquallyLikely draws half a million passwords from small sets and compares the frequencies with
// the uniform ones. Seven symbols make a bias of the remainder visible: 256 is 4 modulo 7.
func TestEveryCompliantPasswordIsEquallyLikely(t *testing.T) {
	t.Parallel()
	rules := &rotation.Rules{
		Name: "small", MinLength: 3, MaxLength: 5, Characters: "abAB12!", NotFirst: "!2",
		Mixes: []rotation.Mix{
			{Least: 2, Groups: []rotation.Class{rotation.Lower | rotation.Upper, rotation.Digit, rotation.Special}},
		},
		Bans: []rotation.Ban{{Words: []string{"bad", "ab1"}, Backwards: true, Run: 2}, {Words: []string{"A!a"}}},
	}
	for _, rc := range []rotation.Recipe{
		{Length: 4, AnyMix: true}, {Length: 5},
	} {
		rc.MinBits, rc.Rand = 1, seeded(7)
		g, err := rules.Plan(rc)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		everyText("abAB12!", rc.Length, func(text string) {
			four := strings.ContainsAny(text, "ab") && strings.ContainsAny(text, "AB") &&
				strings.ContainsAny(text, "12") && strings.Contains(text, "!")
			if len(text) == rc.Length && complies(rules, text) && (rc.AnyMix || four) {
				counts[text] = 0
			}
		})
		n := len(counts)
		if want := math.Log2(float64(n)); math.Abs(g.Bits()-want) > 1e-9 {
			t.Errorf("Bits() = %v; want log2(%d) = %v", g.Bits(), n, want)
		}
		const draws = 500_000
		for range draws {
			p, err := g.Generate()
			if err != nil {
				t.Fatal(err)
			}
			counts[p.Reveal()]++
		}
		if len(counts) != n {
			t.Errorf("%d different passwords were drawn; only %d comply", len(counts), n)
		}
		mean, chi2 := draws/float64(n), 0.0
		for _, c := range counts {
			chi2 += (float64(c) - mean) * (float64(c) - mean) / mean
		}
		dof := float64(n - 1)
		if z := (chi2 - dof) / math.Sqrt(2*dof); math.Abs(z) > 4 {
			t.Errorf("%d passwords: chi-square %.1f on %.0f degrees of freedom is %.1f sigma off", n, chi2, dof, z)
		}
	}
}

// TestDefaultPasswordPassesEverywhere: a password made under any mix of providers passes each of them, and is as long
// and strong as the package says.
func TestDefaultPasswordPassesEverywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := providerRules()
		names := rapid.SliceOfN(rapid.StringN(0, 6, -1), 0, 2).Draw(t, "users")
		var members []*rotation.Rules
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, -1, rapid.ID[int]).Draw(t, "members") {
			members = append(members, all[i].WithUsers(names...))
		}
		rules, err := rotation.Intersect(members...)
		if err != nil {
			t.Fatal(err)
		}
		rc := rotation.Recipe{Rand: seeded(rapid.Byte().Draw(t, "seed")), AnyMix: rapid.Bool().Draw(t, "any mix")}
		if rapid.Bool().Draw(t, "all specials") {
			rc.Specials = rules.Specials()
		}
		g, err := rules.Plan(rc)
		if err != nil {
			t.Fatal(err)
		}
		if want := min(24, rules.MaxLength); g.Length() != want || g.Bits() < 70 {
			t.Fatalf("Length() = %d, Bits() = %v; want %d and at least 70", g.Length(), g.Bits(), want)
		}
		for range 20 {
			p, err := g.Generate()
			if err != nil {
				t.Fatal(err)
			}
			text := p.Reveal()
			for _, m := range append(members, rules) {
				if broken := m.Check(p); len(broken) > 0 {
					t.Fatalf("%q: %v", text, broken)
				}
			}
			for _, kind := range []string{lowers, uppers, "0123456789", rules.Specials()} {
				if !rc.AnyMix && !strings.ContainsAny(text, kind) {
					t.Fatalf("%q has none of %s", text, kind)
				}
			}
			if i := strings.IndexAny(text, "()`~#$^&*|{};'<>,/"); rc.Specials == "" && i >= 0 {
				t.Fatalf("%q has a special character that the recipe has not", text)
			}
		}
	})
}

// TestGeneratedPasswordsComply: under any rules there is an error or a compliant password, never anything else.
func TestGeneratedPasswordsComply(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t, "r")
		rc := rotation.Recipe{MinBits: -1, Specials: "!", Rand: seeded(rapid.Byte().Draw(t, "seed"))}
		rc.Length, rc.AnyMix = rapid.IntRange(0, 5).Draw(t, "length"), rapid.Bool().Draw(t, "any mix")
		p, err := r.Generate(rc)
		if err != nil {
			if !errors.Is(err, rotation.ErrConfig) || !p.IsZero() {
				t.Fatalf("Generate = %v, %v; want no password and ErrConfig", p, err)
			}
			if bits := r.Bits(rc.Length); rc.Length > 0 && rc.AnyMix && bits > 4 {
				t.Fatalf("Generate: %v; but there are %v bits", err, bits)
			}
			return
		}
		if text := p.Reveal(); !complies(r, text) || len(r.Check(p)) > 0 {
			t.Fatalf("Generate = %q: %v", text, r.Check(p))
		}
	})
}

func TestBitsOfTheProvidersRules(t *testing.T) {
	t.Parallel()
	classes := func(specials int64) []int64 { return []int64{26, 26, 10, specials} }
	for _, c := range []struct {
		rules    *rotation.Rules
		length   int
		notFirst int64
		sizes    []int64
		least    int
	}{
		{rotation.TencentLinux(), 8, 1, classes(30), 3},
		{rotation.TencentLinux(), 30, 1, classes(30), 3},
		{rotation.TencentWindows2018(), 16, 1, classes(29), 3},
		{rotation.TencentLinux2018(), 16, 1, []int64{52, 10, 29}, 2},
	} {
		want := inclusionExclusion(c.length, c.notFirst, c.sizes, c.least)
		if got := c.rules.Bits(c.length); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: Bits(%d) = %.12f; want %.12f", c.rules.Name, c.length, got, want)
		}
	}
	none, words := rotation.TencentLinux().Bits(24), rotation.TencentWindows().Bits(24)
	if !(words < none && none-words < 1e-4) {
		t.Errorf("forbidden words take %v bits; want a little", none-words)
	}
	for _, length := range []int{-1, 0, 7, 31} {
		if got := rotation.TencentLinux().Bits(length); !math.IsInf(got, -1) {
			t.Errorf("Bits(%d) = %v; want -Inf", length, got)
		}
	}
	g, err := rotation.TencentLinux().Plan(rotation.Recipe{})
	if err != nil {
		t.Fatal(err)
	}
	if length, bits, err := rotation.TencentLinux().Strength(rotation.Recipe{}); length != 24 || bits != g.Bits() || err != nil {
		t.Errorf("Strength = %d, %v, %v; want what Plan finds: 24, %v", length, bits, err, g.Bits())
	}
	want := inclusionExclusion(24, 0, classes(int64(len("!@%-_=+[]:.?"))), 4)
	if g.Length() != 24 || math.Abs(g.Bits()-want) > 1e-9 || math.Floor(want) != 148 {
		t.Errorf("the zero recipe has %d characters, %v bits; want 24 and %v, which is 148.9", g.Length(), g.Bits(), want)
	}
}

// inclusionExclusion is log2 of the number of texts with at least so many classes, of which the last class has notFirst
// characters that may not come first.
func inclusionExclusion(length int, notFirst int64, sizes []int64, least int) float64 {
	over := func(set int) *big.Int { // texts over these classes only
		n, first := int64(0), int64(0)
		for i, size := range sizes {
			if set&(1<<i) != 0 {
				n, first = n+size, first+size
				if i == len(sizes)-1 {
					first -= notFirst
				}
			}
		}
		out := new(big.Int).Exp(big.NewInt(n), big.NewInt(int64(length-1)), nil)
		return out.Mul(out, big.NewInt(first))
	}
	bits := func(set int) (n int) {
		for ; set > 0; set &= set - 1 {
			n++
		}
		return n
	}
	total := new(big.Int)
	for set := range 1 << len(sizes) {
		if bits(set) < least {
			continue
		}
		for sub := range set + 1 { // texts with exactly the classes of set
			if sub&^set != 0 {
				continue
			}
			if (bits(set)-bits(sub))%2 == 0 {
				total.Add(total, over(sub))
			} else {
				total.Sub(total, over(sub))
			}
		}
	}
	f, _ := new(big.Float).SetInt(total).Float64()
	return math.Log2(f)
}

func TestPlanRefusesWhatCannotBeGood(t *testing.T) {
	t.Parallel()
	tl := rotation.TencentLinux()
	words := make([]string, 0, 26)
	for c := 'a'; c <= 'z'; c++ {
		words = append(words, string(c))
	}
	noLetters := tl.WithUsers()
	noLetters.Name, noLetters.Bans = "no letters", []rotation.Ban{{Words: words}}
	rare := &rotation.Rules{
		Name: "rare", MinLength: 24, MaxLength: 24, Characters: tl.Characters,
		Bans: []rotation.Ban{{Words: words[:20]}}, // nearly all letters
	}
	for _, c := range []struct {
		rules  *rotation.Rules
		recipe rotation.Recipe
		want   string
	}{
		{tl, rotation.Recipe{Length: 31}, `a password of 31 characters: rules "Tencent Linux" allow 8 to 30`},
		{tl, rotation.Recipe{Length: 7}, `a password of 7 characters: rules "Tencent Linux" allow 8 to 30`},
		{tl, rotation.Recipe{Length: -1}, `a password of -1 characters: rules "Tencent Linux" allow 8 to 30`},
		{&rotation.Rules{Name: "zero"}, rotation.Recipe{}, `rules "zero" allow 1 to 0`},
		{tl, rotation.Recipe{Length: 10}, `10 characters under rules "Tencent Linux" are 61.3 bits, ` +
			`at least 70 are wanted: 12 would do`},
		{rotation.TencentLinux2018(), rotation.Recipe{MinBits: 100}, `16 characters under rules "Tencent Linux 2018" ` +
			`are 99.1 bits, at least 100 are wanted: no length that they allow has more`},
		{rotation.TencentLinux2018(), rotation.Recipe{Length: 12, MinBits: 100}, `are 74.0 bits, ` +
			`at least 100 are wanted: the most that they allow is 99.1 bits, with 16 characters`},
		{tl, rotation.Recipe{MinBits: math.NaN()}, `at least NaN are wanted`},
		{rotation.HuaweiLinux(), rotation.Recipe{Specials: "#ab"}, `none of the special characters #ab is among those ` +
			`that rules "Huawei Linux" allow: !@%-_=+[]:./?`},
		{noLetters, rotation.Recipe{}, `no password of 24 characters satisfies rules "no letters" and the recipe`},
		{rare, rotation.Recipe{Specials: tl.Specials()}, `rules "rare" refuse nearly every string of 24 characters`},
	} {
		g, err := c.rules.Plan(c.recipe)
		if err == nil || g != nil || !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Plan = %v, %v\nwant an ErrConfig with %s", g, err, c.want)
		}
	}
	if _, err := tl.Plan(rotation.Recipe{Length: 12}); err != nil {
		t.Errorf("Plan with the length that the error advises: %v", err)
	}
	long := &rotation.Rules{Name: "long", MinLength: 40, MaxLength: 1000, Characters: tl.Characters}
	if g, err := long.Plan(rotation.Recipe{}); err != nil || g.Length() != 40 {
		t.Errorf("Plan under a minimum of 40 = %v, %v; want 40 characters", g, err)
	}
	if g, err := long.Plan(rotation.Recipe{Length: 128}); err != nil || math.IsInf(g.Bits(), 0) {
		t.Errorf("Plan with 128 characters = %v, %v", g, err)
	}
}

func TestFailingRandomnessGivesNoPassword(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	constant := func(b byte) io.Reader { return readerFunc(func(p []byte) (int, error) { return fillWith(p, b), nil }) }
	for name, c := range map[string]struct {
		source io.Reader
		want   error
	}{
		"at once":    {iotest.ErrReader(broken), broken},
		"half a way": {io.MultiReader(io.LimitReader(constant(0), 640), iotest.ErrReader(broken)), broken},
		"short":      {io.LimitReader(seeded(1), 10), io.ErrUnexpectedEOF},
		"empty":      {strings.NewReader(""), io.EOF},
		"zeros":      {constant(0), nil},
		"ones":       {constant(0xff), nil}, // all skipped
	} {
		p, err := rotation.TencentLinux().Generate(rotation.Recipe{Rand: c.source})
		if err == nil || !p.IsZero() || c.want != nil && !errors.Is(err, c.want) || errors.Is(err, rotation.ErrConfig) {
			t.Errorf("%s: Generate = %v, %v; want no password and %v", name, p, err, c.want)
		}
	}
	// A source that gives a byte at a time is slow, not weak.
	p, err := rotation.TencentLinux().Generate(rotation.Recipe{Rand: iotest.OneByteReader(seeded(1))})
	q, err2 := rotation.TencentLinux().Generate(rotation.Recipe{Rand: seeded(1)})
	if err != nil || err2 != nil || !p.Equal(q) {
		t.Errorf("one byte at a time: %v, %v; want the password that whole blocks give", err, err2)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func fillWith(p []byte, b byte) int {
	for i := range p {
		p[i] = b
	}
	return len(p)
}

func TestGenerateAllocatesTwice(t *testing.T) {
	g, err := rotation.HuaweiWindows().Plan(rotation.Recipe{})
	if err != nil {
		t.Fatal(err)
	}
	// Under the race detector crypto/rand itself allocates.
	source := testing.AllocsPerRun(1000, func() {
		var block [64]byte
		if _, err := cryptorand.Read(block[:]); err != nil {
			t.Fatal(err)
		}
	})
	got := testing.AllocsPerRun(1000, func() {
		if _, err := g.Generate(); err != nil {
			t.Fatal(err)
		}
	})
	if got-source > 2 {
		t.Errorf("Generate allocates %v times, and its source %v; want at most 2 more", got, source)
	}
}

func TestGeneratedPasswordsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 1000 {
		p, err := rotation.TencentLinux().Generate(rotation.Recipe{Length: 12})
		if err != nil {
			t.Fatal(err)
		}
		if seen[p.Reveal()] {
			t.Fatalf("password %d was drawn before", i)
		}
		seen[p.Reveal()] = true
	}
	if got := fmt.Sprint(rotation.TencentLinux().Generate(rotation.Recipe{})); got != "[hidden] <nil>" {
		t.Errorf("Generate prints as %q", got)
	}
}
