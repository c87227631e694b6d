package main

import (
	"cmp"
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// people names every machine that needs a person.
func (v view) people(s *sheet) {
	r := v.report
	again := "relock resume"
	if r.Outcome == rotation.Rotated || r.Action == rotation.Reconcile && r.From == r.Generation {
		again = "relock reconcile"
	}
	v.section(s, "Failed: still answerable, tried again by: "+again, rotation.StateFailed)
	v.section(s, "Unproven: reset, and nothing proves it; tried again by: "+again, rotation.StateUnproven)
	v.section(s, "Drifted: running, and refuse the current password", rotation.StateDrifted)
	v.section(s, "Waiting: the password takes effect at the next boot", rotation.StateWaiting)
	if owed := owedStart(r); len(owed) > 0 {
		s.blank()
		s.line("Down, or on the way: were running, and are owed a start by: relock resume, or by hand")
		s.ids(2, owed)
	}
}

// section lists the machines in a state with all that is known of why.
func (v view) section(s *sheet, title string, state rotation.State) {
	machines := inState(v.report, state)
	if len(machines) == 0 {
		return
	}
	s.blank()
	s.line("%s", title)
	for _, g := range grouped(machines) {
		if len(g.machines) == 1 {
			s.columns("  ", aloneRows(g.machines[0], s.limit()))
			continue
		}
		v.together(s, g)
	}
}

// aloneRows are the lines about a machine whose reason no other has.
func aloneRows(m rotation.MachineReport, limit int) [][]string {
	rows := [][]string{{m.ID, m.Name, m.Region, withCode(m)}}
	more := func(text string) { rows = append(rows, []string{"", "", "", text}) }
	more(opens(m, limit))
	if m.Remedy != "" {
		more(m.Remedy)
	}
	if m.RequestID != "" {
		more(fmt.Sprintf("request %s  %s", m.RequestID, m.Request))
	}
	return rows
}

// together lists machines that have one reason, which is said once.
func (v view) together(s *sheet, g group) {
	s.line("  %s: %s", thousands(len(g.machines)), g.reason)
	if g.remedy != "" {
		s.line("  %s", g.remedy)
	}
	shown := g.machines
	if limit := s.limit(); limit > 0 && len(shown) > limit+1 {
		shown = shown[:limit]
	}
	var rows [][]string
	for _, m := range shown {
		request := ""
		if m.RequestID != "" {
			request = fmt.Sprintf("request %s  %s", m.RequestID, m.Request)
		}
		own := ""
		if withCode(m) != g.reason {
			own = withCode(m)
		}
		rows = append(rows, []string{m.ID, m.Name, m.Region, opens(m, s.limit()), own, request})
	}
	s.columns("    ", rows)
	if n := len(g.machines) - len(shown); n > 0 {
		s.line("    and %s more: --verbose lists all, --output csv has a line for each", thousands(n))
	}
}

// withCode is a machine's reason with what the provider calls it.
func withCode(m rotation.MachineReport) string {
	reason := cmp.Or(m.Reason, "no reason given")
	if m.Code != "" {
		reason += " [" + m.Code + "]"
	}
	return reason
}

// opens says how a machine is and what opens it.
func opens(m rotation.MachineReport, limit int) string {
	return fmt.Sprintf("%s; password: %s", m.Power, generations(m, limit))
}

// skipped names what was not touched, by reason.
func (v view) skipped(s *sheet) {
	groups := append(grouped(inState(v.report, rotation.StateUnable)), grouped(inState(v.report, rotation.StateHeld))...)
	if len(groups) == 0 {
		return
	}
	s.blank()
	s.line("Skipped: cannot be reset now, or held back by your policy")
	for _, g := range groups {
		writeGroup(s, g, v.policy.MaxExceptions)
	}
}

// writeGroup writes how many machines, why, what to do, and which.
func writeGroup(s *sheet, g group, allowed int) {
	text := g.reason
	if g.machines[0].State == rotation.StateHeld {
		if g.counts {
			text += fmt.Sprintf("; counts: RELOCK_MAX_EXCEPTIONS=%d", allowed)
		} else {
			text += "; never held a password of relock, does not count"
		}
	}
	s.line("  %7s  %s", thousands(len(g.machines)), text)
	if g.remedy != "" {
		s.line("  %7s  %s", "", g.remedy)
	}
	s.ids(11, g.ids())
}

// next says of the report's commands what they are for.
func (v view) next(s *sheet) {
	if len(v.report.Next) == 0 {
		return
	}
	s.blank()
	c := v.report.Counts
	var rows [][]string
	for _, command := range v.report.Next {
		var what string
		switch {
		case command == "relock resume" && c.Unfinished+c.Waiting > 0:
			what = fmt.Sprintf("goes on with the %s that are not finished", counted(c.Unfinished+c.Waiting, "machine"))
		case command == "relock resume":
			what = "goes on with what is pending"
		case command == "relock reconcile":
			what = fmt.Sprintf("sets again: %s", counted(c.Failed+c.Unproven+c.Drifted, "machine"))
		case len(command) > len("relock lookup "):
			what = "the passwords that may open it"
		}
		rows = append(rows, []string{command, what})
	}
	for i, row := range rows {
		name := ""
		if i == 0 {
			name = "Next"
		}
		s.field(name, "%s%s", padded(row[0]+"  ", 34), row[1])
	}
}
