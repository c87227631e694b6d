package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newStatus(o *options) *cobra.Command {
	var what statusFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "the secret's versions, their age, what is pending; --machines: a line per machine",
		Long: `status shows the secret's versions, their age and stages, what is pending, and how much room the store has. It shows no
password and changes nothing.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fleets, err := o.open(cmd.Context())
			if err != nil {
				return err
			}
			for _, f := range fleets {
				if len(fleets) > 1 && o.output == outputText {
					fmt.Fprintf(o.stdout, "\n# %s\n", f.name)
				}
				if err := o.status(cmd.Context(), f, what); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&what.machines, "machines", false, "a line per machine: which generation it has, and what would leave it behind")
	return cmd
}

type statusFlags struct{ machines bool }

// standing is what a secret holds, for machines to read.
type standing struct {
	Secret   string                   `json:"secret"`
	Store    string                   `json:"store,omitempty"`
	Current  int                      `json:"current"`
	Pending  int                      `json:"pending"`
	Previous int                      `json:"previous"`
	Stored   *rotation.Stored         `json:"stored,omitempty"`
	Versions []storedVersion          `json:"versions"`
	Machines []rotation.MachineReport `json:"machines,omitempty"`
}

// storedVersion is a version without its password.
type storedVersion struct {
	Generation int       `json:"generation"`
	Stage      string    `json:"stage,omitempty"`
	Baseline   bool      `json:"baseline,omitempty"`
	Created    time.Time `json:"created,omitzero"`
	Token      string    `json:"token,omitempty"`
	Username   string    `json:"username,omitempty"`
}

func (o *options) status(ctx context.Context, f fleet, what statusFlags) error {
	overview, err := f.rotator.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the secret %s: %w", f.rotator.Secret, err)
	}
	st := standing{
		Secret: f.rotator.Secret, Store: f.rotator.StoreName, Stored: overview.Stored,
		Current: overview.Current, Pending: overview.Pending, Previous: overview.Previous,
	}
	for _, v := range overview.Versions {
		st.Versions = append(st.Versions, storedVersion{v.Generation, stageOf(v.Generation, overview), v.Baseline, v.Created,
			printable(v.Token), v.Username})
	}
	if what.machines || len(o.only) > 0 {
		if st.Machines, err = o.inventory(ctx, f); err != nil {
			return err
		}
	}
	switch {
	case o.output == outputJSON:
		return writeJSON(o.stdout, st)
	case o.output == outputCSV && what.machines:
		return writeMachines(o.stdout, st.Machines)
	case o.output == outputCSV:
		return writeTable(o.stdout, st.rows())
	}
	st.Machines = legibly(st.Machines)
	return o.print(st.text(&sheet{all: o.verbose}, time.Now()))
}

// inventory is a line per machine of the scope, narrowed by --only.
func (o *options) inventory(ctx context.Context, f fleet) ([]rotation.MachineReport, error) {
	all, err := f.rotator.Inventory(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the machines: %w", err)
	}
	for _, id := range o.only {
		if !slices.ContainsFunc(all, func(m rotation.MachineReport) bool { return m.ID == id }) {
			return nil, usage("--only: %s is not in the configured scope: %s", printable(id), f.scope())
		}
	}
	return slices.DeleteFunc(all, func(m rotation.MachineReport) bool {
		return len(o.only) > 0 && !slices.Contains(o.only, m.ID)
	}), nil
}

func stageOf(generation int, o rotation.Overview) string {
	switch generation {
	case 0:
	case o.Current:
		return string(rotation.Current)
	case o.Pending:
		return string(rotation.Pending)
	case o.Previous:
		return string(rotation.Previous)
	}
	return ""
}

func (st standing) rows() [][]string {
	rows := [][]string{{"generation", "stage", "baseline", "created", "token", "username"}}
	for _, v := range st.Versions {
		created := ""
		if !v.Created.IsZero() {
			created = v.Created.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{strconv.Itoa(v.Generation), v.Stage, strconv.FormatBool(v.Baseline), created, v.Token, v.Username})
	}
	return rows
}

// text is the standing for people.
func (st standing) text(s *sheet, now time.Time) string {
	s.field("Secret", "%s   (%s)", st.Secret, st.Store)
	s.field("Current", "%s", st.stage(st.Current, now))
	pending := st.stage(st.Pending, now)
	if st.Pending != 0 {
		pending += "; goes on with: relock resume"
	}
	s.field("Pending", "%s", pending)
	s.field("Previous", "%s", st.stage(st.Previous, now))
	if st.Stored != nil {
		s.field("Store", "%s", storeInWords(*st.Stored))
	}
	if len(st.Versions) > 0 {
		s.blank()
		st.versions(s, now)
	}
	if len(st.Machines) > 0 {
		s.blank()
		st.machines(s)
	}
	return s.b.String()
}

func (st standing) stage(generation int, now time.Time) string {
	if generation == 0 {
		return "none"
	}
	for _, v := range st.Versions {
		if v.Generation == generation && !v.Created.IsZero() {
			return fmt.Sprintf("generation %d, %s old", generation, lasting(now.Sub(v.Created)))
		}
	}
	return fmt.Sprintf("generation %d", generation)
}

func (st standing) versions(s *sheet, now time.Time) {
	shown := st.Versions
	if limit := s.limit(); limit > 0 && len(shown) > limit+1 {
		shown = shown[:limit]
	}
	rows := [][]string{{"generation", "stage", "made", "age", "by"}}
	for _, v := range shown {
		by, made, age := v.Token, "", ""
		if v.Baseline {
			by = "found, and kept"
		}
		if !v.Created.IsZero() {
			made, age = clock(v.Created)+" UTC", lasting(now.Sub(v.Created))
		}
		rows = append(rows, []string{strconv.Itoa(v.Generation), v.Stage, made, age, by})
	}
	s.columns("  ", rows)
	if n := len(st.Versions) - len(shown); n > 0 {
		s.line("  and %s older: --verbose lists all", thousands(n))
	}
}

// machines lists all of them: they were asked for.
func (st standing) machines(s *sheet) {
	target := st.Current
	if st.Pending != 0 {
		target = st.Pending
	}
	have := where(st.Machines, func(m rotation.MachineReport) bool { return m.State == rotation.StateProven })
	s.field("Machines", "%s, of which %s are noted as proven on generation %d", thousands(len(st.Machines)), thousands(have), target)
	rows := [][]string{{"id", "name", "region", "os", "power", "password", "why"}}
	for _, m := range st.Machines {
		why := ""
		switch {
		case m.Reason != "":
			why = m.Reason
			if m.Remedy != "" {
				why += ": " + m.Remedy
			}
		case m.State != rotation.StateProven:
			why = "not known to have " + strconv.Itoa(target)
		}
		rows = append(rows, []string{m.ID, m.Name, m.Region, string(m.OS), string(m.Power),
			generations(m, shortList), why})
	}
	s.columns("  ", rows)
}
