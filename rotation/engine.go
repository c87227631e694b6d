package rotation

import "time"

// engine is one invocation: what it was asked, what it found, and its run.
type engine struct {
	*Rotator
	request Request
	policy  Policy
	dry     bool
	began   time.Time
	closes  time.Time // nothing is begun from here on; zero means never
	ends    time.Time // the loop stops, for the report's sake; zero means never

	// What the store says.
	history          []Version
	current, pending *Version // nil when there is none
	birth            string   // empty before the first candidate
	stored           bool     // it could be read
	// marked is what secretMark answered last.
	marked struct{ birth, secret string }

	// described are the machines of each fleet, sorted by id. Those of the run are as they were seen last.
	described [][]Instance
	// firsts are where the machines of each fleet begin in run.machines.
	firsts []int
	// unable are the machines that a Preflighter has named, by id.
	unable  map[string]Refusal
	version Version // what is being set or tried
	run     run
	loops   int // that were begun
	// outcomes and looks are the room for those of one tick.
	outcomes []outcome
	looks    []look
	// distrust makes a login come before a mark: somebody may have changed a password by hand.
	distrust bool
	// acted reports that the run has dealt with the machines, those that are owed a start included.
	acted bool
	// advanced reports that the request's step got where the next one begins.
	advanced bool
	why      string
	planned  *PlanReport
}
