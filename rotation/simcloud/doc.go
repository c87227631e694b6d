// Package simcloud is what the simulators of clouds have in common, whichever vendor's API they serve: machines that answer
// SSH with the password in force, things that happen by themselves after a while, faults by name, request rates, a log of
// requests, and a demonstration fleet.
//
// Its one invariant: it knows no vendor, and imports nothing of what the simulators test.
package simcloud
