package rotation

import (
	"context"
	"fmt"
	"strings"
)

// A Shelf is what a secrets manager offers to a Ledger: named, immutable values, and a current one. It makes no
// decisions. Errors match ErrNotFound, ErrExists, ErrFull, ErrThrottled and ErrUnauthorized where that is the cause;
// after any other error a write may or may not have happened.
type Shelf interface {
	// List returns every slot that takes room, foreign ones included. A secret without versions is an empty list; a
	// secret that does not exist is ErrNotFound.
	List(ctx context.Context, secret string) ([]Slot, error)
	// Read returns the slot of that name and its value. The names "current" and "previous" mean those stages.
	// ErrNotFound: there is none.
	Read(ctx context.Context, secret, name string) (Slot, []byte, error)
	// Create stores value under a new name, as neither current nor previous. Where the store can tell, a name that is
	// taken is ErrExists and nothing is written.
	Create(ctx context.Context, secret, name string, value []byte) error
	// Point makes the slot named to current, and the one that is current now, from, previous. from is zero when there
	// is no current. value is what a shelf whose current is a copy writes; others ignore it.
	Point(ctx context.Context, secret, to string, from Slot, value []byte) error
	// Remove gives the slot's room back. The stages current and previous keep what they point at. What is not there is
	// removed already.
	Remove(ctx context.Context, secret, name string) error
}

// A Labeler is a Shelf that can name a version which exists: the baseline then needs no copy. A name that is on another
// version moves.
type Labeler interface {
	Label(ctx context.Context, secret string, version Slot, name string) error
}

// A Slot is one name on a Shelf.
type Slot struct {
	Name string
	// Version is the store's own id of the version behind the name; names of one version share it. Empty where the
	// name is the id.
	Version string
	// Order is the store's order of creation, the first lowest; zero where the store has none.
	Order int64
}

// nameOf is the name of a version's slot: g00000042, with -c or -b (candidate, baseline) and a random part on a store that
// cannot refuse a name that is taken; suffix is empty on one that can. Archives are named a00000001-00000020-<hash>.
func nameOf(v Version, suffix string) string {
	name := fmt.Sprintf("g%08d", v.Generation)
	switch {
	case suffix == "":
		return name
	case v.Baseline:
		return name + "-b" + suffix
	}
	return name + "-c" + suffix
}

// parseName returns the generation that a name speaks of, and whether it says that this is a baseline; ok is false for
// names of archives and of others.
func parseName(name string) (generation int, baseline, ok bool) {
	number, rest, unique := strings.Cut(name, "-")
	if len(number) != len("g00000000") || number[0] != 'g' || unique && (len(rest) < 2 || rest[0] != 'b' && rest[0] != 'c') {
		return 0, false, false
	}
	generation, ok = decimal(number[1:])
	if !ok {
		return 0, false, false
	}
	return generation, unique && rest[0] == 'b', generation > 0
}

// isArchive reports whether a name is an archive's.
func isArchive(name string) bool {
	lowest, rest, _ := strings.Cut(name, "-")
	highest, sum, ok := strings.Cut(rest, "-")
	if len(lowest) != len("a00000000") || lowest[0] != 'a' || len(highest) != len("00000000") || !ok || strings.Contains(sum, "-") {
		return false
	}
	_, from := decimal(lowest[1:])
	_, to := decimal(highest)
	return from && to
}

// decimal reads a number that is written in nothing but digits.
func decimal(s string) (n int, ok bool) {
	for _, d := range []byte(s) {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int(d-'0')
	}
	return n, s != ""
}
