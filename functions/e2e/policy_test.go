package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// policyFile is the role's permissions, as a template: ${…} stand within texts only.
var policyFile = filepath.Join(root, "deploy", "tencent", "policy.json")

// A policy is what CAM reads: https://www.tencentcloud.com/document/product/598/10604.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource []string
	Condition        map[string]map[string][]string
}

// readPolicy reads a policy, refusing what CAM does not know.
func readPolicy(t testing.TB, text string) policy {
	t.Helper()
	p := parsed[policy](t, text)
	if p.Version != "2.0" {
		t.Errorf("the policy's version is %q; want 2.0", p.Version)
	}
	for _, s := range p.Statement {
		if s.Effect != "allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
			t.Errorf("the statement %+v; want one that allows actions on resources", s)
		}
	}
	return p
}

// actions are all that a policy grants, sorted.
func (p policy) actions() []string {
	var all []string
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return all
}

func rolePolicy(t testing.TB) policy {
	t.Helper()
	text, err := os.ReadFile(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	return readPolicy(t, string(text))
}

// called are the actions that a cloud was asked for, as policies name them.
func (c *cloud) called() []string {
	all := map[string]bool{}
	for _, r := range c.Requests() {
		all[r.Service+":"+r.Action] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// The role may do what is done with it, and nothing besides. Everything is done here: rotations with graceful restarts until
// the secret is compacted, on an account that has never seen relock's tags, a resumed one, and what operators do.
func TestRolesPolicyGrantsExactlyTheActionsThatAreCalled(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 6, Seed: 3, Answers: tencentsim.Answers{TagsMustExist: true}})
	p := w.function(t)
	at := time.Now()
	rotate := func(generation int) {
		t.Helper()
		at = at.Add(time.Minute)
		wantReport(t, p.invoke(t, timer(t, "rotate", at, ""), c.inSCF(), time.Minute), rotation.Rotated)
	}
	for generation := 2; !slices.Contains(c.called(), "ssm:DeleteSecretVersion"); generation++ {
		if generation > 12 {
			t.Fatalf("after %d rotations nothing was compacted", generation)
		}
		rotate(generation)
	}
	id := c.loginID(t)
	w.relock(t, c.inCommand(), "rotate", "--only", id).want(t, 3)
	wantReport(t, p.invoke(t, timer(t, "resume", at, `{"action":"resume"}`), c.inSCF(), time.Minute), rotation.Rotated)
	wantReport(t, p.invoke(t, timer(t, "reconcile", at, `{"action":"reconcile"}`), c.inSCF(), time.Minute), rotation.Nothing)
	wantReport(t, p.invoke(t, `{"action":"verify"}`, c.inSCF(), time.Minute), rotation.Verified)
	wantReport(t, p.invoke(t, `{"action":"plan"}`, c.inSCF(), time.Minute), rotation.Planned)
	w.relock(t, c.inCommand(), "recover", id).want(t, 0, "recovered "+id)
	w.relock(t, c.inCommand(), "status", "--machines").want(t, 0)
	current, _ := c.version(t, tencentsim.DemoVersion)
	w.relock(t, c.inCommand(), "forget", "--before", fmt.Sprint(current.Generation-1)).want(t, 0, "forgot ")

	if got, want := c.called(), rolePolicy(t).actions(); !slices.Equal(got, want) {
		t.Errorf("called   %s\ngranted  %s\nwant the same", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// loginID is the id of a machine that answers logins.
func (c *cloud) loginID(t testing.TB) string {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(c.byID())) {
		if m := c.byID()[id]; m.State == "RUNNING" && resettable(m) && m.DefaultLoginUser != "Administrator" {
			return id
		}
	}
	t.Fatal("no machine answers logins")
	return ""
}

// What stops or changes a machine is limited to tagged machines of one account and region, what touches a secret to the one.
// Looking at machines and tags cannot be limited: https://www.tencentcloud.com/document/product/213/10314,
// https://cloud.tencent.com/document/product/598/67492.
func TestRolesPolicyIsLimitedByTagAndBySecret(t *testing.T) {
	for _, s := range rolePolicy(t).Statement {
		for _, action := range s.Action {
			product, name, _ := strings.Cut(action, ":")
			switch {
			case strings.Contains(action, "*"):
				t.Errorf("%s grants more than one action", action)
			case action == "cvm:DescribeInstances", product == "tag":
			case product == "cvm" && name != "":
				want := map[string]map[string][]string{"for_any_value:string_equal": {"qcs:resource_tag": {"${tag}"}}}
				if !equalJSON(t, s.Resource, []string{"qcs::cvm:${region}:uin/${uin}:instance/*"}) || !equalJSON(t, s.Condition, want) {
					t.Errorf("%s on %q under %v; want tagged instances of one region and account", action, s.Resource, s.Condition)
				}
			case product == "ssm":
				if !equalJSON(t, s.Resource, []string{"qcs::ssm:${store_region}:uin/${uin}:secret/creatorUin/${creator_uin}/${secret}"}) {
					t.Errorf("%s on %q; want the one secret", action, s.Resource)
				}
			default:
				t.Errorf("%s is of a product that relock does not use", action)
			}
		}
	}
}

func equalJSON(t testing.TB, a, b any) bool {
	t.Helper()
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return string(x) == string(y)
}
