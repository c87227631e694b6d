package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/relock-project/relock/functions/internal/config"
)

// files are where the configuration is: the files that were named, or the environment, which is the empty name.
func (o *options) files() []string {
	if len(o.envFiles) == 0 {
		return []string{""}
	}
	return o.envFiles
}

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
	if len(o.envFiles) > 1 {
		return fleet{}, usage("this command is about one fleet: give --env-file once")
	}
	return o.wire(ctx, o.files()[0])
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
	return fleet{file, r}, nil
}
