package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// cases tell what was done to rotations, and how they ended.
type cases struct {
	mu   sync.Mutex
	rows map[string]*caseRow
	keys []string
}

type caseRow struct {
	histories, attempts, lost, down int
	stages                          map[string]bool
}

func (c *cases) add(name string, v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil {
		c.rows = map[string]*caseRow{}
	}
	r := c.rows[name]
	if r == nil {
		r = &caseRow{stages: map[string]bool{}}
		c.rows[name], c.keys = r, append(c.keys, name)
	}
	r.histories++
	r.attempts = max(r.attempts, v.attempts)
	r.lost, r.down = r.lost+v.lost, r.down+v.down
	r.stages[v.stages] = true
}

func (c *cases) tell(t *testing.T) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "case\thistories\tattempts\tlost\tleft down\tfinal stages")
	for _, key := range slices.Sorted(slices.Values(c.keys)) {
		r := c.rows[key]
		for i, stages := range slices.Sorted(maps.Keys(r.stages)) {
			if i == 0 {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", key, r.histories, r.attempts, r.lost, r.down, stages)
			} else {
				fmt.Fprintf(w, "\t\t\t\t\t%s\n", stages)
			}
		}
	}
	w.Flush()
	t.Logf("rotations that Secrets Manager runs\n%s", &table)
}

// manners are the settings of the service that each case is tried under, in turn.
func manners() []awssim.Answers {
	return []awssim.Answers{
		{},
		{StaleReads: 2, UnlabelledVanish: true, PutTakesPending: true, FinishTakesPending: true},
	}
}

// A trial is one history of a case.
type trial struct {
	name string // the case
	what string // which of its histories
	run  func(s *service) verdict
}

func TestRotationsThatTheServiceRunsLoseNothing(t *testing.T) {
	t.Parallel()
	told := &cases{}
	todo := make(chan trial)
	var workers sync.WaitGroup
	n := 0
	var mu sync.Mutex
	for range histories {
		workers.Go(func() {
			for one := range todo {
				mu.Lock()
				n++
				manner := manners()[n%len(manners())]
				mu.Unlock()
				t.Run(one.name+", "+one.what, func(t *testing.T) { told.add(one.name, one.run(managed(t, manner))) })
			}
		})
	}
	for _, list := range [][]trial{plain(), failing(), repeated(), reordered(), timedOut(), silent(), abandoned(), beside(), refused(), killedSteps(t)} {
		for _, one := range list {
			todo <- one
		}
	}
	close(todo)
	workers.Wait()
	told.tell(t)
}

func plain() []trial {
	return []trial{{"nothing goes wrong", "", func(s *service) verdict {
		s.retry(s.begin())
		s.cloud.remember()
		s.retry(s.begin())
		return s.ended(1)
	}}}
}

// failing is that the service hears of a failure, whether the step had its effect or never came to be.
func failing() (all []trial) {
	for _, name := range stepNames() {
		for _, after := range []bool{false, true} {
			all = append(all, trial{"a step fails", name + when(after), func(s *service) verdict {
				token := s.begin()
				for _, step := range stepNames() {
					last := step == name
					if !last || after {
						if r := s.step(s.newDoor(), step, token, patience).do(s.T); !r.ok() {
							s.Fatal(r)
						}
					}
					if last {
						break
					}
				}
				s.attempts++
				s.retry(token)
				return s.ended(1)
			}})
		}
	}
	return all
}

// repeated is that each step comes twice, one after the other or at once.
func repeated() []trial {
	run := func(atOnce bool) func(*service) verdict {
		return func(s *service) verdict {
			token := s.begin()
			s.attempts++
			for _, step := range stepNames() {
				var both sync.WaitGroup
				for range 2 {
					once := s.step(s.newDoor(), step, token, patience)
					if !atOnce {
						if r := once.do(s.T); !r.ok() {
							s.Fatalf("%s: %s", step, r)
						}
						continue
					}
					both.Go(func() { once.do(s.T) })
				}
				both.Wait()
				s.wantKept()
			}
			s.retry(token)
			if atOnce {
				return s.ended(3) // once more for the overlapping invocation, and for what it left unproven
			}
			return s.ended(1)
		}
	}
	return []trial{{"each step comes twice", "in turn", run(false)}, {"each step comes twice", "at once", run(true)}}
}

// reordered is that steps come before those that they need. Each proves its own precondition and changes nothing.
func reordered() []trial {
	return []trial{{"steps come out of order", "", func(s *service) verdict {
		token := s.begin()
		orders := [][]string{{"finishSecret", "setSecret"}, {"createSecret", "finishSecret", "testSecret"}}
		for _, order := range orders {
			for _, step := range order {
				r := s.step(s.newDoor(), step, token, patience).do(s.T)
				if r.ok() != (step == "createSecret") {
					s.Errorf("%s too early: %s", step, r)
				}
				s.wantKept()
				s.wantStops(s.T, 0, 0)
			}
		}
		s.retry(token)
		for _, step := range []string{"finishSecret", "testSecret", "setSecret", "createSecret"} {
			if r := s.step(s.newDoor(), step, token, patience).do(s.T); !r.ok() {
				s.Errorf("%s after the end: %s", step, r)
			}
		}
		return s.ended(1)
	}}}
}

// timedOut is that a step has too little time: it ends by itself before the platform ends it, says how far it came, and the
// next attempt goes on there.
func timedOut() []trial {
	run := func(resume bool) func(*service) verdict {
		return func(s *service) verdict {
			token, sets := s.begin(), 0
			for {
				s.attempts++
				if r := s.step(s.newDoor(), "createSecret", token, patience).do(s.T); !r.ok() {
					s.Fatal(r)
				}
				limit := 2*time.Second + 300*time.Millisecond
				r := s.step(s.newDoor(), "setSecret", token, limit).do(s.T)
				if r.timeUp || r.killed {
					s.Fatalf("setSecret was ended by the platform: %s", r)
				}
				s.wantKept()
				s.wantPower(s.T)
				if r.ok() {
					break
				}
				if !strings.Contains(r.err, " of 6 machines are not finished") {
					s.Fatalf("setSecret: %s; want how far it came", r)
				}
				if sets++; sets > 12 {
					s.Fatalf("setSecret does not come to an end: %s", r)
				}
				if resume {
					s.own(s.newDoor(), `{"action":"resume"}`, patience).do(s.T)
				}
			}
			if sets == 0 {
				s.Error("setSecret had time enough; want it too little")
			}
			s.retry(token)
			return s.ended(1)
		}
	}
	return []trial{{"set has too little time", "the service tries again", run(false)}, {"set has too little time", "resume goes on", run(true)}}
}

// silent is that a call of a step is never answered: the step ends by itself before the platform ends it.
func silent() (all []trial) {
	for _, name := range stepNames() {
		all = append(all, trial{"a call is never answered", name, func(s *service) verdict {
			token := s.begin()
			s.attempts++
			for _, step := range stepNames() {
				d, limit := s.newDoor(), patience
				if step == name {
					limit = shortLimit
					d.meets(trouble{name: "no answer", spoil: silence, hangs: true}, func(c call) bool { return c.n == 6 })
				}
				r := s.step(d, step, token, limit).do(s.T)
				if r.timeUp || r.killed || r.ok() == (step == name) {
					s.Fatalf("%s: %s", step, r)
				}
				if step == name {
					break
				}
			}
			s.wantKept()
			s.retry(token)
			return s.ended(2)
		}})
	}
	return all
}

// abandoned is that a rotation is cancelled after each of its steps, and a new one begins.
func abandoned() (all []trial) {
	for i := range stepNames() {
		all = append(all, trial{"abandoned, then a new token", fmt.Sprintf("after %d steps", i), func(s *service) verdict {
			token := s.begin()
			for _, step := range stepNames()[:i] {
				if r := s.step(s.newDoor(), step, token, patience).do(s.T); !r.ok() {
					s.Fatal(r)
				}
			}
			s.sim.CancelRotation(awsSecret)
			next := s.begin()
			if r := s.step(s.newDoor(), "setSecret", token, patience).do(s.T); r.ok() {
				s.Error("a step of the abandoned rotation was carried out")
			}
			s.retry(next)
			return s.ended(1)
		}})
	}
	return all
}

// beside is that a schedule invokes the function between the steps. None of it begins a rotation of its own.
func beside() (all []trial) {
	for _, action := range []string{"resume", "reconcile", "rotate", "verify"} {
		all = append(all, trial{"a schedule's " + action + " beside", "after each step", func(s *service) verdict {
			token := s.begin()
			s.attempts++
			for _, step := range stepNames() {
				if r := s.step(s.newDoor(), step, token, patience).do(s.T); !r.ok() {
					s.Fatal(r)
				}
				r := s.own(s.newDoor(), fmt.Sprintf(`{"action":%q}`, action), patience).do(s.T)
				if r.ok() == (action == "rotate") {
					s.Errorf("%s after %s: %s", action, step, r)
				}
				s.wantKept()
			}
			if err := s.sim.EndRotation(awsSecret, token); err != nil {
				s.Error(err)
			}
			return s.ended(1)
		}})
	}
	return all
}

// refused is that a machine tells only at its reset that it cannot be reset. The steps after set send nothing and cannot
// tell: resume ends the rotation, and the service finds it ended.
func refused() []trial {
	return []trial{{"a machine refuses its reset, then resume", "", func(s *service) verdict {
		s.Add(tencentsim.Machine{ID: "ins-refuses0", Region: s.regions[0], State: "STOPPED", Refuse: "UnsupportedOperation.InstanceReinstallFailed",
			Tags: map[string]string{tencentsim.FleetTagKey: tencentsim.FleetTagValue}})
		s.cloud.remember()
		token := s.begin()
		if why, ok := s.attempt(token); ok || !strings.Contains(why, "testSecret") {
			s.Errorf("the first attempt ended %t: %s; want it to fail at testSecret", ok, why)
		}
		if r := s.own(s.newDoor(), `{"action":"resume"}`, patience).do(s.T); r.Outcome != rotation.Rotated {
			s.Errorf("resume: %s", r)
		}
		s.retry(token)
		return s.ended(1)
	}}}
}

// killedSteps is that each call of each step is the last of its process; a sample has one call of each action.
func killedSteps(t *testing.T) (all []trial) {
	s := managed(t, awssim.Answers{})
	token := s.begin()
	for _, step := range stepNames() {
		d := s.newDoor()
		s.OnLogin(d.logsIn)
		r := s.step(d, step, token, patience).do(t)
		s.OnLogin(nil)
		if !r.ok() {
			t.Fatal(r)
		}
		places := oneOfEachKind(d.calls)
		if full() {
			places = eachOf(d.calls)
		}
		for at := range places {
			for _, after := range []bool{false, true} {
				all = append(all, trial{"killed in " + step, at.name + when(after), func(s *service) verdict {
					return s.killedAt(step, at, after)
				}})
			}
		}
	}
	return all
}

// killedAt runs a rotation whose step is killed at a call.
func (s *service) killedAt(step string, at place, after bool) verdict {
	token := s.begin()
	s.attempts++
	for _, name := range stepNames() {
		d := s.newDoor()
		run := s.step(d, name, token, patience)
		if name != step {
			if r := run.do(s.T); !r.ok() {
				s.Fatal(r)
			}
			continue
		}
		came := d.meets(killing(run.process, after), at.is)
		s.OnLogin(d.logsIn)
		r := run.do(s.T)
		s.OnLogin(nil)
		if _, ok := came(); ok != r.killed {
			s.Fatalf("the point came: %t; %s", ok, r)
		}
		s.wantKept()
		break
	}
	s.retry(token)
	return s.ended(2)
}
