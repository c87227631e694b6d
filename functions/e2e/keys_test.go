package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// The keys of another cloud are in the secrets manager of the function's own, and in no variable. The witness knows them all.

const keysSecret = "relock-other-keys"

// keptKeys are a cloud's temporary keys as the secret holds them.
func keptKeys(t testing.TB, names [3]string, id, key, token string) string {
	t.Helper()
	value, err := json.Marshal(map[string]string{names[0]: id, names[1]: key, names[2]: token})
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func huaweiKeys(t testing.TB) string {
	return keptKeys(t, [3]string{"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"}, huaweiID, huaweiValue, huaweiToken)
}

func tencentKeys(t testing.TB) string {
	return keptKeys(t, [3]string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"}, keyID, keyValue, keyToken)
}

// ofProduct are the actions of a product among those that a cloud was asked for.
func ofProduct(product string, actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !strings.HasPrefix(a, product) })
}

func TestSCFKeepsTheKeysOfTheMachinesCloudInItsOwn(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := smallHuawei(t, w), w.serve(t, tencentsim.Config{Scale: 0.003})
	sharing(machines.door, secrets.door)
	vars := inSCF(with(machines.vars(machines.door), "RELOCK_STORE", "tencent", "RELOCK_STORE_REGION", secrets.regions[0],
		"RELOCK_TENCENT_ENDPOINT", secrets.door.url, "RELOCK_SECRET", tencentsim.DemoSecret, "RELOCK_CREDENTIALS_SECRET", keysSecret))
	p := w.function(t)
	rotate := timer(t, "nightly", time.Now().Add(time.Minute), "")

	// What is wrong is told without the keys, and nothing is asked of the machines' cloud.
	wantError(t, p.invoke(t, rotate, vars, time.Minute), "RELOCK_CREDENTIALS_SECRET", "HUAWEICLOUD_SDK_AK", "current version")
	secrets.PutSecret(keysSecret, map[string]string{"current": huaweiValue + " " + huaweiToken})
	wantError(t, p.invoke(t, rotate, vars, time.Minute), "no JSON object")
	secrets.PutSecret(keysSecret, map[string]string{"current": `{"HUAWEICLOUD_SDK_AK":"` + huaweiValue + `"}`})
	wantError(t, p.invoke(t, rotate, vars, time.Minute), "HUAWEICLOUD_SDK_SK is missing")
	secrets.PutSecret(keysSecret, map[string]string{"current": huaweiKeys(t)})
	both := w.function(t).invoke(t, rotate, onTerminal(vars), time.Minute)
	wantError(t, both, "keys as variables as well, HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_SECURITY_TOKEN: keep them in one place")
	if calls := machines.actions(); len(calls) > 0 {
		t.Errorf("the machines' cloud was asked for %s; want nothing", calls)
	}

	wantReport(t, p.invoke(t, rotate, vars, time.Minute), rotation.Rotated)
	wantAtHuawei(t, machines, secrets, 2)

	// The same file serves a person, who has the keys of one cloud.
	for _, name := range []string{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"} {
		delete(vars, name)
	}
	w.relock(t, inCommand(vars), "verify").want(t, 0)
}

func TestSCFKeepsTheKeysOfTheSecretsCloudInItsOwn(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := killable(t, w), w.serveHuawei(t, huaweisim.Config{Scale: 0.003})
	sharing(machines.door, secrets.door)
	machines.PutSecret(keysSecret, map[string]string{"current": huaweiKeys(t)})
	vars := inSCF(with(tencentFleetAtHuawei(machines, secrets), "RELOCK_CREDENTIALS_SECRET", keysSecret, "TENCENTCLOUD_REGION", machines.regions[0]))
	wantReport(t, w.function(t).invoke(t, timer(t, "nightly", time.Now().Add(time.Minute), ""), vars, time.Minute), rotation.Rotated)
	wantAtTencent(t, machines, secrets, 2)

	granted := parsed[statement](t, shipped(t, "deploy", "tencent", "policy-credentials.json"))
	if called := ofProduct("ssm:", machines.called()); !slices.Equal(called, granted.Action) {
		t.Errorf("called  %s\ngranted %s\nwant the same", called, granted.Action)
	}
}

// tencentFleetAtHuawei are the variables of machines at Tencent Cloud whose secret is at Huawei Cloud.
func tencentFleetAtHuawei(machines *cloud, secrets *huaweiCloud) map[string]string {
	return with(machines.through(machines.door), "RELOCK_STORE", "huawei", "RELOCK_STORE_REGION", secrets.regions[0],
		"RELOCK_HUAWEI_ENDPOINT", secrets.door.url, "RELOCK_SECRET", huaweisim.DemoSecret,
		"RELOCK_HUAWEI_PROJECTS", secrets.regions[0]+"="+secrets.Project(secrets.regions[0]))
}

func TestFunctionGraphKeepsTheKeysOfTheMachinesCloudInItsOwn(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := killable(t, w), w.serveHuawei(t, huaweisim.Config{Scale: 0.003})
	sharing(machines.door, secrets.door)
	secrets.PutSecret(keysSecret, map[string]string{"v1": tencentKeys(t)}, map[string]string{"SYSCURRENT": "v1"})
	g := w.graph(t, with(tencentFleetAtHuawei(machines, secrets), "RELOCK_CREDENTIALS_SECRET", keysSecret), "120")
	g.start(t)
	if r := g.report(t, graphTimer(t, "nightly", time.Now().Add(time.Minute), "")); r.Outcome != rotation.Rotated {
		t.Fatalf("%s: %s; want rotated", r.Outcome, r.Why)
	}
	wantAtTencent(t, machines, secrets, 2)
}

func TestFunctionGraphKeepsTheKeysOfTheSecretsCloudInItsOwn(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := smallHuawei(t, w), w.serve(t, tencentsim.Config{Scale: 0.003})
	sharing(machines.door, secrets.door)
	machines.PutSecret(keysSecret, map[string]string{"v1": tencentKeys(t)}, map[string]string{"SYSCURRENT": "v1"})
	g := w.graph(t, with(machines.vars(machines.door), "RELOCK_STORE", "tencent", "RELOCK_STORE_REGION", secrets.regions[0],
		"RELOCK_TENCENT_ENDPOINT", secrets.door.url, "RELOCK_SECRET", tencentsim.DemoSecret, "RELOCK_CREDENTIALS_SECRET", keysSecret,
		"RUNTIME_PROJECT_ID", machines.Project(machines.regions[0])), "120")
	g.start(t)
	if r := g.report(t, graphTimer(t, "nightly", time.Now().Add(time.Minute), "")); r.Outcome != rotation.Rotated || r.Counts.Proven != 5 {
		t.Fatalf("%s, %d proven: %s; want rotated, and 5", r.Outcome, r.Counts.Proven, r.Why)
	}
	policy := shipped(t, "deploy", "huawei", "policy.json")
	for _, api := range ofProduct("csms ", machines.actions()) {
		for _, action := range permissions[api] {
			if api != "csms ShowSecretStage" && api != "csms ShowSecretVersion" || !strings.Contains(policy, `"`+action+`"`) {
				t.Errorf("%s was called; want the keys read and no more than is granted", api)
			}
		}
	}
}

// The function may be in a cloud that has neither the machines nor the secret. Then its role reads the keys, and only them.
func TestLambdaKeepsTheKeysOfBothInItsOwn(t *testing.T) {
	t.Parallel()
	s := managed(t, awssim.Answers{})
	s.sim.PutSecret(keysSecret, tencentKeys(t))
	vars := with(s.through(s.newDoor()), "RELOCK_STORE", "tencent", "RELOCK_SECRET", tencentsim.DemoSecret, "RELOCK_CREDENTIALS_SECRET", s.sim.ARN(keysSecret))
	for _, name := range []string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"} {
		delete(vars, name)
	}
	if r := s.invoking(t, vars, `{"action":"rotate"}`, patience).do(t); !r.ok() || r.Outcome != rotation.Rotated {
		t.Fatalf("rotate: %s", r)
	}
	s.wantCurrent(t, 2)
	keys := awsTemplate(t)
	keys = keys[strings.Index(keys, "- Sid: Keys"):strings.Index(keys, "- Sid: Log")]
	granted := firsts(`secretsmanager:([A-Za-z]+)`, keys)
	for _, r := range s.sim.Requests() {
		if !slices.Equal(granted, []string{r.Action}) {
			t.Errorf("%s was called; want what is granted, %s", r.Action, granted)
		}
	}
	if !strings.Contains(keys, "Resource: !Ref CredentialsSecretArn") || len(s.sim.Requests()) == 0 {
		t.Errorf("%d requests for the keys, which are granted by %s", len(s.sim.Requests()), keys)
	}
}
