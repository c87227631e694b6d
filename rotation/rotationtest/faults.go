package rotationtest

import "slices"

// Fault is what happens to one call.
type Fault string

// Faults of every call.
const (
	NoFault    Fault = ""
	FailBefore Fault = "fail-before" // no effect, and an error that proves nothing
	FailAfter  Fault = "fail-after"  // the effect, and the answer lost
	Throttled  Fault = "throttled"   // refused for the rate limit
	Denied     Fault = "denied"      // refused for a lack of rights
	Slow       Fault = "slow"        // the answer takes three minutes
	KillBefore Fault = "kill-before" // the process dies before the call
	KillAfter  Fault = "kill-after"  // the process dies after its effect
	Deadline   Fault = "deadline"    // the effect, and then the invocation's context ends
	// Overtaken freezes the invocation before the call; meanwhile another one does all that it can, and then it goes on.
	Overtaken    Fault = "overtaken"
	ClockForward Fault = "clock-forward" // the invocation's clock jumps three hours ahead
	ClockBack    Fault = "clock-back"    // and one hour back
)

// Faults of requests to a fleet.
const (
	Refused Fault = "refused" // for a reason that nobody has foreseen, naming the first machine
	Busy    Fault = "busy"    // refused, because the first machine has an operation in progress
	Part    Fault = "part"    // the effect on the first half of the machines, and an error for all
	Silent  Fault = "silent"  // accepted, and never done
)

// Faults of resets.
const (
	Late         Fault = "late"          // lands only after the run, and the answer is lost
	LateAccepted Fault = "late-accepted" // accepted, and lands only after the run
	Twice        Fault = "twice"         // lands, and after the run once more
	AtBoot       Fault = "at-boot"       // takes effect at the next boot, whatever the provider's terms are
	Endless      Fault = "endless"       // takes effect, and the provider shows it as in progress for ever
	Foreign      Fault = "foreign"       // takes effect, and the provider's record names another request
)

// Faults of looks at machines.
const (
	Stale   Fault = "stale"   // as it was before the last two changes of each machine
	Missing Fault = "missing" // the last machine is left out
	Torn    Fault = "torn"    // the first machine is there twice, as when pages shift
)

// Faults of the store.
const (
	StaleStore Fault = "stale-store" // for twenty seconds this kind of call sees the store as before its last change
	Unreadable Fault = "unreadable"  // for twenty seconds the newest version is listed and cannot be read
	Raced      Fault = "raced"       // somebody else creates the same just before
	LostRace   Fault = "lost-race"   // compare-and-set: somebody else moved the label just before
)

// Faults of logins.
const (
	Rejected  Fault = "rejected"   // refused although the password is right
	CannotTry Fault = "cannot-try" // no password method, another host key
	OpensToo  Fault = "opens-too"  // accepted although another password is in force
)

// kind is where a fault can happen, and why not elsewhere.
type kind struct {
	fault Fault
	sites []string // nil means all
	why   string
}

func (k kind) at(site string) bool { return k.sites == nil || slices.Contains(k.sites, site) }

// kinds are all faults, in the order in which they are told.
var kinds = allKinds()

func allKinds() []kind {
	const all = ""
	reset, describe, verify := []string{"reset"}, []string{"describe"}, []string{"verify"}
	changes := []string{"reset", "stop", "start", "restart"}
	several := append(changes[:4:4], "mark-down", "mark-up", "mark-ok")
	looks := []string{"describe", "observe"}
	return []kind{
		{FailBefore, nil, all}, {FailAfter, nil, all}, {Throttled, nil, all}, {Denied, nil, all}, {Slow, nil, all},
		{KillBefore, nil, all}, {KillAfter, nil, all}, {Deadline, nil, all}, {Overtaken, nil, all},
		{ClockForward, nil, all}, {ClockBack, nil, all},
		{Refused, changes, "only a fleet refuses single machines"},
		{Busy, changes, "only a machine is busy"},
		{Part, several, "only requests about several machines can be done in part"},
		{Silent, changes, "an answer to a question is no promise; a store that said stored is believed"},
		{Late, reset, "only resets are not serialised by what a machine is doing"},
		{LateAccepted, reset, "as late"},
		{Twice, reset, "a stop, a start and a mark do nothing the second time"},
		{AtBoot, reset, "only a reset can wait for a boot"},
		{Endless, reset, "stops and starts are shown by the machine's power"},
		{Foreign, reset, "only a reset is proven by a record"},
		{Stale, looks, "only looks can be out of date; for the store see stale-store"},
		{Missing, looks, "only lists can lack something"},
		{Torn, describe, "only describe has pages"},
		{StaleStore, []string{"store-list", "store-read"}, "only the store's reads"},
		{Unreadable, []string{"store-read"}, "only values are read"},
		{Raced, []string{"store-create"}, "only a create can find that it is the second"},
		{LostRace, []string{"store-point", "store-label"}, "only labels are moved"},
		{Rejected, verify, "only logins"}, {CannotTry, verify, "only logins"},
		{OpensToo, verify, "only logins"},
	}
}

// Faults are those that can happen to every call.
func Faults() []Fault {
	var out []Fault
	for _, k := range kinds {
		if k.sites == nil {
			out = append(out, k.fault)
		}
	}
	return out
}

// basicFaults are those of which all that follows is in the answer, in what machines and store hold, or in a death. A Search
// has no others.
func basicFaults() []Fault {
	return []Fault{FailBefore, FailAfter, KillBefore, KillAfter, Throttled, Late, Overtaken}
}

// FaultsAt are those that can happen to a call of that site in a world of that kind.
func (k Kind) FaultsAt(site string) []Fault {
	out := make([]Fault, 0, len(kinds))
	for _, f := range kinds {
		if f.at(site) {
			if f.fault != LostRace || k.CompareAndSet {
				out = append(out, f.fault)
			}
		}
	}
	return out
}
