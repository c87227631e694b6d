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
		Long: `plan says what a rotation would do: who goes down, who stays behind, and why. It sends nothing and stores nothing.
When the rotation would be refused, it says what there is to choose from and ends with status 2.`,
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
		Long: `rotate makes a new password, sets it on every machine of the scope, proves it, and makes it the secret's current version.
With a rotation pending it goes on with that one. Ctrl-C once: nothing more is begun, what is under way is brought to an
end. Running it again is always safe.`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req.Action = rotation.Rotate
			return o.eachFleet(cmd.Context(), req)
		},
	}
	cmd.Flags().BoolVar(&req.NewCandidate, "new-candidate", false, "make another password although one is pending; the pending one stays readable")
	cmd.Flags().StringSliceVar(&req.TakeOver, "take-over", nil, "release machines that another secret's mark claims: `IDS`, or all")
	return cmd
}

func newResume(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "go on with what is pending; never starts a rotation",
		Long: `resume goes on with the rotation that is pending, and starts machines that are owed a start. It never starts a rotation:
with nothing pending there is nothing to do.`,
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
those that came later, and those on which somebody changed it. With a rotation pending it goes on with that one.`,
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
that refuses it is drift: status 3.`,
		Args: o.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.without(cmd.Flags(), "dry-run"); err != nil {
				return err
			}
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
