// Package huaweisim serves the part of Huawei Cloud's APIs that relock uses, over HTTP: Elastic Cloud Servers with their
// tags and jobs, and the secrets of the Cloud Secret Management Service. It checks signatures, validates every parameter,
// enforces the documented limits, works asynchronously and lets things go wrong by name. Its Linux machines can answer SSH
// with the password in force.
//
// Its one invariant: it is written from the vendor's documents alone and shares no code with what it tests, so a
// misreading cannot cancel itself out. What the documents leave open is a switch in [Answers].
package huaweisim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// A Request is one entry of the log. Its Service is ecs or csms, its Action the name that the vendor's SDK has for it.
type Request = simcloud.Request

// A Cloud is one simulated account. It is an http.Handler, and may be used concurrently. It serves both APIs of all its
// regions, which it tells apart by the project in the path.
type Cloud struct {
	simcloud.Log
	*simcloud.Fate
	simcloud.Authority

	cfg      Config
	random   *simcloud.Random
	rates    *simcloud.Rates
	routes   []route
	projects map[string]string // by region
	ssh      *simcloud.SSHD    // nil unless Config.SSH

	mu       sync.Mutex // guards everything below
	machines []*machine // in the order in which they were added
	byID     map[string]*machine
	jobs     map[string]*job
	recent   map[string][]started          // what the batch actions of the last minute began, by region and action
	secrets  map[string]map[string]*secret // by region and name
}

// New returns a cloud as cfg describes it, or what is wrong with cfg. Close it.
func New(cfg Config) (*Cloud, error) {
	cfg, err := cfg.defaulted()
	if err != nil {
		return nil, fmt.Errorf("huaweisim: %w", err)
	}
	c := &Cloud{
		cfg:      cfg,
		random:   simcloud.NewRandom(cfg.Seed),
		rates:    simcloud.NewRates(cfg.Rates),
		routes:   routes(),
		projects: make(map[string]string),
		byID:     make(map[string]*machine),
		jobs:     make(map[string]*job),
		recent:   make(map[string][]started),
		secrets:  make(map[string]map[string]*secret),
	}
	for _, region := range cfg.Regions {
		c.projects[region] = plainID(c.random)
		c.secrets[region] = make(map[string]*secret)
	}
	c.Fate = simcloud.NewFate(catalogue(), c.random)
	c.SetFaults(cfg.Faults)
	if c.Authority, err = simcloud.NewAuthority(cfg.Seed); err != nil {
		return nil, fmt.Errorf("huaweisim: %w", err)
	}
	if cfg.SSH {
		c.ssh = simcloud.NewSSHD(c.Authority, c.door)
	}
	c.PutSecret(DemoSecret, map[string]string{"v1": `{"username":"","password":"` + BaselinePassword + `"}`},
		map[string]string{stageCurrent: "v1"})
	for _, m := range c.fleet() {
		if _, err := c.add(m); err != nil {
			c.Close()
			return nil, fmt.Errorf("huaweisim: %w", err)
		}
	}
	return c, nil
}

// OnLogin makes f be called for every password that somebody offers to a machine over SSH, before it is looked at. What f
// returns is called before the answer is sent; it may be nil. Both may call the Cloud. It replaces the function set before;
// nil removes it. It panics without Config.SSH.
func (c *Cloud) OnLogin(f func(id string) (answered func())) { c.ssh.OnLogin(f) }

// Close ends the machines' SSH servers and waits for them. It may be repeated. The Cloud goes on answering HTTP.
func (c *Cloud) Close() error {
	if c.ssh != nil {
		c.ssh.Close()
	}
	return nil
}

// Transport returns a RoundTripper that calls the Cloud directly, without a network, so that a client's test may run
// in a testing/synctest bubble. A cut connection is io.ErrUnexpectedEOF.
func (c *Cloud) Transport() http.RoundTripper { return simcloud.Transport(c) }

// Project returns the id of a region's project; empty when there is no such region.
func (c *Cloud) Project(region string) string { return c.projects[region] }

// regionOf returns the region of a project.
func (c *Cloud) regionOf(project string) (string, bool) {
	for region, id := range c.projects {
		if id == project {
			return region, true
		}
	}
	return "", false
}

// Add adds a machine and returns its id. It panics when m cannot be: its region does not exist, its id is taken, or no
// port can be opened for it.
func (c *Cloud) Add(m Machine) string {
	id, err := c.add(m)
	if err != nil {
		panic("huaweisim: " + err.Error())
	}
	return id
}

func (c *Cloud) add(given Machine) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if given.ID == "" {
		given.ID = c.random.UUID()
	}
	if c.byID[given.ID] != nil {
		return "", fmt.Errorf("add machine %s: there is one already", given.ID)
	}
	m := c.build(given)
	if !slices.Contains(c.cfg.Regions, m.Region) {
		return "", fmt.Errorf("add machine %s: no region %q among %q", m.ID, m.Region, c.cfg.Regions)
	}
	if c.ssh != nil && !m.windows() {
		port, err := c.ssh.Serve(m.ID)
		if err != nil {
			return "", fmt.Errorf("add machine %s: %w", m.ID, err)
		}
		m.SSHPort = port
		m.PrivateIP = simcloud.Loopback
		m.Tags[PortTag] = strconv.Itoa(port)
	}
	c.machines = append(c.machines, m)
	c.byID[m.ID] = m
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

// Console sets a machine's password as a human does who is logged in to it: at once, and without any trace. It panics
// when there is no such machine.
func (c *Cloud) Console(id, password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.must(id).Password = password
}

// Repair ends whatever a machine hangs in, as the vendor's support does: the sub-job under way fails, a machine between
// two states is SHUTOFF, and nothing that was under way happens any more; a password that waits for the next boot stays.
// It panics when there is no such machine.
func (c *Cloud) Repair(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.must(id)
	m.Cancel()
	m.shownTags = m.Tags
	if m.doing != nil {
		m.finish(c.cfg.Now(), "Ecs.0000", "The task was terminated.")
	}
	if m.TaskState != taskNone {
		m.halt()
	}
}

// must returns a machine as it is now. The caller holds c.mu.
func (c *Cloud) must(id string) *machine {
	m := c.byID[id]
	if m == nil {
		panic("huaweisim: no machine " + id)
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
	return simcloud.Door{Running: m.answers(), PasswordLogin: !m.passwordOff, Exists: user == m.user(), Password: m.Password}
}

func (c *Cloud) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.cfg.Scale)
}

// lasting is how long something takes that takes about d at scale 1.
func (c *Cloud) lasting(d time.Duration) time.Duration { return c.scaled(c.random.Around(d)) }

// plainID returns 32 hexadecimal characters, as the ids of projects and jobs look.
func plainID(r *simcloud.Random) string { return strings.ReplaceAll(r.UUID(), "-", "") }

// build fills in what given leaves empty. The caller holds c.mu.
func (c *Cloud) build(given Machine) *machine {
	m := &machine{Machine: given, number: len(c.machines)}
	orElse := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	orElse(&m.Region, c.cfg.Regions[0])
	orElse(&m.Zone, m.Region+"a")
	orElse(&m.OSType, osLinux)
	orElse(&m.Image, "Ubuntu 22.04 server 64bit")
	orElse(&m.Name, "ecs-"+m.ID[max(0, len(m.ID)-8):])
	orElse(&m.Status, statusActive)
	orElse(&m.EcmResStatus, resNormal)
	orElse(&m.Password, BaselinePassword)
	orElse(&m.PrivateIP, fmt.Sprintf("192.%d.%d.%d", 168+m.number>>16, m.number>>8&0xff, m.number&0xff))
	if m.CreatedTime.IsZero() {
		m.CreatedTime = c.cfg.Now().Add(-30 * 24 * time.Hour).UTC().Truncate(time.Second)
	}
	if m.Tags = maps.Clone(given.Tags); m.Tags == nil {
		m.Tags = make(map[string]string)
	}
	m.shownTags = m.Tags
	m.passwordOff = m.KeyName != ""
	m.SSHPort, m.Stops, m.HardStops, m.Starts, m.Reboots, m.Resets = 0, 0, 0, 0, 0, 0
	m.Down, m.DownSince = 0, time.Time{}
	return m
}
