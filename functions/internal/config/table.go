package config

import (
	"fmt"
	"strings"
)

// A Row is one variable of a Config.
type Row struct {
	Variable
	Value string // in force; empty when there is none, or when it is at fault
	From  string // "default", "environment", a file and line, or the platform's variable
	Fault string // empty when it is right
}

// Table returns a Row per variable, in the order of the documentation. No value is a secret.
func (c *Config) Table() []Row {
	var rows []Row
	for _, v := range Variables() {
		row := Row{Variable: v, From: "default", Fault: c.faults.of(v.Name)}
		if v.Constant {
			row.Value = v.Default
		}
		if settled, ok := c.settled[v.Name]; ok {
			row.Value, row.From = settled.text, settled.from
		}
		if set, ok := c.source.values[v.Name]; ok {
			row.Value, row.From = c.shown(v.Name, set.text), set.from
		}
		if row.Fault != "" {
			row.Value = ""
		}
		rows = append(rows, row)
	}
	return rows
}

// shown adds to the name of a file how much is in it.
func (c *Config) shown(name, text string) string {
	counts := map[string]int{
		"RELOCK_REGIONS": len(c.Regions), "RELOCK_INSTANCES": len(c.Instances),
		"RELOCK_TAGS": len(c.Tags), "RELOCK_EXCLUDE_TAGS": len(c.ExcludeTags),
	}
	if n, ok := counts[name]; ok && isFile(text) {
		return fmt.Sprintf("%s (%d)", text, n)
	}
	return text
}

// Markdown returns the documentation's table of all variables.
func Markdown() string {
	var out strings.Builder
	out.WriteString("| Variable | Default | Meaning |\n| --- | --- | --- |\n")
	for _, v := range Variables() {
		value := v.Default
		if v.Constant {
			value = "`" + value + "`"
		}
		meaning := v.Description
		if v.Allowed != "" {
			meaning += " (" + v.Allowed + ")"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", v.Name, cell(value), cell(meaning))
	}
	return out.String()
}

// cell escapes what would end a table's cell or begin markup.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`).Replace(text)
}
