package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/relock-project/relock/rotation"
)

// thousands writes a number as people read it: 1,911.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// counted is a number and the noun that goes with it: "1 machine", "1,610 machines".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + one + "s"
}

// lasting writes a duration with the precision that people want: 400 ms, 1.4 s, 14 s, 2 min 51 s, 58 min, 3 h 20 min, 89 days.
func lasting(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + lasting(-d)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 10*time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Truncate(time.Second).Seconds())
	case d < 10*time.Minute:
		d = d.Truncate(time.Second)
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%s days", thousands(int(d/(24*time.Hour))))
}

func seconds(s float64) string { return lasting(time.Duration(s * float64(time.Second))) }

// clock writes when something was, in UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// fromTo writes a span of time, the day only once when it is one.
func fromTo(from, to time.Time) string {
	end := to.UTC().Format("15:04:05")
	if from.UTC().YearDay() != to.UTC().YearDay() {
		end = clock(to)
	}
	return clock(from) + " – " + end + " UTC"
}

// printable makes text that others wrote, such as a machine's name, safe for a terminal: one line, no control
// characters, nothing that changes the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// padded fills s with spaces up to a width in columns of a terminal.
func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-uniseg.StringWidth(s)))
}

// shortList is how many entries of a list are shown when nobody asked for all.
const shortList = 10

// some is the first of the ids and how many more there are, or all of them.
func some(ids []string, limit int) []string {
	if limit <= 0 || len(ids) <= limit+1 {
		return ids
	}
	return append(slices.Clone(ids[:limit]), "and "+thousands(len(ids)-limit)+" more")
}

// generations says which passwords may open a machine: "42, 41 or an older one". A limit of zero names them all.
func generations(m rotation.MachineReport, limit int) string {
	var parts []string
	for i, g := range m.Generations {
		if i == 2 && limit > 0 && len(m.Generations) > 3 {
			parts = append(parts, "an older one")
			break
		}
		parts = append(parts, strconv.Itoa(g))
	}
	if m.Unknown {
		parts = append(parts, "one that relock never knew")
	}
	switch len(parts) {
	case 0:
		return "none that relock knows"
	case 1:
		return parts[0]
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " or " + parts[last]
}
