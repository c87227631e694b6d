package main

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

// A sheet is text that is being written for people.
type sheet struct {
	b   strings.Builder
	all bool // lists are not shortened
}

// limit is how many entries of a list are shown; zero means all.
func (s *sheet) limit() int {
	if s.all {
		return 0
	}
	return shortList
}

func (s *sheet) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.b.WriteString(strings.TrimRight(text, " ") + "\n")
}

// blank writes an empty line, unless the last one is empty.
func (s *sheet) blank() {
	if text := s.b.String(); text != "" && !strings.HasSuffix(text, "\n\n") {
		s.b.WriteByte('\n')
	}
}

// field writes a named part; further lines of text are set below the first.
func (s *sheet) field(name, format string, args ...any) {
	for i, text := range strings.Split(fmt.Sprintf(format, args...), "\n") {
		if i > 0 {
			name = ""
		}
		s.line("%-9s%s", name, text)
	}
}

// more goes on with a part on a line of its own.
func (s *sheet) more(format string, args ...any) { s.field("", format, args...) }

// rowLabel is how wide the first column of a table of counts is.
const rowLabel = 40

// row writes one line of a table of counts, unless there is nothing to count.
func (s *sheet) row(label string, n int, note string) {
	if n == 0 {
		return
	}
	s.line("  %s%7s   %s", padded(label, rowLabel), thousands(n), note)
}

// sentence writes a named part whose text goes on over as many lines as it needs. Lines that it has stay.
func (s *sheet) sentence(name, text string) {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, wrapped(strings.Fields(printable(line)), " "))
	}
	s.field(name, "%s", strings.Join(lines, "\n"))
}

// ids writes a list of them, shortened unless all was asked for.
func (s *sheet) ids(indent int, ids []string) {
	for _, line := range strings.Split(wrapped(some(ids, s.limit()), " "), "\n") {
		s.line("%*s%s", indent, "", line)
	}
}

// wrapped joins parts with a separator over as many lines as they need.
func wrapped(parts []string, separator string) string {
	const width = 92
	var out strings.Builder
	column := 0
	for i, part := range parts {
		wide := uniseg.StringWidth(part + separator)
		switch {
		case i == 0:
		case column+wide > width:
			out.WriteString(strings.TrimRight(separator, " ") + "\n")
			column = 0
		default:
			out.WriteString(separator)
		}
		out.WriteString(part)
		column += wide
	}
	return out.String()
}

// columns writes rows with their cells one below the other; the last cell of a row may be as long as it likes.
func (s *sheet) columns(indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue // nobody has one
			}
			if i == len(row)-1 {
				b.WriteString(cell)
				break
			}
			b.WriteString(padded(cell, widths[i]+2))
		}
		s.line("%s%s", indent, b.String())
	}
}
