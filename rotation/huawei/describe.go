package huawei

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"golang.org/x/sync/errgroup"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Describe implements rotation.Fleet, in the order of ids. Malformed ids are an error matching rotation.ErrConfig that
// names them, before anything is sent.
func (f *Fleet) Describe(ctx context.Context, sel rotation.Selector) ([]rotation.Instance, error) {
	if sel.IsZero() {
		return nil, nil
	}
	var mu sync.Mutex
	found := map[string]rotation.Instance{} // pages that were cut while machines came and went repeat some
	visit := func(raw *model.ServerDetail) {
		inst := f.instance(raw)
		if sel.Matches(inst.ID, inst.Tags) {
			mu.Lock()
			defer mu.Unlock()
			found[inst.ID] = inst
		}
	}
	var err error
	if len(sel.IDs) == 0 {
		err = f.listAll(ctx, visit)
	} else if err = checkIDs(sel.IDs); err == nil {
		err = errors.Join(f.listByID(ctx, sel.IDs, visit)...)
	}
	if err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(found), func(a, b rotation.Instance) int { return cmp.Compare(a.ID, b.ID) }), nil
}

func checkIDs(ids []string) error {
	var bad []string
	for _, id := range ids {
		if !IsInstance(id) {
			bad = append(bad, fmt.Sprintf("%q", id))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: no ECS ids: %s: use ids like 616fb98f-46ca-475e-917e-2563e5a8cd19", rotation.ErrConfig, strings.Join(bad, ", "))
	}
	return nil
}

// pageSize is the most that one page has, idsAtOnce how many ids one request should ask for:
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0105.html.
const (
	pageSize  = 1000
	idsAtOnce = 100
)

// listAll calls visit, from several goroutines, with every machine of the project. What form the filter by tags takes, and
// whether it matches whole values, is not documented, and the request that lists by tags is discarded: so all are read,
// and the caller selects.
func (f *Fleet) listAll(ctx context.Context, visit func(*model.ServerDetail)) error {
	return wire.List(ctx, pageSize, func(ctx context.Context, offset int) ([]string, int, error) {
		size, number := int32(pageSize), int32(offset/pageSize+1)
		page, err := f.page(ctx, &model.ListServersDetailsRequest{Limit: &size, Offset: &number})
		if err != nil {
			return nil, 0, err
		}
		if page.Count == nil {
			return nil, 0, fmt.Errorf("%s: an answer without a count", listServers.Name)
		}
		var ids []string
		for i := range wire.Deref(page.Servers) {
			raw := &(*page.Servers)[i]
			ids = append(ids, raw.Id)
			if exists(raw) {
				visit(raw)
			}
		}
		return ids, int(*page.Count), nil
	})
}

// listByID calls visit, from several goroutines, with those of the machines that exist here. The errors are of the
// requests that failed; the others were visited.
func (f *Fleet) listByID(ctx context.Context, ids []string, visit func(*model.ServerDetail)) []error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var mu sync.Mutex
	var errs []error
	var group errgroup.Group
	group.SetLimit(wire.AtOnce)
	for chunk := range slices.Chunk(ids, idsAtOnce) {
		group.Go(func() error {
			size, list := int32(pageSize), strings.Join(chunk, ",")
			page, err := f.page(ctx, &model.ListServersDetailsRequest{Limit: &size, ServerId: &list})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				return nil
			}
			for i := range wire.Deref(page.Servers) {
				if raw := &(*page.Servers)[i]; contains(chunk, raw.Id) && exists(raw) {
					visit(raw)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // it returns none
	return errs
}

// exists reports whether there is a machine behind an item: of an unknown id the provider returns one that has nothing but
// the id and a fault.
func exists(raw *model.ServerDetail) bool { return raw.Id != "" && raw.Status != "" }
