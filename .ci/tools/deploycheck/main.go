// Command deploycheck checks what an operator applies: that Terraform's files parse, that they and serverless.yml say only
// what the vendor documents, and that serverless.yml names only variables that exist.
//
//	deploycheck ROOT
//
// It asks nobody: the documents' names are in documented.go and serverless.go, with their addresses.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: deploycheck ROOT")
		os.Exit(2)
	}
	faults, err := check(os.Args[1])
	if err != nil {
		faults = append(faults, err.Error())
	}
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, "deploycheck:", f)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong with the files below root.
func check(root string) ([]string, error) {
	faults, err := terraform(filepath.Join(root, "deploy"))
	if err != nil {
		return nil, err
	}
	more, err := serverless(filepath.Join(root, "serverless.yml"), filepath.Join(root, "README.md"))
	return append(faults, more...), err
}
