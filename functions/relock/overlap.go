package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/relock-project/relock/rotation"
)

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

// sharedIDs finds machines that two fleets list by id.
func sharedIDs(all []configured) []string {
	var faults []string
	first := map[string]string{}
	for _, c := range all {
		for _, id := range c.config.Instances {
			if other, ok := first[id]; ok && len(c.config.Tags) == 0 {
				faults = append(faults, fmt.Sprintf("%s and %s: RELOCK_INSTANCES: %s is in both: keep it in one", other, c.name(), id))
			} else if len(c.config.Tags) == 0 {
				first[id] = c.name()
			}
		}
	}
	return faults
}

// sharedMachines asks the clouds for every fleet's machines and finds those that are in two. It says on standard error
// how many each fleet has.
func (o *options) sharedMachines(ctx context.Context, all []configured) ([]string, error) {
	var faults []string
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
			return nil, fmt.Errorf("%s: %w", c.name(), err)
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
	return faults, nil
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
