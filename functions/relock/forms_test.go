package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// documents runs "documents N": standard output is N JSON objects or lists and nothing else.
func documents(ts *testscript.TestScript, neg bool, args []string) {
	d, n := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout"))), 0
	for {
		var document any
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		if _, scalar := document.(string); scalar || document == nil {
			ts.Fatalf("document %d is %v", n+1, document)
		}
		n++
	}
	if len(args) != 1 || args[0] != strconv.Itoa(n) {
		ts.Fatalf("%d documents; want %v", n, args)
	}
}

// csvLines runs "lines N": standard output is csv with a header and N lines as long as it.
func csvLines(ts *testscript.TestScript, neg bool, args []string) {
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile("stdout"))).ReadAll()
	ts.Check(err)
	if len(args) != 1 || args[0] != strconv.Itoa(len(rows)-1) {
		ts.Fatalf("%d lines after the header; want %v", len(rows)-1, args)
	}
}
