package rotation

import (
	"context"
	"fmt"
)

// typicalBytes is about what a version without fields of others takes.
const typicalBytes = 190

// Usage reports what a secret holds and about how many more generations fit.
func (l *Ledger) Usage(ctx context.Context, secret string) (Stored, error) {
	s, err := l.look(ctx, secret)
	if err != nil {
		return Stored{}, err
	}
	u := Stored{Generations: len(s.kept), Archives: len(s.archives), Slots: l.Slots, SlotsUsed: len(s.slots)}
	size := typicalBytes
	if len(s.kept) > 0 {
		u.Newest, u.Oldest = s.kept[0].Generation, s.kept[len(s.kept)-1].Generation
		size = s.kept[0].size
	}
	const wrapping = len(`{"name":"g00000000","value":},`)
	perArchive := l.MaxBytes / (size + wrapping)
	// Versions that are not yet archived leave their slots to archives; three and the copy of current stay.
	filled := 0
	for _, a := range s.archives {
		filled += a.size
	}
	slots := l.Slots - 1 - 4
	u.Room = max(0, slots*perArchive-filled/max(1, size+wrapping)-(len(s.kept)-countArchived(s)))
	return u, nil
}

func countArchived(s *sight) int {
	n := 0
	for _, k := range s.kept {
		if k.slot == "" {
			n++
		}
	}
	return n
}

// warning is what an operator should hear from 80 % on.
func (u Stored) warning() string {
	if total := u.Generations + u.Room; u.Generations < 10 || u.Generations*5 < total*4 {
		return ""
	}
	return fmt.Sprintf("the secret holds %d generations and has room for about %d more: relock forget makes room", u.Generations, u.Room)
}
