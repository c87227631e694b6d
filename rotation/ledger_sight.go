package rotation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// sight is what one look at a shelf found. Nobody changes it afterwards.
type sight struct {
	secret string
	// current is nil when the secret has none. Its generation is that of the kept version that it equals.
	current     *Version
	currentSlot Slot
	value       *currentValue // of current; nil without one
	// equals is the newest kept version with current's user name and password. Without one, current is found: relock did
	// not make it, or it was never kept.
	equals *kept
	found  bool
	// previous is the generation that the current copy calls previous; zero when it does not say.
	previous int
	// kept holds every version, the highest generation first, of one generation the one that won first.
	kept     []kept
	archives []archive
	slots    []Slot
}

// kept is one version on the shelf, in a slot of its own or in an archive.
type kept struct {
	*Version
	name  string
	slot  string // empty when only an archive holds it
	order int64
	size  int // of its value, in bytes
}

// look reads current, and then the list: every version that current equalled is thereby in the list.
func (l *Ledger) look(ctx context.Context, secret string) (*sight, error) {
	var err error
	for range attempts {
		var s *sight
		var read []string
		s, read, err = l.lookOnce(ctx, secret)
		if p := s.candidate(); err == nil && (p == nil || !slices.Contains(read, p.slot)) {
			return s, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		// A version vanished between the list and its reading: a compaction moved it into an archive. Or the candidate
		// was read after the list, and under its name there may be another one by then, of somebody frozen for long. It
		// is the one that counts if it is listed after it was read. List again.
	}
	// Not ErrNotFound: that would say that there is no such stage.
	return nil, fmt.Errorf("secret %q: %w: its versions change while they are read: %w: %v", secret, ErrConflict, errUnlisted, err)
}

// lookOnce also returns the slots that it read after the list.
func (l *Ledger) lookOnce(ctx context.Context, secret string) (_ *sight, read []string, _ error) {
	is, text, err := l.Shelf.Read(ctx, secret, string(Current))
	var current *currentValue
	switch {
	case err == nil:
		if current, err = l.decodeCurrent(text); err != nil {
			return nil, nil, fmt.Errorf("secret %q: %w", secret, err)
		}
	case !errors.Is(err, ErrNotFound):
		return nil, nil, fmt.Errorf("read the current version of %q: %w", secret, err)
	}
	slots, err := l.Shelf.List(ctx, secret)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, fmt.Errorf("%w: the secret %q does not exist in this store and region: create it, or correct its name", ErrConfig, secret)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the versions of %q: %w", secret, err)
	}
	s, again := l.sight(secret, current, is, slots)
	if again {
		return s, nil, nil
	}
	for _, slot := range slots {
		fresh, err := l.readSlot(ctx, s, slot)
		if err != nil {
			return nil, nil, err
		}
		if fresh {
			read = append(read, slot.Name)
		}
	}
	s.arrange()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = s
	return s, read, nil
}

// currentValue is what current held. It is compared by its address.
type currentValue struct {
	raw      Password // so that it cannot print
	version  Version
	previous int
}

// decodeCurrent decodes a value once: current is read with every look.
func (l *Ledger) decodeCurrent(text []byte) (*currentValue, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil || !l.current.raw.is(text) {
		v, previous, err := decodeVersion(text)
		if err != nil {
			return nil, err
		}
		v.ID = string(Current)
		l.current = &currentValue{NewPassword(string(text)), v, previous}
	}
	return l.current, nil
}

// sight begins one with current as it was read; nil is none. again reports that nothing has changed since the last look,
// and that this is what it found.
func (l *Ledger) sight(secret string, current *currentValue, slot Slot, slots []Slot) (_ *sight, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.last; s != nil && s.secret == secret && s.value == current && s.currentSlot == slot && slices.Equal(s.slots, slots) {
		return s, true
	}
	s := &sight{secret: secret, value: current, currentSlot: slot, slots: slots, kept: make([]kept, 0, len(slots))}
	if current != nil {
		v := current.version
		s.current, s.previous = &v, current.previous
	}
	return s, false
}

// readSlot adds what a slot holds, and reports whether it was read now. Names that are not ours are left alone: they only
// take room.
func (l *Ledger) readSlot(ctx context.Context, s *sight, slot Slot) (fresh bool, _ error) {
	if _, _, ok := parseName(slot.Name); !ok && !isArchive(slot.Name) {
		return false, nil
	}
	held, fresh, err := l.held(ctx, s.secret, slot.Name)
	if err != nil {
		return fresh, fmt.Errorf("version %s of %q: %w", slot.Name, s.secret, err)
	}
	switch held := held.(type) {
	case archive:
		s.archives = append(s.archives, held)
		s.kept = append(s.kept, held.versions...)
	case kept:
		held.slot, held.order = slot.Name, slot.Order
		s.kept = append(s.kept, held)
	}
	return fresh, nil
}

// held returns the kept version or the archive in a slot of ours, and whether it was read now. Each slot is read once.
func (l *Ledger) held(ctx context.Context, secret, name string) (_ any, fresh bool, _ error) {
	key := [2]string{secret, name}
	l.mu.Lock()
	held, ok := l.seen[key]
	l.mu.Unlock()
	if ok {
		return held, false, nil
	}
	_, value, err := l.Shelf.Read(ctx, secret, name)
	if err != nil {
		return nil, true, fmt.Errorf("read it: %w", err)
	}
	if isArchive(name) {
		held, err = decodeArchive(name, value)
	} else {
		held, err = decodeKept(name, value)
	}
	if err != nil {
		return nil, true, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[[2]string]any{}
	}
	l.seen[key] = held
	return held, true, nil
}

// decodeKept reads a version by its name and value. The name has the last word: a person may have copied the fields.
func decodeKept(name string, value []byte) (kept, error) {
	v, err := DecodeVersion(value)
	if err != nil {
		return kept{}, err
	}
	generation, baseline, _ := parseName(name)
	v.ID, v.Generation = name, generation
	if strings.Contains(name, "-") {
		v.Baseline = baseline
	}
	return kept{Version: &v, name: name, size: len(value)}, nil
}

// arrange puts the kept versions in order, without repetitions, and finds current among them.
func (s *sight) arrange() {
	s.dropAliases()
	slices.SortStableFunc(s.kept, func(a, b kept) int {
		return cmp.Or(
			cmp.Compare(b.Generation, a.Generation),
			cmp.Compare(a.order, b.order),
			cmp.Compare(b.slot, a.slot), // in a slot before archived
			cmp.Compare(a.name, b.name),
		)
	})
	unique := s.kept[:0]
	for _, k := range s.kept {
		if !slices.ContainsFunc(unique, func(u kept) bool { return u.name == k.name && sameValue(*u.Version, *k.Version) }) {
			unique = append(unique, k)
		}
	}
	s.kept = unique
	if s.current == nil {
		return
	}
	if k := s.equal(s.current); k != nil {
		s.equals = k
		s.current.Generation, s.current.Baseline = k.Generation, k.Baseline
		s.current.Token, s.current.Created = k.Token, k.Created
		return
	}
	s.found = true
	s.current.Generation, s.current.Baseline, s.current.Token = max(s.highest(), s.named())+1, true, ""
	s.current.Created = time.Time{}
}

// named is the highest generation that any slot's name speaks of: of a version with several names all are taken.
func (s *sight) named() int {
	highest := 0
	for _, slot := range s.slots {
		if generation, _, ok := parseName(slot.Name); ok {
			highest = max(highest, generation)
		}
	}
	return highest
}

// dropAliases keeps of several names on one version the one that counts: a run that sees the list late labels what has a name.
func (s *sight) dropAliases() {
	names, byName := s.names(), map[string]string{}
	for _, slot := range s.slots {
		byName[slot.Name] = slot.Version
	}
	s.kept = slices.DeleteFunc(s.kept, func(k kept) bool {
		name, ok := names[byName[k.slot]]
		return ok && name != k.slot
	})
}

// names are the names that count, by the store's id of a version: what was created as a candidate is one, whatever it was
// labelled later, and of several the lowest.
func (s *sight) names() map[string]string {
	out := map[string]string{}
	for _, slot := range s.slots {
		_, baseline, ok := parseName(slot.Name)
		if !ok || slot.Version == "" {
			continue
		}
		name, known := out[slot.Version]
		_, worse, _ := parseName(name)
		if !known || worse && !baseline || worse == baseline && slot.Name < name {
			out[slot.Version] = slot.Name
		}
	}
	return out
}

// equal returns the newest kept version with v's user name and password, or nil.
func (s *sight) equal(v *Version) *kept {
	for i := range s.kept {
		if s.kept[i].SamePassword(*v) {
			return &s.kept[i]
		}
	}
	return nil
}

// generation returns the winner of a generation, or nil.
func (s *sight) generation(n int) *Version {
	for i := range s.kept {
		if s.kept[i].Generation == n {
			return s.kept[i].Version
		}
	}
	return nil
}

// versions are all that are kept, the newest first.
func (s *sight) versions() []Version {
	out := make([]Version, len(s.kept))
	for i := range s.kept {
		out[i] = *s.kept[i].Version
	}
	return out
}

// winner returns the candidate of a generation that counts, or its baseline; nil when there is none. A generation can
// have both where a name that is taken is not refused.
func (s *sight) winner(generation int, baseline bool) *kept {
	for i := range s.kept {
		if k := &s.kept[i]; k.Generation == generation && k.Baseline == baseline {
			return k
		}
	}
	return nil
}

// highest is the highest generation that a kept version has; zero without any.
func (s *sight) highest() int {
	if len(s.kept) == 0 {
		return 0
	}
	return s.kept[0].Generation
}

// now is current's generation; zero when the secret has no current.
func (s *sight) now() int {
	if s.current == nil {
		return 0
	}
	return s.current.Generation
}

// pending returns the highest generation above current's that is no baseline, or nil. What was archived had been
// superseded; a person who puts an old value back into current does not revive it.
func (s *sight) pending() *Version {
	if k := s.candidate(); k != nil {
		return k.Version
	}
	return nil
}

func (s *sight) candidate() *kept {
	if s == nil {
		return nil
	}
	for i := range s.kept {
		if k := &s.kept[i]; !k.Baseline && k.Generation > s.now() && k.slot != "" {
			return k
		}
	}
	return nil
}

// baseline answers a Propose of a baseline once it is kept.
func (s *sight) baseline(secret string) (Version, error) {
	if s.current == nil {
		return Version{}, fmt.Errorf("secret %q has no current value to keep: %w", secret, ErrNotFound)
	}
	return *s.current, nil
}

// answer returns what Propose of v answers as things stand, or nil when v may be created.
func (s *sight) answer(v Version) (*Version, error) {
	if s.now() >= v.Generation {
		return nil, fmt.Errorf("generation %d is current, generation %d comes too late: %w", s.now(), v.Generation, ErrConflict)
	}
	if p := s.pending(); p != nil && p.Generation >= v.Generation {
		return p, nil
	}
	if s.highest() >= v.Generation {
		return nil, fmt.Errorf("generation %d is taken: %w", v.Generation, ErrConflict)
	}
	return nil, nil
}

// mayPromote reports whether v is current already, or the kept version to promote, or why not.
func (s *sight) mayPromote(secret string, v Version) (done bool, _ *kept, _ error) {
	refuse := func(why string) (bool, *kept, error) {
		return false, nil, fmt.Errorf("secret %q: promote generation %d: %s: %w", secret, v.Generation, why, ErrConflict)
	}
	k := s.winner(v.Generation, false)
	switch {
	case k == nil || !k.SamePassword(v):
		return refuse("the store holds no such candidate")
	case s.found:
		return refuse("current holds a value that relock did not store; it was put there by hand")
	case s.now() == v.Generation && s.current.SamePassword(v):
		return true, k, nil
	case s.now() >= v.Generation:
		return refuse(fmt.Sprintf("generation %d is current", s.now()))
	case k.slot == "":
		return refuse("it is archived")
	}
	if p := s.pending(); p != nil && p.Generation > v.Generation {
		return refuse(fmt.Sprintf("generation %d is pending", p.Generation))
	}
	return false, k, nil
}
