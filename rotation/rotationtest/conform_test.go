package rotationtest_test

import (
	"fmt"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// TestTheWorldIsACloud runs the suites that drivers must pass over the world itself: what is tried in it is what clouds do.
func TestTheWorldIsACloud(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Run("store", func(t *testing.T) {
				var w *rotationtest.World
				rotationtest.TestStore(t, rotationtest.StoreHarness{
					Open: func(*testing.T) (rotation.Store, string) {
						w = rotationtest.NewWorld(k)
						return w.Ledger(), rotationtest.Secret
					},
					Human: func(_ *testing.T, value string) { w.HumanValue(value) },
				})
			})
			t.Run("fleet", func(t *testing.T) {
				rotationtest.TestFleet(t, func(*testing.T) rotationtest.FleetHarness { return worldFleet(k) }, nil)
			})
		})
	}
}

func worldFleet(k rotationtest.Kind) rotationtest.FleetHarness {
	w := rotationtest.NewWorld(k)
	for i := range 10 {
		power := rotation.Running
		if i >= 6 {
			power = rotation.Stopped
		}
		w.Add(rotation.Linux, power)
	}
	n := 0
	return rotationtest.FleetHarness{
		Fleet: w.Rotator().Fleets[0], Pass: w.Advance,
		Live: func(id string) string {
			for _, m := range w.Machines {
				if m.ID == id {
					return m.Live
				}
			}
			return ""
		},
		Accepts: func() string {
			n++
			return fmt.Sprintf("Conform-Pass-%04d", n)
		},
	}
}

func TestTheWorldLogsIn(t *testing.T) {
	w := rotationtest.NewWorld(rotationtest.Kind{})
	w.Add(rotation.Linux, rotation.Running)
	w.Add(rotation.Linux, rotation.Stopped)
	r := w.Rotator()
	var insts []rotation.Instance
	for _, f := range r.Fleets {
		found, err := f.Describe(t.Context(), r.Scope)
		if err != nil {
			t.Fatal(err)
		}
		insts = append(insts, found...)
	}
	rotationtest.TestVerifier(t, rotationtest.VerifierHarness{
		Verifier: r.Verifier, Open: insts[0], Shut: insts[1], Password: rotationtest.Baseline,
	})
}
