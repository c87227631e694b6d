package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newSimulate(o *options) *cobra.Command {
	so, name, invocations := simOptions{}, "", 0
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "rotate a simulated fleet, in this process",
		Long: `simulate serves a simulated cloud on a loopback port and rotates its machines through the provider's SDK, HTTP, signed
requests and SSH logins: nothing of the rotation is simulated but the cloud. Afterwards it compares what the report says
with what the machines are. No account is needed and nothing outside this process is touched.
` + faultsHelp(),
		Example: `  relock simulate
  relock simulate --instances 1000 --scale 0.1
  relock simulate --faults throttle=0.05,lost-reply=0.02,reset-fails=0.01`,
		Args:        o.noArguments,
		Annotations: without("env-file"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if invocations < 1 {
				return usage("--invocations %d: use 1 or more", invocations)
			}
			return o.simulate(cmd.Context(), name, so, invocations)
		},
	}
	cmd.Flags().StringVar(&name, "cloud", "tencent", "simulate the cloud `NAME`: "+strings.Join(cloudNames(), " or "))
	so.flags(cmd.Flags(), 250, 0.3)
	cmd.Flags().IntVar(&invocations, "invocations", 10, "run up to `N` times, as a timer would, while it ends failed or incomplete")
	return cmd
}

func (o *options) simulate(ctx context.Context, name string, so simOptions, invocations int) error {
	c, err := serve(name, "127.0.0.1:0", so)
	if err != nil {
		return err
	}
	defer c.close()
	file, err := c.envFile()
	if err != nil {
		return fmt.Errorf("write the simulation's configuration: %w", err)
	}
	defer os.Remove(file)
	f, err := o.wire(ctx, file)
	if err != nil {
		return err
	}
	f.name = "" // nobody has to know of the file
	if !o.quiet {
		fmt.Fprintf(o.stderr, "relock: rotating %s of a simulated %s cloud\n", counted(so.instances, "machine"), name)
	}
	before := c.machines()
	v, err := o.invoke(ctx, f, invocations)
	c.calm() // what is wrong is asked of the rotation, not of the check
	wrong := c.check(ctx, f, v.report, before)
	v.checked = strings.Join(wrong, "; ")
	if len(wrong) == 0 {
		v.checked = allIsWell(v.report)
	}
	status := o.write(v, err)
	if len(wrong) > 0 {
		status = exitFailed
	}
	return ended(status)
}

// invoke rotates, and goes on as often as it takes: a simulated cloud may be told to fail. It returns what came of the
// last invocation.
func (o *options) invoke(ctx context.Context, f fleet, invocations int) (view, error) {
	action := rotation.Rotate
	for n := 1; ; n++ {
		v, err := o.carryOut(ctx, f, rotation.Request{Action: action})
		again := v.report.Outcome == rotation.Failure || v.report.Outcome == rotation.Incomplete
		if !again || n == invocations || len(o.only) > 0 || f.interrupted() || errors.Is(err, rotation.ErrConfig) {
			return v, err
		}
		o.explain(v, fmt.Errorf("invocation %d of up to %d: %s: %s", n, invocations, v.report.Outcome, v.report.Why))
		overview, _ := f.rotator.Status(ctx)               // what cannot be read, the next invocation says better
		if overview.Pending != 0 || overview.Current > 1 { // 1 is what a simulated secret holds at first
			action = rotation.Resume
		}
	}
}

// allIsWell is what check found when nothing is wrong.
func allIsWell(r *rotation.Report) string {
	text := "every machine that was running is running, every stopped one is stopped, "
	if r.Counts.Proven+r.Counts.Accepted == 0 {
		return text + "no machine is reported as rotated"
	}
	text += fmt.Sprintf("every rotated machine opens with generation %d", r.Generation)
	if r.Counts.Accepted > 0 {
		text += ", now or after its next boot"
	}
	return text
}

// envFile writes the cloud's settings to an environment file, as an operator would have one, and returns its name. What
// does not belong into such a file is set in the environment: the demo's credentials take the place of any real ones.
func (c *simCloud) envFile() (string, error) {
	f, err := os.CreateTemp("", "relock-simulate-*.env")
	if err != nil {
		return "", err
	}
	for _, s := range c.settings {
		if !strings.HasPrefix(s.name, "RELOCK_") {
			err = os.Setenv(s.name, s.value)
		} else {
			_, err = fmt.Fprintln(f, s.shellLine())
		}
		if err != nil {
			break
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// check compares the report with what the machines are, and returns what is wrong.
func (c *simCloud) check(ctx context.Context, f fleet, report *rotation.Report, before []simMachine) []string {
	version, err := versionOf(context.WithoutCancel(ctx), f.rotator, report.Generation)
	if err != nil {
		return []string{"the simulated secret could not be read: " + err.Error()}
	}
	state := map[string]rotation.State{}
	for _, m := range report.Machines {
		state[m.ID] = m.State
	}
	was := map[string]string{}
	for _, m := range before {
		was[m.id] = m.power
	}
	var wrong, locked []string
	for _, m := range c.machines() {
		if (was[m.id] == powerOn || was[m.id] == powerOff) && m.power != was[m.id] {
			wrong = append(wrong, fmt.Sprintf("%s was %s and is %s", m.id, was[m.id], m.power))
		}
		opens := version.Password.Equal(rotation.NewPassword(m.password))
		waits := m.next != "" && version.Password.Equal(rotation.NewPassword(m.next))
		switch state[m.id] {
		case rotation.StateProven:
		case rotation.StateAccepted:
			opens = opens || waits
		default:
			continue
		}
		if !opens {
			locked = append(locked, m.id)
		}
	}
	if len(locked) > 0 {
		wrong = append(wrong, fmt.Sprintf("reported as rotated, and do not open with generation %d: %s", report.Generation, strings.Join(some(locked, shortList), " ")))
	}
	return wrong
}

// versionOf reads a generation from the store; the zero Version when there is no such generation.
func versionOf(ctx context.Context, r *rotation.Rotator, generation int) (rotation.Version, error) {
	overview, err := r.Status(ctx)
	for _, v := range overview.Versions {
		if v.Generation == generation {
			return v, err
		}
	}
	return rotation.Version{}, err
}
