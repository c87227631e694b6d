package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// complete tells a shell's completion what may follow: file names where files are meant, and nowhere else. It asks no
// cloud, so machines' ids are typed. Commands that need something of their own have it already.
func (o *options) complete(root *cobra.Command) {
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	values := map[string]cobra.CompletionFunc{
		"output": fixed(outputText, outputJSON, outputCSV), "env-file": envFiles, "cloud": fixed(cloudNames()...),
	}
	for _, cmd := range append(root.Commands(), root) {
		if cmd != root && cmd.ValidArgs == nil && cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = o.moreFiles
		}
		flags := cmd.LocalFlags() // of root, those of every command
		flags.VisitAll(func(f *pflag.Flag) {
			of, ok := values[f.Name]
			if !ok {
				of = cobra.NoFileCompletions
			}
			if _, done := cmd.GetFlagCompletionFunc(f.Name); !done {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, of) // fails for a flag that is not there
			}
		})
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			alone(cmd)
		}
	}
}

// alone notes that the flags of every command mean nothing to a command and those below it.
func alone(cmd *cobra.Command) {
	var names []string
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	cmd.Annotations = without(names...)
	for _, sub := range cmd.Commands() {
		alone(sub)
	}
}

// envFiles completes environment files.
func envFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"env"}, cobra.ShellCompDirectiveFilterFileExt
}

// moreFiles completes words after --env-file, which are files too, and nothing before it.
func (o *options) moreFiles(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(o.envFiles) > 0 && !slices.Contains(strings.Fields(cmd.Annotations[meaningless]), "env-file") {
		return envFiles(cmd, args, begun)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
