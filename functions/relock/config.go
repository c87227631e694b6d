package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/functions/internal/config"
)

func newConfig(o *options) *cobra.Command {
	var what configFlags
	cmd := &cobra.Command{
		Use:         "config",
		Short:       "the configuration in force, where each value comes from, and what is wrong with it",
		Long:        configHelp(),
		Args:        o.noArguments,
		Annotations: without("only", "dry-run"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if what.markdown {
				return o.print(config.Markdown())
			}
			return o.config(cmd.Context(), what)
		},
	}
	cmd.Flags().BoolVar(&what.markdown, "markdown", false, "print the variables as a Markdown table, and nothing else")
	cmd.Flags().BoolVar(&what.live, "live", false, "ask the clouds, too: how many machines each fleet has, and whether one is in two fleets")
	return cmd
}

// noteOn says what a variable is when it is not set, and what it may be.
func noteOn(v config.Variable) string {
	note := v.Default
	if !strings.HasPrefix(note, "required") {
		note = "default: " + note
	}
	switch one, _, several := strings.Cut(v.Allowed, ", "); {
	case v.Allowed == "":
	case several:
		note += "; one of " + v.Allowed
	default:
		note += "; may be " + one
	}
	return note
}

type configFlags struct{ markdown, live bool }

// configHelp says what config does and lists the variables.
func configHelp() string {
	s := &sheet{}
	s.line("config shows the configuration in force, where each value comes from, and what is wrong with it: status 2. With several")
	s.line("--env-file it checks them all, and refuses a machine in two fleets and two fleets on one secret. It asks nobody, unless")
	s.line("--live is given, and shows no credential.")
	s.blank()
	s.line("The configuration is variables: those of the environment or, with --env-file, those of the file and no others. Such a file")
	s.line("has lines of NAME=value, with quotes as a shell has them, and # comments. Credentials are not in it: a function has")
	s.line("them from its role, and the command takes them from the environment:")
	for _, line := range config.WhereKeysAre() {
		s.line("  %s", strings.ReplaceAll(wrapped(strings.Fields(line), " "), "\n", "\n      "))
	}
	s.line("Keys that are not there are read from RELOCK_CREDENTIALS_SECRET, as the function reads them, with those that are.")
	s.blank()
	s.line("Variables:")
	for _, v := range config.Variables() {
		s.line("  %s  (%s)", v.Name, noteOn(v))
		for _, line := range strings.Split(wrapped(strings.Fields(v.Description), " "), "\n") {
			s.line("      %s", line)
		}
	}
	return s.b.String()
}

// configured is one fleet's configuration and what is wrong with it.
type configured struct {
	file   string // empty for the environment
	config *config.Config
	err    error
}

func (c configured) name() string { return firstOf(c.file, "the environment") }

func (o *options) config(ctx context.Context, what configFlags) error {
	var all []configured
	for _, file := range o.files() {
		c, err := config.Load(config.Command, file)
		all = append(all, configured{file, c, err})
	}
	if err := o.writeConfig(ctx, all); err != nil {
		return err
	}
	status := exitDone
	for _, c := range all {
		if c.err != nil {
			status = exitUsage
			fmt.Fprintln(o.stderr, "relock: "+c.err.Error())
		}
	}
	faults := shared(all)
	if what.live {
		found, err := o.sharedMachines(ctx, all)
		if err != nil {
			fmt.Fprintln(o.stderr, "relock: "+err.Error())
			status = graver(status, exitFailed)
		}
		faults = append(faults, found...)
	} else if !o.quiet {
		o.doubt(uncertain(all))
	}
	for _, fault := range faults {
		status = graver(status, exitUsage)
		fmt.Fprintln(o.stderr, "relock: configuration: "+fault)
	}
	return ended(status)
}

// doubt names fleets of which only the cloud knows whether they share machines.
func (o *options) doubt(pairs [][2]string) {
	const named = 3
	for i, pair := range pairs {
		if i == named && !o.verbose {
			fmt.Fprintf(o.stderr, "relock: and %s more: --verbose names all\n", counted(len(pairs)-named, "pair"))
			break
		}
		fmt.Fprintf(o.stderr, "relock: %s and %s: could share machines, to judge by their tags: relock config --live asks the cloud\n", pair[0], pair[1])
	}
}

// row is a variable of one fleet, for machines to read.
type row struct {
	File  string `json:"file,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
	Fault string `json:"fault,omitempty"`
}

func (o *options) writeConfig(ctx context.Context, all []configured) error {
	var rows []row
	cells := [][]string{{"file", "name", "value", "from", "fault"}}
	s, warned := &sheet{all: o.verbose}, map[string]bool{}
	for _, c := range all {
		of := []row{}
		for _, r := range c.config.Table() {
			of = append(of, row{c.file, r.Name, r.Value, r.From, r.Fault})
			cells = append(cells, []string{c.file, r.Name, r.Value, r.From, r.Fault})
		}
		rows = append(rows, of...)
		o.configText(s, c, of, len(all) > 1)
		if c.err == nil {
			if _, err := c.config.Open(ctx); err != nil && !warned[err.Error()] {
				s.field("Warning", "%s", printable(strings.TrimPrefix(err.Error(), "configuration: ")))
				warned[err.Error()] = true // it is about credentials, which all fleets share
			}
		}
		if len(all) > 1 {
			s.blank()
		}
	}
	switch o.output {
	case outputJSON:
		return writeJSON(o.stdout, rows)
	case outputCSV:
		return writeTable(o.stdout, cells)
	}
	return o.print(s.b.String())
}

// configText is one fleet's configuration for people: among several only what is set, unless all was asked for.
func (o *options) configText(s *sheet, c configured, rows []row, several bool) {
	if several {
		s.line("# %s", c.name())
	}
	var cells [][]string
	for _, r := range rows {
		if several && !o.verbose && r.From == "default" && r.Fault == "" {
			continue
		}
		value := printable(r.Value)
		switch {
		case r.Fault != "":
			value = "WRONG"
		case value == "":
			value = "-"
		}
		if !s.all && len([]rune(value)) > 60 {
			value = string([]rune(value)[:59]) + "…"
		}
		cells = append(cells, []string{r.Name, value, r.From})
	}
	s.columns("", cells)
	for _, warning := range c.config.Warnings() {
		s.field("Warning", "%s", printable(warning))
	}
}
