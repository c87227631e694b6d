package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// The keys of a simulated cloud in this process: long enough that the witness finds them.
const (
	keyID    = "AKIDe2e0000000000000000000000000000"
	keyValue = "e2e-secret-key-0000000000000000"
	keyToken = "e2e-session-token-00000000000000000"
)

// A cloud is a simulated cloud that is served over loopback HTTP, and what it was like before.
type cloud struct {
	*tencentsim.Cloud
	door     *door // for everybody who has none of their own
	regions  []string
	outage   atomic.Pointer[outage]
	machines map[string]tencentsim.Machine // as they were at the last remember
	secret   map[string]string             // as it was
	next     int                           // the generation that a rotation makes then
	heard    int                           // requests until then
}

// An outage answers the requests about a region in a service's stead; nil is none.
type outage struct {
	region string
	answer http.HandlerFunc
}

// serve serves a cloud until the test ends. Its Linux machines answer SSH.
func (w *witness) serve(t testing.TB, cfg tencentsim.Config) *cloud {
	t.Helper()
	cfg.SecretID, cfg.SecretKey, cfg.Token, cfg.SSH = keyID, keyValue, keyToken, true
	if len(cfg.Regions) == 0 {
		cfg.Regions = []string{"ap-guangzhou", "ap-shanghai"}
	}
	sim, err := tencentsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{Cloud: sim, regions: cfg.Regions}
	t.Cleanup(func() { sim.Close() })
	c.door = w.opening(t, c)
	t.Cleanup(func() {
		for _, m := range c.Machines() {
			_, _ = fmt.Fprintln(w.hear("the tags of "+m.ID), m.Tags)
		}
	})
	w.knows(keyValue, keyToken)
	w.asks(c.passwords)
	c.remember()
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o := c.outage.Load(); o != nil && r.Header.Get("X-TC-Region") == o.region && strings.HasPrefix(r.Header.Get("X-TC-Action"), "DescribeInstances") {
		o.answer(w, r)
		return
	}
	c.Cloud.ServeHTTP(w, r)
}

// passwords are all that the cloud knows now.
func (c *cloud) passwords() []string {
	all := c.stored()
	for _, value := range c.secret {
		all = append(all, passwordsIn(value)...)
	}
	for _, m := range c.Machines() {
		all = append(append(all, m.Password), slices.Collect(maps.Values(m.Users))...)
	}
	return all
}

// remember notes how everything is now: what comes later is compared with that.
func (c *cloud) remember() {
	c.machines = c.byID()
	c.secret = c.Secret(tencentsim.DemoSecret)
	c.heard = len(c.Requests())
	var current stored
	_ = json.Unmarshal([]byte(c.secret[tencentsim.DemoVersion]), &current) // there may be none
	c.next = max(current.Generation, 1) + 1                                // what is found is kept as the first
}

func (c *cloud) byID() map[string]tencentsim.Machine {
	all := map[string]tencentsim.Machine{}
	for _, m := range c.Machines() {
		all[m.ID] = m
	}
	return all
}

// vars are relock's own variables for this cloud: a fleet that may be stopped gracefully and is proven by login.
func (c *cloud) vars() map[string]string {
	return map[string]string{
		"RELOCK_TENCENT_ENDPOINT": c.door.url, "RELOCK_SECRET": tencentsim.DemoSecret,
		"RELOCK_REGIONS": strings.Join(c.regions, ","), "RELOCK_TAGS": tencentsim.FleetTagKey + "=" + tencentsim.FleetTagValue,
		"RELOCK_RESTART": "graceful", "RELOCK_MAX_UNAVAILABLE": "50%", "RELOCK_POLL_INTERVAL": "20ms",
		"RELOCK_PROOF": "login", "RELOCK_SSH_KNOWN_HOSTS": c.KnownHosts(), "RELOCK_SSH_ALLOW_LOOPBACK": "true",
		"RELOCK_SETTLE": "15s", "RELOCK_SOFT_STOP_TIMEOUT": "15s", "RELOCK_RESET_TIMEOUT": "15s",
		"RELOCK_START_TIMEOUT": "15s", "RELOCK_LOGIN_TIMEOUT": "15s",
		"RELOCK_LOG_LEVEL": "debug", // the witness is to hear as much as there is
	}
}

func (c *cloud) inSCF() map[string]string     { return inSCF(c.vars()) }
func (c *cloud) inCommand() map[string]string { return inCommand(c.vars()) }

// inSCF adds the keys of an invocation, inCommand those of a terminal: the platforms spell them differently.
func inSCF(vars map[string]string) map[string]string {
	return with(vars, "TENCENTCLOUD_SECRETID", keyID, "TENCENTCLOUD_SECRETKEY", keyValue, "TENCENTCLOUD_SESSIONTOKEN", keyToken)
}

func inCommand(vars map[string]string) map[string]string {
	return with(vars, "TENCENTCLOUD_SECRET_ID", keyID, "TENCENTCLOUD_SECRET_KEY", keyValue, "TENCENTCLOUD_TOKEN", keyToken)
}

// sent are the requests since the last remember that change something, or were meant to.
func (c *cloud) sent() []tencentsim.Request {
	return slices.DeleteFunc(c.Requests()[c.heard:], reads)
}

// reads reports whether a request only asks.
func reads(r tencentsim.Request) bool {
	return strings.HasPrefix(r.Action, "Describe") || strings.HasPrefix(r.Action, "Get") || strings.HasPrefix(r.Action, "List")
}

// wantUntouched fails the test unless nothing was sent and nothing is lost since the last remember.
func (c *cloud) wantUntouched(t testing.TB) {
	t.Helper()
	for _, r := range c.sent() {
		t.Errorf("sent %s of %d machines in %s; want nothing sent", r.Action, r.IDs, r.Region)
	}
	if !maps.Equal(c.Secret(tencentsim.DemoSecret), c.secret) {
		t.Error("the secret is not what it was")
	}
	for id, m := range c.byID() {
		if !reflect.DeepEqual(lasting(m), lasting(c.machines[id])) {
			t.Errorf("machine %s is not what it was", id)
		}
	}
}

// lasting is a machine without what time alone changes.
func lasting(m tencentsim.Machine) tencentsim.Machine {
	m.Down = 0
	return m
}

// version returns a stored version, by version id; false when there is none.
func (c *cloud) version(t testing.TB, id string) (v stored, ok bool) {
	t.Helper()
	value, ok := c.Secret(tencentsim.DemoSecret)[id]
	if !ok {
		return v, false
	}
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatalf("version %s is no JSON object", id)
	}
	return v, true
}

// stored is what a consumer reads of a version.
type stored struct {
	Username, Password string
	Generation         int
}

// wantRotated fails the test unless the secret holds the generations 1 to generation and nothing else, the last one is
// current, it is on every machine that could be reset, and every machine is up or down as it was before.
func (c *cloud) wantRotated(t testing.TB, generation int) {
	t.Helper()
	ids := []string{tencentsim.DemoVersion}
	for g := range generation {
		ids = append(ids, slot(g+1))
	}
	if got := slices.Sorted(maps.Keys(c.Secret(tencentsim.DemoSecret))); !slices.Equal(got, ids) {
		t.Errorf("the secret holds %q; want %q", got, ids)
	}
	c.wantCurrent(t, generation)
}

// wantCurrent fails the test unless a generation is current and the highest, it is on every machine that could be reset,
// every machine is up or down as it was before, and the secret holds every password that it held.
func (c *cloud) wantCurrent(t testing.TB, generation int) {
	t.Helper()
	current, _ := c.version(t, tencentsim.DemoVersion)
	newest, _ := c.version(t, slot(generation))
	if _, more := c.version(t, slot(generation+1)); more || current.Generation != generation || current.Password == "" || current.Password != newest.Password {
		t.Errorf("generation %d is current, and there is a higher one than %d: %t; want %d, with the password of that, and none", current.Generation, generation, more, generation)
	}
	c.wantPower(t)
	for id, m := range c.byID() {
		if resettable(c.machines[id]) && m.Password != current.Password {
			t.Errorf("machine %s does not have the current password", id)
		}
	}
	held := c.stored()
	for _, value := range c.secret {
		for _, password := range passwordsIn(value) {
			if !slices.Contains(held, password) {
				t.Error("the secret does not hold a password any more that it held")
			}
		}
	}
}

// stored are the passwords that the secret holds.
func (c *cloud) stored() (passwords []string) {
	for _, value := range c.Secret(tencentsim.DemoSecret) {
		passwords = append(passwords, passwordsIn(value)...)
	}
	return passwords
}

// wantPower fails the test unless every machine is up or down as it was, and returns how many are not.
func (c *cloud) wantPower(t testing.TB) (wrong int) {
	t.Helper()
	for id, m := range c.byID() {
		if before := c.machines[id]; m.State != before.State {
			wrong++
			t.Errorf("machine %s was %s and is %s, with the tags %v", id, before.State, m.State, m.Tags)
		}
	}
	return wrong
}

// wantStops fails the test when a machine was stopped more often than so, or one at all that was not running.
func (c *cloud) wantStops(t testing.TB, least, most int) {
	t.Helper()
	for id, m := range c.byID() {
		before := c.machines[id]
		stops, low, high := m.Stops-before.Stops, least, most
		if before.State != "RUNNING" || !resettable(before) {
			low, high = 0, 0
		}
		if stops < low || stops > high {
			t.Errorf("machine %s, which was %s, was stopped %d times; want %d to %d", id, before.State, stops, low, high)
		}
	}
}

// slot is the version id of a generation.
func slot(generation int) string {
	digits := "0000000" + string(rune('0'+generation))
	return "g" + digits
}

// resettable reports whether the cloud resets such a machine at all.
func resettable(m tencentsim.Machine) bool {
	return m.Refuse == "" && m.RestrictState == "NORMAL" && (m.State == "RUNNING" || m.State == "STOPPED" && m.StopChargingMode == "KEEP_CHARGING")
}
