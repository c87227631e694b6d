package rotationtest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// These hold, besides what each says, after every step of every history: what was kept stays readable, what is sent is
// readable, a reader finds a current, one generation has one password, and no promotion replaces what only current held.

func TestTwoProposesAtOnceSendOnePassword(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		for _, generations := range []int{0, 2} {
			overlap{capacity: c, before: holding(generations), deaths: 1, losses: 1, end: goesOn,
				lanes: [][]invocation{{propose(generations+2, "p")}, {propose(generations+2, "q")}},
				holds: func(m *moment) error {
					for i := range m.lanes {
						if r := m.results(i); r == "propose: not found" || r == "propose: conflict" {
							return errors.New(r)
						}
					}
					return nil
				},
			}.explore(t)
		}
	})
}

func TestThreeProposesAtOnceSendOnePassword(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(1), end: goesOn,
			lanes: [][]invocation{{propose(3, "p")}, {propose(3, "q")}, {propose(3, "r")}},
		}.explore(t)
	})
}

func TestTwoRotationsAndAnEditAtOnce(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(0), deaths: 1, end: goesOn,
			lanes: [][]invocation{{rotates("p")}, {rotates("q")}},
		}.explore(t)
		overlap{capacity: c, before: holding(1), end: goesOn,
			lanes: [][]invocation{{propose(3, "p"), promote(3, "p")}, {propose(3, "q")}, {edits("by-hand")}},
		}.explore(t)
	})
}

// V3 d: a run reads what is current and sends it much later, whatever others did meanwhile.
func TestWhatWasReadAsCurrentStaysReadable(t *testing.T) {
	onClouds(t, small(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(1), end: goesOn,
			lanes: [][]invocation{{reads()}, many(12, "b")},
		}.explore(t)
	})
}

// V4: the value that a person stored is kept before anything replaces it, whoever dies.
func TestBaselineIsKeptBeforeItIsReplaced(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(0), deaths: 2, losses: 1,
			lanes: [][]invocation{{rotates("p"), rotates("q"), rotates("r")}},
			holds: func(m *moment) error {
				if !slices.Contains(m.c.kept(true), "before") {
					return errors.New("the value that was there before is nowhere")
				}
				return nil
			},
			end: goesOn,
		}.explore(t)
	})
}

// V5: a run is frozen before it stores generation 3, while others finish it, go on and compact it. It sends nothing.
func TestNumbersAreNeverReused(t *testing.T) {
	onClouds(t, small(), func(t *testing.T, c capacity) {
		holes := 0
		for n := range 7 {
			overlap{capacity: c, before: holding(1), end: goesOn,
				lanes:     [][]invocation{{propose(3, "late")}, {rotates("b")}},
				frozen:    func(r request) bool { return r.site == "create" },
				meanwhile: rotations(n, "new"),
				holds: func(m *moment) error {
					if m.lanes[0].at != nil && m.lanes[0].at.asks.site == "create" && m.c.slotsOf(3) == 0 && n > 0 {
						holes++
					}
					if r := m.results(0); n > 0 && r != "" && r != "propose: conflict" && !strings.HasPrefix(r, fmt.Sprintf("propose: %d ", n+3)) {
						return fmt.Errorf("%s, after %d generations had been finished meanwhile", r, n)
					}
					return nil
				},
			}.explore(t)
		}
		if holes == 0 {
			t.Error("no history left a hole where generation 3 was: this test tests nothing")
		}
	})
}

// V5, once more: a run is frozen after it has listed the candidate of generation 3, its own or another's, and before it
// reads it. Meanwhile that is finished and compacted, and under its name a run that was frozen for as long stores another.
func TestCandidateThatIsReadTooLateIsNotSent(t *testing.T) {
	onClouds(t, small(), func(t *testing.T, c capacity) {
		for _, ask := range []string{"propose", "get"} {
			cab := newCabinet(c)
			holding(1)(t, cab)
			late, err := candidate(3, "late").Encode()
			if err != nil {
				t.Fatal(err)
			}
			name, overtaken := "", false
			s := cab.open("1", func(r request) reply {
				if strings.HasPrefix(r.name, "g00000003") && r.site == "read" && !overtaken {
					overtaken, name = true, r.name
					rotations(6, "meanwhile")(t, cab)
					if c.labels {
						name = "g00000003-cff"
					}
					if err := cab.create(name, string(late)); err != nil {
						t.Fatal(err)
					}
				}
				return cab.serve(r)
			})
			var v rotation.Version
			if ask == "propose" {
				v, err = s.Propose(ctx, rotationtest.Secret, candidate(3, "p"))
			} else {
				if _, err := cab.open("2", cab.serve).Propose(ctx, rotationtest.Secret, candidate(3, "p")); err != nil {
					t.Fatal(err)
				}
				v, err = s.Get(ctx, rotationtest.Secret, rotation.Pending)
			}
			if !overtaken || err == nil && v.Password.Reveal() == "late" {
				t.Errorf("%s = generation %d, %q, %v; want anything but what came too late", ask, v.Generation, v.Password.Reveal(), err)
			}
		}
	})
}

// V8: a run is frozen between the two labels of its promotion while another one promotes, finishes and goes on.
func TestPromotionFrozenBetweenItsTwoLabels(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: pendingAfter(2, "p"), deaths: 1, end: goesOn,
			lanes: [][]invocation{{promote(4, "p")}, {rotates("q"), rotates("r"), propose(6, "s")}},
		}.explore(t)
	})
}

// V9: whatever a slow promotion still does, what was proposed meanwhile is seen as pending.
func TestSlowPromotionHidesNoCandidate(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: pendingAfter(2, "p"), deaths: 1,
			lanes: [][]invocation{{promote(4, "p")}, {promote(4, "p"), propose(5, "q")}},
			end: func(m *moment) error {
				v, err := m.c.open("e", m.c.serve).Get(ctx, rotationtest.Secret, rotation.Pending)
				if strings.HasSuffix(m.results(1), "propose: 5 q") && (err != nil || v.Generation != 5) {
					return fmt.Errorf("Get(pending) = %d, %v; want generation 5", v.Generation, err)
				}
				return goesOn(m)
			},
		}.explore(t)
	})
}

// A promotion that begins after something higher was stored refuses; one that was overtaken is healed.
func TestPromotionRacesAHigherCandidate(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: pendingAfter(2, "p"), losses: 1,
			lanes: [][]invocation{{promote(4, "p")}, {propose(5, "q")}},
			end: func(m *moment) error {
				_, err := m.c.open("e", m.c.serve).Get(ctx, rotationtest.Secret, rotation.Pending)
				stored := slices.Contains(m.c.kept(false), "q")
				if stored != (err == nil) && m.c.current() != "q" {
					return fmt.Errorf("generation 5 is stored: %t; Get(pending) = %v", stored, err)
				}
				return goesOn(m)
			},
		}.explore(t)
		cab := newCabinet(c)
		pendingAfter(2, "p")(t, cab)
		if _, err := cab.open("1", cab.serve).Propose(ctx, rotationtest.Secret, candidate(5, "q")); err != nil {
			t.Fatal(err)
		}
		if err := cab.open("2", cab.serve).Promote(ctx, rotationtest.Secret, candidate(4, "p")); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Promote below a pending version = %v; want ErrConflict", err)
		}
		if got := cab.current(); got != "old-2" {
			t.Errorf("current is %q; want it unchanged", got)
		}
	})
}

// W4: a person edits current between the proof and the promotion. What the promotion read it never replaces: that is
// held at every step.
func TestPromotionDoesNotReplaceAnEditThatItRead(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		refused := 0
		overlap{capacity: c, before: pendingAfter(2, "p"), deaths: 1, losses: 1,
			lanes: [][]invocation{{promote(4, "p"), promote(4, "p")}, {edits("by-hand"), edits("again")}},
			holds: func(m *moment) error {
				if m.results(0) == "promote: conflict" {
					refused++
				}
				return nil
			},
			end: goesOn,
		}.explore(t)
		if refused == 0 {
			t.Error("no history refused the promotion: this test tests nothing")
		}
	})
}

// W5: a baseline and a candidate of one number, and a baseline that two runs label: what is pending can still become
// current, and the next rotation comes.
func TestBaselineAndCandidateOfOneNumber(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		overlap{capacity: c, before: holding(1), end: goesOn,
			lanes: [][]invocation{{propose(3, "p")}, {keeps()}, {edits("by-hand"), edits("old-1")}},
		}.explore(t)
		overlap{capacity: c, before: holding(1), end: goesOn,
			lanes: [][]invocation{{propose(3, "p"), keeps()}, {keeps()}, {edits("by-hand")}},
		}.explore(t)
	})
}

// W6: a baseline is never pending, adopted or promoted.
func TestBaselineIsNeitherAdoptedNorPromoted(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		cab := newCabinet(c)
		pendingAfter(1, "p")(t, cab) // generation 3 is pending
		cab.human(byHand("by-hand"))
		s := cab.open("1", cab.serve)
		if v, err := s.Propose(ctx, rotationtest.Secret, candidate(4, "q")); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Propose of the baseline's number = %d, %v; want ErrConflict", v.Generation, err)
		}
		baseline, err := s.Get(ctx, rotationtest.Secret, rotation.Current)
		if err != nil || baseline.Generation != 4 || !baseline.Baseline {
			t.Fatalf("Get(current) = %+v, %v; want a baseline of generation 4", baseline, err)
		}
		if err := s.Promote(ctx, rotationtest.Secret, baseline); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Promote of a baseline = %v; want ErrConflict", err)
		}
		cab.human(byHand("old-1"))
		if v, err := cab.open("2", cab.serve).Get(ctx, rotationtest.Secret, rotation.Pending); err != nil || v.Generation != 3 {
			t.Errorf("Get(pending) below a baseline = %d, %v; want generation 3", v.Generation, err)
		}
	})
}

// W8: an older value that a person puts back is no roll-back. What is pending after it can be finished, however much was
// compacted between; what was archived by then is not revived.
func TestRollBackByHandGoesOn(t *testing.T) {
	onClouds(t, slices.Concat(clouds(), small()), func(t *testing.T, c capacity) {
		for edits := range 7 {
			cab := newCabinet(c)
			pendingAfter(1, "p")(t, cab)
			for i := range edits {
				cab.human(byHand(fmt.Sprint("by-hand-", i)))
				if _, err := cab.open(fmt.Sprint("1", i), cab.serve).Propose(ctx, rotationtest.Secret, rotation.Version{Baseline: true}); err != nil {
					t.Fatal(err)
				}
			}
			cab.human(byHand("old-1"))
			for i := range 10 {
				if err := cab.rotate(fmt.Sprintf("later-%d", i)); err != nil {
					t.Fatalf("after %d edits, rotation %d: %v", edits, i+1, err)
				}
			}
			if err := cab.historyIsWhole(); err != nil {
				t.Error(err)
			}
		}
	})
}

// A version that is listed and cannot be read is no empty stage.
func TestUnreadableVersionIsNotAnEmptyStage(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		cab := newCabinet(c)
		pendingAfter(1, "p")(t, cab)
		s := cab.open("1", func(r request) reply {
			if r.site == "read" && strings.HasPrefix(r.name, "g00000003") {
				return reply{err: rotation.ErrNotFound}
			}
			return cab.serve(r)
		})
		if v, err := s.Get(ctx, rotationtest.Secret, rotation.Pending); err == nil || errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("Get(pending) = %d, %v; want an error that is not ErrNotFound", v.Generation, err)
		}
	})
}

// What can be proposed can be promoted: a copy of current says a little more than the version.
func TestWhatFitsAsPendingFitsAsCurrent(t *testing.T) {
	onClouds(t, clouds(), func(t *testing.T, c capacity) {
		c.maxBytes = 1000
		accepted, refused := 0, 0
		for n := range 60 {
			cab := newCabinet(c)
			holding(12)(t, cab)
			s := cab.open("1", cab.serve)
			v := candidate(14, "p")
			v.Token = strings.Repeat("x", 870+n)
			got, err := s.Propose(ctx, rotationtest.Secret, v)
			if errors.Is(err, rotation.ErrConfig) {
				refused++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			accepted++
			if err := s.Promote(ctx, rotationtest.Secret, got); err != nil {
				t.Errorf("a token of %d bytes: Promote = %v", len(v.Token), err)
			}
		}
		if accepted == 0 || refused == 0 {
			t.Errorf("%d accepted, %d refused: this test tests nothing", accepted, refused)
		}
	})
}
