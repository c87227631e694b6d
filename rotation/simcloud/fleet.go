package simcloud

import "fmt"

// A Breed is how a simulator makes the machines of a Fleet.
type Breed[M any] struct {
	// Healthy makes the machine with a number, counted from 0.
	Healthy func(number int, windows bool) M
	// Stop shuts a healthy machine down.
	Stop func(*M)
	// Troubles make a machine one that cannot be reset, each in its way.
	Troubles []func(*M)
	// Bind binds a machine to a key pair. It reports false when it is none that can be.
	Bind func(*M) bool
}

// Fleet makes n machines: 70 percent Linux, about 8 percent stopped, 4 percent (and of 100 or more at least one of each
// kind) that cannot be reset, and as many with a key pair as there may be.
func Fleet[M any](r *Random, n, keyPairs int, b Breed[M]) []M {
	bad := n * 4 / 100
	if n >= 100 {
		bad = max(bad, len(b.Troubles))
	}
	stopped := n * 8 / 100
	machines := make([]M, n)
	for i, place := range r.Permutation(n) {
		machines[place] = b.Healthy(place, i >= (n*7+9)/10)
	}
	for i, place := range r.Permutation(n) {
		m := &machines[place]
		switch {
		case i < bad:
			b.Troubles[i%len(b.Troubles)](m)
		case i < bad+stopped:
			b.Stop(m)
		}
		if i >= bad && keyPairs > 0 && b.Bind(m) {
			keyPairs--
		}
	}
	return machines
}

// Job returns what a machine of a Fleet is for, and in which environment; Called is its name.
func Job(r *Random) (role, stage string) {
	roles := []string{"web", "api", "db", "cache", "job"}
	stages := []string{"prod", "prod", "staging", "dev"}
	return roles[r.Below(len(roles))], stages[r.Below(len(stages))]
}

// Called is the name of the machine with a number, counted from 0.
func Called(role, stage string, number int) string {
	return fmt.Sprintf("%s-%s-%04d", stage, role, number+1)
}
