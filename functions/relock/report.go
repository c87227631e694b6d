package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// text is the report of a run that was not a plan. Its last line is for scripts and stays as it is.
func (v view) text() string {
	r, s := v.report, &sheet{all: v.verbose}
	v.heading(s)
	if r.Counts.Scope > 0 {
		s.blank()
		v.counts(s)
	}
	v.people(s)
	v.skipped(s)
	s.blank()
	v.downtime(s)
	if calls := callsInWords(r); calls != "" {
		s.field("Calls", "%s", calls)
	}
	if r.Stored != nil {
		s.field("Store", "%s", storeInWords(*r.Stored))
	}
	for _, warning := range r.Warnings {
		s.sentence("Warning", warning)
	}
	v.next(s)
	if v.checked != "" {
		s.blank()
		s.line("checked: %s", v.checked)
	}
	s.blank()
	if r.DryRun && r.Action != rotation.Verify {
		s.line("Nothing was sent and nothing was stored.")
	} else {
		s.line("%s", lastLine(r))
	}
	return s.b.String()
}

func (v view) heading(s *sheet) {
	r := v.report
	at := fmt.Sprintf("generation %d", r.Generation)
	switch {
	case r.Generation == 0:
		at = "no generation yet"
	case r.From != 0 && r.From != r.Generation:
		at = fmt.Sprintf("generation %d → %d", r.From, r.Generation)
	}
	s.field("Secret", "%s   %s", r.Secret, at)
	if r.StoreName != "" {
		s.field("Kept in", "%s", r.StoreName)
	}
	if r.Token != "" && r.Action != rotation.Verify {
		s.field("Rotation", "%s", printable(r.Token))
	}
	s.sentence("Outcome", v.outcome())
	if r.DryRun {
		return
	}
	took := fmt.Sprintf("%s, %s", seconds(r.Seconds), fromTo(r.Started, r.Ended))
	if age := r.Started.Sub(r.Created); !r.Created.IsZero() && age > time.Minute && r.From != r.Generation {
		took += fmt.Sprintf("; the rotation began %s before", lasting(age))
	}
	s.field("Time", "%s", took)
}

// outcome says in a sentence how the run ended.
func (v view) outcome() string {
	r := v.report
	why := strings.TrimPrefix(r.Why, rotation.ErrPartial.Error()+": ")
	switch r.Outcome {
	case rotation.Rotated:
		text := fmt.Sprintf("rotated: %d is current", r.Generation)
		switch {
		case r.Action == rotation.Reconcile && r.From == r.Generation:
			text = fmt.Sprintf("reconciled: the machines have %d, the current generation", r.Generation)
		case r.From != 0 && r.From != r.Generation:
			text += fmt.Sprintf(", %d is previous", r.From)
		}
		if r.Counts.Behind > 0 {
			text += fmt.Sprintf("; %s left behind, RELOCK_MAX_EXCEPTIONS=%d allows it", counted(r.Counts.Behind, "machine"), v.policy.MaxExceptions)
		}
		return text
	case rotation.Nothing:
		return "nothing to do: " + why
	case rotation.Verified:
		text := fmt.Sprintf("verified: no machine refuses generation %d", r.Generation)
		if untried := r.Counts.Unproven + r.Counts.Unfinished; untried > 0 {
			text += fmt.Sprintf("; %s could not be tried", counted(untried, "machine"))
		}
		return text
	}
	return strings.TrimSuffix(string(r.Outcome)+": "+why, ": ")
}

// lastLine adds up to all machines of the scope. Skipped are those that the provider does not reset or our policy holds
// back; unfinished are those that were not begun, not ended, or wait for their next boot.
func lastLine(r *rotation.Report) string {
	c := r.Counts
	skipped := c.Unable + c.Held
	if r.Action == rotation.Verify {
		return fmt.Sprintf("verified %d of %d, skipped %d, drifted %d, unproven %d", c.Proven+c.Accepted, c.Scope, skipped,
			c.Drifted+c.Failed, c.Unproven+c.Waiting+c.Unfinished)
	}
	line := fmt.Sprintf("rotated %d of %d, skipped %d, failed %d, unproven %d", c.Proven+c.Accepted, c.Scope, skipped,
		c.Failed+c.Drifted, c.Unproven)
	if n := c.Unfinished + c.Waiting; n > 0 {
		line += fmt.Sprintf(", unfinished %d", n)
	}
	return line
}

// counts is the table of what came of the machines.
func (v view) counts(s *sheet) {
	r, c := v.report, v.report.Counts
	login := "proven by login"
	if r.Action == rotation.Verify {
		login = "open with the current password"
	}
	s.row(login, c.Login, "")
	s.row("proven by the provider's record", c.Record, recordNote(r))
	s.row("proven by an earlier run", c.Mark, "noted on the machines")
	s.row("accepted by the provider", c.Accepted, "not proven: RELOCK_PROOF=accepted")
	s.row("take effect at the next boot", c.Waiting, "")
	s.row("refuse the current password", c.Drifted, "")
	s.row("failed", c.Failed, v.allowance())
	s.row("unproven", c.Unproven, "")
	s.row("cannot be reset", c.Unable, reasonsNote(inState(r, rotation.StateUnable)))
	s.row("held back by your policy", c.Held, reasonsNote(inState(r, rotation.StateHeld)))
	s.row(v.unfinished(), c.Unfinished, "")
}

func (v view) unfinished() string {
	switch v.report.Outcome {
	case rotation.Nothing, rotation.Planned:
		return "not known to have it"
	case rotation.Verified, rotation.Drift:
		return "could not be tried"
	}
	return "not finished"
}

// allowance compares those left behind with what the policy allows.
func (v view) allowance() string {
	behind, allowed := v.report.Counts.Behind, v.policy.MaxExceptions
	if behind <= allowed {
		return fmt.Sprintf("within RELOCK_MAX_EXCEPTIONS=%d", allowed)
	}
	return fmt.Sprintf("RELOCK_MAX_EXCEPTIONS=%d allows %d", allowed, allowed)
}

// recordNote says why the provider's record had to do.
func recordNote(r *rotation.Report) string {
	var parts []string
	stopped, windows := 0, 0
	for _, m := range r.Machines {
		switch {
		case m.Evidence != rotation.ByRecord:
		case m.Power == rotation.Stopped:
			stopped++
		case m.OS == rotation.Windows:
			windows++
		}
	}
	if stopped > 0 {
		parts = append(parts, thousands(stopped)+" stopped")
	}
	if windows > 0 {
		parts = append(parts, thousands(windows)+" Windows")
	}
	return strings.Join(parts, ", ")
}

// reasonsNote adds up the commonest reasons: "isolated 52, rescue mode 13, 3 for other reasons".
func reasonsNote(machines []rotation.MachineReport) string {
	var parts []string
	others := 0
	for i, g := range grouped(machines) {
		if i > 1 {
			others += len(g.machines)
			continue
		}
		text := fmt.Sprintf("%s %s", g.reason, thousands(len(g.machines)))
		if g.machines[0].State == rotation.StateHeld && !g.counts {
			text += " (do not count)"
		}
		parts = append(parts, text)
	}
	if others > 0 {
		parts = append(parts, thousands(others)+" for other reasons")
	}
	return strings.Join(parts, ", ")
}

func (v view) downtime(s *sheet) {
	d, r := v.report.Down, v.report
	if r.Action == rotation.Verify || r.Counts.Scope == 0 || r.DryRun {
		return
	}
	if d.Machines == 0 {
		s.field("Down", "no machine was taken down")
	} else {
		text := counted(d.Machines-d.Again, "machine") + " once"
		if d.Again > 0 {
			text += fmt.Sprintf(", %s more than once for this generation (%s)", thousands(d.Again), strings.Join(some(stoppedAgain(r), s.limit()), " "))
		}
		s.sentence("Down", text)
		cost := fmt.Sprintf("at most %s at once", thousands(d.AtOnce))
		if d.LongestID != "" {
			cost += fmt.Sprintf("; %s median, %s longest (%s)", seconds(d.Median), seconds(d.Longest), printable(d.LongestID))
		}
		s.more("%s", cost)
	}
	for _, line := range powerInWords(r, s.limit()) {
		s.sentence("", line)
	}
}

func stoppedAgain(r *rotation.Report) []string {
	var ids []string
	for _, m := range r.Machines {
		if m.Stops > 1 && m.DownSeconds > 0 {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// powerInWords compares each machine's power with what it was when the run began.
func powerInWords(r *rotation.Report, limit int) []string {
	owed := owedStart(r)
	var up []string
	for _, m := range r.Machines {
		if m.Was == rotation.Stopped && m.Power == rotation.Running {
			up = append(up, m.ID)
		}
	}
	var lines []string
	if len(owed) > 0 {
		lines = append(lines, "NOT KNOWN TO RUN, and did: "+strings.Join(some(owed, limit), " "))
	}
	if len(up) > 0 {
		lines = append(lines, fmt.Sprintf("running, and were stopped: %s (not started by relock)", strings.Join(some(up, limit), " ")))
	}
	if len(lines) == 0 {
		lines = append(lines, "every machine that was running is running, every stopped one is stopped")
	}
	return lines
}

// owedStart returns the machines that were running and are not known to run now. Of one whose stop was just sent the last
// look still says that it runs.
func owedStart(r *rotation.Report) []string {
	var ids []string
	for _, m := range r.Machines {
		switch m.State {
		case rotation.StateStopping, rotation.StateToSend, rotation.StateSent, rotation.StateToRestart, rotation.StateRestarting,
			rotation.StateToStart, rotation.StateStarting:
			if m.Was == rotation.Running && m.Stops > 0 {
				ids = append(ids, m.ID)
				continue
			}
		}
		if m.Was == rotation.Running && m.Power != rotation.Running {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// callsInWords lists the requests by service: "cvm StopInstances 18 · StartInstances 18 · throttled 0".
func callsInWords(r *rotation.Report) string {
	type api struct {
		service, name string
		n             int
	}
	var apis []api
	for name, n := range r.Calls {
		service, rest, ok := strings.Cut(name, " ")
		if !ok {
			service, rest = "", name
		}
		apis = append(apis, api{service, rest, n})
	}
	if len(apis) == 0 {
		return ""
	}
	slices.SortFunc(apis, func(a, b api) int { return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name)) })
	var parts []string
	service := ""
	for _, a := range apis {
		text := fmt.Sprintf("%s %s", a.name, thousands(a.n))
		if a.service != service {
			service, text = a.service, a.service+" "+text
		}
		parts = append(parts, text)
	}
	return wrapped(append(parts, fmt.Sprintf("throttled %s", thousands(r.Throttled))), " · ")
}

func storeInWords(u rotation.Stored) string {
	if u.Generations == 0 {
		return "no generation kept yet"
	}
	text := fmt.Sprintf("%s readable, %d–%d", counted(u.Generations, "generation"), u.Oldest, u.Newest)
	if u.Generations == 1 {
		text = fmt.Sprintf("1 generation readable, %d", u.Newest)
	}
	if u.Archives > 0 {
		text += fmt.Sprintf(", the older ones in %s", counted(u.Archives, "archive"))
	}
	return text + fmt.Sprintf("; room for about %s more", thousands(u.Room))
}
