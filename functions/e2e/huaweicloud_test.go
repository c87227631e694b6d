package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// A huaweiCloud is a simulated Huawei Cloud that is served over loopback HTTP, and what it was like before.
type huaweiCloud struct {
	*huaweisim.Cloud
	door     *door
	regions  []string
	machines map[string]huaweisim.Machine
}

// The keys of Huawei Cloud: long enough that the witness finds them.
const (
	huaweiID    = "HUAWEIe2e00000000000000000000000000"
	huaweiValue = "huawei-e2e-secret-key-000000000000000"
	huaweiToken = "huawei-e2e-security-token-00000000000"
)

// serveHuawei serves a cloud until the test ends. Its Linux machines answer SSH.
func (w *witness) serveHuawei(t testing.TB, cfg huaweisim.Config) *huaweiCloud {
	t.Helper()
	cfg.AccessKey, cfg.SecretKey, cfg.Token, cfg.SSH = huaweiID, huaweiValue, huaweiToken, true
	cfg.Regions, cfg.Rates = []string{"cn-north-4", "cn-east-3"}, 10
	sim, err := huaweisim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &huaweiCloud{Cloud: sim, regions: cfg.Regions}
	t.Cleanup(func() { sim.Close() })
	c.door = w.opening(t, c)
	w.knows(huaweiValue, huaweiToken)
	w.asks(func() []string {
		all := c.stored()
		for _, m := range c.Machines() {
			all = append(all, m.Password)
		}
		return all
	})
	c.remember()
	return c
}

// smallHuawei is a fleet of every sort, of which few may be down at once: five run, one of them with Windows, and one is off.
func smallHuawei(t testing.TB, w *witness) *huaweiCloud {
	t.Helper()
	c := w.serveHuawei(t, huaweisim.Config{Scale: 0.003})
	for i := range 5 {
		c.addHuawei(huaweisim.Machine{Region: c.regions[i%2]})
	}
	c.remember()
	return c
}

// addHuawei adds a machine to the fleet.
func (c *huaweiCloud) addHuawei(m huaweisim.Machine) string {
	m.Tags = map[string]string{huaweisim.FleetTagKey: huaweisim.FleetTagValue}
	return c.Add(m)
}

func (c *huaweiCloud) remember() { c.machines = c.byID() }

func (c *huaweiCloud) byID() map[string]huaweisim.Machine {
	all := map[string]huaweisim.Machine{}
	for _, m := range c.Machines() {
		all[m.ID] = m
	}
	return all
}

// start starts a machine as a person does, with the vendor's own client, and waits until it runs.
func (c *huaweiCloud) start(t testing.TB, id string) {
	t.Helper()
	keys, err := basic.NewCredentialsBuilder().WithAk(huaweiID).WithSk(huaweiValue).WithSecurityToken(huaweiToken).
		WithProjectId(c.Project(c.byID()[id].Region)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := ecs.EcsClientBuilder().WithEndpoint(c.door.url).WithCredential(keys).
		WithHttpConfig(config.DefaultHttpConfig().WithUserAgent("a person")).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	_, err = ecs.NewEcsClient(client).BatchStartServers(&model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
		OsStart: &model.BatchStartServersOption{Servers: []model.ServerId{{Id: id}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); c.byID()[id].Status != "ACTIVE" || c.byID()[id].TaskState != ""; <-tick.C {
		if time.Since(began) > patience {
			t.Fatalf("machine %s does not start", id)
		}
	}
}

// stored are the passwords that the secret holds.
func (c *huaweiCloud) stored() []string {
	var all []string
	for _, value := range c.Secret(huaweisim.DemoSecret) {
		all = append(all, passwordsIn(value)...)
	}
	return all
}

// vars are relock's own variables for this cloud, through a door: a fleet that may be restarted and is proven by login.
func (c *huaweiCloud) vars(d *door) map[string]string {
	var projects []string
	for _, region := range c.regions {
		projects = append(projects, region+"="+c.Project(region))
	}
	return map[string]string{
		"RELOCK_FLEET": "huawei", "RELOCK_STORE": "huawei",
		"RELOCK_HUAWEI_ENDPOINT": d.url, "RELOCK_HUAWEI_BOOT_DELAY": "10ms", "RELOCK_HUAWEI_PROJECTS": strings.Join(projects, ","),
		"RELOCK_SECRET": huaweisim.DemoSecret, "RELOCK_REGIONS": strings.Join(c.regions, ","),
		"RELOCK_TAGS":    huaweisim.FleetTagKey + "=" + huaweisim.FleetTagValue,
		"RELOCK_RESTART": "graceful", "RELOCK_MAX_UNAVAILABLE": "2", "RELOCK_POLL_INTERVAL": "20ms",
		"RELOCK_PROOF": "login", "RELOCK_SSH_KNOWN_HOSTS": c.KnownHosts(), "RELOCK_SSH_ALLOW_LOOPBACK": "true",
		"RELOCK_SETTLE": "15s", "RELOCK_SOFT_STOP_TIMEOUT": "15s", "RELOCK_RESET_TIMEOUT": "15s",
		"RELOCK_START_TIMEOUT": "15s", "RELOCK_LOGIN_TIMEOUT": "3s",
		"RELOCK_LOG_LEVEL": "debug",
	}
}

// onTerminal adds the keys of a terminal.
func onTerminal(vars map[string]string) map[string]string {
	return with(vars, "HUAWEICLOUD_SDK_AK", huaweiID, "HUAWEICLOUD_SDK_SK", huaweiValue, "HUAWEICLOUD_SDK_SECURITY_TOKEN", huaweiToken)
}

// current is the version that consumers read.
func (c *huaweiCloud) current(t testing.TB) (v stored) {
	t.Helper()
	value := c.Secret(huaweisim.DemoSecret)[c.Stages(huaweisim.DemoSecret)["SYSCURRENT"]]
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatalf("SYSCURRENT is no JSON object: %v", err)
	}
	return v
}

// wantAnswerable fails the test unless the store holds every machine's password now, and the one that waits for its boot.
func (c *huaweiCloud) wantAnswerable(t testing.TB) {
	t.Helper()
	machines := c.Machines() // in this order: what is set in between was stored before
	known := c.stored()
	for _, m := range machines {
		for _, password := range []string{m.Password, m.Pending} {
			if password != "" && !slices.Contains(known, password) {
				t.Errorf("machine %s has a password that the store does not hold", m.ID)
			}
		}
	}
}

// wantRotated fails the test unless current is of that generation and in force on every machine, each of which is up or
// down as it was and was restarted no more often than so.
func (c *huaweiCloud) wantRotated(t testing.TB, generation, restarts int) {
	t.Helper()
	v := c.current(t)
	if v.Generation != generation {
		t.Errorf("generation %d is current; want %d", v.Generation, generation)
	}
	for id, m := range c.byID() {
		before := c.machines[id]
		if m.Password != v.Password || m.Status != before.Status {
			t.Errorf("machine %s was %s and is %s, with the current password: %t", id, before.Status, m.Status, m.Password == v.Password)
		}
		if n := m.Reboots + m.Stops - before.Reboots - before.Stops; n < 1 || n > restarts {
			t.Errorf("machine %s was taken down %d times; want 1 to %d", id, n, restarts)
		}
	}
}

// huaweiAction is what the SDK calls a request: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0001.html.
func huaweiAction(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 {
		return r.URL.Path
	}
	parts = parts[2:] // v1, project
	last := parts[len(parts)-1]
	switch shape := fmt.Sprintf("%s %s %d", r.Method, parts[0], len(parts)); {
	case last == "os-reset-passwords":
		return "BatchResetServersPassword"
	case last == "os-resetpwd-flag":
		return "ShowResetPasswordFlag"
	case last == "detail":
		return "ListServersDetails"
	case shape == "POST cloudservers 2":
		return "BatchServersAction"
	case shape == "POST cloudservers 4":
		return "BatchCreateServerTags"
	case parts[0] == "jobs":
		return "ShowJob"
	case shape == "GET secrets 3":
		return "ListSecretVersions"
	case shape == "POST secrets 3":
		return "CreateSecretVersion"
	case shape == "GET secrets 4" && parts[2] == "versions":
		return "ShowSecretVersion"
	case shape == "GET secrets 4":
		return "ShowSecretStage"
	case shape == "PUT secrets 4":
		return "UpdateSecretStage"
	case shape == "DELETE secrets 4":
		return "DeleteSecretStage"
	}
	return r.Method + " " + strings.Join(parts, "/")
}

// actions are the APIs that were called, each once.
func (c *huaweiCloud) actions() []string {
	all := map[string]bool{}
	for _, r := range c.Requests() {
		all[r.Service+" "+r.Action] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// graphReport reads a report that a function answered.
func graphReport(t testing.TB, raw []byte) (r rotation.Report) {
	t.Helper()
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("no report: %v\n%s", err, raw)
	}
	return r
}
