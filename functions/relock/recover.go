package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newRecover(o *options) *cobra.Command {
	var what recoverFlags
	cmd := &cobra.Command{
		Use:   "recover ID",
		Short: "try those passwords one after the other, within a login budget, and say which one opens it",
		Long: `recover tries the stored passwords on a machine, one login at a time in the order of relock lookup, until one opens it. It
stops after 3 failed logins (--tries), because machines lock accounts: pam_faillock does for 10 minutes after 3 failures
within 15, and refuses the right password then, too. --from goes on with the rest; --pause 8m keeps below three failures in
15 minutes. It changes nothing. --reveal prints the password that opens.

Status 0: one opens it. 3: it stopped before all were tried, and says how to go on. 1: none of them opens it.`,
		Example: `  relock recover ins-1f0c22aa
  relock recover ins-1f0c22aa --from 38                  # goes on, after the account is open again
  relock recover ins-1f0c22aa --tries 20 --pause 8m`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              o.oneMachine,
		Annotations:       without("only", "dry-run"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := what.check(cmd.Flags().Changed("from"), o.output); err != nil {
				return err
			}
			f, err := o.openFor(cmd.Context())
			if err != nil {
				return err
			}
			return o.recover(cmd.Context(), f, o.id, what)
		},
	}
	cmd.Flags().IntVar(&what.from, "from", 0, "begin with generation `N`, in the order of lookup: an earlier recover says which")
	cmd.Flags().IntVar(&what.tries, "tries", 3, "stop after `N` logins that failed, or got no answer")
	cmd.Flags().DurationVar(&what.pause, "pause", 2*time.Second, "wait `TIME` between two logins: 8m, 30s")
	cmd.Flags().BoolVar(&what.reveal, "reveal", false, "print the password that opens")
	return cmd
}

type recoverFlags struct {
	from, tries int
	pause       time.Duration
	reveal      bool
}

func (what recoverFlags) check(from bool, output string) error {
	switch {
	case from && what.from < 1:
		return usage("--from %d: generations begin with 1", what.from)
	case what.tries < 1:
		return usage("--tries %d: use 1 or more", what.tries)
	case what.pause < 0:
		return usage("--pause %s: use 0 or more", what.pause)
	case what.reveal && output == outputCSV:
		return usage("--reveal goes with text and json: csv changes cells that a spreadsheet would take for formulas")
	}
	return nil
}

func (what recoverFlags) options() rotation.RecoverOptions {
	if what.pause == 0 {
		what.pause = -1
	}
	return rotation.RecoverOptions{From: what.from, Tries: what.tries, Pause: what.pause}
}

// recovery is a recover's result, for machines to read.
type recovery struct {
	answer
	Outcome rotation.Recovered `json:"outcome"`
	Reason  string             `json:"reason,omitempty"`
	Opens   *candidate         `json:"opens,omitempty"`
	Tried   []triedPassword    `json:"tried"`
	Left    []int              `json:"left"`
	Skipped []int              `json:"skipped,omitempty"`
	Next    []string           `json:"next,omitempty"`
}

// triedPassword is one password, and what the machine answered.
type triedPassword struct {
	Generation int                `json:"generation"`
	Answer     rotation.TryAnswer `json:"answer"`
}

func (o *options) recover(ctx context.Context, f fleet, id string, what recoverFlags) error {
	f.rotator.Log = o.log()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	found, err := f.rotator.Recover(ctx, id, what.options())
	if err != nil && found.Outcome == "" {
		return err
	}
	r := newRecovery(found, what)
	if v, ok := found.Opens(); ok && what.reveal {
		text := v.For(found.Instance).Password.Reveal()
		r.Opens.Password = &text
		if isTerminal(o.stdout) {
			fmt.Fprintln(o.stderr, "relock: a password follows: clear the screen and its history afterwards")
		}
	}
	if err := o.writeRecovery(r); err != nil {
		return err
	}
	return ended(r.status())
}

func (o *options) writeRecovery(r recovery) error {
	switch o.output {
	case outputJSON:
		return writeJSON(o.stdout, r)
	case outputCSV:
		return writeTable(o.stdout, r.rows())
	}
	return o.print(r.text(&sheet{all: o.verbose}, time.Now()))
}

// status is 3 while going on could still find the password.
func (r recovery) status() int {
	switch r.Outcome {
	case rotation.Opened:
		return exitDone
	case rotation.OutOfTries, rotation.NoAnswer, rotation.Interrupted:
		return exitPartial
	}
	return exitFailed
}

func newRecovery(found rotation.Recovery, what recoverFlags) recovery {
	r := recovery{answer: newAnswer(found.Answer), Outcome: found.Outcome, Reason: printable(found.Reason), Tried: []triedPassword{}, Left: []int{}}
	for _, t := range found.Tries {
		r.Tried = append(r.Tried, triedPassword{t.Version.Generation, t.Answer})
	}
	for _, v := range found.Left {
		r.Left = append(r.Left, v.Generation)
	}
	for _, v := range found.Skipped {
		r.Skipped = append(r.Skipped, v.Generation)
	}
	if v, ok := found.Opens(); ok {
		for i, w := range found.Versions {
			if w.ID == v.ID {
				opens := r.Candidates[i]
				r.Opens = &opens
				break
			}
		}
	}
	r.Next = r.next(found.GoOn(what.options()), what)
	return r
}

// next are the commands that an operator would type now.
func (r recovery) next(o rotation.RecoverOptions, what recoverFlags) []string {
	switch {
	case r.Outcome == rotation.Opened && r.Opens.Stage == string(rotation.Current):
		return nil
	case r.Outcome == rotation.Opened, r.Outcome == rotation.NoneOpens:
		return []string{"relock reconcile"}
	case r.Outcome == rotation.NotTried:
		return []string{"relock lookup " + r.ID + " --reveal"}
	}
	command := fmt.Sprintf("relock recover %s --from %d", r.ID, o.From)
	if o.Tries != 3 {
		command += fmt.Sprintf(" --tries %d", o.Tries)
	}
	if what.pause != 2*time.Second {
		command += fmt.Sprintf(" --pause %s", what.pause)
	}
	return []string{command}
}

func (r recovery) rows() [][]string {
	rows := [][]string{{"id", "order", "generation", "answer"}}
	for i, t := range r.Tried {
		rows = append(rows, []string{r.ID, strconv.Itoa(i + 1), strconv.Itoa(t.Generation), string(t.Answer)})
	}
	return rows
}

func (r recovery) text(s *sheet, now time.Time) string {
	s.field("Machine", "%s", r.machine())
	s.field("Order", "likeliest first: %s", r.Why)
	if len(r.Skipped) > 0 {
		s.sentence("Skipped", "before --from: "+numbered(r.Skipped, s.limit()))
	}
	s.blank()
	var rows [][]string
	for i, t := range r.Tried {
		stage := ""
		for _, c := range r.Candidates {
			if c.Generation == t.Generation {
				stage = c.Stage
			}
		}
		rows = append(rows, []string{strconv.Itoa(i + 1), "generation " + strconv.Itoa(t.Generation), stage, string(t.Answer)})
	}
	s.columns("  ", rows)
	s.blank()
	s.sentence("Outcome", r.outcome())
	if r.Opens != nil && r.Opens.Password != nil {
		s.field("Password", "%s", legible(*r.Opens.Password))
	}
	if len(r.Left) > 0 && r.Opens == nil {
		s.sentence("Left", numbered(r.Left, s.limit()))
	}
	for _, command := range r.Next {
		s.field("Next", "%s%s", padded(command+"  ", 34), nextInWords(command))
	}
	s.blank()
	s.line("%s", r.lastLine())
	return s.b.String()
}

// outcome says in a sentence what trying came to.
func (r recovery) outcome() string {
	const locked = "An account that is locked refuses the right password, too: commonly for 10 minutes after 3 failures."
	switch r.Outcome {
	case rotation.Opened:
		text := fmt.Sprintf("generation %d opens it, as %s", r.Opens.Generation, r.Opens.Username)
		if r.Opens.Stage != string(rotation.Current) {
			text += ": it is not the current one"
		}
		return text
	case rotation.NoneOpens:
		text := fmt.Sprintf("it refuses %s: it has one that relock never knew", counted(len(r.Tried), "password"))
		if len(r.Skipped) > 0 {
			text = fmt.Sprintf("it refuses %s: it has one of those skipped, or one that relock never knew", counted(len(r.Tried), "password"))
		}
		return text + ".\n" + locked
	case rotation.OutOfTries:
		return fmt.Sprintf("stopped after %s that failed; %s not tried.\n%s Wait until it is open again.", counted(r.failed(), "login"),
			counted(len(r.Left), "password"), locked)
	case rotation.Interrupted:
		return fmt.Sprintf("interrupted; %s not tried", counted(len(r.Left), "password"))
	}
	return string(r.Outcome) + ": " + r.Reason
}

// failed is how many passwords the machine refused.
func (r recovery) failed() int {
	n := 0
	for _, t := range r.Tried {
		if t.Answer == rotation.TryRefused {
			n++
		}
	}
	return n
}

// lastLine is for scripts, and stays as it is.
func (r recovery) lastLine() string {
	if r.Opens != nil {
		return fmt.Sprintf("recovered %s: generation %d", r.ID, r.Opens.Generation)
	}
	return fmt.Sprintf("not recovered %s: refused %d, left %d", r.ID, r.failed(), len(r.Left))
}

func nextInWords(command string) string {
	switch {
	case command == "relock reconcile":
		return "sets the current password"
	case strings.HasPrefix(command, "relock recover "):
		return "goes on with the rest"
	}
	return "the passwords that may open it, to try by hand"
}

// numbered is a list of generations, shortened unless all was asked for.
func numbered(of []int, limit int) string {
	parts := make([]string, len(of))
	for i, n := range of {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(some(parts, limit), ", ")
}
