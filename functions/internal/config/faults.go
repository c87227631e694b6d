package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A fault is what is wrong with one variable, and what to do.
type fault struct {
	name  string // of the variable; empty for a line of a file that is none
	where string // file:line, or the file; empty for the environment
	text  string
}

func (f fault) Error() string {
	var parts []string
	for _, part := range []string{f.where, f.name, f.text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

type faults []fault

// err joins the faults in the order of the variables; nil when there are none.
func (fs faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	order := names()
	sorted := slices.Clone(fs)
	slices.SortStableFunc(sorted, func(a, b fault) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	errs := make([]error, len(sorted))
	for i, f := range sorted {
		errs[i] = f
	}
	return fmt.Errorf("%w: %w", rotation.ErrConfig, errors.Join(errs...))
}

// of returns what is wrong with a variable; empty when nothing is.
func (fs faults) of(name string) string {
	var texts []string
	for _, f := range fs {
		if f.name == name {
			texts = append(texts, f.text)
		}
	}
	return strings.Join(texts, "; ")
}

// fault notes what is wrong with a variable.
func (c *Config) fault(name, format string, args ...any) {
	c.faults = append(c.faults, fault{name, c.source.where(name), fmt.Sprintf(format, args...)})
}

// nearest returns the name that was probably meant, or "".
func nearest(name string, all []string) string {
	best, most := "", max(1, (len(name)-len(prefix)-1)/3)
	for _, candidate := range all {
		if d := distance(name, candidate); d <= most {
			best, most = candidate, d-1
		}
	}
	return best
}

// distance counts the characters to insert, remove or change to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
