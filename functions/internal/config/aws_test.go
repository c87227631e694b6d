package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// onLambda is the least that a function needs whose secret is at AWS and whose machines are at Tencent Cloud.
func onLambda() map[string]string {
	return map[string]string{
		"RELOCK_STORE": "aws", "RELOCK_SECRET": "admin/fleet-1", "RELOCK_REGIONS": "ap-guangzhou", "RELOCK_TAGS": "rotate=yes",
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
		"TENCENTCLOUD_SECRET_ID": "id", "TENCENTCLOUD_SECRET_KEY": "key",
	}
}

func TestLambdaKnowsItsRegionAndItsKeys(t *testing.T) {
	setenv(t, onLambda())
	r, err := config.Open(t.Context(), config.Lambda)
	if err != nil {
		t.Fatal(err)
	}
	if r.Home != [2]string{"aws", "eu-central-1"} || r.Fleets[0].Region() != "ap-guangzhou" {
		t.Errorf("Open = home %v and machines in %s; want the function's own region, and that of the machines", r.Home, r.Fleets[0].Region())
	}
	if _, ok := r.Store.(rotation.Stepper); !ok {
		t.Error("the store knows no steps")
	}
	// A shell's region is nobody's home.
	if _, err := config.Open(t.Context(), config.Command); !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), "RELOCK_STORE_REGION: not set") {
		t.Errorf("Open of the command = %v; want RELOCK_STORE_REGION asked for", err)
	}
}

func TestWhatAWSDoesNotTakeIsNamed(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY: not set, but AWS_ACCESS_KEY_ID is"},
		{"RELOCK_SECRET", "a b", "RELOCK_SECRET: no name of a secret"},
		{"RELOCK_AWS_ENDPOINT", "http://10.0.0.1", "RELOCK_AWS_ENDPOINT: plain http"},
		{"AWS_REGION", "", "RELOCK_STORE_REGION: not set"},
		{"RELOCK_FLEET", "aws", "RELOCK_FLEET: "},
	} {
		setenv(t, onLambda())
		t.Setenv(c.name, c.value)
		if _, err := config.Open(t.Context(), config.Lambda); !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: Open = %v; want %q", c.name, c.value, err, c.want)
		}
	}
}

// A log line's metrics are declared in the line itself, and every one of them is a number in it.
func TestCloudWatchTakesMetricsFromTheReportsLine(t *testing.T) {
	setenv(t, onLambda())
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = write
	r, err := config.Open(t.Context(), config.Lambda)
	os.Stderr = stderr
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Do(t.Context(), rotation.Request{Action: "nonsense"}) // a report all the same
	write.Close()
	said, _ := io.ReadAll(read)
	var line map[string]any
	for text := range bytes.Lines(said) {
		if bytes.Contains(text, []byte("relock.report")) {
			if err := json.Unmarshal(text, &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	var embedded struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
	again, _ := json.Marshal(line["_aws"])
	if err := json.Unmarshal(again, &embedded); err != nil || len(embedded.CloudWatchMetrics) != 1 || embedded.Timestamp < 1e12 {
		t.Fatalf("_aws is %s, %v", again, err)
	}
	m := embedded.CloudWatchMetrics[0]
	if m.Namespace != "relock" || len(m.Metrics) != 9 || line[m.Dimensions[0][0]] != "admin/fleet-1" {
		t.Errorf("%+v; want nine metrics by secret", m)
	}
	for _, metric := range m.Metrics {
		if _, ok := line[metric.Name].(float64); !ok {
			t.Errorf("%s is %v; want a number", metric.Name, line[metric.Name])
		}
	}
}
