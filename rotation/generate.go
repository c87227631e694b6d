package rotation

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

const (
	defaultLength   = 24
	defaultSpecials = "!@%-_=+[]:.?"
	defaultMinBits  = 70

	// blockSize is how many random bytes are read at a time.
	blockSize = 64
	// Strings are drawn until one complies. With leastShare of them complying, maxBlocks random blocks hold none with
	// a probability below e^-64; a source for which that happens is not random.
	leastShare = 1.0 / 1024
	maxBlocks  = 1 << 18
)

// A Recipe is how passwords are made, within some rules. The zero Recipe is what relock uses.
type Recipe struct {
	// Length is in characters. Zero means 24, or the nearest length that the rules allow. Plan refuses any other that
	// they do not allow.
	Length int
	// AnyMix is content with the kinds of characters that the rules demand. False means that lowercase and uppercase
	// letters, digits and special characters must all occur, as far as the rules allow them at all.
	AnyMix bool
	// Specials are the special characters to draw from; those that the rules do not allow are left out. Empty means
	// "!@%-_=+[]:.?", which Tencent Cloud and Huawei Cloud accept on Linux and Windows; none of them is a quote or
	// needs an escape in JSON or XML.
	Specials string
	// MinBits is the least entropy, in bits, that is good enough. Zero means 70.
	MinBits float64
	// Rand is the source of randomness. Nil means crypto/rand. It is read in blocks of 64 bytes.
	Rand io.Reader
}

// A Generator draws passwords for one recipe under one set of rules, every compliant one equally likely. It may be
// used concurrently when its source of randomness may.
type Generator struct {
	rules     string
	length    int
	bits      float64
	automaton *automaton
	rand      io.Reader // nil means crypto/rand
}

// Bits returns the entropy of a uniformly drawn password of this length, in bits: log2 of the number of strings that
// the rules accept, over all of their characters. It counts them, mindful of forbidden words too, and is exact to within
// 1e-9. A length that no password has gives negative infinity. [Generator.Bits] is the same of what a recipe draws.
func (r *Rules) Bits(length int) float64 {
	if length < r.shortest() || length > r.longest() {
		return math.Inf(-1)
	}
	return math.Log2(compile(r, r.alphabet(), 0).counts(length)[length])
}

// Plan prepares the generation of passwords under the rules, without drawing one. An error matches ErrConfig and says
// what is wrong with the recipe: a length that the rules refuse, too few bits, no string that complies.
func (r *Rules) Plan(rc Recipe) (*Generator, error) {
	length := rc.Length
	if length == 0 {
		length = max(r.shortest(), min(r.longest(), defaultLength))
	}
	if length < r.shortest() || length > r.longest() {
		return nil, fmt.Errorf("%w: a password of %d characters: rules %q allow %d to %d",
			ErrConfig, length, r.Name, r.shortest(), r.longest())
	}
	symbols, err := r.symbols(rc.Specials)
	if err != nil {
		return nil, err
	}
	var need Class
	if !rc.AnyMix {
		for _, c := range symbols {
			need |= classOf(rune(c))
		}
	}
	a := compile(r, symbols, need)
	counts := a.counts(r.longest())
	if counts[length] == 0 {
		return nil, fmt.Errorf("%w: no password of %d characters satisfies rules %q and the recipe",
			ErrConfig, length, r.Name)
	}
	g := &Generator{rules: r.Name, length: length, bits: math.Log2(counts[length]), automaton: a, rand: rc.Rand}
	if err := g.strongEnough(rc.MinBits, counts, r.shortest()); err != nil {
		return nil, err
	}
	if counts[length]/math.Pow(float64(len(symbols)), float64(length)) < leastShare {
		return nil, fmt.Errorf("%w: rules %q refuse nearly every string of %d characters: choose another length",
			ErrConfig, r.Name, length)
	}
	return g, nil
}

// Strength returns how long the recipe's passwords are, in characters, and their entropy in bits: what Plan finds, with
// Plan's errors.
func (r *Rules) Strength(rc Recipe) (length int, bits float64, err error) {
	g, err := r.Plan(rc)
	if err != nil {
		return 0, 0, err
	}
	return g.Length(), g.Bits(), nil
}

// symbols returns the alphabet to draw from: what the rules allow, with the special characters narrowed.
func (r *Rules) symbols(specials string) ([]byte, error) {
	if specials == "" {
		specials = defaultSpecials
	}
	var symbols []byte
	var allowed, chosen Class
	for _, c := range r.alphabet() {
		class := classOf(rune(c))
		allowed |= class
		if class != Special || strings.IndexByte(specials, c) >= 0 {
			symbols = append(symbols, c)
			chosen |= class
		}
	}
	if allowed != chosen {
		return nil, fmt.Errorf("%w: none of the special characters %s is among those that rules %q allow: %s",
			ErrConfig, specials, r.Name, r.Specials())
	}
	return symbols, nil
}

// strongEnough reports too few bits, and the least length that has enough. counts are by length.
func (g *Generator) strongEnough(wanted float64, counts []float64, shortest int) error {
	if wanted == 0 {
		wanted = defaultMinBits
	}
	if g.bits >= wanted {
		return nil
	}
	advice := "no length that they allow has more"
	best := g.bits
	for n := shortest; n < len(counts); n++ {
		switch bits := math.Log2(counts[n]); {
		case bits >= wanted:
			return g.tooWeak(wanted, fmt.Sprintf("%d would do", n))
		case bits > best:
			best = bits
			advice = fmt.Sprintf("the most that they allow is %s bits, with %d characters", floor1(best), n)
		}
	}
	return g.tooWeak(wanted, advice)
}

func (g *Generator) tooWeak(wanted float64, advice string) error {
	return fmt.Errorf("%w: %d characters under rules %q are %s bits, at least %g are wanted: %s",
		ErrConfig, g.length, g.rules, floor1(g.bits), wanted, advice)
}

// floor1 rounds bits down, so that too few never read as enough.
func floor1(bits float64) string { return fmt.Sprintf("%.1f", math.Floor(bits*10)/10) }

// Generate draws one password. See [Rules.Plan] for what it refuses, and [Generator.Generate] for the other errors.
func (r *Rules) Generate(rc Recipe) (Password, error) {
	g, err := r.Plan(rc)
	if err != nil {
		return Password{}, err
	}
	return g.Generate()
}

// Length returns the number of characters of a generated password.
func (g *Generator) Length() int { return g.length }

// Bits returns the entropy of a generated password, in bits, exact to within 1e-9: log2 of the number of passwords that
// Generate draws from.
func (g *Generator) Bits() float64 { return g.bits }

// Generate draws one password: whole strings, each equally likely, until one complies. It fails, without a password,
// when the source of randomness fails or gives nothing that complies. It allocates twice, for the password itself.
func (g *Generator) Generate() (Password, error) {
	var block [blockSize]byte
	var text [maxLength]byte
	defer func() {
		clear(block[:])
		clear(text[:])
	}()
	a, n := g.automaton, len(g.automaton.symbols)
	// Bytes from unbiased on are skipped: they would make the first symbols likelier.
	unbiased := 256 - 256%n
	state, length, present := begin, 0, Class(0)
	for range maxBlocks {
		if err := g.read(&block); err != nil {
			return Password{}, fmt.Errorf("generate a password: read random bytes: %w", err)
		}
		for _, b := range block {
			if int(b) >= unbiased {
				continue
			}
			symbol := int(b) % n
			state = int(a.next[state*n+symbol])
			text[length] = a.symbols[symbol]
			present |= a.class[symbol]
			length++
			switch {
			case state != dead && length < g.length:
				continue
			case state != dead && a.good[present]:
				return NewPassword(string(text[:length])), nil
			}
			state, length, present = begin, 0, 0
		}
	}
	return Password{}, errors.New("generate a password: the source of randomness gives none that complies")
}

// read fills the block. crypto/rand.Read does not let it escape to the heap; through an io.Reader a copy has to.
func (g *Generator) read(block *[blockSize]byte) error {
	if g.rand == nil {
		_, err := rand.Read(block[:])
		return err
	}
	heap := new([blockSize]byte)
	defer clear(heap[:])
	if _, err := io.ReadFull(g.rand, heap[:]); err != nil {
		return err
	}
	*block = *heap
	return nil
}
