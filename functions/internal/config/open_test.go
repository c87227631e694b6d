package config_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// serve starts a simulated cloud and returns its address.
func serve(t *testing.T, cfg tencentsim.Config) string {
	t.Helper()
	cloud, err := tencentsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(func() {
		server.Close()
		cloud.Close()
	})
	return server.URL
}

// simulated is minimal for a simulated cloud.
func simulated(url string) map[string]string {
	return with(minimal(), "RELOCK_SECRET", tencentsim.DemoSecret, "RELOCK_TENCENT_ENDPOINT", url)
}

func TestTheRotatorSpeaksToTheCloud(t *testing.T) {
	url := serve(t, tencentsim.Config{Instances: 6})
	setenv(t, with(simulated(url), "TENCENTCLOUD_SECRET_ID", tencentsim.DemoSecretID, "TENCENTCLOUD_SECRET_KEY", tencentsim.DemoSecretKey))
	r, err := config.Open(t.Context(), config.Command)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	machines, err := r.Inventory(t.Context())
	if err != nil || len(machines) != 6 {
		t.Errorf("Inventory() = %d machines, %v; want 6", len(machines), err)
	}
	if overview, err := r.Status(t.Context()); err != nil || len(overview.Versions) != 1 {
		t.Errorf("Status() = %+v, %v; want the version that the secret has", overview, err)
	}
	if sent, _ := r.Calls.Counts(); sent["cvm DescribeInstances"] == 0 || sent["secrets GetSecretValue"] == 0 {
		t.Errorf("Calls = %v; want those of the fleets and of the store", sent)
	}
}

func TestTheRulesReachTheMachines(t *testing.T) {
	url := serve(t, tencentsim.Config{Instances: 6})
	setenv(t, with(simulated(url), "TENCENTCLOUD_SECRET_ID", tencentsim.DemoSecretID, "TENCENTCLOUD_SECRET_KEY", tencentsim.DemoSecretKey,
		"RELOCK_RESTART", "graceful", "RELOCK_PASSWORD_RULES", "tencent-2018"))
	r, err := config.Open(t.Context(), config.Command)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	report, err := r.Do(t.Context(), rotation.Request{Action: rotation.Plan})
	if err != nil || report.Plan == nil || report.Plan.Length != 16 || !strings.Contains(report.Plan.Rules, "2018") {
		t.Errorf("Do(plan) = %+v, %v; want 16 characters under the rules of 2018", report.Plan, err)
	}
}

func TestSCFsCredentialsAreThoseOfTheInvocation(t *testing.T) {
	seen := make(chan [2]string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		id, _, _ := strings.Cut(rest, "/")
		seen <- [2]string{id, r.Header.Get("X-TC-Token")}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"Response":{"Error":{"Code":"AuthFailure.SecretIdNotFound","Message":"x"},"RequestId":"r"}}`))
	}))
	defer server.Close()
	setenv(t, with(simulated(server.URL), "TENCENTCLOUD_SECRET_ID", "AKIDambient", "TENCENTCLOUD_SECRET_KEY", "k", "TENCENTCLOUD_TOKEN", "ambient"))
	if _, err := config.Open(t.Context(), config.SCF); err == nil || !strings.Contains(err.Error(), "TENCENTCLOUD_SECRETID") || !strings.Contains(err.Error(), "execution role") {
		t.Errorf("Open() without a role = %v; want what is missing and why", err)
	}
	for _, want := range [][2]string{{"AKIDfirst", "first"}, {"AKIDsecond", "second"}} {
		t.Setenv("TENCENTCLOUD_SECRETID", want[0])
		t.Setenv("TENCENTCLOUD_SECRETKEY", "key")
		t.Setenv("TENCENTCLOUD_SESSIONTOKEN", want[1])
		r, err := config.Open(t.Context(), config.SCF)
		if err != nil {
			t.Fatalf("Open() = %v", err)
		}
		t.Setenv("TENCENTCLOUD_SECRETID", "AKIDlater") // a later invocation does not change an earlier one's keys
		if _, err := r.Status(t.Context()); !errors.Is(err, rotation.ErrUnauthorized) {
			t.Errorf("Status() = %v; want ErrUnauthorized", err)
		}
		if got := <-seen; got != want {
			t.Errorf("signed by %v; want %v", got, want)
		}
	}
}

func TestTheCommandsCredentials(t *testing.T) {
	for _, tc := range []struct {
		name, profile string
		vars          map[string]string
		want          string // in the error; empty: none
	}{
		{"of the environment", "", map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDx", "TENCENTCLOUD_SECRET_KEY": "k"}, ""},
		{"of the profile", "[default]\nsecret_id = AKIDx\nsecret_key = k\n", nil, ""},
		{"none", "", nil, "TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY: not set, nor are there keys in ~/.tencentcloud/credentials"},
		{"half a profile", "[default]\nsecret_id = AKIDx\n", nil, "TENCENTCLOUD_SECRET_ID"},
		{"an id alone", "[default]\nsecret_id = AKIDx\nsecret_key = k\n", map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDx"}, "TENCENTCLOUD_SECRET_KEY: not set, but TENCENTCLOUD_SECRET_ID is"},
		{"a key alone", "", map[string]string{"TENCENTCLOUD_SECRET_KEY": "k"}, "TENCENTCLOUD_SECRET_ID: not set, but TENCENTCLOUD_SECRET_KEY is"},
		{"SCF's spelling", "", map[string]string{"TENCENTCLOUD_SECRETID": "AKIDx", "TENCENTCLOUD_SECRETKEY": "k"}, "TENCENTCLOUD_SECRET_ID"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			setenv(t, minimal())
			for name, value := range tc.vars {
				t.Setenv(name, value)
			}
			if tc.profile != "" {
				folder := filepath.Join(os.Getenv("HOME"), ".tencentcloud")
				if err := os.MkdirAll(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, "credentials"), []byte(tc.profile), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := config.Open(t.Context(), config.Command)
			if (err == nil) != (tc.want == "") || err != nil && (!errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Open() = %v; want %q", err, tc.want)
			}
		})
	}
}

func TestOnlyAFunctionHasARegionByDefault(t *testing.T) {
	vars := with(minimal(), "TENCENTCLOUD_REGION", "ap-singapore")
	delete(vars, "RELOCK_REGIONS")
	_, err := load(t, vars)
	wantFault(t, err, "RELOCK_REGIONS")
	c, err := config.Load(config.SCF, "")
	if err != nil {
		t.Fatalf("Load(SCF) = %v", err)
	}
	if r := row(t, c, "RELOCK_REGIONS"); r.Value != "ap-singapore" || r.From != "TENCENTCLOUD_REGION" || c.StoreRegion != "ap-singapore" {
		t.Errorf("RELOCK_REGIONS = %q from %q, the store in %q; want the function's own", r.Value, r.From, c.StoreRegion)
	}
}

func TestAFunctionLogsAndTheCommandDoesNot(t *testing.T) {
	setenv(t, with(minimal(), "RELOCK_LOG_LEVEL", "warn", "TENCENTCLOUD_SECRETID", "AKIDx", "TENCENTCLOUD_SECRETKEY", "k"))
	r, err := config.Open(t.Context(), config.SCF)
	if err != nil || r.Log == nil || r.Log.Enabled(t.Context(), 0) {
		t.Errorf("Open(SCF) = %+v, %v; want a log from warn", r, err)
	}
}

func TestOpenNeedsTime(t *testing.T) {
	setenv(t, with(minimal(), "TENCENTCLOUD_SECRETID", "AKIDx", "TENCENTCLOUD_SECRETKEY", "k"))
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0)) // what the platform's library makes of no deadline
	defer cancel()
	if _, err := config.Open(ctx, config.SCF); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no time is left") {
		t.Errorf("Open() = %v; want that no time is left", err)
	}
}
