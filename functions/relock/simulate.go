package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relock-project/relock/rotation"
)

func newSimulate(o *options) *cobra.Command {
	so, name := simOptions{}, ""
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
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.without(cmd.Flags(), "env-file"); err != nil {
				return err
			}
			return o.simulate(cmd.Context(), name, so)
		},
	}
	cmd.Flags().StringVar(&name, "cloud", "tencent", "`NAME` of the cloud to simulate")
	so.flags(cmd.Flags(), 250, 0.3)
	return cmd
}

func (o *options) simulate(ctx context.Context, name string, so simOptions) error {
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
	if !o.quiet {
		fmt.Fprintf(o.stderr, "relock: rotating %s of a simulated %s cloud\n", counted(so.instances, "machine"), name)
	}
	before := c.machines()
	v, err := o.carryOut(ctx, f, rotation.Request{Action: rotation.Rotate})
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

// allIsWell is what check found when nothing is wrong.
func allIsWell(r *rotation.Report) string {
	text := "every machine that was running is running, every stopped one is stopped, "
	if r.Counts.Proven+r.Counts.Accepted == 0 {
		return text + "no machine is reported as rotated"
	}
	return text + fmt.Sprintf("every rotated machine opens with generation %d", r.Generation)
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
	rotated := map[string]bool{}
	for _, m := range report.Machines {
		rotated[m.ID] = m.State == rotation.StateProven || m.State == rotation.StateAccepted
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
		if rotated[m.id] && !version.Password.Equal(rotation.NewPassword(m.password)) {
			locked = append(locked, m.id)
		}
	}
	if len(locked) > 0 {
		wrong = append(wrong, fmt.Sprintf("reported as rotated, and do not open with generation %d: %s", report.Generation, strings.Join(some(locked, shortList), " ")))
	}
	return wrong
}

// versionOf reads a generation from the store. A simulated cloud may be told to fail: it is asked several times.
func versionOf(ctx context.Context, r *rotation.Rotator, generation int) (rotation.Version, error) {
	var failed error
	for range 20 {
		overview, err := r.Status(ctx)
		if err != nil {
			failed = err
			continue
		}
		for _, v := range overview.Versions {
			if v.Generation == generation {
				return v, nil
			}
		}
		return rotation.Version{}, nil
	}
	return rotation.Version{}, failed
}
