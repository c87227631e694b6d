package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A view is a report with what a person wants beside it.
type view struct {
	report *rotation.Report
	// fleet is its environment file; empty without one.
	fleet string
	// policy is what the run was allowed.
	policy rotation.Policy
	// scope says in words which machines are meant; empty leaves it out.
	scope string
	// overview is what the secret held when the report was made; nil leaves ages out.
	overview *rotation.Overview
	// verbose shows lists as a whole.
	verbose bool
	// checked says what somebody who knows the truth saw afterwards; empty when nobody looked.
	checked string
}

// safe returns v with everything in its report that others wrote made fit for a terminal.
func (v view) safe() view {
	r := *v.report
	r.Machines = legibly(r.Machines)
	v.report = &r
	return v
}

// legibly makes what others wrote of machines fit for a terminal.
func legibly(machines []rotation.MachineReport) []rotation.MachineReport {
	out := slices.Clone(machines)
	for i := range out {
		m := &out[i]
		for _, text := range []*string{&m.ID, &m.Name, &m.Region, &m.Reason, &m.Remedy, &m.Code, &m.RequestID} {
			*text = printable(*text)
		}
	}
	return out
}

// inWords says which machines a selection means.
func inWords(sel rotation.Selector, regions []string) string {
	var parts []string
	if n := len(sel.IDs); n > 0 && n <= 3 {
		parts = append(parts, strings.Join(sel.IDs, " "))
	} else if n > 3 {
		parts = append(parts, thousands(n)+" ids")
	}
	if tags := tagsInWords(sel.Tags); tags != "" {
		parts = append(parts, "tag "+tags)
	}
	text := strings.Join(parts, " and ")
	if tags := tagsInWords(sel.ExcludeTags); tags != "" {
		text += ", without tag " + tags
	}
	return fmt.Sprintf("%s in %s", cmp.Or(text, "nothing"), strings.Join(regions, ", "))
}

func tagsInWords(tags map[string][]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		values := tags[key]
		if len(values) == 0 {
			values = []string{"*"}
		}
		parts = append(parts, key+"="+strings.Join(values, "|"))
	}
	return strings.Join(parts, " ")
}
