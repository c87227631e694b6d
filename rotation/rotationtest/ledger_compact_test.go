package rotationtest_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// crowded begins with as many generations as make the next proposal compact.
func crowded(t *testing.T, c *cabinet) {
	t.Helper()
	c.human(byHand("before"))
	for i := 0; len(c.list()) < c.compactAt; i++ {
		if err := c.rotate(fmt.Sprintf("old-%d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

// next is the number that the next candidate has.
func (c *cabinet) nextGeneration(t *testing.T) int {
	t.Helper()
	all, err := c.open("0", c.serve).History(ctx, rotationtest.Secret)
	if err != nil || len(all) == 0 {
		t.Fatalf("History = %d versions, %v", len(all), err)
	}
	return all[0].Generation + 1
}

func crowdedNext(t *testing.T, c capacity) int {
	t.Helper()
	cab := newCabinet(c)
	crowded(t, cab)
	return cab.nextGeneration(t)
}

func TestTwoCompactionsAtOnceOfWhichOneDies(t *testing.T) {
	onClouds(t, small(), func(t *testing.T, c capacity) {
		n := crowdedNext(t, c)
		overlap{capacity: c, before: crowded, deaths: 1, end: goesOn,
			lanes: [][]invocation{{propose(n, "p")}, {propose(n, "q")}},
		}.explore(t)
	})
}

// One compaction, all of whose calls may fail or lose their reply.
func TestCompactionWithLostReplies(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		n := crowdedNext(t, c)
		overlap{capacity: c, before: crowded, deaths: 1, losses: 2, end: goesOn,
			lanes: [][]invocation{{propose(n, "p"), propose(n, "q"), propose(n, "r")}},
		}.explore(t)
	})
}

// W1: compactions that overlap and die leave archives that overlap; the store makes room all the same.
func TestDyingCompactionsNeverFillTheStore(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		lanes := [][]invocation{many(5, "a"), many(5, "b")}
		if c.slots == 10 {
			lanes = append(lanes, many(5, "c"))
		}
		overlap{capacity: c, before: crowded, deaths: 4, lanes: lanes,
			end: func(m *moment) error {
				for i := range 12 {
					if err := m.c.rotate(fmt.Sprintf("later-%d", i)); err != nil {
						return err
					}
				}
				return m.c.historyIsWhole()
			},
		}.wander(t, 40)
	})
}

// Some histories of those that are too many to go through: three lanes, deaths, lost replies and a person's edits.
func TestRandomOverlaps(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(2), deaths: 3, losses: 2, end: goesOn,
			lanes: [][]invocation{
				many(4, "a"), many(4, "b"),
				{edits("h1"), edits("h2"), edits("before"), edits("h3"), edits("h1")},
			},
		}.wander(t, 40)
	})
}

// W2: the baseline finds room too: what compacts comes first.
func TestBaselineFindsRoom(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: crowded, deaths: 2, end: goesOn,
			lanes: [][]invocation{{edits("h1"), keeps(), edits("h2"), keeps(), edits("h3"), rotates("p")}},
		}.explore(t)
	})
}

// W3: of two archives that hold the same, two runs at once do not remove one each.
func TestTwoEqualArchives(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		before := func(t *testing.T, cab *cabinet) {
			crowded(t, cab)
			if err := cab.rotate("one-more"); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(cab.names, func(n naming) bool { return strings.HasPrefix(n.name, "a") })
			if i < 0 {
				t.Fatal("no archive")
			}
			archive := cab.names[i]
			text := strings.Replace(cab.text(archive.version), `"name"`, ` "name"`, 1) // written by somebody else
			for _, hash := range []string{"0", "f"} {
				cab.add(archive.name[:len("a00000001-00000002-")]+strings.Repeat(hash, 12), text)
			}
			for i := 0; len(cab.list()) < cab.compactAt; i++ {
				if err := cab.rotate(fmt.Sprintf("fill-%d", i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		cab := newCabinet(c)
		before(t, cab)
		n := cab.nextGeneration(t)
		overlap{capacity: c, before: before, end: goesOn,
			lanes: [][]invocation{{propose(n, "p")}, {propose(n, "q")}},
		}.explore(t)
	})
}

// W9: archives of the same generations that hold something else do not collide.
func TestArchivesOfTheSameNumbers(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		cab := newCabinet(c)
		crowded(t, cab)
		if err := cab.rotate("one-more"); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(cab.names, func(n naming) bool { return strings.HasPrefix(n.name, "a") })
		archive := cab.names[i]
		other := strings.ReplaceAll(cab.text(archive.version), "old-1", "other-1")
		cab.add(archive.name[:len("a00000001-00000002-")]+"0123456789ab", other)
		was := cab.kept(false)
		for i := range 12 {
			if err := cab.rotate(fmt.Sprintf("later-%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range was {
			if !slices.Contains(cab.kept(false), p) {
				t.Errorf("%q is nowhere", p)
			}
		}
		if err := cab.historyIsWhole(); err != nil {
			t.Error(err)
		}
	})
}

// Candidates that lost against another of their generation do not fill the store, however often three runs begin at once.
func TestCandidatesThatLostMakeRoom(t *testing.T) {
	c := clouds()[1]
	cab := newCabinet(c)
	cab.human(byHand("before"))
	for n := 2; n < 20; n++ {
		winner := fmt.Sprintf("%d-wins", n)
		v, err := cab.open(fmt.Sprintf("%02x", n), cab.serve).Propose(ctx, rotationtest.Secret, candidate(n, winner))
		if err != nil {
			t.Fatalf("generation %d: %v", n, err)
		}
		for i := range 2 { // others that had looked before
			value, err := candidate(n, fmt.Sprintf("%d-loses-%d", n, i)).Encode()
			if err != nil {
				t.Fatal(err)
			}
			if err := cab.create(fmt.Sprintf("g%08d-c%02x%02x", n, i, n), string(value)); err != nil {
				t.Fatalf("generation %d: %v; the store holds %d of %d", n, err, len(cab.list()), c.slots)
			}
		}
		if err := cab.open("ff", cab.serve).Promote(ctx, rotationtest.Secret, v); err != nil || cab.current() != winner {
			t.Fatalf("Promote(%d) = %v, current is %q; want %q", n, err, cab.current(), winner)
		}
	}
	if err := cab.historyIsWhole(); err != nil {
		t.Error(err)
	}
}

// A store that is full refuses before it creates anything, and says what to do. What is pending can still be finished.
func TestFullStoreRefusesBeforeItCreates(t *testing.T) {
	onClouds(t, []capacity{{false, 8, 5, 400}, {true, 8, 5, 400}}, func(t *testing.T, c capacity) {
		cab := newCabinet(c)
		cab.human(byHand("before"))
		var err error
		generations := 0
		for err == nil && generations < 100 {
			generations++
			before := maps.Collect(slices.All(cab.names))
			if err = cab.rotate(fmt.Sprintf("p-%d", generations)); err != nil && !maps.Equal(before, maps.Collect(slices.All(cab.names))) {
				t.Errorf("a refused proposal changed the store")
			}
		}
		if !errors.Is(err, rotation.ErrFull) || !strings.Contains(err.Error(), "relock forget") {
			t.Fatalf("after %d generations: %v; want ErrFull with its remedy", generations, err)
		}
		if got := len(cab.kept(false)); got != generations {
			t.Errorf("%d passwords are kept; want all %d", got, generations)
		}
		t.Logf("full after %d generations", generations)
	})
}
