package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
	"github.com/relock-project/relock/rotation/rotationtest"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// motoRegion is where moto's secrets are.
const motoRegion = "us-east-1"

// A moto is moto's server (https://docs.getmoto.org): an implementation of Secrets Manager that others wrote. It holds the
// SDK's wire and the happy paths; where failures matter it differs from the real service, and awssim is used.
type moto struct{ url string }

// startMoto serves moto until the test ends, or says that there is none.
func startMoto(t *testing.T) moto {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		notRun(t, "Secrets Manager by moto", "moto_server is not installed: pip install 'moto[server]'")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	w := &witness{}
	server := w.prepare(t, path, nil, "-H", "127.0.0.1", "-p", port)
	server.start(t)
	m := moto{"http://127.0.0.1:" + port}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		if resp, err := http.Get(m.url + "/moto-api/"); err == nil {
			resp.Body.Close()
			return m
		}
		select {
		case <-tick.C:
		case <-server.done:
			notRun(t, "Secrets Manager by moto", "moto_server does not start: "+server.stderr.String())
		case <-late:
			t.Fatalf("moto_server does not answer\n%s", server.stderr)
		}
	}
}

// call asks moto for an action, and returns the answer. moto reads of the signature only which service is meant.
func (m moto) call(t *testing.T, action string, params map[string]any) (answer map[string]any, ok bool) {
	t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+motoRegion+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=none")
	req.Header.Set("X-Amz-Target", "secretsmanager."+action)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(text, &answer)
	return answer, resp.StatusCode == http.StatusOK
}

func (m moto) must(t *testing.T, action string, params map[string]any) map[string]any {
	t.Helper()
	answer, ok := m.call(t, action, params)
	if !ok {
		t.Fatalf("%s: %v", action, answer["__type"])
	}
	return answer
}

// stages are the labels of a secret and the versions that they are on.
func (m moto) stages(t *testing.T, secret string) map[string]string {
	t.Helper()
	labels := map[string]string{}
	ids, _ := m.must(t, "DescribeSecret", map[string]any{"SecretId": secret})["VersionIdsToStages"].(map[string]any)
	for id, stages := range ids {
		for _, label := range stages.([]any) {
			labels[label.(string)] = id
		}
	}
	return labels
}

// beside is a cloud and, for what is meant for AWS, moto.
func (m moto) beside(cloud http.Handler) http.Handler {
	to, err := url.Parse(m.url)
	if err != nil {
		panic(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			proxy.ServeHTTP(w, r)
			return
		}
		cloud.ServeHTTP(w, r)
	})
}

func (m moto) config() aws.Config {
	return aws.Config{Credentials: aws.Static("test", "test", ""), Endpoint: m.url}
}

// TestSecretsManagerByMoto: the suites that every store must pass, and whole rotations, against an engine that is not ours.
func TestSecretsManagerByMoto(t *testing.T) {
	t.Parallel()
	m := startMoto(t)
	var mu sync.Mutex
	n := 0
	fresh := func(t *testing.T) string {
		mu.Lock()
		defer mu.Unlock()
		n++
		name := fmt.Sprintf("conform/%d", n)
		m.must(t, "CreateSecret", map[string]any{
			"Name": name, "SecretString": fmt.Sprintf(`{"username":"","password":%q}`, rotationtest.Baseline),
			"ClientRequestToken": fmt.Sprintf("%032d", n),
		})
		return name
	}
	t.Run("shelf", func(t *testing.T) {
		rotationtest.TestShelf(t, rotationtest.ShelfHarness{
			CreatesIfAbsent: true, Seeded: true,
			Open: func(t *testing.T) (rotation.Shelf, string) {
				shelf, err := aws.NewShelf(m.config(), motoRegion)
				if err != nil {
					t.Fatal(err)
				}
				return shelf, fresh(t)
			},
		})
	})
	t.Run("store", func(t *testing.T) {
		var name string
		rotationtest.TestStore(t, rotationtest.StoreHarness{
			Open: func(t *testing.T) (rotation.Store, string) {
				store, err := aws.NewStore(m.config(), motoRegion)
				if err != nil {
					t.Fatal(err)
				}
				name = fresh(t)
				return store, name
			},
			Human: func(t *testing.T, value string) {
				// moto's PutSecretValue takes every label off the version that was current: two calls instead.
				id := strings.Repeat("h", 32)
				m.must(t, "PutSecretValue", map[string]any{"SecretId": name, "SecretString": value, "ClientRequestToken": id, "VersionStages": []string{"by-hand"}})
				m.must(t, "UpdateSecretVersionStage", map[string]any{
					"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": id, "RemoveFromVersionId": m.stages(t, name)["AWSCURRENT"],
				})
			},
		})
	})
	t.Run("rotation of 200 Tencent machines", func(t *testing.T) { m.rotatesTencent(t, 200) })
	t.Run("rotation of 50 Huawei machines", func(t *testing.T) { m.rotatesHuawei(t, 50) })
}

// rotates runs the four steps of a rotation of a secret, and returns the password that is current then.
func (m moto) rotates(t *testing.T, w *witness, secret, baseline string, vars map[string]string) string {
	t.Helper()
	const token = "11111111-1111-4111-8111-111111111111"
	value := fmt.Sprintf(`{"username":"","password":%q,"host":"bastion"}`, baseline)
	m.must(t, "CreateSecret", map[string]any{"Name": secret, "SecretString": value, "ClientRequestToken": strings.Repeat("0", 32)})
	// moto makes the pending version without a value, and then finds no such function: the steps are called here.
	m.call(t, "RotateSecret", map[string]any{
		"SecretId": secret, "ClientRequestToken": token, "RotationRules": map[string]any{"AutomaticallyAfterDays": 30},
		"RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:relock",
	})
	if m.stages(t, secret)["AWSPENDING"] != token {
		t.Fatalf("moto's RotateSecret left the stages %v; want AWSPENDING on %s", m.stages(t, secret), token)
	}
	vars = with(vars, "RELOCK_STORE", "aws", "RELOCK_SECRET", secret,
		"AWS_REGION", motoRegion, "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test")
	for _, step := range stepNames() {
		event := fmt.Sprintf(`{"Step":%q,"SecretId":%q,"ClientRequestToken":%q}`, step, secret, token)
		r := w.invoking(t, vars, event, patience).do(t)
		if !r.ok() {
			t.Fatalf("%s: %s", step, r)
		}
		t.Logf("%s: %s in %.1f s; %d of %d proven", step, r.Outcome, r.took.Seconds(), r.Counts.Proven, r.Counts.Scope)
	}
	stages := m.stages(t, secret)
	if stages["AWSCURRENT"] != token || stages["AWSPREVIOUS"] != strings.Repeat("0", 32) {
		t.Errorf("stages %v; want the token's version current and the old one previous", stages)
	}
	text, _ := m.must(t, "GetSecretValue", map[string]any{"SecretId": secret, "VersionStage": "AWSCURRENT"})["SecretString"].(string)
	var current struct{ Password, Host string }
	if err := json.Unmarshal([]byte(text), &current); err != nil || current.Host != "bastion" {
		t.Errorf("current is no object with the fields of others: %v", err)
	}
	w.knows(current.Password)
	return current.Password
}

func (m moto) rotatesTencent(t *testing.T, machines int) {
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{})
	for i := range machines { // of every sort that can be reset
		machine := tencentsim.Machine{Region: c.regions[i%2], Tags: map[string]string{tencentsim.FleetTagKey: tencentsim.FleetTagValue}}
		switch i % 10 {
		case 3, 4:
			machine.OSName = "Windows Server 2022 Datacenter 64bit English"
		case 9:
			machine.State = "STOPPED"
		}
		c.Add(machine)
	}
	c.remember()
	d := w.opening(t, m.beside(c))
	password := m.rotates(t, w, "moto/tencent", tencentsim.BaselinePassword,
		inCommand(with(c.vars(), "RELOCK_TENCENT_ENDPOINT", d.url, "RELOCK_AWS_ENDPOINT", d.url)))
	for id, machine := range c.byID() {
		if machine.Password != password {
			t.Errorf("machine %s does not have the current password", id)
		}
	}
	c.wantPower(t)
	c.wantStops(t, 1, 1)
}

func (m moto) rotatesHuawei(t *testing.T, machines int) {
	w := newWitness(t)
	sim, err := huaweisim.New(huaweisim.Config{SSH: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range machines { // Linux: only a login proves a reset there
		sim.Add(huaweisim.Machine{Region: []string{"cn-north-4", "cn-east-3"}[i%2], Tags: map[string]string{huaweisim.FleetTagKey: huaweisim.FleetTagValue}})
	}
	t.Cleanup(func() { sim.Close() })
	w.asks(func() (all []string) {
		for _, machine := range sim.Machines() {
			all = append(all, machine.Password)
		}
		return all
	})
	was := map[string]huaweisim.Machine{}
	for _, machine := range sim.Machines() {
		was[machine.ID] = machine
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	vars := with(map[string]string{
		"RELOCK_FLEET": "huawei", "RELOCK_REGIONS": "cn-north-4,cn-east-3", "RELOCK_HUAWEI_ENDPOINT": server.URL, "RELOCK_HUAWEI_BOOT_DELAY": "10ms", "RELOCK_AWS_ENDPOINT": m.url,
		"RELOCK_HUAWEI_PROJECTS": fmt.Sprintf("cn-north-4=%s,cn-east-3=%s", sim.Project("cn-north-4"), sim.Project("cn-east-3")),
		"HUAWEICLOUD_SDK_AK":     huaweisim.DemoAccessKey, "HUAWEICLOUD_SDK_SK": huaweisim.DemoSecretKey,
		"RELOCK_TAGS": huaweisim.FleetTagKey + "=" + huaweisim.FleetTagValue, "RELOCK_RESTART": "graceful", "RELOCK_MAX_UNAVAILABLE": "50%",
		"RELOCK_POLL_INTERVAL": "20ms", "RELOCK_PROOF": "login", "RELOCK_SSH_KNOWN_HOSTS": sim.KnownHosts(), "RELOCK_SSH_ALLOW_LOOPBACK": "true",
		"RELOCK_SETTLE": "15s", "RELOCK_SOFT_STOP_TIMEOUT": "15s", "RELOCK_RESET_TIMEOUT": "15s", "RELOCK_START_TIMEOUT": "15s", "RELOCK_LOGIN_TIMEOUT": "15s",
	})
	password := m.rotates(t, w, "moto/huawei", huaweisim.BaselinePassword, vars)
	for _, machine := range sim.Machines() {
		if machine.Password != password {
			t.Errorf("machine %s does not have the current password", machine.ID)
		}
		if machine.Status != was[machine.ID].Status {
			t.Errorf("machine %s was %s and is %s", machine.ID, was[machine.ID].Status, machine.Status)
		}
	}
}
