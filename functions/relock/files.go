package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
)

// noArguments is for commands that take none. Of --env-file fleets/*.env a shell makes several words, of which the flag gets
// the first: the others, which are files, are environment files too.
func (o *options) noArguments(cmd *cobra.Command, args []string) error {
	if rest := o.takeFiles(args); len(rest) > 0 {
		return usage("%s takes no arguments, and got %q, which is no file after --env-file; --only narrows to machines", cmd.Name(), rest[0])
	}
	return nil
}

// oneMachine is for commands that take a machine's id, among such files or alone.
func (o *options) oneMachine(cmd *cobra.Command, args []string) error {
	rest := o.takeFiles(args)
	if len(rest) != 1 {
		return usage("%s takes one machine's id", cmd.Name())
	}
	o.id = rest[0]
	return nil
}

// takeFiles takes the files among the words that follow --env-file, and returns the others.
func (o *options) takeFiles(args []string) []string {
	if len(o.envFiles) == 0 {
		return args
	}
	var rest []string
	for _, arg := range args {
		if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
			o.envFiles = append(o.envFiles, arg)
			continue
		}
		rest = append(rest, arg)
	}
	return rest
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
