package rotation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// standing is what policy and provider say of a machine before anything is done.
type standing struct {
	state  State // StatePlanned, StateHeld or StateUnable
	why    Refusal
	counts bool // behind, it is an exception
	claim  bool // another secret's mark is on it
}

// standing classifies a machine. Unable never counts; held back by our policy counts, except a key-pair machine that
// never had a mark of this secret: it never held a relock password.
func (e *engine) standing(fleet int, inst *Instance) standing {
	held := func(counts bool, reason, remedy string) standing {
		return standing{state: StateHeld, why: Refusal{Reason: reason, Remedy: remedy}, counts: counts}
	}
	marked := inst.Mark.Secret == e.secretMark() && inst.Mark.State != ""
	switch {
	case e.claimed(inst):
		s := held(true, "claimed by another secret ("+inst.Mark.Secret+")",
			"take it out of the scope, or: relock rotate --take-over "+inst.ID)
		s.claim = true
		return s
	case inst.Terms.Refuse.Kind == RefusedUnable:
		return standing{state: StateUnable, why: inst.Terms.Refuse}
	case inst.KeyPair != "" && !e.policy.IncludeKeyPairs:
		return held(marked, "key pair bound ("+inst.KeyPair+")",
			"RELOCK_INCLUDE_KEY_PAIRS=true rotates it too (the reset may re-enable password login)")
	case inst.Terms.NeedsStopped && inst.Power == Running && e.policy.Restart == RestartNever:
		return held(true, "running, and RELOCK_RESTART=never", "RELOCK_RESTART=graceful stops it for its reset")
	case inst.Power == Running && e.goesDown(inst) && !e.canTakeDown(fleet):
		return held(true, "running, and relock cannot stop and mark machines of this kind", "stop it, then: relock resume")
	}
	return standing{state: StatePlanned, counts: true}
}

// goesDown reports whether setting a machine that runs takes it down.
func (e *engine) goesDown(inst *Instance) bool {
	return inst.Terms.NeedsStopped || inst.Terms.Effect == AtNextBoot && e.policy.Restart != RestartNever
}

// canTakeDown reports whether the fleet can do what taking a machine down needs: nobody would start again what is not
// marked.
func (e *engine) canTakeDown(fleet int) bool {
	_, power := e.Fleets[fleet].(Power)
	_, marks := e.Fleets[fleet].(Marker)
	return power && marks
}

// claimed reports whether the machine belongs to another secret and was not released from it.
func (e *engine) claimed(inst *Instance) bool {
	if inst.Mark.Secret == "" || e.birth != "" && inst.Mark.Secret == e.secretMark() {
		return false
	}
	return !slices.Contains(e.request.TakeOver, inst.ID) && !slices.Contains(e.request.TakeOver, "all")
}

// secretMark is what the marks of this secret's machines carry.
func (e *engine) secretMark() string {
	if e.marked.secret == "" || e.marked.birth != e.birth {
		e.marked.birth, e.marked.secret = e.birth, e.markOf(e.birth)
	}
	return e.marked.secret
}

func (e *engine) markOf(birth string) string {
	return MarkSecret(e.Home[0], e.Home[1], e.Secret, birth)
}

// secretMarks are secretMark and what some machines may carry instead: two invocations that both made the first candidate,
// each of another generation, stored two births.
func (e *engine) secretMarks() []string {
	all := []string{e.secretMark()}
	for i := range e.history {
		if v := &e.history[i]; v.Birth != "" && v.Birth != e.birth && !v.Baseline && !slices.Contains(all, e.markOf(v.Birth)) {
			all = append(all, e.markOf(v.Birth))
		}
	}
	return all
}

// adopt takes marks of another birth of this secret for what they are.
func (e *engine) adopt(insts []Instance) {
	var others []string // computed when it is needed
	for i := range insts {
		mark := &insts[i].Mark
		if e.birth == "" || mark.Secret == "" || mark.Secret == e.secretMark() {
			continue
		}
		if others == nil {
			others = e.secretMarks()
		}
		if slices.Contains(others, mark.Secret) {
			mark.Secret = e.secretMark()
		}
	}
}

// fix makes the run for setting v on the machines described last. adopted: some machines may have it already.
func (e *engine) fix(v Version, adopted bool) {
	e.version = v
	now := e.clock().Now()
	e.run = run{
		policy: e.policy, generation: v.Generation, secret: e.secretMark(), tick: moment{Time: now}, closes: e.closes,
		logins: e.Verifier != nil, warnings: e.run.warnings,
	}
	for _, f := range e.Fleets {
		_, marks := f.(Marker)
		e.run.fleets = append(e.run.fleets, fleetTraits{marks})
	}
	e.run.room.due = make([][]Operation, len(e.Fleets))
	e.firsts, e.run.machines = make([]int, 0, len(e.Fleets)), make([]machine, e.total())
	eligible, next := 0, 0
	fits := e.fitting(&v)
	for f, all := range e.described {
		e.firsts = append(e.firsts, next)
		for i := range all {
			m, inst := &e.run.machines[next], &all[i]
			next++
			e.include(m, f, inst, adopted, now)
			if m.mayTouch && !fits(inst.Terms.Rules) {
				m.leave(StateFailed, Refusal{Reason: "the password breaks the rules of its image", Remedy: "relock rotate --new-candidate"})
			}
			if m.mayTouch && m.state == StatePlanned && adopted && !e.run.logins && e.run.hopeless(m) {
				m.leave(StateUnproven, unprovable)
			}
			if s := cmp.Or(m.rest, m.state); s != StateUnable && s != StateHeld {
				eligible++
			}
		}
	}
	e.run.capacity = e.policy.MaxUnavailable.Of(max(1, eligible))
}

// fitting returns a function that tells whether a version's password is within rules. All rules are checked once.
func (e *engine) fitting(v *Version) func(*Rules) bool {
	var known ordinals[*Rules]
	var fits []bool
	return func(rules *Rules) bool {
		n, fresh := known.of(rules)
		if fresh {
			fits = append(fits, v.Password.IsZero() || len(rules.Check(v.Password)) == 0)
		}
		return fits[n]
	}
}

// include begins one machine's part of the run, for e.version.
func (e *engine) include(m *machine, fleet int, inst *Instance, adopted bool, now time.Time) {
	v := &e.version
	s := e.standing(fleet, inst)
	*m = machine{
		id: inst.ID, fleet: fleet, maxBatch: inst.Terms.MaxBatch, needsStopped: inst.Terms.NeedsStopped,
		atBoot: inst.Terms.Effect == AtNextBoot, goesDown: e.goesDown(inst), bootDelay: inst.Terms.BootDelay,
		reported: inst.Terms.Reported, counts: s.counts,
		state: s.state, why: s.why, power: inst.Power, was: inst.Power,
		busy: inst.Busy || inst.Terms.Refuse.Kind == RefusedBusy,
	}
	m.mayTouch = s.state == StatePlanned && e.asked(inst.ID)
	mark := inst.Mark
	if mark.Secret != e.secretMark() {
		mark = Mark{}
	}
	m.found = mark
	m.check = adopted && s.counts && !s.claim && e.mayHave(m, v)
	m.known = mark.State == MarkOK && e.policy.Proof != ProofAccepted
	if mark.names(e.secretMark(), v.Generation) {
		m.tries = mark.Tries
	}
	// Whether or not this candidate took it down: a machine with this mark runs when we are done with it. Where it still runs,
	// its stop may not show yet.
	if mark.State == MarkDown {
		m.was = Running
		if m.owed = e.request.Action != Verify || inst.Power != Running || m.busy; m.owed {
			m.hold(s.state)
			m.state = StatePlanned
			return
		}
	}
	proven := mark.State == MarkOK && mark.names(e.secretMark(), v.Generation)
	if proven {
		m.evidence = ByMark
	}
	switch {
	case m.waited(e, v, now):
		m.state, m.mayTouch = StateWaiting, false
	case m.check && inst.Power == Running && (e.distrust || !proven):
		m.hold(s.state)
		m.state = StateChecking
	case proven:
		m.state, m.mayTouch, m.why = e.policy.byMark(), false, Refusal{}
	}
}

// waited reports whether a machine is left as it is because it waits for its boot: an earlier invocation's reset was
// accepted, this one would not restart it, and no login can tell more now. m.why says so. A machine that the request names
// is tried all the same.
func (m *machine) waited(e *engine, v *Version, now time.Time) bool {
	mark := m.found
	if mark.State != MarkWait || !mark.names(e.secretMark(), v.Generation) || m.state != StatePlanned || e.request.Action == Verify {
		return false
	}
	m.refused = mark.Refused
	if m.disruptive() {
		return false
	}
	m.why = waits
	next := mark.nextLogin(v.Created)
	if m.power == Running && e.Verifier != nil && now.Before(next) && !slices.Contains(e.request.Only, m.id) {
		m.why.Remedy = fmt.Sprintf("restart it; the next login is tried after %s, or by: relock resume --only %s", next.UTC().Format("15:04 MST"), m.id)
		return true
	}
	return m.power != Running || e.Verifier == nil
}

// mayHave reports whether a login is to tell if a machine has the version, one that our policy holds back too. On a
// machine that cannot have it nothing is tried: wrong passwords lock accounts. One that goes down for its reset was
// marked before.
func (e *engine) mayHave(m *machine, v *Version) bool {
	switch {
	case e.Verifier == nil || m.state == StateUnable:
		return false
	case e.request.Action == Verify:
		return e.asked(m.id)
	case e.distrust, e.request.Step == StepTest, e.request.Step == StepFinish:
		return true
	}
	return !m.disruptive() || m.found.names(e.secretMark(), v.Generation)
}

// hold notes where a machine stays that the run has no further business with.
func (m *machine) hold(s State) {
	if s != StatePlanned {
		m.rest = s
	}
}

// leave gives a machine up before it is begun. When it is owed a start, or to be tried, that is done first.
func (m *machine) leave(s State, why Refusal) {
	m.mayTouch, m.why, m.rest = false, why, s
	if m.state == StatePlanned && !m.owed {
		m.state = s
	}
}

// unprovable is why a machine is left alone that was set and that nobody can tell of.
var unprovable = Refusal{
	Reason: "was set for this generation by an earlier run; no login can be tried and the provider keeps no record of its reset",
	Remedy: "log in by hand, or set RELOCK_PROOF=accepted",
}

// hopeless reports whether setting a machine once more would take it down for nothing: an earlier invocation's reset was
// accepted and it was seen running again, and where no login can be tried this one would know no more in the end.
func (r *run) hopeless(m *machine) bool {
	return m.atBoot && !m.reported && m.disruptive() && r.policy.Proof != ProofAccepted &&
		m.found.State == MarkUp && m.found.names(r.secret, r.generation)
}

// asked reports whether the request is about this machine.
func (e *engine) asked(id string) bool {
	return len(e.request.Only) == 0 || slices.Contains(e.request.Only, id)
}

// rules is the rule that a password for the whole scope obeys.
func (e *engine) rules() (*Rules, error) {
	rules, err := Intersect(e.everyRules()...)
	if err != nil {
		return nil, fmt.Errorf("no password suits every machine of the scope: %w", err)
	}
	return rules, nil
}

// everyRules are the rules of the scope's machines.
func (e *engine) everyRules() []*Rules {
	var all []*Rules
	for f, insts := range e.described {
		for i := range insts {
			inst := &insts[i]
			if !slices.Contains(all, inst.Terms.Rules) && e.standing(f, inst).state != StateUnable {
				all = append(all, inst.Terms.Rules)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *Rules) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// refusal returns why a new generation must not be begun, or nil. Everything that a person has to correct is in it.
func (e *engine) refusal() error {
	var problems []string
	if missing := e.missing(); len(missing) > 0 {
		problems = append(problems, fmt.Sprintf("RELOCK_INSTANCES names machines that do not exist in %s: %s: correct or remove them",
			e.regions(), strings.Join(missing, ", ")))
	}
	var behind, claimed []string
	for f, insts := range e.described {
		for i := range insts {
			inst := &insts[i]
			s := e.standing(f, inst)
			to := &behind
			switch {
			case s.claim:
				to = &claimed
			case s.state != StateHeld || !s.counts:
				continue
			}
			*to = append(*to, fmt.Sprintf("%s (%s): %s: %s", inst.ID, inst.Region, s.why.Reason, s.why.Remedy))
		}
	}
	if len(claimed) > 0 {
		problems = append(problems, "another secret claims machines of the scope:\n  "+strings.Join(claimed, "\n  "))
	}
	if len(behind) > e.policy.MaxExceptions {
		problems = append(problems, fmt.Sprintf("%s would stay behind, RELOCK_MAX_EXCEPTIONS=%d allows %d:\n  %s\nChange what holds them back, take them out of the scope (RELOCK_EXCLUDE_TAGS), or set RELOCK_MAX_EXCEPTIONS=%d",
			machines(len(behind)), e.policy.MaxExceptions, e.policy.MaxExceptions, strings.Join(behind, "\n  "), len(behind)))
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrConfig, strings.Join(problems, "; "))
}

// machines is a number of them, in words.
func machines(n int) string {
	if n == 1 {
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", n)
}

// missing returns the configured ids that no fleet has. With tags beside them an id may exist and not be meant.
func (e *engine) missing() []string {
	var out []string
	if len(e.Scope.Tags) > 0 || len(e.Scope.ExcludeTags) > 0 {
		return nil
	}
	for _, id := range e.Scope.IDs {
		if !slices.ContainsFunc(e.described, func(insts []Instance) bool {
			return slices.ContainsFunc(insts, func(inst Instance) bool { return inst.ID == id })
		}) {
			out = append(out, id)
		}
	}
	return out
}

func (e *engine) regions() string {
	names := make([]string, len(e.Fleets))
	for i, f := range e.Fleets {
		names[i] = f.Region()
	}
	return strings.Join(names, ", ")
}
