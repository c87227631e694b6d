package tencent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
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
	found, wanted := collection{byID: map[string]rotation.Instance{}}, map[string]bool{}
	for _, id := range sel.IDs {
		wanted[id] = true
	}
	visit := func(raw *cvm.Instance) {
		if raw == nil || wire.Deref(raw.InstanceId) == "" || len(wanted) > 0 && !wanted[*raw.InstanceId] {
			return
		}
		inst := f.instance(raw)
		one := sel
		if len(wanted) > 0 {
			one.IDs = []string{inst.ID} // it is wanted: no search among all of them
		}
		if one.Matches(inst.ID, inst.Tags) {
			found.add(inst)
		}
	}
	if err := f.list(ctx, sel, visit); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(found.byID), func(a, b rotation.Instance) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// collection holds machines once each; pages that were cut while machines came and went repeat some.
type collection struct {
	mu   sync.Mutex
	byID map[string]rotation.Instance
}

func (c *collection) add(inst rotation.Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[inst.ID] = inst
}

// list calls visit, from several goroutines, with every machine that sel might mean, and with others.
func (f *Fleet) list(ctx context.Context, sel rotation.Selector, visit func(*cvm.Instance)) error {
	if len(sel.IDs) == 0 {
		return f.listByTags(ctx, filters(sel.Tags), visit)
	}
	ids := slices.Clone(sel.IDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if err := checkIDs(ids); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(wire.AtOnce)
	for chunk := range slices.Chunk(ids, maxBatch) {
		group.Go(func() error { return f.listByID(ctx, chunk, visit) })
	}
	return group.Wait()
}

var wellFormed = regexp.MustCompile(`^ins-[0-9a-z]{8}$`)

func checkIDs(ids []string) error {
	var bad []string
	for _, id := range ids {
		if !wellFormed.MatchString(id) {
			bad = append(bad, fmt.Sprintf("%q", id))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: no CVM instance ids: %s: use ids like ins-0a1b2c3d", rotation.ErrConfig, strings.Join(bad, ", "))
	}
	return nil
}

// listByID calls visit with those of at most 100 machines that exist here. CVM may leave unknown ids out or refuse the
// whole request for them; it may name them or not.
func (f *Fleet) listByID(ctx context.Context, ids []string, visit func(*cvm.Instance)) error {
	for len(ids) > 0 {
		page, err := f.page(ctx, func(req *cvm.DescribeInstancesRequest) { req.InstanceIds = pointers(ids) })
		if err == nil {
			for _, raw := range page.InstanceSet {
				visit(raw)
			}
			return nil
		}
		if wire.CodeOf(err) != "InvalidInstanceId.NotFound" {
			return err
		}
		known := withoutNamed(ids, err)
		if len(known) < len(ids) {
			ids = known
			continue
		}
		if len(ids) == 1 {
			return nil
		}
		if err := f.listByID(ctx, ids[:len(ids)/2], visit); err != nil {
			return err
		}
		ids = ids[len(ids)/2:]
	}
	return nil
}

// listByTags calls visit with every machine that passes the filters.
func (f *Fleet) listByTags(ctx context.Context, filters []*cvm.Filter, visit func(*cvm.Instance)) error {
	err := wire.List(ctx, pageSize, func(ctx context.Context, offset int) ([]string, int, error) {
		from := int64(offset)
		page, err := f.page(ctx, func(req *cvm.DescribeInstancesRequest) { req.Filters, req.Offset = filters, &from })
		if err != nil {
			return nil, 0, err
		}
		if page.TotalCount == nil {
			return nil, 0, fmt.Errorf("%s: an answer without TotalCount", describeInstances.Name)
		}
		var ids []string
		for _, raw := range page.InstanceSet {
			visit(raw)
			if raw != nil {
				ids = append(ids, wire.Deref(raw.InstanceId))
			}
		}
		return ids, int(*page.TotalCount), nil
	})
	if wire.CodeOf(err) == "InvalidParameterValue.TagKeyNotFound" {
		return nil // no machine has a tag that the account does not have
	}
	return err
}

// Limits of DescribeInstances: https://www.tencentcloud.com/document/product/213/33258.
const (
	maxFilters = 10
	maxValues  = 5
	pageSize   = 100
)

// filters asks for as little as CVM lets us; what it cannot say is checked afterwards. There is always one filter: a
// selection by tags never lists a whole account.
func filters(tags map[string][]string) []*cvm.Filter {
	keys := slices.Sorted(maps.Keys(tags))
	var out []*cvm.Filter
	for _, key := range keys {
		if n := len(tags[key]); n > 0 && n <= maxValues && len(out) < maxFilters {
			out = append(out, filter("tag:"+key, tags[key]...))
		}
	}
	if len(out) == 0 {
		out = append(out, filter("tag-key", keys[0]))
	}
	return out
}

func filter(name string, values ...string) *cvm.Filter {
	return &cvm.Filter{Name: &name, Values: pointers(slices.Clone(values))}
}

// withoutNamed returns the ids that the provider's message does not name.
func withoutNamed(ids []string, err error) []string {
	named := wire.NamedIn(err)
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(named, id) })
}
