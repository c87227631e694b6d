// Command relock is for the operators of a fleet: it plans, runs and resumes rotations, answers which password opens a
// machine, and simulates all of it.
//
// It decides nothing: what a rotation is, package rotation says. Standard output carries the answer alone; progress,
// warnings and errors go to standard error.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
