package rotationtest

import (
	"fmt"
	"strings"
)

// A Cell is a kind of fault at a kind of call.
type Cell struct {
	Site  string
	Fault Fault
}

// A Coverage counts how often each fault was injected at each site.
type Coverage map[Cell]int

// Add adds what befell a world.
func (c Coverage) Add(w *World) {
	for cell, n := range w.injected {
		c[cell] += n
	}
}

// forget begins a history: what was before is not counted.
func (w *World) forget() { w.calls, w.order, w.Sites = 0, nil, map[string]int{} }

// Sum adds what another loop went through.
func (c Coverage) Sum(d Coverage) {
	for cell, n := range d {
		c[cell] += n
	}
}

// Sites are all kinds of boundary calls.
func Sites() []string {
	return []string{
		"describe", "observe", "reset", "stop", "start", "restart", "mark-down", "mark-up", "mark-ok", "verify",
		"store-list", "store-read", "store-create", "store-label", "store-previous", "store-point", "store-remove",
	}
}

// Table is one line per kind of fault, one column per site: a number, or - where the fault cannot be, and why.
func (c Coverage) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s", "")
	for _, site := range Sites() {
		fmt.Fprintf(&b, "%*s", len(site)+1, site)
	}
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n%-14s", k.fault)
		for _, site := range Sites() {
			text := "-"
			if k.at(site) {
				text = fmt.Sprint(c[Cell{site, k.fault}])
			}
			fmt.Fprintf(&b, "%*s", len(site)+1, text)
		}
		if k.why != "" {
			b.WriteString("  elsewhere: " + k.why)
		}
	}
	return b.String()
}

// Empty are the cells that can be and are not.
func (c Coverage) Empty() []Cell {
	var out []Cell
	for _, k := range kinds {
		for _, site := range Sites() {
			if k.at(site) && c[Cell{site, k.fault}] == 0 {
				out = append(out, Cell{site, k.fault})
			}
		}
	}
	return out
}
