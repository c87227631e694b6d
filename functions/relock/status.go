package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newStatus(o *options) *cobra.Command {
	var what statusFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "the secret's versions, their age, what is pending; --machines: a line per machine",
		Long: `status shows the secret's versions, their age and stages, what is pending, and how much room the store has. It logs in
nowhere, shows no password and changes nothing.

With --machines it says of every machine which generation's password it is known to have, and what that rests on. As csv
that is a table for an auditor, with these columns; new ones are added at the end:
  machine, name, region
  generation  the one that the machine is known to have; empty when nothing tells
  age_days    whole days since that generation was made: its password is at most so old
  evidence    mark: a rotation proved it, by a login or the provider's record, and noted so on the machine;
              accepted: the provider accepted it, which suffices by configuration (RELOCK_PROOF); empty: nothing tells
  since       when that generation was made (UTC)
  why_not     why it does not have the newest generation; empty when it has
  state, power, os
  candidates  the generations that may open it, likeliest first; or_unknown: or one that relock never knew
  counts      whether it counts against RELOCK_MAX_EXCEPTIONS when it stays behind
  current, pending, secret; fleet: its --env-file; as_of: when this was read (UTC)`,
		Example: `  relock status --machines -o csv > evidence.csv
  relock status --machines -o csv -e fleets/*.env > evidence.csv      # all fleets in one table`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.statuses(cmd.Context(), what)
		},
	}
	cmd.Flags().BoolVar(&what.machines, "machines", false, "a line per machine: which generation it has, and what would leave it behind")
	return cmd
}

type statusFlags struct{ machines bool }

// statuses shows one fleet after the other. A fleet that cannot be read does not keep the others from being shown.
func (o *options) statuses(ctx context.Context, what statusFlags) error {
	fleets, err := o.open(ctx)
	if err != nil {
		return err
	}
	if len(fleets) == 1 {
		return o.status(ctx, fleets[0], what)
	}
	gravest := exitDone
	for _, f := range fleets {
		o.heading(f)
		if err := o.status(ctx, f, what); err != nil {
			fmt.Fprintf(o.stderr, "relock: %s: %s\n", f.name, o.shortened(strings.TrimPrefix(err.Error(), errUsage.Error()+": ")))
			gravest = graver(gravest, statusOf(err))
		}
	}
	return ended(gravest)
}

// heading begins a fleet's part of the text among several.
func (o *options) heading(f fleet) {
	if o.output == outputText {
		fmt.Fprintf(o.stdout, "\n# %s\n", f.name)
	}
}

// standing is what a secret holds, for machines to read.
type standing struct {
	Fleet    string           `json:"fleet,omitempty"` // its environment file
	Secret   string           `json:"secret"`
	Store    string           `json:"store,omitempty"`
	Current  int              `json:"current"`
	Pending  int              `json:"pending"`
	Previous int              `json:"previous"`
	AsOf     time.Time        `json:"asOf"`
	Stored   *rotation.Stored `json:"stored,omitempty"`
	Versions []storedVersion  `json:"versions"`
	Machines []evidenced      `json:"machines,omitempty"`
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
		Fleet: f.name, Secret: f.rotator.Secret, Store: f.rotator.StoreName, Stored: overview.Stored,
		Current: overview.Current, Pending: overview.Pending, Previous: overview.Previous, AsOf: time.Now().UTC().Truncate(time.Second),
	}
	for _, v := range overview.Versions {
		st.Versions = append(st.Versions, storedVersion{v.Generation, stageOf(v.Generation, overview), v.Baseline, v.Created,
			printable(v.Token), v.Username})
	}
	if what.machines || len(o.only) > 0 {
		machines, err := o.inventory(ctx, f)
		if err != nil {
			return err
		}
		if o.output == outputText {
			machines = legibly(machines)
		}
		st.Machines = st.evidence(machines, f.rotator.Policy.Proof)
	}
	switch {
	case o.output == outputJSON:
		return writeJSON(o.stdout, st)
	case o.output == outputCSV && what.machines:
		return o.table(evidenceColumns, st.evidenceRows())
	case o.output == outputCSV:
		return o.table(versionColumns, st.rows())
	}
	return o.print(st.text(&sheet{all: o.verbose}, st.AsOf))
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

// versionColumns are the columns of status as csv. Scripts read them: new ones are added at the end.
var versionColumns = []string{"generation", "stage", "baseline", "created", "token", "username", "secret", "fleet"}

func (st standing) rows() [][]string {
	var rows [][]string
	for _, v := range st.Versions {
		rows = append(rows, []string{strconv.Itoa(v.Generation), v.Stage, strconv.FormatBool(v.Baseline), stamp(v.Created), v.Token, v.Username,
			st.Secret, st.Fleet})
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
	have := 0
	rows := [][]string{{"id", "name", "region", "os", "power", "password", "why"}}
	for _, m := range st.Machines {
		if m.WhyNot == "" {
			have++
		}
		rows = append(rows, []string{m.ID, m.Name, m.Region, string(m.OS), string(m.Power),
			generations(m.MachineReport, shortList), m.WhyNot})
	}
	verb := "proven"
	if len(st.Machines) > 0 && slices.ContainsFunc(st.Machines, func(m evidenced) bool { return m.Evidence == rotation.ByAccepted }) {
		verb = "accepted"
	}
	s.field("Machines", "%s, of which %s are noted as %s on generation %d", thousands(len(st.Machines)), thousands(have), verb, st.target())
	s.columns("  ", rows)
}
