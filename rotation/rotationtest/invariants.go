package rotationtest

import (
	"context"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// view is what a reader of the store finds in one of its editions.
type view struct {
	edition int
	can     words  // every password
	held    words  // those under a name of their own, not only as what is current
	current string // empty when there is none
}

// words are a few different strings, of which those that were added last are asked for most.
type words []string

func (w words) has(word string) bool {
	for i := len(w) - 1; i >= 0; i-- {
		if w[i] == word {
			return true
		}
	}
	return false
}

func (w *words) add(word string) {
	if !w.has(word) {
		*w = append(*w, word)
	}
}

// seen is the store as it is now.
func (w *World) seen() *view {
	if w.view != nil && w.view.edition == w.shelf.edition() {
		return w.view
	}
	values := w.shelf.values()
	v := &view{edition: w.shelf.edition(), can: make(words, 0, len(values)), held: make(words, 0, len(values))}
	for _, value := range values {
		for _, p := range value.passwords {
			v.can.add(p)
		}
	}
	if _, value, err := w.shelf.read("current"); err == nil {
		if all := value.passwords; len(all) == 1 {
			v.current = all[0]
		}
	}
	for _, slot := range w.shelf.list() {
		if slot.Name == string(rotation.Current) {
			continue
		}
		if _, value, err := w.shelf.read(slot.Name); err == nil {
			for _, p := range value.passwords {
				v.held.add(p)
			}
		}
	}
	w.checkKept(v)
	w.view, w.pending, w.reader = v, nil, nil
	return v
}

// checkKept holds when the store has changed: S4. What a person puts into current in the seconds of a promotion may be
// overwritten before it is kept: that is why people should edit while nothing runs.
func (w *World) checkKept(now *view) {
	if w.view == nil || w.inv.operator {
		return
	}
	var gone []string
	for _, p := range w.view.held {
		if !now.can.has(p) && !w.lost[p] {
			gone = append(gone, p)
		}
	}
	slices.Sort(gone)
	for _, p := range gone {
		w.violate("S4", "%q was kept, and is nowhere", p)
	}
}

// readable is every password that somebody with the store's credentials could read now.
func (w *World) readable() words { return w.seen().can }

// Current is the password that consumers read now; empty when there is none.
func (w *World) Current() string { return w.seen().current }

// check holds after every step: S1 on what is live and what is in flight.
func (w *World) check(site string) {
	can := w.readable()
	for _, m := range w.Machines {
		if !can.has(m.Live) && !w.lost[m.Live] {
			w.violate("S1", "after %s: %s opens with %q, which the store does not hold", site, m.ID, m.Live)
		}
		if m.Next != "" && !can.has(m.Next) && !w.lost[m.Next] {
			w.violate("S1", "after %s: %s will open with %q at its next boot, which the store does not hold", site, m.ID, m.Next)
		}
		if len(m.inflight) > 0 { // mostly there are none, and to find that by a range takes longer
			w.checkInflight(m, can, site)
		}
	}
	if w.Current() == "" {
		w.violate("S1", "after %s: a reader finds no current", site)
	}
}

// checkInflight holds S1 on what is in flight to a machine.
func (w *World) checkInflight(m *Machine, can words, site string) {
	for p := range m.inflight {
		if !can.has(p) {
			w.violate("S1", "after %s: %q is on its way to %s, and the store does not hold it", site, p, m.ID)
		}
	}
}

// checkReset holds when a password is sent: S0 and S5, and the batch limit of S6.
func (w *World) checkReset(batch []rotation.Instance, p string) {
	if !w.inv.read.has(p) || !w.readable().has(p) {
		w.violate("S0", "%q was sent before it was read back from the store", p)
	}
	if len(batch) > w.maxBatch() {
		w.violate("S6", "%d machines in one request", len(batch))
	}
	for _, inst := range batch {
		if inst.Tags["rotate"] != "yes" || w.inv.only != nil && !slices.Contains(w.inv.only, inst.ID) {
			w.violate("S5", "%s is outside the scope", inst.ID)
		}
	}
}

// checkDown holds when an invocation takes a machine down: S6 on those that it took down and those that it found so. What
// another one takes down that is still at work may add up: deploy/ sets concurrency 1.
func (w *World) checkDown() {
	var down, found []string
	for _, m := range w.Machines {
		switch {
		case m.Was != rotation.Running || m.Power == rotation.Running:
		case m.stopper == w.inv:
			down = append(down, m.ID)
		case slices.Contains(m.found, w.inv) && (m.stopper == nil || m.stopper.over || slices.Contains(w.dead, m.stopper)):
			found = append(found, m.ID)
		}
	}
	if len(down)+len(found) > w.atMost {
		w.violate("S6", "%s took down %v, and found %v down: %d are allowed", w.inv.name, down, found, w.atMost)
	}
}

// checkStops holds when a machine is stopped: S8. A fault is an ambiguous or failed outcome.
func (w *World) checkStops(m *Machine) {
	most := min(3, 1+w.faults)
	if m.unsure && w.answers.StartsAfterReset {
		most = min(3, most+1) // what came of it nobody can tell of a machine that takes no logins
	}
	if w.overlap > 1 {
		// What one of them starts the other has to stop again; each keeps to RELOCK_MAX_ATTEMPTS.
		most = 3 * max(1, len(w.setters[w.inv.setting]))
	}
	if n := m.Stops[w.inv.setting]; n > most {
		w.violate("S8", "%s was stopped %d times for %s, with %d faults", m.ID, n, w.inv.setting, w.faults)
	}
}

// checkPromotion holds when current changes: S3.
func (w *World) checkPromotion() {
	now := w.Current()
	if now == w.current {
		return
	}
	w.current = now
	var behind []string
	for _, m := range w.Machines {
		if m.Tags["rotate"] == "yes" && m.Refuse.Kind != rotation.RefusedUnable && !m.had(now, w) && (m.KeyPair == "" || m.Tags[rotation.MarkTag] != "") &&
			!w.inv.unseen[m] {
			behind = append(behind, m.ID)
		}
	}
	if len(behind) > w.allowed {
		w.violate("S3", "%v are not on the password that became current", behind)
	}
}

// opens is the password that the machine opens with: a stopped one does with what it boots with.
func (m *Machine) opens() string {
	if m.Power == rotation.Stopped && m.Next != "" {
		return m.Next
	}
	return m.Live
}

// had reports whether a password was ever proven to be in force on the machine: a reset that is late, or one of an overlapping
// invocation, may land after the proof. A login that accepted a password which was not in force excuses that machine and
// that password.
func (m *Machine) had(password string, w *World) bool {
	return m.opens() == password || (m.landed || w.overlap > 1) && m.ever[password] || m.fooled[password]
}

// behind reports whether a machine that can be set is not on current.
func (w *World) behind(m *Machine) bool { return w.without(m, w.Current()) }

// without reports whether a machine that can be set has another password than this one.
func (w *World) without(m *Machine, password string) bool {
	// A reset that lands after its machine was proven shows at a login only: where none can be tried, lookup still knows
	// the password, and nobody can know more. The same holds of a machine whose provider reports nothing either.
	hidden := (m.landed || w.overlap > 1) && (m.NoLogin || m.Power != rotation.Running) || w.kind.Boot && m.NoLogin
	return m.Tags["rotate"] == "yes" && m.Refuse.Kind != rotation.RefusedUnable && m.KeyPair == "" && !m.Broken && !m.Hangs && !hidden &&
		m.opens() != password
}

// checkOthers holds L2 while a version is pending because of machines that cannot be set: the others have it.
func (w *World) checkOthers() {
	if w.reached() != "L2" {
		return
	}
	v, err := w.quiet().Get(context.Background(), Secret, rotation.Pending)
	if err != nil {
		return
	}
	for _, m := range w.Machines {
		if w.without(m, v.Password.Reveal()) {
			w.violate("L2", "%s does not have what is pending, although it could be set", m.ID)
		}
	}
}

// reached is the invariant that has every machine on current which can be set: L2 where there is one that cannot.
func (w *World) reached() string {
	if slices.ContainsFunc(w.Machines, func(m *Machine) bool { return m.Broken || m.Hangs || m.Refuse.Kind == rotation.RefusedUnable }) {
		return "L2"
	}
	return "L1"
}

// CheckEnd holds once faults have stopped and relock was run again: L1, L2 and S8's last sentence.
func (w *World) CheckEnd() {
	w.checkOthers()
	for _, m := range w.Machines {
		if m.Tags["rotate"] != "yes" {
			continue
		}
		if m.Power != m.Was && slices.Contains(w.dead, m.stopper) && m.marker != m.stopper && rotation.ParseMark(m.Tags).State != rotation.MarkDown {
			// An invocation noted it as down, another one noted it as up or proven, and the first stopped it and died: a tag
			// has no compare-and-set.
			w.excused = true
			continue
		}
		if m.Power != m.Was && !m.woken {
			w.violate("S8", "%s was %s and is %s", m.ID, m.Was, m.Power)
		}
		if w.behind(m) {
			w.violate(w.reached(), "%s is not on current", m.ID)
		}
	}
}
