package rotation

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// nameSep joins the names of rules in the name of their intersection.
const nameSep = " ∩ "

// Intersect returns rules whose passwords are exactly those that all of rs accept. When no password is, the error says
// which two disagree and how, and matches ErrConfig; so does the error for no rules at all.
func Intersect(rs ...*Rules) (*Rules, error) {
	all, members, err := join(rs)
	if err == nil && !all.satisfiable() {
		return nil, fmt.Errorf("%w: %s", ErrConfig, disagreement(members))
	}
	return all, err
}

// join returns rules as Intersect does, but satisfiable or not, and those of rs that differ.
func join(rs []*Rules) (all *Rules, members []*Rules, err error) {
	for _, r := range rs {
		if r == nil {
			return nil, nil, fmt.Errorf("%w: intersect password rules: one of them is nil", ErrConfig)
		}
		same := func(m *Rules) bool { return m == r || reflect.DeepEqual(m, r) }
		if !slices.ContainsFunc(members, same) {
			members = append(members, r)
		}
	}
	if len(members) == 0 {
		return nil, nil, fmt.Errorf("%w: intersect password rules: there are none", ErrConfig)
	}
	if len(members) > 1 {
		return merge(members), members, nil
	}
	return members[0], members, nil
}

// merge returns the conjunction of the members, satisfiable or not.
func merge(members []*Rules) *Rules {
	all := *members[0]
	var names, sources []string
	for _, m := range members {
		names = appendNew(names, strings.Split(m.Name, nameSep)...)
		sources = appendNew(sources, strings.Split(m.Source, "; ")...)
	}
	all.Name, all.Source = strings.Join(names, nameSep), strings.Join(sources, "; ")
	all.Mixes, all.Bans = slices.Clone(all.Mixes), slices.Clone(all.Bans)
	for _, m := range members[1:] {
		all.MinLength = max(all.MinLength, m.MinLength)
		all.MaxLength = min(all.MaxLength, m.MaxLength)
		all.Characters = common(all.Characters, m.Characters)
		all.NotFirst = string(appendNew([]rune(all.NotFirst), []rune(m.NotFirst)...))
		for _, mix := range m.Mixes {
			if !slices.ContainsFunc(all.Mixes, func(x Mix) bool { return reflect.DeepEqual(x, mix) }) {
				all.Mixes = append(all.Mixes, mix)
			}
		}
		for _, ban := range m.Bans {
			if !slices.ContainsFunc(all.Bans, func(x Ban) bool { return reflect.DeepEqual(x, ban) }) {
				all.Bans = append(all.Bans, ban)
			}
		}
	}
	return &all
}

func appendNew[T comparable](to []T, items ...T) []T {
	for _, item := range items {
		if !slices.Contains(to, item) {
			to = append(to, item)
		}
	}
	return to
}

// common returns the characters of a that b has too.
func common(a, b string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(b, c) {
			return c
		}
		return -1
	}, a)
}

// satisfiable reports whether any password complies.
func (r *Rules) satisfiable() bool {
	if r.shortest() > r.longest() {
		return false
	}
	a := compile(r, r.alphabet(), 0)
	for _, longest := range []int{r.shortest(), r.longest()} { // the shortest nearly always will do, and is quick
		counts := a.counts(longest)
		if slices.ContainsFunc(counts[r.shortest():], func(n float64) bool { return n > 0 }) {
			return true
		}
	}
	return false
}

// disagreement says why no password satisfies all members: because of one, else because of two, else of all.
func disagreement(members []*Rules) string {
	for _, m := range members {
		if !m.satisfiable() {
			return fmt.Sprintf("no password satisfies rules %q by themselves: %s", m.Name, obstacle(m))
		}
	}
	for i, a := range members {
		for _, b := range members[i+1:] {
			if both := merge([]*Rules{a, b}); !both.satisfiable() {
				return disagreementOfTwo(a, b, both)
			}
		}
	}
	all := merge(members)
	return fmt.Sprintf("no password satisfies all of rules %q: %s", all.Name, obstacle(all))
}

func disagreementOfTwo(a, b, both *Rules) string {
	if b.shortest() > a.longest() {
		a, b = b, a
	}
	if a.shortest() > b.longest() {
		return fmt.Sprintf("rules %q need at least %d characters, rules %q allow at most %d",
			a.Name, a.shortest(), b.Name, b.longest())
	}
	return fmt.Sprintf("no password satisfies both rules %q and rules %q: %s", a.Name, b.Name, obstacle(both))
}

// obstacle says what makes rules unsatisfiable.
func obstacle(r *Rules) string {
	if r.shortest() > r.longest() {
		return fmt.Sprintf("at least %d characters are needed and at most %d allowed", r.shortest(), r.longest())
	}
	alphabet := r.alphabet()
	if len(alphabet) == 0 {
		return "no character is allowed"
	}
	var present Class
	for _, c := range alphabet {
		present |= classOf(rune(c))
	}
	if !r.meets(present) {
		var mixes []string
		for _, mix := range r.Mixes {
			if !mix.meets(present) {
				mixes = append(mixes, mix.String())
			}
		}
		return fmt.Sprintf("only %s are allowed, and %s are needed",
			classList(present.split()), strings.Join(mixes, " and "))
	}
	return "lengths, first characters and forbidden words leave none"
}
