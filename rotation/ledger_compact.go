package rotation

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// archive is one immutable slot that holds many versions.
type archive struct {
	slot     string
	entries  []entry
	versions []kept // of the entries
	rank     int
	size     int
}

// entry is one version in an archive.
type entry struct {
	Name  string          `json:"name"`
	Order int64           `json:"order,omitempty"`
	Value json.RawMessage `json:"value"`
}

func (e entry) equal(f entry) bool { return e.Name == f.Name && bytes.Equal(e.Value, f.Value) }

type archiveValue struct {
	Archive []entry `json:"archive"`
	// Rank is how often what the archive holds was rewritten without generations that were forgotten; see within.
	Rank int `json:"rank,omitempty"`
}

func decodeArchive(name string, value []byte) (archive, error) {
	var a archiveValue
	if err := json.Unmarshal(value, &a); err != nil {
		return archive{}, fmt.Errorf("archive %s is damaged: it is no archive", name)
	}
	out := archive{slot: name, entries: a.Archive, rank: a.Rank, size: len(value)}
	for i, e := range a.Archive {
		k, err := decodeEntry(e)
		if err != nil {
			// Not the entry's name: it is a piece of the value.
			return archive{}, fmt.Errorf("archive %s is damaged at entry %d: %w", name, i+1, err)
		}
		out.versions = append(out.versions, k)
	}
	return out, nil
}

func decodeEntry(e entry) (kept, error) {
	if _, _, ok := parseName(e.Name); !ok {
		return kept{}, errors.New("no version's name")
	}
	k, err := decodeKept(e.Name, e.Value)
	k.order = e.Order
	return k, err
}

func (a archive) holds(k kept) bool {
	return slices.ContainsFunc(a.versions, func(v kept) bool { return v.name == k.name && sameValue(*v.Version, *k.Version) })
}

// within reports whether b holds all that a holds, so that a may go. Never for the sake of an archive of a lower rank: a
// Forget that has rewritten b as a is about to remove b.
func (a archive) within(b archive) bool {
	if a.rank > b.rank {
		return false
	}
	for _, k := range a.versions {
		if !b.holds(k) {
			return false
		}
	}
	return true
}

func sameValue(a, b Version) bool {
	x, errX := a.Encode()
	y, errY := b.Encode()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// makeRoom compacts until few slots are in use, and refuses with ErrFull when the last free slot but one would be taken:
// that one is for the archive of a later compaction. It is called before anything is created.
func (l *Ledger) makeRoom(ctx context.Context, secret string) error {
	for range 2 * l.Slots {
		s, err := l.look(ctx, secret)
		if err != nil {
			return err
		}
		if len(s.slots) < l.CompactAt {
			return nil
		}
		// What is held twice goes first: that needs no free slot. Without it, overlapping or dying compactions fill the
		// store for ever.
		if gone, err := l.sweep(ctx, secret, s); err != nil {
			return err
		} else if gone {
			continue
		}
		name, value := l.nextArchive(s)
		if name == "" || len(s.slots) >= l.Slots {
			if len(s.slots) >= l.Slots-1 {
				return fmt.Errorf("secret %q holds %d of %d versions and nothing can be compacted: %w: relock forget makes room", secret, len(s.slots), l.Slots, ErrFull)
			}
			return nil
		}
		if err := l.writeArchive(ctx, secret, name, value); err != nil {
			return err
		}
	}
	return fmt.Errorf("make room in %q: others keep changing it: %w", secret, ErrConflict)
}

// writeArchive stores an archive and reads it back: only what is proven to be in the store may replace anything.
func (l *Ledger) writeArchive(ctx context.Context, secret, name string, value []byte) error {
	lost := l.Shelf.Create(ctx, secret, name, value)
	_, got, err := l.Shelf.Read(ctx, secret, name)
	if lost != nil && errors.Is(err, ErrNotFound) {
		err = lost
	}
	if err != nil {
		return fmt.Errorf("archive old versions of %q: %w", secret, err)
	}
	if !bytes.Equal(got, value) {
		return fmt.Errorf("archive old versions of %q: %s reads back differently: %w", secret, name, ErrConflict)
	}
	return nil
}

// sweep removes what another slot holds as well: versions that an archive holds, archives within a larger one, second
// names of one version. It reports whether anything went.
func (l *Ledger) sweep(ctx context.Context, secret string, s *sight) (bool, error) {
	var gone bool
	for _, name := range s.redundant() {
		same, err := l.compare(ctx, secret, name)
		if err != nil {
			return gone, fmt.Errorf("compare %s of %q before it is removed: %w", name, secret, err)
		}
		if gone = true; !same {
			continue
		}
		if err := l.Shelf.Remove(ctx, secret, name); err != nil && !errors.Is(err, ErrNotFound) {
			return gone, fmt.Errorf("remove %s of %q, which an archive holds: %w", name, secret, err)
		}
	}
	return gone, nil
}

// compare reads a version again and reports whether it is still what was read: under a name that a compaction freed,
// somebody who was frozen since then may have stored another candidate. If so, what was read is forgotten. An archive's
// name says what it holds.
func (l *Ledger) compare(ctx context.Context, secret, name string) (bool, error) {
	key := [2]string{secret, name}
	l.mu.Lock()
	was, ok := l.seen[key].(kept)
	if ok {
		delete(l.seen, key)
		l.last = nil
	}
	l.mu.Unlock()
	if !ok {
		return true, nil
	}
	now, _, err := l.held(ctx, secret, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return sameValue(*now.(kept).Version, *was.Version), nil
}

func (s *sight) redundant() []string {
	var names []string
	for _, slot := range s.slots {
		if _, _, ok := parseName(slot.Name); !ok {
			continue
		}
		i := slices.IndexFunc(s.kept, func(k kept) bool { return k.slot == slot.Name })
		switch {
		case i < 0:
			names = append(names, slot.Name) // a second name of a version that has a lower one
		case s.stays(s.kept[i]):
		case slices.ContainsFunc(s.archives, func(a archive) bool { return a.holds(s.kept[i]) }):
			names = append(names, slot.Name)
		}
	}
	for _, a := range s.archives {
		for _, b := range s.archives {
			// Of two equal archives the higher name goes, so that two runs at once do not remove both.
			if a.slot != b.slot && a.within(b) && (!b.within(a) || a.slot > b.slot) {
				names = append(names, a.slot)
				break
			}
		}
	}
	return names
}

// stays reports whether a version must keep a slot of its own: the highest, what is pending, current's and previous'. A
// candidate that lost against another of its generation need not: nobody makes it current.
func (s *sight) stays(k kept) bool {
	if w := s.winner(k.Generation, k.Baseline); w != nil && w.name != k.name {
		return false
	}
	if p := s.pending(); p != nil && p.Generation == k.Generation {
		return true
	}
	return k.Generation == s.highest() || k.Generation == s.now() || k.Generation == s.previous ||
		(s.previous == 0 && k.Generation == s.before(s.now()))
}

// before returns the highest kept generation below n; zero without one.
func (s *sight) before(n int) int {
	for _, k := range s.kept {
		if k.Generation < n {
			return k.Generation
		}
	}
	return 0
}

// nextArchive returns the name and value of the archive that frees the most slots: the smallest archives, absorbed, and
// the oldest versions, as many as fit. An empty name means that none frees any.
func (l *Ledger) nextArchive(s *sight) (string, []byte) {
	archives := slices.Clone(s.archives)
	slices.SortFunc(archives, func(a, b archive) int { return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.slot, b.slot)) })
	var best, absorbed archiveValue
	most := 1 // what the archive itself takes
	for i := range len(archives) + 1 {
		filled, versions := l.fill(absorbed, s)
		if freed := i + versions; freed > most || freed == most && best.Archive != nil {
			best, most = filled, freed
		}
		if i < len(archives) {
			if absorbed = absorbed.with(archives[i]); !l.fits(absorbed) {
				break
			}
		}
	}
	if best.Archive == nil {
		return "", nil
	}
	return encodeArchive(best)
}

// with adds what another archive holds, once.
func (a archiveValue) with(b archive) archiveValue {
	out := archiveValue{slices.Clone(a.Archive), max(a.Rank, b.rank)}
	for _, e := range b.entries {
		if !slices.ContainsFunc(out.Archive, e.equal) {
			out.Archive = append(out.Archive, e)
		}
	}
	return out
}

func (l *Ledger) fits(a archiveValue) bool {
	value, err := marshal(a)
	return err == nil && len(value) <= l.MaxBytes
}

// fill adds the oldest versions that need no slot of their own, as many as fit, and returns how many those are.
func (l *Ledger) fill(a archiveValue, s *sight) (archiveValue, int) {
	a.Archive = slices.Clone(a.Archive)
	n := 0
	for _, k := range slices.Backward(s.kept) {
		if k.slot == "" || s.stays(k) {
			continue
		}
		value, err := k.Encode()
		more := archiveValue{append(a.Archive, entry{k.name, k.order, value}), a.Rank}
		if err != nil || !l.fits(more) {
			break
		}
		a, n = more, n+1
	}
	return a, n
}

// encodeArchive names an archive by what it holds: the same contents have the same name.
func encodeArchive(a archiveValue) (string, []byte) {
	entries := slices.Clone(a.Archive)
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.Value, b.Value))
	})
	entries = slices.CompactFunc(entries, entry.equal)
	value, err := marshal(archiveValue{entries, a.Rank})
	if err != nil {
		return "", nil
	}
	lowest, _, _ := parseName(entries[0].Name)
	highest, _, _ := parseName(entries[len(entries)-1].Name)
	sum := sha256.Sum256(value)
	return fmt.Sprintf("a%08d-%08d-%s", lowest, highest, hex.EncodeToString(sum[:6])), value
}
