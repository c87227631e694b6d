package e2e_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// permissions are what IAM calls the APIs: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_06_0004.html,
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1102.html and
// https://support.huaweicloud.com/intl/en-us/api-dew/CreateSecretVersion.html, which also names what it depends on.
var permissions = map[string][]string{
	"ecs ListServersDetails":        {"ecs:cloudServers:list"},
	"ecs ShowResetPasswordFlag":     {"ecs:cloudServers:get"},
	"ecs ShowJob":                   {"ecs:cloudServers:showJob"},
	"ecs BatchResetServersPassword": {"ecs:cloudServers:resetServerPwd"},
	"ecs BatchRebootServers":        {"ecs:cloudServers:reboot"},
	"ecs BatchStartServers":         {"ecs:cloudServers:start"},
	"ecs BatchCreateServerTags":     {"ecs:cloudServers:batchCreateServerTags"},
	"csms CreateSecretVersion":      {"csms:secretVersion:create", "kms:cmk:createDataKey"},
	"csms ShowSecretVersion":        {"csms:secretVersion:get", "kms:cmk:decryptDataKey"},
	"csms ListSecretVersions":       {"csms:secretVersion:list"},
	"csms ShowSecretStage":          {"csms:secretStage:get"},
	"csms UpdateSecretStage":        {"csms:secretStage:update"},
	"csms DeleteSecretStage":        {"csms:secretStage:delete"},
}

// The agency may do what is done with it, and nothing besides: rotations with graceful restarts until the secret is compacted,
// and a machine that a restart left down.
func TestAgencysPolicyGrantsExactlyTheActionsThatAreCalled(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := smallHuawei(t, w)
	g := w.graph(t, c.vars(c.door), "120")
	g.start(t)
	due := time.Now()
	for n := 1; !slices.Contains(c.actions(), "csms DeleteSecretStage"); n++ {
		if n > 12 {
			t.Fatal("after 12 rotations nothing was compacted")
		}
		due = due.Add(time.Minute)
		if r := g.report(t, graphTimer(t, "nightly", due, "")); r.Outcome != rotation.Rotated {
			t.Fatalf("rotation %d: %s: %s", n, r.Outcome, r.Why)
		}
	}
	c.leaveDown(t)
	g.report(t, `{"action":"resume"}`)

	text, err := os.ReadFile(filepath.Join(root, "deploy", "huawei", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	granted := map[string]bool{}
	for _, s := range parsed[struct {
		Version   string
		Statement []struct {
			Effect string
			Action []string
		}
	}](t, string(text)).Statement {
		for _, action := range s.Action {
			if s.Effect != "Allow" || strings.Contains(action, "*") {
				t.Errorf("%s %s; want single actions that are allowed", s.Effect, action)
			}
			granted[action] = true
		}
	}
	called := map[string]bool{}
	for _, api := range c.actions() {
		if len(permissions[api]) == 0 {
			t.Errorf("%s was called, and nobody knows its permission", api)
		}
		for _, action := range permissions[api] {
			called[action] = true
		}
	}
	if !maps.Equal(granted, called) {
		t.Errorf("granted %q\ncalled  %q\nwant the same", slices.Sorted(maps.Keys(granted)), slices.Sorted(maps.Keys(called)))
	}
}

// leaveDown adds a machine that an invocation has stopped and not started: it is off, and its mark says so.
func (c *huaweiCloud) leaveDown(t *testing.T) {
	t.Helper()
	for _, m := range c.byID() {
		tags := maps.Clone(m.Tags)
		if tags[rotation.MarkTag] = strings.Replace(m.Tags[rotation.MarkTag], "-ok", "-down-1", 1); tags[rotation.MarkTag] == m.Tags[rotation.MarkTag] {
			t.Fatalf("the mark %q does not say that the machine is proven", m.Tags[rotation.MarkTag])
		}
		delete(tags, huaweisim.PortTag)
		c.Add(huaweisim.Machine{Region: m.Region, Status: "SHUTOFF", Tags: tags})
		return
	}
}

// The timers that Terraform makes say what the function understands, and its files are in the formatter's form.
func TestHuaweisTerraformSaysWhatTheFunctionUnderstands(t *testing.T) {
	text := shipped(t, "deploy", "huawei", "main.tf")
	for _, action := range []string{"rotate", "resume", "reconcile"} {
		input, err := json.Marshal(`{"action":"` + action + `"}`)
		if err != nil || !strings.Contains(text, string(input)) {
			t.Errorf("no timer has the event %s", input)
		}
		if req, err := events.Parse([]byte(graphTimer(t, action, time.Now(), `{"action":"`+action+`"}`))); err != nil || string(req.Action) != action {
			t.Errorf("Parse of the timer %s = %+v, %v", action, req, err)
		}
	}
	program, err := exec.LookPath("terraform")
	if err != nil {
		notRun(t, "terraform fmt of deploy/huawei", "there is no terraform here")
	}
	if out, err := exec.Command(program, "fmt", "-check", "-diff", filepath.Join(root, "deploy", "huawei")).CombinedOutput(); err != nil {
		t.Errorf("terraform fmt: %v\n%s", err, out)
	}
}
