package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// open wires every configured fleet, or says all that is wrong with any of them.
func (o *options) open(ctx context.Context) ([]fleet, error) {
	var fleets []fleet
	var faults []error
	for _, file := range o.files() {
		f, err := o.wire(ctx, file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		fleets = append(fleets, f)
	}
	return fleets, errors.Join(faults...)
}

// openOne is for commands that are about one fleet.
func (o *options) openOne(ctx context.Context) (fleet, error) {
	files := o.files()
	if len(files) > 1 {
		return fleet{}, usage("this command is about one fleet: give --env-file once")
	}
	return o.wire(ctx, files[0])
}

// openFor opens the fleet that the command's machine is in: of several, each is asked.
func (o *options) openFor(ctx context.Context) (fleet, error) {
	files := o.files()
	if len(files) == 1 {
		return o.wire(ctx, files[0])
	}
	fleets, err := o.open(ctx)
	if err != nil {
		return fleet{}, err
	}
	var in []fleet
	var failed []error
	for _, f := range fleets {
		has, err := f.has(ctx, o.id)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", f.name, err))
		}
		if has {
			in = append(in, f)
		}
	}
	switch {
	case len(in) > 1:
		return fleet{}, fmt.Errorf("%w: %s is in %s and %s: narrow one of them", rotation.ErrConfig, printable(o.id), in[0].name, in[1].name)
	case len(in) == 1:
		if !o.quiet {
			fmt.Fprintf(o.stderr, "relock: %s is in %s\n", printable(o.id), in[0].name)
		}
		return in[0], nil
	case len(failed) > 0: // it may be in one that did not answer
		return fleet{}, errors.Join(failed...)
	}
	return fleet{}, fmt.Errorf("%w: %s is in none of the %d fleets", rotation.ErrConfig, printable(o.id), len(fleets))
}

// has reports whether a machine is in the fleet's scope. An id that its cloud has not the like of is not.
func (f fleet) has(ctx context.Context, id string) (bool, error) {
	scope := f.rotator.Scope
	if len(scope.IDs) > 0 && !slices.Contains(scope.IDs, id) {
		return false, nil
	}
	scope.IDs = []string{id}
	for _, region := range f.rotator.Fleets {
		found, err := region.Describe(ctx, scope)
		if errors.Is(err, rotation.ErrConfig) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("region %s: %w", region.Region(), err)
		}
		for _, m := range found {
			if scope.Matches(m.ID, m.Tags) {
				return true, nil
			}
		}
	}
	return false, nil
}

func (o *options) wire(ctx context.Context, file string) (fleet, error) {
	c, _ := config.Load(config.Command, file) // its faults come from Open, with those of the credentials
	r, err := c.Open(ctx)
	if err != nil {
		return fleet{}, err
	}
	for _, warning := range c.Warnings() {
		fmt.Fprintln(o.stderr, "relock: warning: "+printable(warning))
	}
	return fleet{file, c, r}, nil
}
