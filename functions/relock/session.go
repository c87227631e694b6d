package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// A fleet is one configuration, wired.
type fleet struct {
	name    string // its file; empty for the environment
	config  *config.Config
	rotator *rotation.Rotator
}

// scope says which machines are meant.
func (f fleet) scope() string {
	var regions []string
	for _, of := range f.rotator.Fleets {
		regions = append(regions, of.Region())
	}
	return inWords(f.rotator.Scope, regions)
}

// interrupted reports whether somebody asked for the end of the run before.
func (f fleet) interrupted() bool {
	select {
	case <-f.rotator.Interrupt:
		return true
	default:
		return false
	}
}

// eachFleet carries out a request on every configured fleet, one after the other. All are opened before the first is
// touched. The exit status is the gravest.
func (o *options) eachFleet(ctx context.Context, req rotation.Request) error {
	fleets, err := o.open(ctx)
	if err == nil {
		err = clash(fleets)
	}
	if err != nil {
		return err
	}
	gravest := exitDone
	for _, f := range fleets {
		if len(fleets) > 1 {
			o.heading(f)
		}
		gravest = graver(gravest, o.do(ctx, f, req))
		if ctx.Err() != nil || f.interrupted() {
			break
		}
	}
	return ended(gravest)
}

// graver returns the exit status that says more of what is wrong.
func graver(a, b int) int {
	for _, status := range []int{exitFailed, exitUsage, exitPartial} {
		if a == status || b == status {
			return status
		}
	}
	return exitDone
}

// ended is nil for exitDone.
func ended(status int) error {
	if status == exitDone {
		return nil
	}
	return finish(status)
}

// do runs one request on one fleet and writes what came of it. It returns the exit status.
func (o *options) do(ctx context.Context, f fleet, req rotation.Request) int {
	v, err := o.carryOut(ctx, f, req)
	return o.write(v, err)
}

// carryOut runs one request on one fleet, with progress. The view beside an error has a report, too.
func (o *options) carryOut(ctx context.Context, f fleet, req rotation.Request) (view, error) {
	r := f.rotator
	req.Only, req.DryRun = o.only, req.DryRun || o.dryRun
	v := view{fleet: f.name, policy: r.Policy, scope: f.scope(), verbose: o.verbose}
	if f.isDry(req) {
		overview, err := r.Status(ctx)
		if err == nil { // what is wrong with the store, the run says better
			v.overview = &overview
		}
		continues := req.Action == rotation.Resume || req.Action == rotation.Reconcile
		if err == nil && continues && overview.Pending == 0 {
			v.report, err = o.foresee(ctx, f, req, overview)
			return v, err
		}
	}
	t := o.teller()
	r.Log, r.Progress = o.log(), t.tell
	running, gently, stop := interruptible(ctx, o.stderr)
	r.Interrupt = gently
	report, err := r.Do(running, req)
	stop()
	t.end()
	v.report = report
	return v, err
}

// log goes to standard error when it was asked for.
func (o *options) log() *slog.Logger {
	if !o.verbose {
		return nil
	}
	return slog.New(withoutReport{slog.NewTextHandler(o.stderr, &slog.HandlerOptions{Level: slog.LevelDebug})})
}

// withoutReport is a handler that leaves the report out of the log: the command prints it.
type withoutReport struct{ slog.Handler }

func (h withoutReport) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == "relock.report" {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

func (h withoutReport) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withoutReport{h.Handler.WithAttrs(attrs)}
}

func (h withoutReport) WithGroup(name string) slog.Handler {
	return withoutReport{h.Handler.WithGroup(name)}
}

// write writes a report in the form that was asked for and returns the exit status. An error that the report does not
// show goes to standard error.
func (o *options) write(v view, err error) int {
	status := statusOfRun(v.report.Outcome, err)
	if failed := o.writeReport(v, err); failed != nil {
		fmt.Fprintln(o.stderr, "relock: write the report:", failed)
		return graver(status, exitFailed)
	}
	return status
}

func (o *options) writeReport(v view, err error) error {
	switch {
	case o.output == outputJSON:
		o.explain(v, err)
		return writeJSON(o.stdout, v.report)
	case o.output == outputCSV:
		o.explain(v, err)
		return o.table(machineColumns, machineRows(v.report.Machines, v.report.Secret, v.fleet))
	case v.report.Plan != nil:
		return o.print(v.safe().planText())
	case errors.Is(err, rotation.ErrConfig):
		fmt.Fprintf(o.stderr, "%s%s\n%s relock plan shows what a rotation would do.\n", v.prefix(), o.shortened(err.Error()), v.untouched())
		return nil
	}
	return o.print(v.safe().text())
}

// untouched says what a run that was refused did all the same: machines that an earlier one left down are started.
func (v view) untouched() string {
	var ids []string
	for _, m := range legibly(v.report.Machines) {
		if m.Request == rotation.OpStart {
			ids = append(ids, m.ID)
		}
	}
	text := "No password was sent and nothing was stored."
	if len(ids) > 0 {
		text += fmt.Sprintf(" Asked to start, because an earlier run left them down: %s.", strings.Join(ids, " "))
	}
	return text
}

// shortened leaves out the middle of a text of many lines, unless all was asked for.
func (o *options) shortened(text string) string {
	lines := strings.Split(text, "\n")
	if n := len(lines); !o.verbose && n > shortList+3 {
		more := fmt.Sprintf("  and %s more: --verbose lists all", thousands(n-shortList-2))
		lines = append(append(lines[:shortList+1:shortList+1], more), lines[n-1])
	}
	return strings.Join(lines, "\n")
}

// prefix begins a line on standard error that is about the view's fleet.
func (v view) prefix() string {
	if v.fleet == "" {
		return "relock: "
	}
	return "relock: " + v.fleet + ": "
}

// explain says beside a report for machines what a person should know.
func (o *options) explain(v view, err error) {
	if err != nil {
		fmt.Fprintln(o.stderr, v.prefix()+firstLine(err))
	}
	if v.checked != "" {
		fmt.Fprintln(o.stderr, v.prefix()+"checked: "+v.checked)
	}
}

func (o *options) print(text string) error {
	_, err := io.WriteString(o.stdout, text)
	return err
}

// writeJSON writes a value as JSON that people can read, too.
func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
