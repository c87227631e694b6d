package rotationtest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// candidate is a version to propose.
func candidate(n int, password string) rotation.Version {
	return rotation.Version{Generation: n, Token: "t-" + password, Password: rotation.NewPassword(password), Birth: "b1"}
}

func byHand(password string) string { return fmt.Sprintf(`{"username":"","password":%q}`, password) }

// outcome is what an invocation came to, in a form that does not differ where nothing later can.
func outcome(v rotation.Version, err error) string {
	for _, kind := range []error{rotation.ErrConflict, rotation.ErrNotFound, rotation.ErrFull} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return "an error"
	}
	return fmt.Sprintf("%d %s", v.Generation, v.Password.Reveal())
}

// propose offers a candidate, and sends what it gets.
func propose(n int, password string) invocation {
	return func(p *process) string {
		v, err := p.Propose(ctx, rotationtest.Secret, candidate(n, password))
		if err == nil {
			p.sends(v)
		}
		return "propose: " + outcome(v, err)
	}
}

// promote makes current what was proven.
func promote(n int, password string) invocation {
	return func(p *process) string {
		return "promote: " + outcome(rotation.Version{}, p.Promote(ctx, rotationtest.Secret, candidate(n, password)))
	}
}

// rotates is a whole rotation as the engine does it: adopt what is pending, or propose the next; send it; promote it.
func rotates(password string) invocation {
	return func(p *process) string {
		v, err := p.next(password)
		if err != nil {
			return "propose: " + outcome(v, err)
		}
		p.sends(v)
		return fmt.Sprintf("rotate: %d: %s", v.Generation, outcome(v, p.Promote(ctx, rotationtest.Secret, v)))
	}
}

func (p *process) next(password string) (rotation.Version, error) {
	v, err := p.Get(ctx, rotationtest.Secret, rotation.Pending)
	if err == nil || !errors.Is(err, rotation.ErrNotFound) {
		return v, err
	}
	all, err := p.History(ctx, rotationtest.Secret)
	if err != nil {
		return rotation.Version{}, err
	}
	n := 1
	if len(all) > 0 {
		n = all[0].Generation + 1
	}
	return p.Propose(ctx, rotationtest.Secret, candidate(n, password))
}

// reads takes what is current now, and sends it at any time later.
func reads() invocation {
	return func(p *process) string {
		v, err := rotation.DecodeVersion([]byte(p.ask(request{site: "read", name: "current"}).value))
		if err != nil {
			return "read: " + outcome(v, err)
		}
		p.sends(v)
		p.ask(request{site: "list"})
		return ""
	}
}

// keeps makes sure that what is current is kept, as everything does that is about to send it.
func keeps() invocation {
	return func(p *process) string {
		v, err := p.Propose(ctx, rotationtest.Secret, rotation.Version{Generation: 1, Baseline: true})
		return "keep: " + outcome(v, err)
	}
}

// edits is a person who puts a password into current.
func edits(password string) invocation {
	return func(p *process) string { p.ask(request{"human", "", byHand(password)}); return "" }
}

// holding begins with a value of a person's and n generations after it.
func holding(n int) func(t *testing.T, c *cabinet) {
	return func(t *testing.T, c *cabinet) {
		t.Helper()
		c.human(byHand("before"))
		rotations(n, "old")(t, c)
	}
}

// rotations are n more generations while nobody else is at work.
func rotations(n int, name string) func(t *testing.T, c *cabinet) {
	return func(t *testing.T, c *cabinet) {
		t.Helper()
		for i := range n {
			if err := c.rotate(fmt.Sprintf("%s-%d", name, i+1)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pendingAfter begins with what holding begins with, and one more version pending.
func pendingAfter(n int, password string) func(t *testing.T, c *cabinet) {
	return func(t *testing.T, c *cabinet) {
		t.Helper()
		holding(n)(t, c)
		if _, err := c.open("0f", c.serve).Propose(ctx, rotationtest.Secret, candidate(n+2, password)); err != nil {
			t.Fatal(err)
		}
	}
}

// many are rotations one after the other.
func many(n int, name string) []invocation {
	var out []invocation
	for i := range n {
		out = append(out, rotates(fmt.Sprintf("%s-%d", name, i+1)))
	}
	return out
}

// slotsOf is how many slots hold a version of the generation.
func (c *cabinet) slotsOf(generation int) int {
	n := 0
	for _, name := range c.names {
		if strings.HasPrefix(name.name, fmt.Sprintf("g%08d", generation)) {
			n++
		}
	}
	return n
}

// rotate is a rotation while nobody else is at work.
func (c *cabinet) rotate(password string) error {
	p := &process{Ledger: c.open(fmt.Sprintf("0%x", len(c.values)), c.serve)}
	v, err := p.next(password)
	if err != nil {
		return fmt.Errorf("propose: %w", err)
	}
	if err := p.Promote(ctx, rotationtest.Secret, v); err != nil {
		return fmt.Errorf("promote %d: %w", v.Generation, err)
	}
	if got := c.current(); got != v.Password.Reveal() {
		return fmt.Errorf("current is %q; want %q", got, v.Password.Reveal())
	}
	return nil
}

// goesOn holds that nothing which happened stops the rotations that come after it, and that History knows all that the
// store holds.
func goesOn(m *moment) error {
	for i := range 3 {
		if err := m.c.rotate(fmt.Sprintf("later-%d", i)); err != nil {
			return fmt.Errorf("rotation %d after it: %w", i+1, err)
		}
	}
	return m.c.historyIsWhole()
}

func (c *cabinet) historyIsWhole() error {
	all, err := c.open("0", c.serve).History(ctx, rotationtest.Secret)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i, v := range all {
		known[v.Password.Reveal()] = true
		if i > 0 && v.Generation > all[i-1].Generation {
			return fmt.Errorf("History has generation %d after %d", v.Generation, all[i-1].Generation)
		}
	}
	for _, p := range c.kept(false) {
		if !known[p] {
			return fmt.Errorf("History does not know %q", p)
		}
	}
	return nil
}

// clouds are the capacities of real clouds.
func clouds() []capacity {
	return []capacity{{false, 10, 7, 4096}, {true, 10, 7, 32 << 10}}
}

// small are capacities that are filled after few generations.
func small() []capacity {
	return []capacity{{false, 8, 5, 2000}, {true, 8, 5, 2000}}
}

func onClouds(t *testing.T, all []capacity, f func(t *testing.T, c capacity)) {
	for _, c := range all {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			f(t, c)
		})
	}
}
