package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/relock-project/relock/rotation"
)

// evidenceColumns are the columns of status --machines as csv, what an auditor asks for first. Scripts read them: new ones
// are added at the end.
var evidenceColumns = []string{"machine", "name", "region", "generation", "age_days", "evidence", "since", "why_not",
	"state", "power", "os", "candidates", "or_unknown", "counts", "current", "pending", "secret", "fleet", "as_of"}

// evidenced is one machine of status, for machines to read: what is known of its password, and what that rests on.
type evidenced struct {
	rotation.MachineReport
	// Generation is the one that the machine is known to be on; zero when nothing tells.
	Generation int `json:"generation,omitempty"`
	// Since is when that generation was made: the machine has had it since then or later, so that its password is at most
	// AgeDays old. Both are absent when that is not known.
	Since   time.Time `json:"since,omitzero"`
	AgeDays *int      `json:"ageDays,omitempty"`
	// Evidence is what Generation rests on: mark (a rotation proved it and noted so on the machine) or accepted (nothing
	// but the provider's acceptance); empty when nothing tells.
	Evidence rotation.Evidence `json:"evidence,omitempty"`
	// WhyNot says why it is not on the pending generation, or on current where nothing is pending; empty when it is.
	WhyNot string `json:"whyNot,omitempty"`
}

// evidence is what is known of each machine.
func (st standing) evidence(machines []rotation.MachineReport, proof rotation.Proof) []evidenced {
	var out []evidenced
	for _, m := range machines {
		e := evidenced{MachineReport: m, Generation: m.On, Since: st.made(m.On), WhyNot: st.whyNot(m)}
		if !e.Since.IsZero() {
			days := int(st.AsOf.Sub(e.Since) / (24 * time.Hour))
			e.AgeDays = &days
		}
		switch {
		case m.On > 0 && proof == rotation.ProofAccepted:
			e.Evidence = rotation.ByAccepted
		case m.On > 0:
			e.Evidence = rotation.ByMark
		}
		out = append(out, e)
	}
	return out
}

// made is when a generation was made; zero when that is not known.
func (st standing) made(generation int) time.Time {
	for _, v := range st.Versions {
		if v.Generation == generation {
			return v.Created.UTC()
		}
	}
	return time.Time{}
}

// target is the generation that every machine is to have.
func (st standing) target() int {
	if st.Pending != 0 {
		return st.Pending
	}
	return st.Current
}

func (st standing) whyNot(m rotation.MachineReport) string {
	switch {
	case m.On != 0 && m.On == st.target():
		return ""
	case m.Reason != "" && m.Remedy != "":
		return m.Reason + ": " + m.Remedy
	case m.Reason != "":
		return m.Reason
	case m.On != 0 && m.On == st.Current:
		return fmt.Sprintf("generation %d is pending: relock resume", st.Pending)
	}
	return fmt.Sprintf("not known to have generation %d", st.target())
}

// evidenceRows are the lines of csv output.
func (st standing) evidenceRows() [][]string {
	var rows [][]string
	for _, m := range st.Machines {
		age := ""
		if m.AgeDays != nil {
			age = strconv.Itoa(*m.AgeDays)
		}
		rows = append(rows, []string{m.ID, m.Name, m.Region, number(m.Generation), age, string(m.Evidence), stamp(m.Since), m.WhyNot,
			string(m.State), string(m.Power), string(m.OS), spaced(m.Generations), strconv.FormatBool(m.Unknown),
			strconv.FormatBool(m.Counts), number(st.Current), number(st.Pending), st.Secret, st.Fleet, stamp(st.AsOf)})
	}
	return rows
}

// number is a generation in a cell; empty for none.
func number(generation int) string {
	if generation == 0 {
		return ""
	}
	return strconv.Itoa(generation)
}

// stamp is a time in a cell, in UTC; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
