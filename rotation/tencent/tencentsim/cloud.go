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
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// A Request is one entry of the log. Its Service is cvm, ssm or tag, from the credential scope.
type Request = simcloud.Request

// A Cloud is one simulated account. It is an http.Handler, and may be used concurrently.
type Cloud struct {
	simcloud.Log
	*simcloud.Fate
	simcloud.Authority

	cfg      Config
	random   *simcloud.Random
	rates    *simcloud.Rates
	services map[string]service
	ssh      *simcloud.SSHD // nil unless Config.SSH

	mu        sync.Mutex // guards everything below
	machines  []*machine // in the order in which they were added
	byID      map[string]*machine
	inRegion  map[string][]*machine
	secrets   map[string]map[string]*secret // by region and name
	tagValues map[string]map[string]bool    // every value that a key ever had
}

// New returns a cloud as cfg describes it, or what is wrong with cfg. Close it.
func New(cfg Config) (*Cloud, error) {
	cfg, err := cfg.defaulted()
	if err != nil {
		return nil, fmt.Errorf("tencentsim: %w", err)
	}
	c := &Cloud{
		cfg:       cfg,
		random:    simcloud.NewRandom(cfg.Seed),
		rates:     simcloud.NewRates(cfg.Rates),
		services:  services(),
		byID:      make(map[string]*machine),
		inRegion:  make(map[string][]*machine),
		secrets:   make(map[string]map[string]*secret),
		tagValues: make(map[string]map[string]bool),
	}
	c.Fate = simcloud.NewFate(catalogue(), c.random)
	c.SetFaults(cfg.Faults)
	if c.Authority, err = simcloud.NewAuthority(cfg.Seed); err != nil {
		return nil, fmt.Errorf("tencentsim: %w", err)
	}
	if cfg.SSH {
		c.ssh = simcloud.NewSSHD(c.Authority, c.door)
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
		c.ssh.Close()
	}
	return nil
}

// OnLogin makes f be called for every password that somebody offers to a machine over SSH, before it is looked at. What f
// returns is called before the answer is sent; it may be nil. Both may call the Cloud. It replaces the function set before;
// nil removes it. It panics without Config.SSH.
func (c *Cloud) OnLogin(f func(id string) (answered func())) { c.ssh.OnLogin(f) }

// Transport returns a RoundTripper that calls the Cloud directly, without a network, so that a client's test may run
// in a testing/synctest bubble. A cut connection is io.ErrUnexpectedEOF.
func (c *Cloud) Transport() http.RoundTripper { return simcloud.Transport(c) }

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
		port, err := c.ssh.Serve(m.ID)
		if err != nil {
			return "", fmt.Errorf("add machine %s: %w", m.ID, err)
		}
		m.SSHPort = port
		m.PrivateIP = simcloud.Loopback
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
		m.Settle(now)
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
	m.Cancel()
	m.shownTags = m.Tags
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
	m.Settle(c.cfg.Now())
	return m
}

// door is an account of a machine as its SSH server finds it.
func (c *Cloud) door(id, user string) simcloud.Door {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.byID[id]
	if m == nil {
		return simcloud.Door{} // its port opened before it was added
	}
	m.Settle(c.cfg.Now())
	password, ok := m.password(user)
	return simcloud.Door{Running: m.State == stateRunning, PasswordLogin: !m.passwordOff, Exists: ok, Password: password}
}

// unusedID returns an id that no machine has. The caller holds c.mu.
func (c *Cloud) unusedID() string {
	for {
		if id := c.random.Name("ins-"); c.byID[id] == nil {
			return id
		}
	}
}

func (c *Cloud) hasRegion(region string) bool { return slices.Contains(c.cfg.Regions, region) }

func (c *Cloud) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.cfg.Scale)
}

// lasting is how long an operation takes that takes about d at scale 1.
func (c *Cloud) lasting(d time.Duration) time.Duration { return c.scaled(c.random.Around(d)) }

// build fills in what given leaves empty. The caller holds c.mu.
func (c *Cloud) build(given Machine) *machine {
	m := &machine{Machine: given, number: len(c.machines), uuid: c.random.UUID()}
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
