// Package tencentsim serves the part of Tencent Cloud's API 3.0 that relock uses, over HTTP: CVM instances, Secrets
// Manager and tags. It checks signatures, validates every parameter, enforces the documented limits, works
// asynchronously and lets things go wrong by name. Its Linux machines can answer SSH with the password in force.
//
// Its one invariant: it is written from the vendor's documents alone and shares no code with what it tests, so a
// misreading cannot cancel itself out. What the documents leave open is a switch in [Answers].
package tencentsim

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Cloud is one simulated account. It is an http.Handler, and may be used concurrently.
type Cloud struct {
	cfg      Config
	random   *random
	limits   *limits
	services map[string]service
	ssh      *sshd // nil unless Config.SSH
	hosts    authority
	faults   atomic.Pointer[Faults]

	mu         sync.Mutex // guards everything below
	machines   []*machine // in the order in which they were added
	byID       map[string]*machine
	inRegion   map[string][]*machine
	secrets    map[string]map[string]*secret // by region and name
	tagValues  map[string]map[string]bool    // every value that a key ever had
	injections []injection
	log        []Request
	hook       func(Request, bool)
}

// New returns a cloud as cfg describes it, or what is wrong with cfg. Close it.
func New(cfg Config) (*Cloud, error) {
	cfg, err := cfg.defaulted()
	if err != nil {
		return nil, fmt.Errorf("tencentsim: %w", err)
	}
	c := &Cloud{
		cfg:       cfg,
		random:    newRandom(cfg.Seed),
		limits:    newLimits(cfg.Rates),
		services:  services(),
		byID:      make(map[string]*machine),
		inRegion:  make(map[string][]*machine),
		secrets:   make(map[string]map[string]*secret),
		tagValues: make(map[string]map[string]bool),
	}
	c.SetFaults(cfg.Faults)
	if c.hosts, err = newAuthority(cfg.Seed); err != nil {
		return nil, fmt.Errorf("tencentsim: %w", err)
	}
	if cfg.SSH {
		c.ssh = newSSHD(c)
	}
	c.PutSecret(DemoSecret, map[string]string{DemoVersion: `{"username":"","password":"` + BaselinePassword + `"}`})
	for _, m := range c.fleet() {
		if _, err := c.add(m); err != nil {
			c.Close()
			return nil, fmt.Errorf("tencentsim: %w", err)
		}
	}
	return c, nil
}

// Close ends the machines' SSH servers and waits for them. It may be repeated. The Cloud goes on answering HTTP.
func (c *Cloud) Close() error {
	if c.ssh != nil {
		c.ssh.close()
	}
	return nil
}

// KnownHosts returns one line for an SSH known hosts file, "@cert-authority * ssh-ed25519 …", that trusts every machine.
//
// Note that golang.org/x/crypto/ssh/knownhosts lets a pattern without a port match port 22 only, where OpenSSH asks
// again without the port. A client of that package has to do the same.
func (c *Cloud) KnownHosts() string { return c.hosts.line() }

// Add adds a machine and returns its id. It panics when m cannot be: its region does not exist, its id is taken, or no
// port can be opened for it.
func (c *Cloud) Add(m Machine) string {
	id, err := c.add(m)
	if err != nil {
		panic("tencentsim: " + err.Error())
	}
	return id
}

func (c *Cloud) add(given Machine) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if given.ID == "" {
		given.ID = c.unusedID()
	}
	if c.byID[given.ID] != nil {
		return "", fmt.Errorf("add machine %s: there is one already", given.ID)
	}
	m := c.build(given)
	if !c.hasRegion(m.Region) {
		return "", fmt.Errorf("add machine %s: no region %q among %q", m.ID, m.Region, c.cfg.Regions)
	}
	if c.ssh != nil && !m.windows() {
		port, err := c.ssh.serve(m.ID)
		if err != nil {
			return "", fmt.Errorf("add machine %s: %w", m.ID, err)
		}
		m.SSHPort = port
		m.PrivateIP = loopback
	}
	for key, value := range m.Tags {
		c.noteTag(key, value)
	}
	c.machines = append(c.machines, m)
	c.byID[m.ID] = m
	c.inRegion[m.Region] = append(c.inRegion[m.Region], m)
	return m.ID, nil
}

// Machines returns every machine as it is now, in the order in which they were added.
func (c *Cloud) Machines() []Machine {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	all := make([]Machine, len(c.machines))
	for i, m := range c.machines {
		m.settle(now)
		all[i] = m.snapshot(now)
	}
	return all
}

// Console sets the password of a machine's DefaultLoginUser as a human does who is logged in to it: at once, and
// without any operation that the API would tell of. It panics when there is no such machine.
func (c *Cloud) Console(id, password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.must(id).set("", password)
}

// Repair ends whatever a machine hangs in, as the vendor's support does: an operation that is OPERATING ends FAILED, a
// machine between two states is STOPPED, and nothing that was under way happens any more. It panics when there is no
// such machine.
func (c *Cloud) Repair(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.must(id)
	m.events, m.shownTags = nil, m.Tags
	if m.busy() {
		m.end("The operation was terminated.")
	}
	if m.State == stateStopping || m.State == stateStarting || m.State == stateRebooting {
		m.halt(keepCharging)
	}
}

// must returns a machine as it is now. The caller holds c.mu.
func (c *Cloud) must(id string) *machine {
	m := c.byID[id]
	if m == nil {
		panic("tencentsim: no machine " + id)
	}
	m.settle(c.cfg.Now())
	return m
}

// unusedID returns an id that no machine has. The caller holds c.mu.
func (c *Cloud) unusedID() string {
	for {
		if id := c.random.name("ins-"); c.byID[id] == nil {
			return id
		}
	}
}

func (c *Cloud) hasRegion(region string) bool { return slices.Contains(c.cfg.Regions, region) }

func (c *Cloud) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.cfg.Scale)
}

// lasting is how long an operation takes that takes about d at scale 1.
func (c *Cloud) lasting(d time.Duration) time.Duration { return c.scaled(c.random.around(d)) }

// build fills in what given leaves empty. The caller holds c.mu.
func (c *Cloud) build(given Machine) *machine {
	m := &machine{Machine: given, number: len(c.machines), uuid: c.random.uuid()}
	orElse := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	orElse(&m.Region, c.cfg.Regions[0])
	orElse(&m.Zone, m.Region+"-3")
	orElse(&m.OSName, "Ubuntu Server 22.04 LTS 64bit")
	orElse(&m.DefaultLoginUser, loginUserOf(m.OSName))
	orElse(&m.Name, "machine-"+m.ID[max(0, len(m.ID)-8):])
	orElse(&m.State, stateRunning)
	orElse(&m.RestrictState, restrictNormal)
	orElse(&m.IsolatedSource, "NOTISOLATED")
	orElse(&m.ChargeType, postpaid)
	orElse(&m.Password, BaselinePassword)
	orElse(&m.PrivateIP, fmt.Sprintf("10.%d.%d.%d", m.number>>16&0xff, m.number>>8&0xff, m.number&0xff))
	if m.State == stateStopped {
		orElse(&m.StopChargingMode, keepCharging)
	}
	orElse(&m.StopChargingMode, notApplicable)
	if m.CreatedTime.IsZero() {
		m.CreatedTime = c.cfg.Now().Add(-30 * 24 * time.Hour).UTC().Truncate(time.Second)
	}
	m.KeyIDs = slices.Clone(given.KeyIDs)
	m.Tags, m.Users = maps.Clone(given.Tags), maps.Clone(given.Users)
	m.shownTags = m.Tags
	m.passwordOff = len(m.KeyIDs) > 0
	m.latest = record{name: given.Operation, state: given.OperationState, requestID: given.OperationRequestID, message: given.OperationError}
	m.SSHPort, m.Stops, m.HardStops, m.Starts, m.Reboots, m.Resets = 0, 0, 0, 0, 0, 0
	m.Down, m.DownSince = 0, time.Time{}
	return m
}
