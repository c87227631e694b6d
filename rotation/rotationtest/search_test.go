package rotationtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func show(f rotationtest.Found) {
	for i, fl := range f.Failures {
		if i < 3 {
			fmt.Println(fl.Faults, fl.Violations)
			for _, l := range fl.Trace {
				fmt.Println("   ", l)
			}
		}
	}
}
func legs(tokens ...string) []rotationtest.Leg {
	var out []rotationtest.Leg
	for _, tok := range tokens {
		out = append(out, rotationtest.Leg{Request: rotate(tok), Pause: 24 * time.Hour})
		for range 4 {
			out = append(out, rotationtest.Leg{Request: &rotation.Request{Action: rotation.Resume}, Pending: true, Pause: 5 * time.Minute})
		}
	}
	return out
}

func TestX(t *testing.T) {
	for _, k := range []rotationtest.Kind{{}, {Labels: true}, {Boot: true}, {Labels: true, Boot: true}} {
		s := rotationtest.Search{Kind: k, Faults: 2, Lanes: [][]rotationtest.Leg{legs("a", "b")}, Other: legs("other"), Limit: 5_000_000,
			Build: func(w *rotationtest.World) {
				w.Add(rotation.Linux, rotation.Running)
				if k.Boot {
					w.Add(rotation.Linux, rotation.Running)
				} else {
					w.Add(rotation.Windows, rotation.Stopped)
				}
			}}
		began := time.Now()
		f := s.Run()
		fmt.Println(k, f, time.Since(began), len(f.Failures))
		show(f)
	}
}

func TestY(t *testing.T) {
	for _, n := range []int{1, 2} {
		for sw := range 5 {
			k := rotationtest.Kind{}

			one := func(s string) []rotationtest.Leg { return []rotationtest.Leg{{Request: rotate(s)}} }
			s := rotationtest.Search{Kind: k, Faults: 0, Lanes: [][]rotationtest.Leg{one("a"), one("b")}, Loose: true, Limit: 150_000, Switches: sw + 1,
				Build: func(w *rotationtest.World) {
					for range n {
						w.Add(rotation.Linux, rotation.Running)
					}
				}}
			began := time.Now()
			f := s.Run()
			fmt.Println(n, sw+1, f, time.Since(began), len(f.Failures))
			show(f)
		}
	}
}
