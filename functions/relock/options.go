package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The forms of output.
const (
	outputText = "text"
	outputJSON = "json"
	outputCSV  = "csv"
)

// options are the flags of every command, and where its output goes.
type options struct {
	stdout, stderr io.Writer

	envFiles []string
	only     []string
	dryRun   bool
	output   string
	verbose  bool
	quiet    bool

	id     string // of the machine that the command is about
	headed bool   // csv has its header already
}

func (o *options) flags(set *pflag.FlagSet) {
	set.SortFlags = false
	set.StringArrayVarP(&o.envFiles, "env-file", "e", nil, "take RELOCK_ variables from `FILE` and nowhere else; several files (-e fleets/*.env) are several fleets")
	set.StringSliceVar(&o.only, "only", nil, "narrow to the machines `ID,...` of those configured; nothing widens the selection")
	set.BoolVar(&o.dryRun, "dry-run", false, "send nothing, store nothing")
	set.StringVarP(&o.output, "output", "o", outputText, "print `text|json|csv`; json: one document per fleet and nothing else on stdout, csv: one table")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "whole lists, and a log on stderr")
	set.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no notes on stderr")
}

// check refuses flags that contradict each other.
func (o *options) check() error {
	if !slices.Contains([]string{outputText, outputJSON, outputCSV}, o.output) {
		return usage("--output %q: use text, json or csv", o.output)
	}
	if o.verbose && o.quiet {
		return usage("--verbose and --quiet contradict each other")
	}
	for i, id := range o.only {
		if o.only[i] = strings.TrimSpace(id); o.only[i] == "" {
			return usage("--only holds an empty id")
		}
	}
	return nil
}

// meaningless is the annotation with the flags of every command that mean nothing to one.
const meaningless = "meaningless"

// without are the annotations of a command to which these flags mean nothing: its help leaves them out.
func without(names ...string) map[string]string {
	return map[string]string{meaningless: strings.Join(names, " ")}
}

// checkMeaning refuses flags that mean nothing to a command: what has no effect must not look as if it had.
func checkMeaning(cmd *cobra.Command) error {
	for _, name := range strings.Fields(cmd.Annotations[meaningless]) {
		if cmd.Flags().Changed(name) {
			return usage("--%s means nothing to this command", name)
		}
	}
	return nil
}
