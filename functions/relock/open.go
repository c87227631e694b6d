package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/functions/internal/config"
)

// noArguments is for commands that take none. Of --env-file fleets/*.env a shell makes several words, of which the flag gets
// the first: the others, which are files, are environment files too.
func (o *options) noArguments(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if len(o.envFiles) == 0 || err != nil || !info.Mode().IsRegular() {
			return usage("%s takes no arguments, and got %q, which is no file after --env-file; --only narrows to machines", cmd.Name(), arg)
		}
		o.envFiles = append(o.envFiles, arg)
	}
	return nil
}

// files are where the configuration is: the files that were named, each once, or the environment, which is the empty name.
func (o *options) files() []string {
	if len(o.envFiles) == 0 {
		return []string{""}
	}
	var files []string
	for _, file := range o.envFiles {
		if file = filepath.Clean(file); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return files
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
	files := o.files()
	if len(files) > 1 {
		return fleet{}, usage("this command is about one fleet: give --env-file once")
	}
	return o.wire(ctx, files[0])
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
