package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// clash is an error when two of the fleets cannot be kept apart: their configurations alone show it.
func clash(fleets []fleet) error {
	var all []configured
	for _, f := range fleets {
		all = append(all, configured{file: f.name, config: f.config})
	}
	var faults []error
	for _, text := range shared(all) {
		faults = append(faults, errors.New(text))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", rotation.ErrConfig, errors.Join(faults...))
}

// shared says what two fleets have in common that each must have for itself.
func shared(all []configured) []string {
	return slices.Concat(sharedSecrets(all), sharedIDs(all), sharedTags(all))
}

// sharedSecrets finds fleets that keep their passwords in one secret: the later rotation would lock nobody out, and yet
// leave the other fleet's machines behind.
func sharedSecrets(all []configured) []string {
	var faults []string
	first := map[string]string{}
	for _, c := range all {
		if c.config.Secret == "" {
			continue
		}
		key := fmt.Sprintf("%s, %s, %s", c.config.Store, c.config.StoreRegion, c.config.Secret)
		if other, ok := first[key]; ok {
			faults = append(faults, fmt.Sprintf("%s and %s: RELOCK_SECRET is %s for both: give each fleet its own", other, c.name(), c.config.Secret))
			continue
		}
		first[key] = c.name()
	}
	return faults
}

// sharedIDs finds machines that two fleets list by id. With tags beside them it takes the cloud to know whether both mean
// the machine.
func sharedIDs(all []configured) []string {
	var faults []string
	first := map[string]string{}
	for _, c := range all {
		if len(c.config.Tags) > 0 {
			continue
		}
		for _, id := range c.config.Instances {
			if other, ok := first[c.config.Fleet+id]; ok {
				faults = append(faults, fmt.Sprintf("%s and %s: RELOCK_INSTANCES: %s is in both: keep it in one", other, c.name(), id))
				continue
			}
			first[c.config.Fleet+id] = c.name()
		}
	}
	return faults
}

// sharedTags finds fleets that select by the same tags in one region, so that they have all machines there in common.
func sharedTags(all []configured) []string {
	var faults []string
	for i, a := range all {
		for _, b := range all[:i] {
			if region := commonRegion(a.config, b.config); region != "" && sameTags(a.config, b.config) {
				faults = append(faults, fmt.Sprintf("%s and %s: RELOCK_TAGS select the same machines of %s: narrow one of them", b.name(), a.name(), region))
			}
		}
	}
	return faults
}

// commonRegion is a region of one cloud in which both have machines; empty without one.
func commonRegion(a, b *config.Config) string {
	for _, region := range a.Regions {
		if a.Fleet == b.Fleet && slices.Contains(b.Regions, region) {
			return region
		}
	}
	return ""
}

// sameTags reports whether both select by tags alone, and by the same ones.
func sameTags(a, b *config.Config) bool {
	return len(a.Instances)+len(b.Instances) == 0 && len(a.Tags) > 0 &&
		reflect.DeepEqual(inOrder(a.Tags), inOrder(b.Tags)) && reflect.DeepEqual(inOrder(a.ExcludeTags), inOrder(b.ExcludeTags))
}

// inOrder is tags with the values of each key in order.
func inOrder(tags config.Tags) map[string][]string {
	out := map[string][]string{}
	for key, values := range tags {
		out[key] = slices.Sorted(slices.Values(values))
	}
	return out
}

// uncertain are pairs of fleets that could have machines in common: neither is anything shared for certain, nor do
// regions, ids or tags keep them apart. Only the cloud knows.
func uncertain(all []configured) [][2]string {
	var pairs [][2]string
	for i, b := range all {
		for _, a := range all[:i] {
			if a.err == nil && b.err == nil && !apart(a.config, b.config) && len(shared([]configured{a, b})) == 0 {
				pairs = append(pairs, [2]string{a.name(), b.name()})
			}
		}
	}
	return pairs
}

// apart reports whether no machine can be in both.
func apart(a, b *config.Config) bool {
	if commonRegion(a, b) == "" || excludes(a.ExcludeTags, b.Tags) || excludes(b.ExcludeTags, a.Tags) {
		return true
	}
	if len(a.Instances) > 0 && len(b.Instances) > 0 && !meet(a.Instances, b.Instances) {
		return true
	}
	for key, values := range a.Tags {
		others, both := b.Tags[key]
		if both && len(values) > 0 && len(others) > 0 && !meet(values, others) {
			return true
		}
	}
	return false
}

// excludes reports whether a fleet that leaves out these tags has none of the machines with those.
func excludes(out, tags config.Tags) bool {
	for key := range maps.Keys(tags) {
		values, named := out[key]
		all := named && len(values) == 0
		some := named && len(tags[key]) > 0 && !slices.ContainsFunc(tags[key], func(v string) bool { return !slices.Contains(values, v) })
		if all || some {
			return true
		}
	}
	return false
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// sharedMachines asks the clouds for every fleet's machines and finds those that are in two. It says on standard error
// how many each fleet has.
func (o *options) sharedMachines(ctx context.Context, all []configured) ([]string, error) {
	var faults []string
	var failed []error
	first := map[string]string{}
	for _, c := range all {
		if c.err != nil {
			continue
		}
		r, err := c.config.Open(ctx)
		if err != nil {
			return nil, err
		}
		machines, err := describeAll(ctx, r)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.name(), err))
			continue
		}
		fmt.Fprintf(o.stderr, "relock: %s: %s\n", c.name(), counted(len(machines), "machine"))
		for _, id := range machines {
			if other, ok := first[id]; ok {
				faults = append(faults, fmt.Sprintf("%s and %s: %s is in both: narrow one of them", other, c.name(), printable(id)))
				continue
			}
			first[id] = c.name()
		}
	}
	return faults, errors.Join(failed...)
}

// describeAll returns the ids of a scope's machines, each with its region.
func describeAll(ctx context.Context, r *rotation.Rotator) ([]string, error) {
	var ids []string
	var failed []error
	for _, f := range r.Fleets {
		machines, err := f.Describe(ctx, r.Scope)
		if err != nil {
			failed = append(failed, fmt.Errorf("region %s: %w", f.Region(), err))
		}
		for _, m := range machines {
			if r.Scope.Matches(m.ID, m.Tags) {
				ids = append(ids, m.ID+" ("+f.Region()+")")
			}
		}
	}
	slices.Sort(ids)
	return ids, errors.Join(failed...)
}
