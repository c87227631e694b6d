// Package wire is what the drivers of all clouds do alike with a request: its turn, its time limit, its count, and what
// its failure says.
//
// Its one invariant: an error says no more than the provider did, and shows nothing of what was sent.
package wire
