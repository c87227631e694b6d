package config_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// keysSecret is the secret that the keys of another cloud are in.
const keysSecret = "other-keys"

// A sky is all clouds. They refuse whoever has not their keys.
type sky struct {
	tencent *tencentsim.Cloud
	huawei  *huaweisim.Cloud
	aws     *awssim.Cloud
	vars    map[string]string // their addresses, and a fleet without clouds
}

func newSky(t *testing.T) *sky {
	t.Helper()
	s := &sky{aws: awssim.New(awssim.Config{})}
	var err error
	if s.tencent, err = tencentsim.New(tencentsim.Config{Regions: []string{"ap-guangzhou", "ap-shanghai"}}); err != nil {
		t.Fatal(err)
	}
	if s.huawei, err = huaweisim.New(huaweisim.Config{Regions: []string{"cn-north-4", "cn-east-3"}}); err != nil {
		t.Fatal(err)
	}
	tencent, huawei, aws := httptest.NewServer(s.tencent), httptest.NewServer(s.huawei), httptest.NewServer(s.aws)
	t.Cleanup(func() {
		tencent.Close()
		huawei.Close()
		aws.Close()
		s.tencent.Close()
		s.huawei.Close()
	})
	projects := fmt.Sprintf("cn-north-4=%s,cn-east-3=%s", s.huawei.Project("cn-north-4"), s.huawei.Project("cn-east-3"))
	s.vars = map[string]string{
		"RELOCK_TENCENT_ENDPOINT": tencent.URL, "RELOCK_HUAWEI_ENDPOINT": huawei.URL, "RELOCK_AWS_ENDPOINT": aws.URL,
		"RELOCK_HUAWEI_PROJECTS": projects, "RELOCK_TAGS": "rotate=yes", "RELOCK_PROOF": "accepted", "RELOCK_CREDENTIALS_SECRET": keysSecret,
	}
	return s
}

// between are the variables of a fleet in one cloud whose secret is in another, or in the same.
func (s *sky) between(fleet, store string) map[string]string {
	regions := map[string]string{"tencent": "ap-guangzhou", "huawei": "cn-north-4", "aws": awssim.DemoRegion}
	secrets := map[string]string{"tencent": tencentsim.DemoSecret, "huawei": huaweisim.DemoSecret, "aws": "admin/fleet-1"}
	vars := map[string]string{
		"RELOCK_FLEET": fleet, "RELOCK_REGIONS": regions[fleet],
		"RELOCK_STORE": store, "RELOCK_STORE_REGION": regions[store], "RELOCK_SECRET": secrets[store],
	}
	for name, value := range s.vars {
		vars[name] = value
	}
	s.aws.PutSecret("admin/fleet-1", `{"username":"","password":"found-in-force.1"}`)
	return vars
}

// keep stores keys in a cloud, in the region that its functions are in here.
func (s *sky) keep(cloud, value string) {
	switch cloud {
	case "tencent":
		s.tencent.PutSecret(keysSecret, map[string]string{"current": value})
	case "huawei":
		s.huawei.PutSecret(keysSecret, map[string]string{"v1": value}, map[string]string{"SYSCURRENT": "v1"})
	case "aws":
		s.aws.PutSecret(keysSecret, value)
	}
}

// keysOf are the keys that open some clouds, as the value of a secret.
func keysOf(clouds ...string) string {
	fields := map[string]string{"note": "unknown fields are nobody's business"}
	for _, cloud := range clouds {
		for name, value := range keyVars(cloud) {
			fields[name] = value
		}
	}
	text, _ := json.Marshal(fields)
	return string(text)
}

func keyVars(cloud string) map[string]string {
	return map[string]map[string]string{
		"tencent": {"TENCENTCLOUD_SECRET_ID": tencentsim.DemoSecretID, "TENCENTCLOUD_SECRET_KEY": tencentsim.DemoSecretKey},
		"huawei":  {"HUAWEICLOUD_SDK_AK": huaweisim.DemoAccessKey, "HUAWEICLOUD_SDK_SK": huaweisim.DemoSecretKey},
		"aws":     {"AWS_ACCESS_KEY_ID": awssim.DemoAccessKey, "AWS_SECRET_ACCESS_KEY": awssim.DemoSecretKey},
	}[cloud]
}

// on adds what a function's platform gives it, and opens.
func on(t *testing.T, p config.Platform, vars map[string]string) (*rotation.Rotator, error) {
	t.Helper()
	given := config.Keys{}
	switch p {
	case config.SCF:
		with(vars, "TENCENTCLOUD_REGION", "ap-guangzhou", "TENCENTCLOUD_SECRETID", tencentsim.DemoSecretID, "TENCENTCLOUD_SECRETKEY", tencentsim.DemoSecretKey)
	case config.Lambda:
		with(vars, "AWS_REGION", awssim.DemoRegion, "AWS_ACCESS_KEY_ID", awssim.DemoAccessKey, "AWS_SECRET_ACCESS_KEY", awssim.DemoSecretKey)
	case config.FunctionGraph:
		given = config.Keys{ID: huaweisim.DemoAccessKey, Key: huaweisim.DemoSecretKey}
	}
	setenv(t, vars)
	return config.OpenWith(t.Context(), p, given)
}

// answers fails the test unless the store and the fleet of what was opened take its keys.
func answers(t *testing.T, ctx context.Context, r *rotation.Rotator, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	if _, err := r.Status(ctx); err != nil {
		t.Errorf("Status = %v; want the store to take the keys", err)
	}
	if _, err := r.Inventory(ctx); err != nil {
		t.Errorf("Inventory = %v; want the fleet to take the keys", err)
	}
}

func TestKeysOfAnotherCloudAreReadInTheFunctionsOwn(t *testing.T) {
	for _, c := range []struct {
		platform           config.Platform
		home, fleet, store string
		others             []string
	}{
		{config.SCF, "tencent", "huawei", "tencent", []string{"huawei"}},
		{config.SCF, "tencent", "tencent", "huawei", []string{"huawei"}},
		{config.SCF, "tencent", "tencent", "aws", []string{"aws"}},
		{config.FunctionGraph, "huawei", "huawei", "tencent", []string{"tencent"}},
		{config.FunctionGraph, "huawei", "tencent", "huawei", []string{"tencent"}},
		{config.Lambda, "aws", "tencent", "aws", []string{"tencent"}},
		{config.Lambda, "aws", "huawei", "tencent", []string{"huawei", "tencent"}},
		{config.Lambda, "aws", "tencent", "tencent", []string{"tencent"}},
	} {
		t.Run(fmt.Sprintf("%s with machines at %s and the secret at %s", c.platform, c.fleet, c.store), func(t *testing.T) {
			s := newSky(t)
			s.keep(c.home, keysOf(c.others...))
			r, err := on(t, c.platform, s.between(c.fleet, c.store))
			answers(t, t.Context(), r, err)

			// The next invocation reads them again: these are good no more.
			s.keep(c.home, strings.NewReplacer(tencentsim.DemoSecretID, "AKIDother", huaweisim.DemoAccessKey, "OTHER", awssim.DemoAccessKey, "AKIAOTHER").Replace(keysOf(c.others...)))
			r, err = on(t, c.platform, s.between(c.fleet, c.store))
			if err != nil {
				t.Fatalf("Open = %v", err)
			}
			_, store := r.Status(t.Context())
			_, fleet := r.Inventory(t.Context())
			if !errors.Is(errors.Join(store, fleet), rotation.ErrUnauthorized) {
				t.Errorf("with other keys: %v, %v; want ErrUnauthorized", store, fleet)
			}
		})
	}
}

// The platform's region is the keys', wherever the password's secret and the machines are.
func TestKeysAreReadInTheFunctionsOwnRegion(t *testing.T) {
	s := newSky(t)
	s.keep("tencent", keysOf("huawei"))
	s.keep("huawei", keysOf("tencent"))
	r, err := on(t, config.SCF, with(s.between("tencent", "huawei"), "RELOCK_REGIONS", "ap-shanghai"))
	answers(t, t.Context(), r, err)
	r, err = on(t, config.FunctionGraph, with(s.between("huawei", "tencent"), "RELOCK_REGIONS", "cn-east-3", "RUNTIME_PROJECT_ID", s.huawei.Project("cn-north-4")))
	answers(t, t.Context(), r, err)
	_, err = on(t, config.FunctionGraph, with(s.between("huawei", "tencent"), "RELOCK_REGIONS", "cn-east-3", "RUNTIME_PROJECT_ID", ""))
	if !errors.Is(err, rotation.ErrNotFound) || !strings.Contains(err.Error(), "Huawei CSMS, cn-east-3") {
		t.Errorf("in the machines' region: %v; want ErrNotFound that names it", err)
	}
	_, err = on(t, config.FunctionGraph, with(s.between("tencent", "aws"), "RUNTIME_PROJECT_ID", ""))
	wantFault(t, err, "RELOCK_CREDENTIALS_SECRET: the platform does not say in which region")
}

func TestWhatIsWrongWithTheKeysIsNamedAndNeverShown(t *testing.T) {
	const hidden = "hidden-value"
	s := newSky(t)
	for _, c := range []struct{ value, want string }{
		{"", "store {\"HUAWEICLOUD_SDK_AK\":\"…\",\"HUAWEICLOUD_SDK_SK\":\"…\"} as its current version"},
		{hidden, "no JSON object"},
		{`["` + hidden + `"]`, "no JSON object"},
		{`null`, "no JSON object"},
		{`{"HUAWEICLOUD_SDK_AK":"` + hidden + `"}`, "HUAWEICLOUD_SDK_SK is missing or empty: store {"},
		{`{"id":"` + hidden + `","` + hidden + `":"x"}`, "HUAWEICLOUD_SDK_AK is missing or empty, HUAWEICLOUD_SDK_SK is missing or empty"},
		{`{"HUAWEICLOUD_SDK_AK":"x","HUAWEICLOUD_SDK_SK":["` + hidden + `"]}`, "HUAWEICLOUD_SDK_SK is no text"},
		{`{"HUAWEICLOUD_SDK_AK":"x","HUAWEICLOUD_SDK_SK":"` + hidden + `\n` + hidden + `"}`, "HUAWEICLOUD_SDK_SK has a space within it"},
		{keysOf("tencent"), "HUAWEICLOUD_SDK_AK is missing"},
	} {
		if c.value != "" {
			s.keep("tencent", c.value)
		}
		_, err := on(t, config.SCF, s.between("huawei", "tencent"))
		if err == nil || !strings.HasPrefix(err.Error(), "RELOCK_CREDENTIALS_SECRET: read "+keysSecret+" in Tencent Secrets Manager, ap-guangzhou: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open = %v; want %q", c.value, err, c.want)
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, hidden) || strings.Contains(text, tencentsim.DemoSecretKey) {
			t.Errorf("%s: the error shows what is in the secret: %s", c.value, text)
		}
	}
	if calls := s.huawei.Requests(); len(calls) > 0 {
		t.Errorf("%d requests to a cloud whose keys are not known; want none", len(calls))
	}
}

// Of a read that the cloud or the way to it failed to give, nothing is known, so it is made again; what the cloud did say is
// not asked twice.
func TestKeysThatCannotBeReadForAMomentAreReadAgain(t *testing.T) {
	faults := []string{"throttle", "cut"}
	for _, c := range []struct {
		platform           config.Platform
		home, fleet, other string
		arrange            func(*sky)
	}{
		{config.SCF, "tencent", "huawei", "huawei", func(s *sky) {
			for i, fault := range faults {
				s.tencent.FailNext("GetSecretValue", i+1, fault)
			}
		}},
		{config.FunctionGraph, "huawei", "tencent", "tencent", func(s *sky) {
			for i, fault := range faults {
				s.huawei.FailNext("ShowSecretVersion", i+1, fault)
			}
		}},
		{config.Lambda, "aws", "tencent", "tencent", func(s *sky) { s.aws.FailNext("GetSecretValue", faults...) }},
	} {
		t.Run(string(c.platform), func(t *testing.T) {
			s := newSky(t)
			s.keep(c.home, keysOf(c.other))
			c.arrange(s)
			r, err := on(t, c.platform, s.between(c.fleet, c.home))
			answers(t, t.Context(), r, err)
		})
	}
	t.Run("missing", func(t *testing.T) {
		s := newSky(t)
		_, err := on(t, config.SCF, s.between("huawei", "tencent"))
		if calls := len(s.tencent.Requests()); !errors.Is(err, rotation.ErrNotFound) || calls != 1 {
			t.Errorf("Open = %v after %d requests; want ErrNotFound after one", err, calls)
		}
	})
	t.Run("denied", func(t *testing.T) {
		s := newSky(t)
		s.aws.FailNext("GetSecretValue", "AccessDeniedException")
		_, err := on(t, config.Lambda, s.between("tencent", "aws"))
		if calls := len(s.aws.Requests()); !errors.Is(err, rotation.ErrUnauthorized) || !strings.HasSuffix(err.Error(), ": let the function read it, as deploy says") || calls != 1 {
			t.Errorf("Open = %v after %d requests; want ErrUnauthorized after one, and what to do", err, calls)
		}
	})
}

// Keys in two places are a fault before anybody is asked, and so are keys that nobody needs.
func TestAKeysSecretThatCannotBeMeantIsRefused(t *testing.T) {
	s := newSky(t)
	s.keep("tencent", keysOf("huawei"))
	for _, c := range []struct {
		name, want string
		platform   config.Platform
		vars       map[string]string
	}{
		{"both places", "has keys as variables as well, HUAWEICLOUD_SDK_SK: keep them in one place", config.SCF, with(s.between("huawei", "tencent"), "HUAWEICLOUD_SDK_SK", "plain-key")},
		{"one cloud", "in the function's own cloud", config.SCF, s.between("tencent", "tencent")},
		{"the password's secret", "is RELOCK_SECRET", config.SCF, with(s.between("huawei", "tencent"), "RELOCK_CREDENTIALS_SECRET", tencentsim.DemoSecret)},
		{"the keys themselves", "no name of a secret", config.SCF, with(s.between("huawei", "tencent"), "RELOCK_CREDENTIALS_SECRET", `{"HUAWEICLOUD_SDK_AK":"plain-key"}`)},
		{"another fault as well", "RELOCK_RESTART", config.SCF, with(s.between("huawei", "tencent"), "RELOCK_RESTART", "maybe")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := on(t, c.platform, c.vars)
			if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "plain-key") || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open = %v; want the one fault %q", err, c.want)
			}
		})
	}
	if calls := len(s.tencent.Requests()) + len(s.huawei.Requests()); calls > 0 {
		t.Errorf("%d requests; want none before the configuration is right", calls)
	}
	_, err := on(t, config.SCF, with(s.between("huawei", "tencent"), "RELOCK_CREDENTIALS_SECRET", ""))
	wantFault(t, err, "HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK: not set.*keep the keys in a secret and name that in RELOCK_CREDENTIALS_SECRET")
}

// A person's own keys come first; what they lack is read with those that they have, whichever cloud that is.
func TestTheCommandReadsTheKeysThatItLacks(t *testing.T) {
	for _, home := range []string{"tencent", "huawei"} {
		other := map[string]string{"tencent": "huawei", "huawei": "tencent"}[home]
		for _, store := range []string{home, other} {
			fleet := map[string]string{home: other, other: home}[store]
			s := newSky(t)
			s.keep(home, keysOf(other))
			vars := s.between(fleet, store)
			for name, value := range keyVars(home) {
				vars[name] = value
			}
			r, err := on(t, config.Command, vars)
			answers(t, t.Context(), r, err)

			s.keep(home, "not to be read")
			for name, value := range keyVars(other) {
				vars[name] = value
			}
			r, err = on(t, config.Command, vars)
			answers(t, t.Context(), r, err)

			for name := range keyVars(home) {
				delete(vars, name)
			}
			for name := range keyVars(other) {
				delete(vars, name)
			}
			_, err = on(t, config.Command, vars)
			wantFault(t, err, "TENCENTCLOUD_SECRET_ID")
			wantFault(t, err, "HUAWEICLOUD_SDK_AK")
		}
	}
	c, err := load(t, with(newSky(t).between("tencent", "huawei"), "RELOCK_CREDENTIALS_SECRET", `{"HUAWEICLOUD_SDK_SK":"plain-key"}`))
	if r := row(t, c, "RELOCK_CREDENTIALS_SECRET"); r.Fault == "" || strings.Contains(fmt.Sprint(r, err), "plain-key") {
		t.Errorf("keys in the place of the secret's name: %+v, %v; want a fault that does not show them", r, err)
	}
	c, err = load(t, newSky(t).between("tencent", "tencent"))
	if w := c.Warnings(); err != nil || len(w) != 1 || !strings.Contains(w[0], "RELOCK_CREDENTIALS_SECRET: ") {
		t.Errorf("Load of both in one cloud = %v, warnings %q; want one, since the function may be elsewhere", err, w)
	}
}

// A configuration that is printed by a slip shows no keys.
func TestAConfigPrintsNoKeys(t *testing.T) {
	s := newSky(t)
	s.keep("tencent", keysOf("huawei"))
	if _, err := on(t, config.SCF, s.between("huawei", "tencent")); err != nil { // it sets the variables, too
		t.Fatal(err)
	}
	c, err := config.Load(config.SCF, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v", c, c, c)
	for _, key := range []string{tencentsim.DemoSecretKey, huaweisim.DemoSecretKey, huaweisim.DemoAccessKey} {
		if strings.Contains(text, key) {
			t.Error("a Config prints keys")
		}
	}
}
