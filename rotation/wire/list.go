package wire

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// AtOnce is how many requests of one listing, or about one machine each, are under way at once.
const AtOnce = 10

// List reads all pages of a listing. read visits the page that begins at offset and returns the ids on it and how many
// there are in all; it is called by several goroutines. A machine that goes while pages are read moves the others, one
// of which then falls between two pages: until all pages agree, the list is read again. What read has visited is never
// unsaid.
func List(ctx context.Context, size int, read func(ctx context.Context, offset int) (ids []string, total int, err error)) error {
	const passes = 3
	for range passes {
		if whole, err := pass(ctx, size, read); err != nil || whole {
			return err
		}
	}
	return nil
}

// pass reads all pages once and reports whether they are of one piece.
func pass(ctx context.Context, size int, read func(context.Context, int) ([]string, int, error)) (whole bool, err error) {
	var mu sync.Mutex
	seen, all, torn := map[string]bool{}, -1, false
	one := func(ctx context.Context, offset int) error {
		ids, total, err := read(ctx, offset)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		torn = torn || all >= 0 && all != total
		all = total
		for _, id := range ids {
			seen[id] = true
		}
		return nil
	}
	if err := one(ctx, 0); err != nil {
		return false, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(AtOnce)
	for offset, last := size, all; offset < last; offset += size {
		group.Go(func() error { return one(ctx, offset) })
	}
	err = group.Wait()
	return !torn && len(seen) == all, err
}

// Deref returns the zero value for nil: the APIs leave out or null what they have no value for.
func Deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
