package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newLookup(o *options) *cobra.Command {
	var what lookupFlags
	cmd := &cobra.Command{
		Use:   "lookup ID",
		Short: "which passwords may open this machine, likeliest first (--reveal prints them)",
		Long: `lookup says which generations' passwords may open a machine, likeliest first, and why: the answer always contains the one
in force, unless it was set without relock. With --reveal it prints them. It logs in nowhere and changes nothing.`,
		Example: `  relock lookup ins-1f0c22aa
  relock lookup ins-1f0c22aa --reveal
  relock lookup ins-1f0c22aa -e fleets/*.env      # finds the fleet that it is in`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              o.oneMachine,
		Annotations:       without("only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if what.reveal && o.output == outputCSV {
				return usage("--reveal goes with text and json: csv changes cells that a spreadsheet would take for formulas")
			}
			f, err := o.openFor(cmd.Context())
			if err != nil {
				return err
			}
			return o.lookup(cmd.Context(), f, o.id, what)
		},
	}
	cmd.Flags().BoolVar(&what.reveal, "reveal", false, "print the passwords")
	return cmd
}

type lookupFlags struct{ reveal bool }

// answer is a lookup's result, for machines to read.
type answer struct {
	ID         string      `json:"id"`
	Name       string      `json:"name,omitempty"`
	Region     string      `json:"region"`
	OS         rotation.OS `json:"os"`
	Power      string      `json:"power"`
	Why        string      `json:"why"`
	Unknown    bool        `json:"orOneThatRelockNeverKnew"`
	Candidates []candidate `json:"candidates"`
}

// candidate is one password that may open the machine.
type candidate struct {
	Generation int       `json:"generation"`
	Stage      string    `json:"stage,omitempty"`
	Username   string    `json:"username"`
	Created    time.Time `json:"created,omitzero"`
	Password   *string   `json:"password,omitempty"` // only when it was asked for
}

func (o *options) lookup(ctx context.Context, f fleet, id string, what lookupFlags) error {
	found, err := f.rotator.Lookup(ctx, id)
	if err != nil {
		return err
	}
	a := newAnswer(found)
	if what.reveal {
		a.reveal(found)
	}
	if what.reveal && isTerminal(o.stdout) {
		fmt.Fprintln(o.stderr, "relock: passwords follow: clear the screen and its history afterwards")
	}
	switch o.output {
	case outputJSON:
		return writeJSON(o.stdout, a)
	case outputCSV:
		return writeTable(o.stdout, a.rows())
	}
	return o.print(a.text(&sheet{all: o.verbose}, time.Now()))
}

func newAnswer(found rotation.Answer) answer {
	inst := found.Instance
	a := answer{
		ID: inst.ID, Name: printable(inst.Name), Region: inst.Region, OS: inst.OS, Power: string(inst.Power),
		Why: found.Why, Unknown: found.Unknown,
	}
	stages := rotation.Overview{Current: found.Current, Pending: found.Pending}
	for _, v := range found.Versions {
		a.Candidates = append(a.Candidates, candidate{
			Generation: v.Generation, Stage: stageOf(v.Generation, stages), Created: v.Created,
			Username: firstOf(v.For(inst).Username, inst.LoginUser),
		})
	}
	return a
}

// reveal adds the passwords.
func (a answer) reveal(found rotation.Answer) {
	for i, v := range found.Versions {
		text := v.For(found.Instance).Password.Reveal()
		a.Candidates[i].Password = &text
	}
}

func (a answer) rows() [][]string {
	rows := [][]string{{"id", "order", "generation", "stage", "username", "created"}}
	for i, c := range a.Candidates {
		created := ""
		if !c.Created.IsZero() {
			created = c.Created.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{a.ID, strconv.Itoa(i + 1), strconv.Itoa(c.Generation), c.Stage, c.Username, created})
	}
	return rows
}

// machine says which machine it is about.
func (a answer) machine() string {
	var parts []string
	for _, part := range []string{a.ID, a.Name, a.Region, string(a.OS), a.Power} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "  ")
}

func (a answer) text(s *sheet, now time.Time) string {
	s.field("Machine", "%s", a.machine())
	s.field("Order", "likeliest first: %s", a.Why)
	s.blank()
	shown := a.Candidates
	if limit := s.limit(); limit > 0 && len(shown) > limit+1 {
		shown = shown[:limit]
	}
	var rows [][]string
	for i, c := range shown {
		age, password := "", ""
		if !c.Created.IsZero() {
			age = lasting(now.Sub(c.Created)) + " old"
		}
		if c.Password != nil {
			password = legible(*c.Password)
		}
		rows = append(rows, []string{strconv.Itoa(i + 1), "generation " + strconv.Itoa(c.Generation), c.Stage, age, c.Username, password})
	}
	s.columns("  ", rows)
	if n := len(a.Candidates) - len(shown); n > 0 {
		s.line("  and %s older: --verbose lists all", thousands(n))
	}
	switch {
	case len(rows) == 0:
		s.line("  none that relock knows: the secret has no version yet")
	case a.Unknown:
		s.line("  or one that relock never knew")
	}
	return s.b.String()
}

// legible is a password as it is, unless that would not show all of it: then as a quoted Go string.
func legible(password string) string {
	if printable(password) == password && strings.TrimSpace(password) == password && !strings.HasPrefix(password, `"`) {
		return password
	}
	return strconv.Quote(password)
}
