package main

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relock-project/relock/rotation"
)

func TestInert(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"":                          "",
		"web-01":                    "web-01",
		"42 41":                     "42 41",
		"a=b":                       "a=b",
		"=HYPERLINK(\"//x\")":       "'=HYPERLINK(\"//x\")",
		"+1":                        "'+1",
		"-1":                        "'-1",
		"@SUM(A1)":                  "'@SUM(A1)",
		"|cmd":                      "'|cmd",
		"%0A":                       "'%0A",
		"\t=1":                      "' =1",
		"\r\n=1":                    "? =1",
		"  =1":                      "'  =1",
		"\"=1":                      "'\"=1",
		"'=1":                       "''=1",
		"\u00a0\uff1d1":             "?\uff1d1",
		"\uff20x":                   "'\uff20x",
		"line\nbreak":               "line break",
		"\x1b]0;title\x07 harmless": "?]0;title? harmless",
	} {
		if got := inert(cell); got != want {
			t.Errorf("inert(%q) = %q; want %q", cell, got, want)
		}
	}
}

func TestNoCellBeginsAFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string {
			return rapid.StringOf(rapid.SampledFrom([]rune("=+-@|%\t\r\n \"',;a1ü\u00a0\u3000＝＋－＠\x00\x1b"))).Draw(t, name)
		}
		m := rotation.MachineReport{ID: text("id"), Name: text("name"), Region: text("region"), Reason: text("reason"), Remedy: text("remedy"),
			Code: text("code"), RequestID: text("request")}
		var out strings.Builder
		if err := (&options{stdout: &out}).table(machineColumns, machineRows([]rotation.MachineReport{m, m}, "s", "f")); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d rows, %v; want 3", len(rows), err)
		}
		for _, row := range rows {
			for _, cell := range row {
				begins := strings.TrimLeft(cell, " \t\r\n\u00a0\u3000\"")
				if begins != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(begins)[0]) {
					t.Fatalf("the cell %q begins a formula", cell)
				}
			}
		}
	})
}

func TestCSVHasALinePerMachine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o := &options{stdout: &out}
	for _, fleet := range []string{"a.env", "b.env"} { // under one header
		if err := o.table(machineColumns, machineRows(incompleteReport().Machines, "cvm-admin-prod", fleet)); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "machines.csv", out.String())
}

func TestNumbersForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1911: "1,911", 1234567: "1,234,567", -12345: "-12,345"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q; want %q", n, got, want)
		}
	}
	for s, want := range map[float64]string{
		0: "0 ms", 0.4: "400 ms", 1: "1 s", 1.74: "1.7 s", 14.9: "14 s", 171: "2 min 51 s", 364: "6 min 04 s", 3489: "58 min",
		12_000: "3 h 20 min", 89*86400 + 5: "89 days", -3: "-3 s",
	} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %q; want %q", s, got, want)
		}
	}
	for _, test := range []struct {
		of      []int
		unknown bool
		limit   int
		want    string
	}{
		{nil, false, shortList, "none that relock knows"},
		{nil, true, shortList, "one that relock never knew"},
		{[]int{41}, false, shortList, "41"},
		{[]int{42, 41}, false, shortList, "42 or 41"},
		{[]int{42, 41, 40}, false, shortList, "42, 41 or 40"},
		{[]int{42, 41, 40, 39, 38}, false, shortList, "42, 41 or an older one"},
		{[]int{42, 41, 40, 39, 38}, true, shortList, "42, 41, an older one or one that relock never knew"},
		{[]int{42, 41, 40, 39}, true, 0, "42, 41, 40, 39 or one that relock never knew"},
	} {
		if got := generations(rotation.MachineReport{Generations: test.of, Unknown: test.unknown}, test.limit); got != test.want {
			t.Errorf("generations(%v, %v, %d) = %q; want %q", test.of, test.unknown, test.limit, got, test.want)
		}
	}
}

func TestScopeInWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sel  rotation.Selector
		want string
	}{
		{rotation.Selector{IDs: []string{"ins-1", "ins-2"}}, "ins-1 ins-2 in r1, r2"},
		{rotation.Selector{IDs: strings.Fields("a b c d"), Tags: map[string][]string{"env": nil}}, "4 ids and tag env=* in r1, r2"},
		{rotation.Selector{Tags: map[string][]string{"env": {"a", "b"}, "app": {"x"}}, ExcludeTags: map[string][]string{"keep": {"off"}}},
			"tag app=x env=a|b, without tag keep=off in r1, r2"},
		{rotation.Selector{}, "nothing in r1, r2"},
	} {
		if got := inWords(test.sel, []string{"r1", "r2"}); got != test.want {
			t.Errorf("inWords(%v) = %q; want %q", fmt.Sprint(test.sel), got, test.want)
		}
	}
}
