// Package awssim is AWS Secrets Manager in memory, as an http.Handler: one region of one account, written from the
// vendor's documents.
//
// Its one invariant: it imports nothing of what is tried against it. Where the documents leave a question open, Answers
// has a switch, and what is tried has to hold under each of its settings.
package awssim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// The keys and the place of a Config that says nothing else.
const (
	DemoAccessKey = "AKIASIMULATED0000000"
	DemoSecretKey = "simulated-secret-access-key-00000000"
	DemoRegion    = "eu-central-1"
	DemoAccount   = "123456789012"
)

// Config is what a Cloud is like. The zero Config is usable.
type Config struct {
	// Region and Account make ARNs. Empty means DemoRegion and DemoAccount.
	Region, Account string
	// AccessKey and SecretKey sign requests. Empty means DemoAccessKey and DemoSecretKey. Token is the session token
	// that every request has to have; empty means that none may have one.
	AccessKey, SecretKey, Token string
	// Replicas are the regions that secrets are replicated to.
	Replicas []string
	Answers  Answers
	// Now is the time. Nil means time.Now.
	Now func() time.Time
}

// Answers are what the documents do not say, or what is true only at times. The zero Answers are the friendliest.
type Answers struct {
	// StaleReads is how many reads after a write still show what was before it.
	StaleReads int
	// UnlabelledVanish deletes a version with its last label, the soonest that "may be deleted" can mean.
	UnlabelledVanish bool
	// PutTakesPending takes AWSPENDING off the version that a rotation's PutSecretValue fills without naming that label.
	PutTakesPending bool
	// PutAbandons ends the rotation that is under way when a version is created outside it: AWSPENDING is removed.
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html speaks of versions that are
	// created "manually".
	PutAbandons bool
	// EditKeepsPending leaves AWSPENDING where it is when a person puts a value into current during a rotation.
	EditKeepsPending bool
	// FinishTakesPending removes AWSPENDING from the version that becomes current. Both are legal:
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html.
	FinishTakesPending bool
	// Proof is the RotationToken that a rotation's PutSecretValue has to come with; empty means that none is asked for.
	Proof string
	// ReplicaReads is how many descriptions after a write still show replicas that are being brought up to date.
	ReplicaReads int
}

// A Cloud is Secrets Manager in one region. It may be used concurrently.
type Cloud struct {
	simcloud.Log
	cfg Config

	mu      sync.Mutex
	secrets map[string]*secret // by name
	faults  map[string][]string
	serial  int
}

// New returns a Cloud without secrets.
func New(cfg Config) *Cloud {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&cfg.Region, DemoRegion}, {&cfg.Account, DemoAccount}, {&cfg.AccessKey, DemoAccessKey}, {&cfg.SecretKey, DemoSecretKey},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Cloud{cfg: cfg, secrets: map[string]*secret{}, faults: map[string][]string{}}
}

// Transport calls the Cloud without a network.
func (c *Cloud) Transport() http.RoundTripper { return simcloud.Transport(c) }

// FailNext makes the next requests of an action suffer these faults of package simcloud, one each: Throttle, Internal,
// InternalAfter, Lost, Cut, BadGateway, GatewayAfter, or an error code of the service, without an effect.
func (c *Cloud) FailNext(action string, faults ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[action] = append(c.faults[action], faults...)
}

func (c *Cloud) nextFault(action string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.faults[action]
	if len(due) == 0 {
		return ""
	}
	c.faults[action] = due[1:]
	return due[0]
}

// PutSecret makes a secret whose current value is this; empty makes one without versions. It replaces one of that name.
func (c *Cloud) PutSecret(name, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &secret{name: name, arn: c.arn(name), versions: map[string]*version{}}
	c.secrets[name] = s
	if value != "" {
		c.create(s, c.newID(), value, []string{current})
		s.old = nil
	}
}

func (c *Cloud) arn(name string) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-a1B2c3", c.cfg.Region, c.cfg.Account, name)
}

// ARN is the name of a secret in events.
func (c *Cloud) ARN(name string) string { return c.arn(name) }

// Edit puts a value into current, as a person does in the console.
func (c *Cloud) Edit(name, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.secrets[name]; s != nil {
		c.create(s, c.newID(), value, []string{current})
		s.old = nil
	}
}

// MarkForDeletion makes a secret one that DeleteSecret was called for.
func (c *Cloud) MarkForDeletion(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[name].deleted = c.cfg.Now()
}

// Labels are the labels of a secret and the ids of the versions that they are on.
func (c *Cloud) Labels(name string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]string{}
	if s := c.secrets[name]; s != nil {
		for id, v := range s.versions {
			for _, label := range v.stages {
				out[label] = id
			}
		}
	}
	return out
}

// Values are the values of a secret's versions by id, with those that have no label; empty is a version without a value.
func (c *Cloud) Values(name string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]string{}
	if s := c.secrets[name]; s != nil {
		for id, v := range s.versions {
			out[id] = v.value
		}
	}
	return out
}

// Labelled are the values that have a label: those that nothing takes away.
func (c *Cloud) Labelled(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	if s := c.secrets[name]; s != nil {
		for _, id := range slices.Sorted(maps.Keys(s.versions)) {
			if v := s.versions[id]; len(v.stages) > 0 && v.value != "" {
				out = append(out, v.value)
			}
		}
	}
	return out
}
