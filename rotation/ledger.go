package rotation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// A Ledger is the Store over a Shelf: the logic that is the same for all secrets managers and dangerous to get wrong.
//
// A generation is the compare-and-set: its candidate is chosen once and everybody else adopts it. Pending is derived:
// the highest generation above current's that is no baseline. Nothing is overwritten; what is compacted stays readable.
type Ledger struct {
	Shelf Shelf
	// Slots is how many slots the store has. CompactAt is the number in use from which room is made before anything is
	// created. MaxBytes is the largest value. None may be zero.
	Slots, CompactAt, MaxBytes int
	// Suffix returns a random part for names, in hexadecimal, on a store that cannot refuse a name that is taken. Nil
	// means that Create is create-if-absent.
	Suffix func() string

	// seen holds what was read from slots, by secret and name: their values do not change. A Ledger lives as long as one
	// invocation.
	mu      sync.Mutex
	seen    map[[2]string]any
	last    *sight
	current *currentValue // that was decoded last
	offers  map[offerKey]*offer
}

// An offer is a version that this invocation proposes, and what it has done for it. A store may list it late.
type offer struct {
	suffix  string
	keeps   *currentValue // the value of current that suffix was given to
	created bool
}

type offerKey struct {
	secret     string
	generation int
	baseline   bool
}

// offer is what was done for v so far, also by an earlier Propose.
func (l *Ledger) offer(secret string, v Version) *offer {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := offerKey{secret, v.Generation, v.Baseline}
	if l.offers[key] == nil {
		if l.offers == nil {
			l.offers = map[offerKey]*offer{}
		}
		l.offers[key] = &offer{suffix: l.suffix()}
	}
	return l.offers[key]
}

// errUnlisted says that a store does not show what it holds: looking again later may.
var errUnlisted = errors.New("the store does not list what was stored, or lists what it does not hold")

var _ Store = (*Ledger)(nil)

// attempts bounds how often a call looks again because others are at work.
const attempts = 6

// Get implements Store.
func (l *Ledger) Get(ctx context.Context, secret string, stage Stage) (Version, error) {
	s, err := l.look(ctx, secret)
	if err != nil {
		return Version{}, err
	}
	var v *Version
	switch stage {
	case Current:
		v = s.current
	case Pending:
		v = s.pending()
	case Previous:
		if v, err = l.previous(ctx, secret, s); err != nil {
			return Version{}, err
		}
	}
	if v == nil {
		return Version{}, fmt.Errorf("secret %q: stage %s: %w", secret, stage, ErrNotFound)
	}
	return *v, nil
}

// previous returns nil when there is none.
func (l *Ledger) previous(ctx context.Context, secret string, s *sight) (*Version, error) {
	if s.previous > 0 {
		return s.generation(s.previous), nil
	}
	_, value, err := l.Shelf.Read(ctx, secret, string(Previous))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the previous version of %q: %w", secret, err)
	}
	v, err := DecodeVersion(value)
	if err != nil {
		return nil, err
	}
	if k := s.equal(&v); k != nil {
		return k.Version, nil
	}
	return &v, nil
}

// History implements Store. A current value that is not kept yet leads the list as the baseline that it would become.
func (l *Ledger) History(ctx context.Context, secret string) ([]Version, error) {
	s, err := l.look(ctx, secret)
	if err != nil {
		return nil, err
	}
	all := make([]Version, 0, len(s.kept)+1)
	if s.found {
		v := *s.current
		v.Stage = Current
		all = append(all, v)
	}
	pending := s.pending()
	for i := range s.kept {
		v := *s.kept[i].Version
		switch {
		case pending == s.kept[i].Version:
			v.Stage = Pending
		case s.equals == &s.kept[i]:
			v.Stage, v.Extra = Current, s.current.Extra
		}
		all = append(all, v)
	}
	return all, nil
}

// Propose implements Store.
func (l *Ledger) Propose(ctx context.Context, secret string, v Version) (Version, error) {
	value, err := v.Encode()
	if err != nil {
		return Version{}, err
	}
	// The copy that consumers read also says which generation was previous.
	if size := len(value) + len(`"previous":,`) + len(strconv.Itoa(v.Generation)); size > l.MaxBytes {
		return Version{}, fmt.Errorf("%w: secret %q: the value would be %d bytes, the store takes %d: remove fields from the current value",
			ErrConfig, secret, size, l.MaxBytes)
	}
	o, late := l.offer(secret, v), false
	for range attempts {
		// Every turn reads current, then the list. The turn after a create is thereby its read-back: whoever created
		// meanwhile, and whatever a person put into current, is seen before anything is sent.
		s, err := l.look(ctx, secret)
		if err != nil {
			return Version{}, err
		}
		if s.found {
			// A name is given once: where names move, and the list is out of date, it would be taken off what it was given to.
			if o.keeps != nil && o.keeps != s.value {
				o.suffix = l.suffix()
			}
			late, o.keeps = o.keeps == s.value, s.value
			if err := l.keep(ctx, secret, s, o.suffix); err != nil {
				return Version{}, err
			}
			continue
		}
		if v.Baseline {
			if len(s.slots) >= l.CompactAt { // now, when nothing is pending, rather than in the midst of a rotation
				if err := l.makeRoom(ctx, secret); err != nil && !errors.Is(err, ErrFull) {
					return Version{}, err
				}
			}
			return s.baseline(secret)
		}
		if answer, err := s.answer(v); err != nil || answer != nil {
			return deref(answer), err
		}
		if late = o.created; late {
			// It is listed late. Where a name that is taken is not refused, creating it again would move the name to a later
			// version: the candidate that won could lose, after it was sent.
			continue
		}
		// Whoever read the secret before its first candidate was there, and offers the next number, hands on that one's birth.
		if birth := birthOf(s.versions()); birth != "" && birth != v.Birth {
			v.Birth = birth
			if value, err = v.Encode(); err != nil {
				return Version{}, err
			}
		}
		if err := l.makeRoom(ctx, secret); err != nil {
			return l.afterLostCreate(ctx, secret, v, err)
		}
		if err := l.Shelf.Create(ctx, secret, nameOf(v, o.suffix), value); err != nil && !errors.Is(err, ErrExists) {
			o.suffix = l.suffix() // the name may be taken
			return l.afterLostCreate(ctx, secret, v, err)
		}
		o.created = true
	}
	if late {
		return Version{}, fmt.Errorf("secret %q: propose generation %d: %w", secret, v.Generation, errUnlisted)
	}
	return Version{}, fmt.Errorf("secret %q: propose generation %d: others keep changing it: %w", secret, v.Generation, ErrConflict)
}

// afterLostCreate asks the store what became of a create whose answer was an error, which proves nothing, or that was
// refused for lack of room: meanwhile somebody else may have created what is to be adopted.
func (l *Ledger) afterLostCreate(ctx context.Context, secret string, v Version, cause error) (Version, error) {
	cause = fmt.Errorf("store generation %d of %q: %w", v.Generation, secret, cause)
	s, err := l.look(ctx, secret)
	if err != nil || s.found {
		return Version{}, cause
	}
	answer, err := s.answer(v)
	if err != nil {
		return Version{}, err
	}
	if answer == nil {
		return Version{}, cause
	}
	return *answer, nil
}

func deref(v *Version) Version {
	if v == nil {
		return Version{}
	}
	return *v
}

// keep stores the current value, which no generation holds, as the next generation: the baseline. Losing a race for the
// number is fine, and so is that a person has replaced the value, which then is not there to be labelled any more: the
// caller looks again.
func (l *Ledger) keep(ctx context.Context, secret string, s *sight, suffix string) error {
	if err := l.makeRoom(ctx, secret); err != nil {
		return err
	}
	name := nameOf(*s.current, suffix)
	var err error
	if labeler, ok := l.Shelf.(Labeler); ok {
		err = labeler.Label(ctx, secret, s.currentSlot, name)
	} else {
		var value []byte
		if value, err = s.current.Encode(); err != nil {
			return err
		}
		err = l.Shelf.Create(ctx, secret, name, value)
	}
	if err != nil && !errors.Is(err, ErrExists) && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("keep the current value of %q as generation %d: %w", secret, s.current.Generation, err)
	}
	return nil
}

// Promote implements Store.
func (l *Ledger) Promote(ctx context.Context, secret string, v Version) error {
	if v.Baseline {
		return fmt.Errorf("secret %q: generation %d is a baseline, which is never promoted: %w", secret, v.Generation, ErrConflict)
	}
	var lost error
	for range 2 {
		s, err := l.look(ctx, secret)
		if err != nil {
			return err
		}
		done, k, err := s.mayPromote(secret, v)
		if err != nil || done {
			return err
		}
		previous := 0
		if s.current != nil {
			previous = s.current.Generation
		}
		value, err := k.encode(previous)
		if err != nil {
			return err
		}
		// After the write, whatever it answered, the next turn reads what is current. A second write is for the case
		// that a slower writer's older value landed on ours.
		lost = l.Shelf.Point(ctx, secret, k.slot, s.currentSlot, value)
	}
	s, err := l.look(ctx, secret)
	if err != nil {
		return errors.Join(lost, err)
	}
	done, _, err := s.mayPromote(secret, v)
	if err != nil || done {
		return err
	}
	if lost == nil {
		lost = ErrConflict
	}
	return fmt.Errorf("make generation %d of %q current: %w", v.Generation, secret, lost)
}

func (l *Ledger) suffix() string {
	if l.Suffix == nil {
		return ""
	}
	return l.Suffix()
}
