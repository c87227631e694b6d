package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// planText is what a rotation would do. When it would be refused it says why, and what there is to choose from.
func (v view) planText() string {
	r, p, s := v.report, v.report.Plan, &sheet{all: v.verbose}
	s.field("Secret", "%s   (%s)", r.Secret, r.StoreName)
	s.field("Now", "%s", v.now())
	s.field("Would", "%s", v.would())
	s.field("Scope", "%s: %s", v.scope, counted(r.Counts.Scope, "machine"))
	if r.Counts.Scope > 0 {
		s.blank()
		v.planCounts(s)
	}
	s.blank()
	v.planCost(s)
	for _, warning := range r.Warnings {
		s.sentence("Warning", warning)
	}
	if r.Why != "" && p.Refused == "" {
		s.sentence("Note", r.Why)
	}
	if p.Refused != "" {
		v.refusal(s)
	}
	s.blank()
	s.line("Nothing was sent and nothing was stored.")
	return s.b.String()
}

// now says what the secret holds.
func (v view) now() string {
	r, p := v.report, v.report.Plan
	text := "no generation yet"
	if r.From > 0 {
		text = fmt.Sprintf("generation %d, current%s", r.From, v.age(r.From))
	}
	if p.Pending {
		return fmt.Sprintf("%s; %d pending%s", text, p.Generation, v.age(p.Generation))
	}
	return text + "; nothing pending"
}

// age is how old a generation was when the report was made, with a comma before it; empty when that is not known.
func (v view) age(generation int) string {
	if v.overview == nil {
		return ""
	}
	for _, version := range v.overview.Versions {
		if version.Generation == generation && !version.Created.IsZero() {
			return ", " + lasting(v.report.Ended.Sub(version.Created)) + " old"
		}
	}
	return ""
}

func (v view) would() string {
	p, r := v.report.Plan, v.report
	switch {
	case p.Pending:
		return fmt.Sprintf("go on with generation %d; no other is made", p.Generation)
	case p.Generation == r.From:
		return fmt.Sprintf("set generation %d, the current one, on the machines that do not have it", p.Generation)
	}
	text := fmt.Sprintf("make generation %d", p.Generation)
	if p.Length > 0 {
		text += fmt.Sprintf(": %d characters, %.0f bits, %s", p.Length, p.Bits, p.Rules)
	}
	return text
}

// planCounts is the table of what would come of the machines.
func (v view) planCounts(s *sheet) {
	p, r := v.report.Plan, v.report
	stop := "stop, reset, start"
	if v.policy.Restart == rotation.RestartForce {
		stop = "force off, reset, start"
	}
	s.row("have generation "+fmt.Sprint(p.Generation)+" already", p.Done, "")
	restart := "reset, restart"
	if v.policy.Restart == rotation.RestartForce {
		restart = "reset, forced restart"
	}
	down := fmt.Sprintf("at most %s down at once", thousands(p.Capacity))
	s.row("rotate, running: "+stop, p.Running-p.Restarted, down)
	s.row("rotate, running: "+restart, p.Restarted, down)
	s.row("rotate, running: reset while they run", p.Online, "nothing goes down")
	s.row("rotate, stopped: reset, stay stopped", p.Stopped, "")
	s.row("  of which wait for their next boot", p.Waiting, "the password takes effect then")
	s.row("not named by --only", r.Counts.Unfinished-p.Running-p.Online-p.Stopped, "not touched, and the rotation stays pending for them")
	s.row("cannot be set", r.Counts.Failed, reasonsNote(inState(r, rotation.StateFailed)))
	s.row("cannot be reset now", r.Counts.Unable, "do not hold the rotation up")
	for _, g := range grouped(inState(r, rotation.StateUnable)) {
		writeGroup(s, g, v.policy.MaxExceptions)
	}
	s.row("held back by your policy", r.Counts.Held, "")
	for _, g := range grouped(inState(r, rotation.StateHeld)) {
		writeGroup(s, g, v.policy.MaxExceptions)
	}
}

// planCost is what the rotation would take.
func (v view) planCost(s *sheet) {
	p := v.report.Plan
	if p.ByLogin+p.ByRecord+p.Unproven > 0 {
		s.field("Proof", "%s", v.proof())
	}
	if p.Running > 0 {
		s.field("Order", "%s", v.order())
	}
	if p.Resets > 0 {
		calls := counted(p.Resets, "reset")
		if p.Stops > 0 || p.Restarts == 0 {
			calls += ", " + counted(p.Stops, "stop") + ", " + counted(p.Starts, "start")
		}
		if p.Restarts > 0 {
			calls += ", " + counted(p.Restarts, "restart")
		}
		s.field("Calls", "about %s, and a look at all every %s", calls, lasting(v.pollInterval()))
	}
	if p.Seconds > 0 {
		s.field("Time", "about %s, at 3 min for each wave", seconds(p.Seconds))
	}
	s.field("Window", "%s", v.window())
}

func (v view) proof() string {
	p := v.report.Plan
	if v.policy.Proof == rotation.ProofAccepted {
		return "none: RELOCK_PROOF=accepted takes the provider's acceptance"
	}
	ways := []string{thousands(p.ByLogin) + " by SSH login"}
	if p.ByRecord > 0 || p.Unproven == 0 && p.Waiting == 0 {
		ways = append(ways, thousands(p.ByRecord)+" by the provider's record")
	}
	if p.Unproven > 0 {
		ways = append(ways, thousands(p.Unproven)+" by nothing: they take no logins, and the provider keeps no record")
	}
	return strings.Join(ways, " · ")
}

func (v view) order() string {
	p := v.report.Plan
	waves := p.Waves
	text := ""
	if p.Running > 1 && v.policy.Canary >= 0 {
		waves--
		text = fmt.Sprintf("canary %d, first %s → ", max(1, v.policy.Canary), printable(p.Canary))
	}
	return text + fmt.Sprintf("%s of up to %s", counted(waves, "wave"), thousands(p.Capacity))
}

func (v view) pollInterval() time.Duration {
	if v.policy.PollInterval <= 0 {
		return 5 * time.Second
	}
	return v.policy.PollInterval
}

func (v view) window() string {
	p := v.report.Plan
	if v.policy.Window.IsZero() {
		return "always open"
	}
	open := v.policy.Window.Length()
	text := fmt.Sprintf("%s: ", p.Window)
	if p.Opens {
		text += "open now"
	} else {
		text += "closed now, so nothing would be stopped before it opens"
	}
	if need := time.Duration(p.Seconds * float64(time.Second)); need > open {
		days := (need + open - 1) / open
		text += fmt.Sprintf("; takes about %d of them", days)
	} else if need > 0 {
		text += fmt.Sprintf("; fits when begun %s or more before its end", lasting(need))
	}
	return text
}

// refusal says why the plan would be refused and what can be done about it.
func (v view) refusal(s *sheet) {
	refused := strings.TrimPrefix(v.report.Plan.Refused, rotation.ErrConfig.Error()+": ")
	first, rest, _ := strings.Cut(refused, "\n")
	s.blank()
	s.line("This plan would be REFUSED: %s", first)
	held := slices.DeleteFunc(inState(v.report, rotation.StateHeld), func(m rotation.MachineReport) bool { return !m.Counts })
	if len(held) == 0 || v.verbose {
		for _, line := range strings.Split(strings.TrimSpace(rest), "\n") {
			s.line("  %s", strings.TrimSpace(line))
		}
	}
	if len(held) == 0 {
		return
	}
	if !v.verbose {
		v.behind(s, held)
	}
	s.line("Choose:")
	for _, g := range grouped(held) {
		s.line("  %s  (%s)", g.remedy, counted(len(g.machines), "machine"))
	}
	if len(held) > v.policy.MaxExceptions {
		s.line("  RELOCK_MAX_EXCEPTIONS=%d lets them stay behind; lookup goes on answering for them", len(held))
	}
	s.line("  RELOCK_EXCLUDE_TAGS=… takes them out of the scope")
}

// behind names the machines that would stay behind.
func (v view) behind(s *sheet, held []rotation.MachineReport) {
	shown := held[:min(len(held), shortList)]
	var rows [][]string
	for _, m := range shown {
		rows = append(rows, []string{m.ID, m.Name, m.Region, m.Reason})
	}
	s.columns("  ", rows)
	if n := len(held) - len(shown); n > 0 {
		s.line("  and %s more: --verbose lists all", thousands(n))
	}
}
