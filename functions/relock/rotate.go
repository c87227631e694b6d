package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newPlan(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "plan",
		Short: "what a rotation would do: who goes down, who stays behind, and why",
		Long: `plan says what a rotation would do: which machines go down, which stay behind, and why; how long it takes, and what it
asks of the cloud. It sends nothing and stores nothing. A rotation that would be refused says what there is to choose from,
and ends with status 2.`,
		Example: `  relock plan
  relock plan -e fleets/*.env      # several fleets, one after the other`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.eachFleet(cmd.Context(), rotation.Request{Action: rotation.Plan})
		},
	}
}

func newRotate(o *options) *cobra.Command {
	var req rotation.Request
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "rotate, or go on with the rotation that is pending",
		Long: `rotate stores a new password, sets it on every machine of the scope in batches, proves it, and makes it the secret's
current one. With a rotation pending it goes on with that one. A machine that has to go down for it is stopped only as
RELOCK_RESTART allows, no more than RELOCK_MAX_UNAVAILABLE at once, and one that ran is running at the end.

Ctrl-C once: nothing more is begun, what is under way is brought to an end. Running it again is always safe, also after it
was killed. The last line is for scripts: rotated N of M, skipped N, failed N, unproven N.

Status 0: every machine that counts has the new password. 3: some do not yet (partial, incomplete): the report names them
and the command to run next. 2: refused, nothing was sent or stored. 1: failed.`,
		Example: `  relock rotate --dry-run                     # the same as relock plan
  relock rotate
  relock rotate --only ins-1f0c22aa           # this machine first; the rotation stays pending for the others
  relock rotate -e fleets/*.env -o csv        # several fleets, one table`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req.Action = rotation.Rotate
			return o.eachFleet(cmd.Context(), req)
		},
	}
	cmd.Flags().BoolVar(&req.NewCandidate, "new-candidate", false, "make another password although one is pending; the pending one stays readable")
	cmd.Flags().StringSliceVar(&req.TakeOver, "take-over", nil, "rotate `IDS`, or all, although a mark on them says that they belong to another secret")
	return cmd
}

func newResume(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "go on with what is pending; never starts a rotation",
		Long: `resume goes on with the rotation that is pending, because its run ended before all machines were done. It also starts
machines that a run stopped and did not get to start again. It never begins a rotation: with nothing pending there is
nothing to do. In a function a timer calls it every few minutes.`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.eachFleet(cmd.Context(), rotation.Request{Action: rotation.Resume})
		},
	}
}

func newReconcile(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "reconcile",
		Short: "bring stragglers, newcomers and drifted machines to the current password",
		Long: `reconcile sets the current password on the machines of the scope that do not have it: those that a rotation left behind,
those that came later, and those on which somebody changed it. It makes no new password and leaves the other machines
alone. With a rotation pending it goes on with that one.`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.eachFleet(cmd.Context(), rotation.Request{Action: rotation.Reconcile})
		},
	}
}

func newVerify(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "prove the current password on every machine; reports drift",
		Long: `verify logs in to every machine of the scope with the current password. It sets no password and stops nothing. A machine
that refuses it has drifted, because somebody changed its password: status 3, and relock reconcile sets it again. Machines
that take no SSH logins, or whose host key RELOCK_SSH_KNOWN_HOSTS does not have, are not tried, and it says so.`,
		Args:        o.noArguments,
		Annotations: without("dry-run"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.eachFleet(cmd.Context(), rotation.Request{Action: rotation.Verify})
		},
	}
}

// firstLine is what a person reads of an error beside a report that has it whole.
func firstLine(err error) string {
	line, _, more := strings.Cut(err.Error(), "\n")
	if more {
		return strings.TrimSuffix(line, ":") + " …"
	}
	return line
}
