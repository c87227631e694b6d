package awssim

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The labels that the service itself knows.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// Limits: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html.
const (
	maxLabels   = 20
	maxVersions = 100
	maxValue    = 65536
	keptFor     = 24 * time.Hour // a version is not deleted for room before
)

type secret struct {
	name, arn string
	versions  map[string]*version // by id
	deleted   time.Time
	enabled   bool   // rotation is configured
	rotating  string // the token of the rotation that is under way
	// old is what reads still see, for stale more of them.
	old   *secret
	stale int
	// syncing is how many descriptions still see replicas that are behind.
	syncing int
}

type version struct {
	id, value string // no value: made by RotateSecret and not filled yet
	stages    []string
	created   time.Time
}

// newID is one that the service makes up.
func (c *Cloud) newID() string {
	c.serial++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", c.serial)
}

func (s *secret) copy() *secret {
	out := *s
	out.versions, out.old = map[string]*version{}, nil
	for id, v := range s.versions {
		w := *v
		w.stages = slices.Clone(v.stages)
		out.versions[id] = &w
	}
	return &out
}

// write runs a change of s; what was before is what the next reads see, where that is so.
func (c *Cloud) write(s *secret, change func() error) error {
	before := s.copy()
	if err := change(); err != nil {
		return err
	}
	if n := c.cfg.Answers.StaleReads; n > 0 {
		s.old, s.stale = before, n
	}
	if len(c.cfg.Replicas) > 0 {
		s.syncing = c.cfg.Answers.ReplicaReads
	}
	c.prune(s)
	return nil
}

// view is what a read sees now.
func (s *secret) view() *secret {
	if s.old == nil {
		return s
	}
	old := s.old
	if s.stale--; s.stale <= 0 {
		s.old = nil
	}
	return old
}

// with returns the version that a label is on, or nil.
func (s *secret) with(label string) *version {
	for _, v := range s.versions {
		if slices.Contains(v.stages, label) {
			return v
		}
	}
	return nil
}

// attach puts a label on a version, wherever it was. AWSPREVIOUS goes where AWSCURRENT leaves.
func (c *Cloud) attach(s *secret, v *version, label string) {
	was := s.with(label)
	if was == v {
		return
	}
	if was != nil {
		was.drop(label)
	}
	v.stages = append(v.stages, label)
	if label != current {
		return
	}
	if was != nil {
		c.attach(s, was, previous)
	}
	v.drop(previous)
	if c.cfg.Answers.FinishTakesPending {
		v.drop(pending)
	}
}

func (v *version) drop(label string) {
	v.stages = slices.DeleteFunc(v.stages, func(s string) bool { return s == label })
}

// create makes a version, or gives one without a value its value.
func (c *Cloud) create(s *secret, id, value string, stages []string) {
	v := s.versions[id]
	if v == nil {
		v = &version{id: id, created: c.cfg.Now()}
		if len(s.versions) == 0 && !slices.Contains(stages, current) {
			// "If this operation creates the first version for the secret, then Secrets Manager automatically attaches the
			// staging label AWSCURRENT to it": API_PutSecretValue.
			stages = append(slices.Clone(stages), current)
		}
		s.versions[id] = v
		if s.rotating != "" && id != s.rotating && (c.cfg.Answers.PutAbandons || slices.Contains(stages, current)) && !c.cfg.Answers.EditKeepsPending {
			if p := s.with(pending); p != nil && p.id == s.rotating {
				p.drop(pending)
			}
			s.rotating = ""
		}
	} else if c.cfg.Answers.PutTakesPending && !slices.Contains(stages, pending) {
		v.drop(pending)
	}
	v.value = value
	for _, label := range stages {
		c.attach(s, v, label)
	}
}

// prune deletes what the service may delete: versions without labels, the oldest first.
func (c *Cloud) prune(s *secret) {
	var bare []*version
	for _, v := range s.versions {
		if len(v.stages) == 0 {
			bare = append(bare, v)
		}
	}
	slices.SortFunc(bare, func(a, b *version) int { return a.created.Compare(b.created) })
	for _, v := range bare {
		if c.cfg.Answers.UnlabelledVanish || len(s.versions) > maxVersions && c.cfg.Now().Sub(v.created) > keptFor {
			delete(s.versions, v.id)
		}
	}
}

// labels is how many labels a secret would have with these as well.
func (s *secret) labels(more []string) int {
	all := map[string]bool{}
	for _, v := range s.versions {
		for _, label := range v.stages {
			all[label] = true
		}
	}
	for _, label := range more {
		all[label] = true
	}
	return len(slices.Collect(maps.Keys(all)))
}
