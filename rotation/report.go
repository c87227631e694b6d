package rotation

import (
	"slices"
	"time"
)

// Outcome is how a run ended.
type Outcome string

const (
	Rotated    Outcome = "rotated"    // the version is current, within the allowed exceptions
	Partial    Outcome = "partial"    // too many machines stay behind: the version stays pending
	Incomplete Outcome = "incomplete" // time ran out, or machines wait for something: resume goes on
	Nothing    Outcome = "nothing"    // there was nothing to do
	Failure    Outcome = "failed"     // the run could not do what was asked
	Planned    Outcome = "planned"    // a plan or dry run: nothing was sent, nothing was stored
	Verified   Outcome = "verified"   // every machine that could be tried opens with current
	Drift      Outcome = "drift"      // some machine refuses current
)

// State is how far a machine got.
type State string

const (
	StatePlanned    State = "planned"    // not begun
	StateChecking   State = "checking"   // trying whether it has the candidate already
	StateMarking    State = "marking"    // about to be noted as down
	StateToStop     State = "to stop"    //
	StateStopping   State = "stopping"   // asked to shut down
	StateToSend     State = "to send"    // ready for its reset
	StateSent       State = "sent"       // the reset was sent; its outcome is not known
	StateToRestart  State = "to restart" //
	StateRestarting State = "restarting" //
	StateToStart    State = "to start"   // owed a start
	StateStarting   State = "starting"   //
	StateVerifying  State = "verifying"  // running again, not yet proven

	StateProven   State = "proven"
	StateAccepted State = "accepted" // accepted by the provider, which suffices by configuration
	StateWaiting  State = "waiting"  // the password takes effect at its next boot
	StateUnproven State = "unproven"
	StateUnable   State = "unable"    // the provider does not reset it
	StateHeld     State = "held back" // our policy does not touch it
	StateFailed   State = "failed"
	StateDrifted  State = "drifted" // refuses the current password
)

// Final reports whether a run does nothing more with a machine in this state.
func (s State) Final() bool {
	switch s {
	case StateProven, StateAccepted, StateWaiting, StateUnproven, StateUnable, StateHeld, StateFailed, StateDrifted:
		return true
	}
	return false
}

// Evidence is why a machine counts as proven.
type Evidence string

const (
	ByLogin    Evidence = "login"
	ByRecord   Evidence = "record"   // the provider's record of this invocation's request
	ByMark     Evidence = "mark"     // an earlier invocation proved it and noted so
	ByAccepted Evidence = "accepted" // nothing but the provider's acceptance
)

// A Report is all that a run did and found. It holds no secret, and it is complete: every machine of the scope is in it.
type Report struct {
	Secret     string    `json:"secret"`
	StoreName  string    `json:"store,omitempty"`
	Action     Action    `json:"action"`
	Outcome    Outcome   `json:"outcome"`
	Why        string    `json:"why,omitempty"` // of an outcome that is not the whole success
	DryRun     bool      `json:"dryRun,omitempty"`
	Generation int       `json:"generation"` // the candidate's, or current's where there was none
	From       int       `json:"from"`       // current's generation when the run began; zero without one
	Token      string    `json:"token,omitempty"`
	Created    time.Time `json:"created,omitzero"` // when the rotation began
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended"`
	Seconds    float64   `json:"seconds"`
	// PendingSeconds is how long a version had been pending when the run ended; zero when none was left so.
	PendingSeconds float64 `json:"pendingSeconds,omitempty"`

	Counts    Counts         `json:"counts"`
	Down      Downtime       `json:"down"`
	Calls     map[string]int `json:"calls,omitempty"` // per API of the provider
	Throttled int            `json:"throttled"`
	Stored    *Stored        `json:"stored,omitempty"`
	Plan      *PlanReport    `json:"plan,omitempty"`
	Warnings  []string       `json:"warnings,omitempty"`
	Next      []string       `json:"next,omitempty"` // commands for the operator
	// Machines are in the order of region and id. A function's result keeps only those that are not proven when all
	// would be too large; Trimmed is how many were left out.
	Machines []MachineReport `json:"machines"`
	Trimmed  int             `json:"trimmed,omitempty"`
}

// Counts adds up a report's machines.
type Counts struct {
	Scope    int `json:"scope"`
	Proven   int `json:"proven"`
	Login    int `json:"provenByLogin"`
	Record   int `json:"provenByRecord"`
	Mark     int `json:"provenByMark"`
	Accepted int `json:"accepted"`
	Waiting  int `json:"waiting"`
	Unproven int `json:"unproven"`
	Unable   int `json:"unable"`
	Held     int `json:"heldBack"`
	Failed   int `json:"failed"`
	Drifted  int `json:"drifted"`
	// Unfinished were not begun or not ended.
	Unfinished int `json:"unfinished"`
	// Behind are those of the scope that count and are not on the generation; they are measured against
	// RELOCK_MAX_EXCEPTIONS.
	Behind int `json:"behind"`
}

// Downtime is what the run cost the machines that it took down.
type Downtime struct {
	Machines int `json:"machines"` // taken down by this run
	Again    int `json:"again"`    // of those, more than once for this candidate
	AtOnce   int `json:"atOnce"`   // the most at one time
	// Seconds of downtime of a machine, and of all together.
	Median  float64 `json:"medianSeconds"`
	Longest float64 `json:"longestSeconds"`
	Total   float64 `json:"totalSeconds"`
	// LongestID had the longest. Left are those that are still down and are owed a start.
	LongestID string   `json:"longestId,omitempty"`
	Left      []string `json:"left,omitempty"`
}

// Stored is what the secret holds after the run.
type Stored struct {
	Generations int `json:"generations"` // readable, archived ones included
	Newest      int `json:"newest"`
	Oldest      int `json:"oldest"`
	Archives    int `json:"archives"`
	Slots       int `json:"slots"`
	SlotsUsed   int `json:"slotsUsed"`
	Room        int `json:"room"` // about how many more generations fit
}

// A MachineReport is one machine of the scope.
type MachineReport struct {
	ID       string     `json:"id"`
	Name     string     `json:"name,omitempty"`
	Region   string     `json:"region"`
	OS       OS         `json:"os"`
	State    State      `json:"state"`
	Power    PowerState `json:"power"`
	Was      PowerState `json:"was"` // its power when the run began; running when it was owed a start
	Reason   string     `json:"reason,omitempty"`
	Remedy   string     `json:"remedy,omitempty"`
	Code     string     `json:"code,omitempty"`
	Evidence Evidence   `json:"evidence,omitempty"`
	// On is the generation that it is known to be on, by this run or by its mark; zero when nothing tells.
	On int `json:"on,omitempty"`
	// RequestID is the provider's for the last request that the machine was part of, and Request what that was.
	RequestID string `json:"requestId,omitempty"`
	Request   OpKind `json:"request,omitempty"`
	// Generations are those whose password may open it, likeliest first.
	Generations []int `json:"generations,omitempty"`
	// Unknown adds "or one that relock never knew": it was never proven.
	Unknown bool `json:"unknown,omitempty"`
	// Counts reports that it counts as an exception when it is not on the generation.
	Counts      bool    `json:"counts"`
	Stops       int     `json:"stops,omitempty"` // for this candidate, over all invocations
	DownSeconds float64 `json:"downSeconds,omitempty"`
}

// loggedMachines is how many machines the log line names: log services cut long lines.
const loggedMachines = 200

// headline is what alarms look for, before more. The names are stable. It stands beside the report in the log line, not
// only within it: some log services index nothing but the first level of a line.
func (r *Report) headline(more ...any) []any {
	return append([]any{
		"secret", r.Secret, "action", string(r.Action), "outcome", string(r.Outcome), "why", r.Why,
		"generation", r.Generation, "pendingSeconds", r.PendingSeconds,
		"rotated", r.Counts.Proven + r.Counts.Accepted, "skipped", r.Counts.Held + r.Counts.Unable, "failed", r.Counts.Failed,
		"unproven", r.Counts.Unproven + r.Counts.Unfinished + r.Counts.Waiting, "drifted", r.Counts.Drifted,
		"seconds", r.Seconds, "downSeconds", r.Down.Total, "left", len(r.Down.Left),
	}, more...)
}

// logged is the report as the log gets it.
func (r *Report) logged() *Report {
	short := *r
	short.Machines = slices.Clone(r.Machines)
	short.Trim(loggedMachines)
	return &short
}

// Trim leaves out proven machines so that at most keep remain, unproven ones first. It changes r.
func (r *Report) Trim(keep int) {
	if len(r.Machines) <= keep {
		return
	}
	before := len(r.Machines)
	r.Machines = slices.DeleteFunc(r.Machines, func(m MachineReport) bool { return m.State == StateProven })
	if len(r.Machines) > keep {
		r.Machines = r.Machines[:keep]
	}
	r.Trimmed += before - len(r.Machines)
}
