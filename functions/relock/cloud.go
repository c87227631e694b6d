package main

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func newCloud(o *options) *cobra.Command {
	so, listen := simOptions{}, ""
	cmd := &cobra.Command{
		Use:   "cloud NAME",
		Short: "serve a simulated cloud (" + strings.Join(cloudNames(), ", ") + ") to relock or any other client",
		Long: `cloud serves a simulated cloud until it is interrupted: the provider's API over HTTP, machines that answer SSH, and a
secret with the password that they begin with. It prints the shell lines that point relock and any other client at it,
nothing else on standard output, and closes that afterwards.
` + faultsHelp(),
		Example: `  eval "$(relock cloud tencent --instances 40 &)"
  relock plan && relock rotate && relock verify`,
		ValidArgs: cloudNames(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("cloud takes one name: %s", strings.Join(cloudNames(), " or "))
			}
			return nil
		},
		Annotations: without("env-file", "only", "dry-run", "output"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := serve(args[0], listen, so)
			if err != nil {
				return err
			}
			defer c.close()
			for _, s := range c.settings {
				fmt.Fprintln(o.stdout, s.shellLine())
			}
			if f, ok := o.stdout.(*os.File); ok && !isTerminal(f) {
				f.Close() // whoever reads the lines has them all
			}
			o.announce(c, so, listen)
			untilSignal(cmd.Context())
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "serve on `ADDRESS`; port 0 is one that is free")
	so.flags(cmd.Flags(), 40, 1)
	return cmd
}

func (o *options) announce(c *simCloud, so simOptions, listen string) {
	if o.quiet {
		return
	}
	fmt.Fprintf(o.stderr, "relock: %s at %s until interrupted, or: kill %d\n", counted(so.instances, "machine"), c.url, os.Getpid())
	if host, _, err := net.SplitHostPort(listen); err == nil {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			fmt.Fprintln(o.stderr, "relock: others can reach it, its keys are public, and relock itself takes plain http on a loopback address only")
		}
	}
}
