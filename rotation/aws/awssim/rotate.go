package awssim

import (
	"errors"
	"slices"
	"time"
)

// EnableRotation turns rotation on, without a rotation at once.
func (c *Cloud) EnableRotation(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[name].enabled = true
}

// BeginRotation is what RotateSecret does before it calls the function: AWSPENDING is put on a version without a value,
// which has the rotation's token as its id. It is refused while AWSPENDING is on a version that is not current:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html.
func (c *Cloud) BeginRotation(name, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	if p := s.with(pending); p != nil && !slices.Contains(p.stages, current) {
		return errors.New("a previous rotation isn't complete")
	}
	if s.versions[token] != nil {
		return errors.New("there is a version of that token")
	}
	s.enabled, s.rotating = true, token
	v := &version{id: token, created: c.cfg.Now()}
	s.versions[token] = v
	c.attach(s, v, pending)
	return nil
}

// EndRotation is what the service does after the last step: the token's version has to be current.
func (c *Cloud) EndRotation(name, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	if v := s.with(current); v == nil || v.id != token {
		return errors.New("the rotation's version is not current")
	}
	s.rotating = ""
	return nil
}

// CancelRotation is CancelRotateSecret, and what its page tells people to do after it: AWSPENDING is removed from the
// version that was left behind.
func (c *Cloud) CancelRotation(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	s.enabled, s.rotating = false, ""
	if p := s.with(pending); p != nil && !slices.Contains(p.stages, current) {
		p.drop(pending)
	}
	c.prune(s)
}

// BeginTest is what RotateSecret does with RotateImmediately false: a pending version for the test alone, with a copy of
// current's value or without any.
func (c *Cloud) BeginTest(name, token string, filled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	s.enabled, s.rotating = true, token
	v := &version{id: token, created: time.Time{}}
	if filled {
		v.value = s.with(current).value
	}
	s.versions[token] = v
	c.attach(s, v, pending)
}

// EndTest removes the version that BeginTest made.
func (c *Cloud) EndTest(name, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.secrets[name].versions, token)
	c.secrets[name].rotating = ""
}

// oldest is when the oldest version was created.
func (s *secret) oldest() time.Time {
	var at time.Time
	for _, v := range s.versions {
		if at.IsZero() || v.created.Before(at) {
			at = v.created
		}
	}
	return at
}
