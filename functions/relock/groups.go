package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A group is machines of which the same is to be said.
type group struct {
	reason   string
	remedy   string
	machines []rotation.MachineReport
	counts   bool // they count as exceptions
}

func (g group) ids() []string {
	ids := make([]string, len(g.machines))
	for i, m := range g.machines {
		ids[i] = m.ID
	}
	return ids
}

// grouped puts machines together by reason and remedy, and by whether they count, the largest group first.
func grouped(machines []rotation.MachineReport) []group {
	type key struct {
		reason, remedy string
		counts         bool
	}
	at := map[key]int{}
	var out []group
	for _, m := range machines {
		k := key{common(m.Reason), strings.ReplaceAll(m.Remedy, m.ID, "ID"), m.Counts}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, group{reason: cmp.Or(k.reason, "no reason given"), remedy: k.remedy, counts: k.counts})
		}
		out[i].machines = append(out[i].machines, m)
	}
	slices.SortStableFunc(out, func(a, b group) int {
		return cmp.Or(cmp.Compare(len(b.machines), len(a.machines)), cmp.Compare(a.reason, b.reason))
	})
	return out
}

// common is a reason without what is one machine's own: "key pair bound (skey-9x)" is "key pair bound".
func common(reason string) string {
	if at := strings.LastIndex(reason, " ("); at > 0 && strings.HasSuffix(reason, ")") {
		return reason[:at]
	}
	return reason
}

// inState returns the machines in one of these states, in the report's order.
func inState(r *rotation.Report, states ...rotation.State) []rotation.MachineReport {
	var out []rotation.MachineReport
	for _, m := range r.Machines {
		if slices.Contains(states, m.State) {
			out = append(out, m)
		}
	}
	return out
}
