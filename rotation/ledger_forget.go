package rotation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Forgettable returns the generations below before, newest first: those that Forget would drop, or why it would not. It
// changes nothing.
func (l *Ledger) Forgettable(ctx context.Context, secret string, before int) ([]int, error) {
	s, err := l.look(ctx, secret)
	if err != nil {
		return nil, err
	}
	return s.below(before), l.mayForget(ctx, secret, s, before)
}

// Forget drops every generation below before, for good. It is for an operator who knows that no machine has one of them:
// no run does it. It refuses, matching ErrConfig, what would drop the generation of current or previous or a higher one,
// and, matching ErrConflict, while a version is pending or current holds what is not kept. It may be repeated, also when
// it died at any of its calls: what is not below before stays readable at every moment, others at work or not. Numbers
// are not used again. An archive that an overlapping invocation writes may hold what was dropped: repeat it then.
func (l *Ledger) Forget(ctx context.Context, secret string, before int) error {
	for range 2 * l.Slots {
		s, err := l.look(ctx, secret)
		if err != nil {
			return err
		}
		if err := l.mayForget(ctx, secret, s, before); err != nil {
			return err
		}
		if len(s.below(before)) == 0 {
			return nil
		}
		// What goes as a whole goes first: it makes room for the archives that go in part.
		if gone, err := l.dropWhole(ctx, secret, s, before); err != nil {
			return err
		} else if gone {
			continue
		}
		if err := l.dropParts(ctx, secret, s, before); err != nil {
			return err
		}
	}
	return fmt.Errorf("forget the generations before %d of %q: others keep changing it: %w", before, secret, ErrConflict)
}

// below returns the kept generations below n, newest first.
func (s *sight) below(n int) []int {
	var out []int
	for _, k := range s.kept {
		if k.Generation < n {
			out = append(out, k.Generation)
		}
	}
	return slices.Compact(out)
}

// mayForget returns why the generations below before have to stay, or nil.
func (l *Ledger) mayForget(ctx context.Context, secret string, s *sight, before int) error {
	switch p := s.pending(); {
	case before < 1:
		return fmt.Errorf("%w: forget before generation %d: generations begin with 1", ErrConfig, before)
	case s.current == nil:
		return fmt.Errorf("the secret %q has no current version: %w", secret, ErrConflict)
	case s.found:
		return fmt.Errorf("current of %q holds what is not kept as a generation yet: relock rotate keeps it: %w", secret, ErrConflict)
	case p != nil:
		return fmt.Errorf("generation %d of %q is pending: relock resume goes on with it: %w", p.Generation, secret, ErrConflict)
	case before > s.now():
		return fmt.Errorf("%w: forget before generation %d: generation %d is current, and stays", ErrConfig, before, s.now())
	}
	previous, err := l.previousKept(ctx, secret, s)
	if err != nil {
		return err
	}
	if previous > 0 && before > previous {
		return fmt.Errorf("%w: forget before generation %d: generation %d is previous, and stays", ErrConfig, before, previous)
	}
	return nil
}

// previousKept returns the generation that consumers may still read as previous, the lower one in doubt; zero without one.
func (l *Ledger) previousKept(ctx context.Context, secret string, s *sight) (int, error) {
	if s.previous > 0 {
		return s.previous, nil
	}
	below := s.before(s.now())
	v, err := l.previous(ctx, secret, s)
	if err != nil || v == nil {
		return below, err
	}
	if k := s.equal(v); k != nil && k.Generation < s.now() {
		return min(k.Generation, cmp.Or(below, k.Generation)), nil
	}
	return below, nil
}

// dropWhole removes the slots that hold nothing but generations below before, and reports whether there were any.
func (l *Ledger) dropWhole(ctx context.Context, secret string, s *sight, before int) (bool, error) {
	gone := false
	for _, slot := range s.doomed(before) {
		same := func(now Slot, value []byte) bool {
			held, _, err := l.held(ctx, secret, slot.Name)
			k, ok := held.(kept)
			fresh, damaged := decodeKept(slot.Name, value)
			return err == nil && ok && damaged == nil && now.Version == slot.Version && sameValue(*fresh.Version, *k.Version)
		}
		if err := l.drop(ctx, secret, slot.Name, same); err != nil {
			return gone, err
		}
		gone = true
	}
	for _, a := range s.archives {
		if a.highest() >= before {
			continue
		}
		if err := l.drop(ctx, secret, a.slot, covered(a.slot, before, archive{})); err != nil {
			return gone, err
		}
		gone = true
	}
	return gone, nil
}

// doomed returns the slots of single versions below before. Of several names on one version the one that counts says its
// generation, and goes last: the version would else be another generation.
func (s *sight) doomed(before int) []Slot {
	names := s.names()
	counts := func(slot Slot) string { return cmp.Or(names[slot.Version], slot.Name) }
	out := slices.DeleteFunc(slices.Clone(s.slots), func(slot Slot) bool {
		_, _, ours := parseName(slot.Name)
		n, _, _ := parseName(counts(slot))
		return !ours || n >= before
	})
	slices.SortFunc(out, func(a, b Slot) int {
		if counts(a) != counts(b) {
			return cmp.Compare(counts(b), counts(a))
		}
		if a.Name == counts(a) {
			return 1
		}
		return -1
	})
	return out
}

// highest is the highest generation in the archive; zero in an empty one.
func (a archive) highest() int {
	n := 0
	for _, k := range a.versions {
		n = max(n, k.Generation)
	}
	return n
}

// dropParts rewrites an archive that holds generations on both sides of before. The new one is written and read back
// before the old one goes.
func (l *Ledger) dropParts(ctx context.Context, secret string, s *sight, before int) error {
	i := slices.IndexFunc(s.archives, func(a archive) bool {
		return slices.ContainsFunc(a.versions, func(k kept) bool { return k.Generation < before })
	})
	if i < 0 {
		return nil // others are moving what is left: the caller looks again
	}
	old := s.archives[i]
	stays := archiveValue{Rank: old.rank + 1}
	for j, e := range old.entries {
		if old.versions[j].Generation >= before {
			stays.Archive = append(stays.Archive, e)
		}
	}
	name, value := encodeArchive(stays)
	written := slices.ContainsFunc(s.slots, func(slot Slot) bool { return slot.Name == name })
	if !written && len(s.slots) >= l.Slots {
		return fmt.Errorf("secret %q: archive %s holds more than goes, and all %d versions are in use, so that it cannot be rewritten: forget before generation %d, which takes it as a whole: %w",
			secret, old.slot, l.Slots, old.highest()+1, ErrFull)
	}
	if err := l.writeArchive(ctx, secret, name, value); err != nil {
		return err
	}
	fresh, err := decodeArchive(name, value)
	if err != nil {
		return err
	}
	return l.drop(ctx, secret, old.slot, covered(old.slot, before, fresh))
}

// covered says of an archive's value that nothing in it is lost but generations below before: b holds the rest.
func covered(name string, before int, b archive) func(Slot, []byte) bool {
	return func(_ Slot, value []byte) bool {
		a, err := decodeArchive(name, value)
		return err == nil && !slices.ContainsFunc(a.versions, func(k kept) bool { return k.Generation >= before && !b.holds(k) })
	}
}

// drop removes a slot once it was read again and its value is one that may go. What is gone is dropped already.
func (l *Ledger) drop(ctx context.Context, secret, name string, mayGo func(Slot, []byte) bool) error {
	slot, value, err := l.Shelf.Read(ctx, secret, name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s of %q before it is removed: %w", name, secret, err)
	}
	if !mayGo(slot, value) {
		return fmt.Errorf("version %s of %q holds something else than a moment ago, and stays: %w", name, secret, ErrConflict)
	}
	if err := l.Shelf.Remove(ctx, secret, name); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("remove %s of %q: %w", name, secret, err)
	}
	return nil
}
