package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newForget(o *options) *cobra.Command {
	before, accept := 0, 0
	cmd := &cobra.Command{
		Use:   "forget",
		Short: "remove old passwords for good, after logging in to every machine",
		Long: `forget removes the generations below --before from the secret, for good. No rotation ever does: an old password may be the
only one that opens a machine which was left behind. So it first logs in to every machine of the scope with the current
password. It refuses while a machine refuses that one, while a rotation is pending, and when it would remove current or
previous. Machines that it cannot log in to count as known when their mark says that they were proven on a generation that
stays; the others may have a password that would go, and --accept-unknown has to name how many they are.
--dry-run logs in, too, and says what would go. Run it while no rotation runs. It is for a secret that is nearly full, which
relock status shows, or for passwords that must not be kept; no other command needs it.

Status 2: refused, nothing was removed, and it says why.`,
		Example: `  relock forget --before 38 --dry-run
  relock forget --before 38
  relock forget --before 38 --accept-unknown 4`,
		Args:        o.noArguments,
		Annotations: without("only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !cmd.Flags().Changed("before"):
				return usage("say which: --before N removes the generations below N")
			case before < 1:
				return usage("--before %d: generations begin with 1", before)
			case accept < 0:
				return usage("--accept-unknown %d: use 0 or more", accept)
			}
			f, err := o.openOne(cmd.Context())
			if err != nil {
				return err
			}
			return o.forget(cmd.Context(), f, before, rotation.ForgetOptions{AcceptUnknown: accept, DryRun: o.dryRun})
		},
	}
	cmd.Flags().IntVar(&before, "before", 0, "the lowest generation that stays: those below `N` are removed")
	cmd.Flags().IntVar(&accept, "accept-unknown", 0, "go on although `N` machines may have a password that goes: exactly as many as there are")
	return cmd
}

func (o *options) forget(ctx context.Context, f fleet, before int, allow rotation.ForgetOptions) error {
	f.rotator.Log = o.log()
	found, err := f.rotator.Forget(ctx, before, allow)
	switch {
	case o.output == outputJSON:
		if failed := writeJSON(o.stdout, found); failed != nil {
			return failed
		}
		return err
	case o.output == outputCSV:
		if failed := o.table(machineColumns, machineRows(found.Machines, f.rotator.Secret, f.name)); failed != nil {
			return failed
		}
		return err
	case err != nil && len(found.Machines) == 0:
		return err
	}
	if failed := o.print(forgetText(&sheet{all: o.verbose}, found, err)); failed != nil {
		return failed
	}
	return ended(statusOf(err))
}

// forgetText is what a forget found and did, for people. Its last line is for scripts and stays as it is.
func forgetText(s *sheet, f *rotation.Forgetting, err error) string {
	s.field("Secret", "%s   generation %d is current   (%s)", f.Secret, f.Current, f.StoreName)
	s.sentence("Outcome", forgetOutcome(f, err))
	if len(f.Machines) > 0 {
		s.blank()
		s.row("open with the current password", f.Counts.Login, "")
		s.row("noted as proven on one that stays", f.Counts.Mark, "could not be logged in to")
		s.row("refuse the current password", f.Counts.Refuse, "hold it up")
		s.row("unknown", f.Counts.Unknown, fmt.Sprintf("may have a generation below %d", f.Before))
		v := view{report: &rotation.Report{Machines: f.Machines}, verbose: s.all}.safe()
		v.section(s, "Refuse the current password: nothing else was tried on them", rotation.StateDrifted)
		v.section(s, "Unknown: proven on nothing that stays", rotation.StateUnproven)
		s.blank()
		s.sentence("Besides", "nobody can know of machines that were in the scope once and carry no mark of this secret, of regions that are not configured, and of a reset that was sent long ago and may still land.")
	}
	if f.Stored != nil {
		s.field("Store", "%s", storeInWords(*f.Stored))
	}
	s.blank()
	switch f.Outcome {
	case rotation.Forgotten:
		s.line("forgot %s, %d unknown", counted(len(f.Generations), "generation"), f.Counts.Unknown)
	default:
		s.line("Nothing was forgotten.")
	}
	return s.b.String()
}

func forgetOutcome(f *rotation.Forgetting, err error) string {
	what := fmt.Sprintf("%s, %s", counted(len(f.Generations), "generation"), spans(f.Generations))
	switch {
	case err != nil && f.Outcome == rotation.Planned:
		return "would be refused: " + f.Why
	case err != nil:
		return "refused: " + f.Why
	case f.Outcome == rotation.Planned:
		return "planned: would forget " + what
	case f.Outcome == rotation.Forgotten:
		return "forgotten for good: " + what
	}
	return "nothing to do: " + f.Why
}

// spans writes generations, newest first, as "1–4, 7".
func spans(of []int) string {
	text := ""
	for i := len(of) - 1; i >= 0; i-- {
		first := of[i]
		for i > 0 && of[i-1] == of[i]+1 {
			i--
		}
		if text != "" {
			text += ", "
		}
		text += strconv.Itoa(first)
		if of[i] != first {
			text += "–" + strconv.Itoa(of[i])
		}
	}
	return text
}
