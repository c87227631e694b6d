package main

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// machineColumns are the columns of csv output. Scripts read them: new ones are added at the end.
var machineColumns = []string{"id", "name", "region", "os", "state", "power", "power_before", "reason", "remedy", "code",
	"evidence", "request_id", "request", "generations", "or_unknown", "counts", "stops", "down_seconds", "secret", "fleet"}

// table writes rows as csv. The header is written once, whatever the number of fleets: all are one table.
func (o *options) table(header []string, rows [][]string) error {
	if !o.headed {
		rows = append([][]string{header}, rows...)
	}
	o.headed = true
	return writeTable(o.stdout, rows)
}

// machineRows are the lines of csv output, one per machine.
func machineRows(machines []rotation.MachineReport, secret, fleet string) [][]string {
	var rows [][]string
	for _, m := range machines {
		rows = append(rows, []string{m.ID, m.Name, m.Region, string(m.OS), string(m.State), string(m.Power), string(m.Was),
			m.Reason, m.Remedy, m.Code, string(m.Evidence), m.RequestID, string(m.Request), spaced(m.Generations),
			strconv.FormatBool(m.Unknown), strconv.FormatBool(m.Counts), strconv.Itoa(m.Stops),
			strconv.FormatFloat(m.DownSeconds, 'f', 1, 64), secret, fleet})
	}
	return rows
}

// spaced is a list of generations in one cell.
func spaced(of []int) string {
	parts := make([]string, len(of))
	for i, g := range of {
		parts[i] = strconv.Itoa(g)
	}
	return strings.Join(parts, " ")
}

// writeTable writes rows as csv that is safe to open in a spreadsheet.
func writeTable(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = inert(cell)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// inert keeps a spreadsheet from running a cell as a formula: what could begin one gets an apostrophe before it.
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(cell string) string {
	cell = printable(cell)
	begins := strings.TrimLeft(cell, " \u00a0\u3000'\"")
	if begins != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(begins)[0]) {
		return "'" + cell
	}
	return cell
}
