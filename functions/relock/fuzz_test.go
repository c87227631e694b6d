package main

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// FuzzCell: whatever others wrote, such as a machine's name, a csv reader finds one line per row and no spreadsheet a
// formula.
func FuzzCell(f *testing.F) {
	for _, cell := range []string{"web-01", "=1+1", "\t=1", "'=1", "\u200b=1", "\ufeff=1", "a\nb", "\xff\xfe", "数据库-01", `"`, `","`, "\u202e=1", "--", "＝1", "\x1b[2J"} {
		f.Add(cell, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var out strings.Builder
		if err := writeTable(&out, [][]string{{"a", "b"}, {a, b}, {b, a}}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || len(rows) != 3 || len(strings.Split(out.String(), "\n")) != 4 {
			t.Fatalf("%q and %q are written as %q: %v", a, b, out.String(), err)
		}
		for i, cell := range []string{rows[1][0], rows[1][1]} {
			written := []string{a, b}[i]
			begins := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
			if begins != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(begins)[0]) {
				t.Errorf("the cell %q begins a formula", cell)
			}
			if strings.ContainsFunc(cell, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Errorf("the cell %q has what is not seen", cell)
			}
			if plain := printable(written); !strings.HasSuffix(cell, plain) || len(cell) > len(plain)+1 {
				t.Errorf("%q is written as %q", written, cell)
			}
		}
	})
}

// FuzzLegible: a password that is shown can be typed: what is seen is what it is.
func FuzzLegible(f *testing.F) {
	for _, password := range []string{"Baseline.2024-Ab", " x", `"x"`, "x\u00a0y", "x\x00", "\xff", "\u202ex", "пароль", ""} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		shown := legible(password)
		if printable(shown) != shown {
			t.Errorf("%q is shown as %q", password, shown)
		}
		if !strings.HasPrefix(shown, `"`) {
			if shown != password || strings.TrimSpace(shown) != shown {
				t.Errorf("%q is shown as %q", password, shown)
			}
			return
		}
		if back, err := strconv.Unquote(shown); err != nil || back != password {
			t.Errorf("%q is shown as %s, which is %q (%v)", password, shown, back, err)
		}
	})
}
