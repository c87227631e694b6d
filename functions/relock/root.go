package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run carries out one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := &options{stdout: stdout, stderr: stderr}
	begun := false
	root := newRoot(o, &begun)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !begun && !errors.Is(err, errUsage) {
		err = usage("%w", err) // cobra's own: an unknown command, flag or argument
	}
	if finished := new(finish); err != nil && !errors.As(err, finished) {
		fmt.Fprintln(stderr, "relock: "+strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
	}
	if errors.Is(err, errUsage) {
		fmt.Fprintf(stderr, "Usage:  %s\n        %s --help says more\n", usageLine(cmd), cmd.CommandPath())
	}
	return statusOf(err)
}

func newRoot(o *options, begun *bool) *cobra.Command {
	root := &cobra.Command{
		SuggestionsMinimumDistance: 2,

		Use:           "relock COMMAND [flags]",
		Short:         "relock rotates the administrator passwords of cloud machines and never locks anybody out.",
		Version:       version(),
		Args:          knownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(checkMeaning(cmd), o.check()); err != nil {
				return err
			}
			*begun = true
			return nil
		},
	}
	root.SetVersionTemplate("relock {{.Version}}\n")
	o.flags(root.PersistentFlags())
	chapters := []chapter{
		{"Rotate", []*cobra.Command{newPlan(o), newRotate(o), newResume(o), newReconcile(o)}},
		{"Ask", []*cobra.Command{newStatus(o), newLookup(o), newRecover(o), newForget(o), newVerify(o)}},
		{"Try and check", []*cobra.Command{newSimulate(o), newCloud(o), newConfig(o)}},
	}
	for _, c := range chapters {
		root.AddCommand(c.commands...)
		for _, cmd := range c.commands {
			cmd.Flags().SortFlags = false
		}
	}
	o.complete(root)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd == root {
			rootHelp(root, chapters)
			return
		}
		help(cmd)
	})
	return root
}

// knownCommand refuses a first word that is no command, and says which was probably meant.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if meant := root.SuggestionsFor(args[0]); len(meant) > 0 {
		return usage("there is no command %q: did you mean %s?", args[0], strings.Join(meant, " or "))
	}
	return usage("there is no command %q", args[0])
}

// A chapter of the help is commands that belong together, in the order in which a person needs them.
type chapter struct {
	title    string
	commands []*cobra.Command
}

// usageLine is how a command is called.
func usageLine(cmd *cobra.Command) string {
	line := cmd.UseLine()
	if cmd.HasParent() && cmd.HasAvailableSubCommands() {
		line = strings.TrimSuffix(line, " [flags]") + " COMMAND"
	}
	if !strings.Contains(line, "[flags]") {
		line += " [flags]"
	}
	return line
}

// help prints a command's page.
func help(cmd *cobra.Command) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s\n\nUsage:  %s\n", strings.TrimSpace(firstOf(cmd.Long, cmd.Short)), usageLine(cmd))
	own := cmd.LocalNonPersistentFlags()
	own.SortFlags = false
	if own.Lookup("help") != nil {
		own.Lookup("help").Hidden = true
	}
	if flags := own.FlagUsages(); flags != "" {
		fmt.Fprintf(w, "\nFlags:\n%s", flags)
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			fmt.Fprintf(w, "  %-12s %s\n", sub.Name(), sub.Short)
		}
	}
	shared := pflag.NewFlagSet("", pflag.ContinueOnError)
	shared.SortFlags = false
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(strings.Fields(cmd.Annotations[meaningless]), f.Name) {
			shared.AddFlag(f)
		}
	})
	if shared.HasFlags() {
		fmt.Fprintf(w, "\nFlags of every command:\n%s", shared.FlagUsages())
	}
}

// rootHelp prints the first page: the commands.
func rootHelp(root *cobra.Command, chapters []chapter) {
	w := root.OutOrStdout()
	fmt.Fprintf(w, beginning, root.Short, root.UseLine())
	for _, c := range chapters {
		fmt.Fprintf(w, "\n%s\n", c.title)
		for _, cmd := range c.commands {
			fmt.Fprintf(w, "  %-12s %s\n", cmd.Use, cmd.Short)
		}
	}
	fmt.Fprintf(w, "\nFlags of every command:\n%s\n%s", root.PersistentFlags().FlagUsages(), ending)
}

const beginning = `%s

No account needed:    relock simulate
On your own fleet:    relock config --help (what to set), relock plan (sends nothing, stores nothing)

Usage:  %s
`

const ending = `Words: the passwords are versions of one secret in a secrets manager, numbered 1, 2, 3 …: its generations. A new one is
pending while machines are being set to it, and current, what everybody reads, once it is proven on all that count.
The machines are those that the configuration selects; they are the scope, and with the secret they are a fleet.

Exit status: 0 done, or nothing to do · 1 failed · 2 usage or configuration · 3 partial, incomplete or drift
Running it again is always safe. Variables: relock config --help   Shell completion: relock completion --help
`

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// version says what was built, from what the toolchain noted.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version"
	}
	text, revision, modified := info.Main.Version, "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			revision = " " + setting.Value[:min(12, len(setting.Value))]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = " with changes"
		}
	}
	return fmt.Sprintf("%s%s%s %s", firstOf(text, "(devel)"), revision, modified, info.GoVersion)
}
