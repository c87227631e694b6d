package rotationtest

import (
	"slices"

	"github.com/relock-project/relock/rotation"
)

// readable is every password that somebody with the store's credentials could read now.
func (w *World) readable() map[string]bool {
	out := map[string]bool{}
	for _, value := range w.shelf.values() {
		for _, p := range w.passwords(value) {
			out[p] = true
		}
	}
	return out
}

// Current is the password that consumers read now.
func (w *World) Current() string {
	_, value, err := w.shelf.read("current")
	if err != nil {
		return ""
	}
	if all := w.passwords(value); len(all) == 1 {
		return all[0]
	}
	return ""
}

// pending names the password that is being set, for counting stops: the newest in the store.
func (w *World) pending() string {
	newest := ""
	for _, slot := range w.shelf.list() {
		if slot.Name[0] == 'g' && slot.Name > newest {
			newest = slot.Name
		}
	}
	return newest
}

// check holds after every step: S1 on what is live and what is in flight, and S6 on what is down.
func (w *World) check(site string) {
	can := w.readable()
	down := 0
	for _, m := range w.Machines {
		if !can[m.Live] && !w.lost[m.Live] {
			w.violate("S1", "after %s: %s opens with %q, which the store does not hold", site, m.ID, m.Live)
		}
		for p := range m.inflight {
			if !can[p] {
				w.violate("S1", "after %s: %q is on its way to %s, and the store does not hold it", site, p, m.ID)
			}
		}
		if m.Was == rotation.Running && m.Power != rotation.Running {
			down++
		}
	}
	if down > w.atMost {
		w.violate("S6", "after %s: %d machines are down, %d are allowed", site, down, w.atMost)
	}
	if w.Current() == "" {
		w.violate("S1", "after %s: a reader finds no current", site)
	}
}

// checkReset holds when a password is sent: S0 and S5, and the batch limit of S6.
func (w *World) checkReset(batch []rotation.Instance, p string) {
	if !w.read[p] || !w.readable()[p] {
		w.violate("S0", "%q was sent before it was read back from the store", p)
	}
	if len(batch) > w.maxBatch() {
		w.violate("S6", "%d machines in one request", len(batch))
	}
	for _, inst := range batch {
		if inst.Tags["rotate"] != "yes" || w.only != nil && !slices.Contains(w.only, inst.ID) {
			w.violate("S5", "%s is outside the scope", inst.ID)
		}
	}
}

// checkStops holds when a machine is stopped: S8. A fault is an ambiguous or failed outcome.
func (w *World) checkStops(m *Machine) {
	if n := m.Stops[w.pending()]; n > min(3, 1+w.faults) {
		w.violate("S8", "%s was stopped %d times for %s, with %d faults", m.ID, n, w.pending(), w.faults)
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
		if m.Tags["rotate"] == "yes" && m.Refuse.Kind != rotation.RefusedUnable && m.Live != now && (m.KeyPair == "" || m.Tags[rotation.MarkTag] != "") {
			behind = append(behind, m.ID)
		}
	}
	if len(behind) > w.allowed {
		w.violate("S3", "%v are not on the password that became current", behind)
	}
}

// CheckEnd holds once faults have stopped and relock was run again: L1, S8's last sentence and S2.
func (w *World) CheckEnd() {
	now := w.Current()
	for _, m := range w.Machines {
		if m.Tags["rotate"] != "yes" {
			continue
		}
		if m.Power != m.Was {
			w.violate("S8", "%s was %s and is %s", m.ID, m.Was, m.Power)
		}
		// A reset that lands after its machine was proven shows at a login only: where none can be tried, lookup still
		// knows the password, and nobody can know more.
		hidden := m.landed && (m.NoLogin || m.Power != rotation.Running)
		if m.Refuse.Kind != rotation.RefusedUnable && m.KeyPair == "" && !m.Broken && !m.Hangs && !hidden && m.Live != now {
			w.violate("L1", "%s is not on current", m.ID)
		}
	}
}
