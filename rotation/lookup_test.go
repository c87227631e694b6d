package rotation_test

import (
	"slices"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// lookup is the answer about one machine.
func lookup(t *testing.T, w *rotationtest.World, id string) rotation.Answer {
	t.Helper()
	a, err := w.Rotator().Lookup(t.Context(), id)
	if err != nil {
		t.Fatalf("Lookup(%s) = %v", id, err)
	}
	return a
}

func generations(a rotation.Answer) []int {
	var out []int
	for _, v := range a.Versions {
		out = append(out, v.Generation)
	}
	return out
}

// contains holds S2: an answer contains what opens its machine.
func contains(t *testing.T, w *rotationtest.World) {
	t.Helper()
	for _, m := range w.Machines {
		if m.Tags["rotate"] != "yes" {
			continue
		}
		if a := lookup(t, w, m.ID); !a.Unknown && !slices.ContainsFunc(a.Versions, func(v rotation.Version) bool { return v.Password.Reveal() == m.Live }) {
			t.Errorf("Lookup(%s) = %v, and none opens it", m.ID, generations(a))
		}
	}
}

func TestLookupHoldsEveryVersionLikeliestFirst(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		w.Allow(1)
		add(w, 3, rotation.Running)
		check := func(id string, current, pending int, unknown bool, want ...int) {
			t.Helper()
			a := lookup(t, w, id)
			if !slices.Equal(generations(a), want) || a.Current != current || a.Pending != pending || a.Unknown != unknown || a.Why == "" {
				t.Errorf("Lookup(%s) = %v, current %d, pending %d, unknown %v (%s); want %v, %d, %d, %v", id, generations(a), a.Current, a.Pending, a.Unknown, a.Why, want, current, pending, unknown)
			}
			contains(t, w)
		}
		untouched(t, w, func() { check("m0", 1, 0, true, 1) })
		must(t, w, rotation.Request{}, rotation.Rotated)
		check("m0", 2, 0, false, 2, 1)
		straggler := w.Machines[1]
		straggler.KeyPair = "skey-1"
		must(t, w, rotation.Request{}, rotation.Rotated)
		check("m0", 3, 0, false, 3, 2, 1)
		check("m1", 3, 0, false, 2, 3, 1) // proven on 2, by its mark
		straggler.KeyPair = ""
		must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete)
		check("m0", 3, 4, false, 4, 3, 2, 1)
		check("m1", 3, 4, false, 2, 3, 4, 1)
		check("m2", 3, 4, false, 3, 4, 2, 1)
		newcomer := w.Add(rotation.Linux, rotation.Running)
		check(newcomer.ID, 3, 4, true, 3, 4, 2, 1)
	})
}

func TestLookupOfAMachineBeingSetNamesTheCandidateFirst(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		killed(t, w, rotation.Request{}, rotationtest.KillAfter, takesDown(t), 1)
		if a := lookup(t, w, "m0"); !slices.Equal(generations(a), []int{3, 2, 1}) || a.Pending != 3 {
			t.Errorf("Lookup(m0) = %v, pending %d; want 3 first, pending", generations(a), a.Pending)
		}
		contains(t, w)
	})
}

func TestLookupOfMarkOfAnotherSecretRestsOnNothing(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 2, rotation.Running)
	must(t, w, rotation.Request{}, rotation.Rotated)
	w.Machines[0].Tags[rotation.SecretTag] = "ffffffffffff"
	if a := lookup(t, w, "m0"); !a.Unknown {
		t.Errorf("Lookup(m0) takes another secret's mark for a proof")
	}
}

// Every generation answers, also those that only an archive holds.
func TestLookupHoldsArchivedVersions(t *testing.T) {
	for _, kind := range []rotationtest.Kind{whenStopped, byLabels} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t, kind)
			add(w, 1, rotation.Stopped)
			for range 25 {
				must(t, w, rotation.Request{}, rotation.Rotated)
			}
			a := lookup(t, w, "m0")
			if len(a.Versions) != 26 || a.Versions[0].Generation != 26 {
				t.Errorf("Lookup(m0) = %v; want 26 to 1", generations(a))
			}
			w.Machines[0].Live = a.Versions[17].Password.Reveal()
			contains(t, w)
		})
	}
}

func TestLookupOfAMachineOutsideTheScopeIsRefused(t *testing.T) {
	w := newWorld(t, whenStopped)
	add(w, 1, rotation.Running)
	w.Add(rotation.Linux, rotation.Running).Tags = map[string]string{"rotate": "no"}
	for _, id := range []string{"m1", "nowhere", ""} {
		_, err := w.Rotator().Lookup(t.Context(), id)
		refused(t, err, "not in the configured scope")
	}
}

func TestStatusSaysWhatTheSecretHolds(t *testing.T) {
	onEvery(t, func(t *testing.T, w *rotationtest.World) {
		add(w, 2, rotation.Running)
		must(t, w, rotation.Request{}, rotation.Rotated)
		must(t, w, rotation.Request{}, rotation.Rotated)
		must(t, w, rotation.Request{Only: []string{"m0"}}, rotation.Incomplete)
		untouched(t, w, func() {
			o, err := w.Rotator().Status(t.Context())
			if err != nil || o.Current != 3 || o.Pending != 4 || o.Previous != 2 || len(o.Versions) != 4 || o.Versions[0].Generation != 4 {
				t.Errorf("Status = current %d, pending %d, previous %d, %d versions, %v; want 3, 4, 2, 4", o.Current, o.Pending, o.Previous, len(o.Versions), err)
			}
			if o.Stored == nil || o.Stored.Generations != 4 || o.Stored.Newest != 4 || o.Stored.Oldest != 1 || o.Stored.Room < 1 {
				t.Errorf("Status says that the store holds %+v; want 4 generations, 1 to 4, and room", o.Stored)
			}
			lines, err := w.Rotator().Inventory(t.Context())
			if err != nil || len(lines) != 2 || lines[0].State != rotation.StateProven || lines[1].State != rotation.StatePlanned {
				t.Errorf("Inventory = %+v, %v; want m0 proven on 4, m1 planned", lines, err)
			}
			if len(lines) == 2 && (lines[0].On != 4 || lines[1].On != 3) {
				t.Errorf("Inventory says that m0 is on %d and m1 on %d; want 4 and 3", lines[0].On, lines[1].On)
			}
		})
	})
}
