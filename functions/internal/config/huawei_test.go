package config_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

const huaweiProject = "0123456789abcdef0123456789abcdef"

// onHuawei is the least that a fleet on Huawei Cloud needs.
func onHuawei() map[string]string {
	return map[string]string{
		"RELOCK_FLEET": "huawei", "RELOCK_SECRET": "ecs-admin", "RELOCK_REGIONS": "cn-north-4", "RELOCK_TAGS": "rotate=yes",
		"RELOCK_PROOF": "accepted", "RELOCK_HUAWEI_PROJECTS": "cn-north-4=" + huaweiProject,
		"HUAWEICLOUD_SDK_AK": "access", "HUAWEICLOUD_SDK_SK": "secret",
	}
}

func TestHuaweiOpensWithTheLeast(t *testing.T) {
	setenv(t, onHuawei())
	r, err := config.Open(t.Context(), config.Command)
	if err != nil {
		t.Fatal(err)
	}
	if r.Home != [2]string{"huawei", "cn-north-4"} || len(r.Fleets) != 1 || r.Fleets[0].Region() != "cn-north-4" {
		t.Errorf("Open = home %v, %d fleets", r.Home, len(r.Fleets))
	}
}

func TestWhatHuaweiDoesNotTakeIsNamed(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"RELOCK_PROOF", "provider", "RELOCK_PROOF: provider: Huawei Cloud keeps no record"},
		{"RELOCK_PROOF", "", "RELOCK_PROOF: login needs RELOCK_SSH_KNOWN_HOSTS"},
		{"RELOCK_INSTANCES", "ins-1a2b3c4d", "RELOCK_INSTANCES: "},
		{"RELOCK_USERNAME", "ubuntu", "RELOCK_USERNAME: "},
		{"RELOCK_PASSWORD_RULES", "tencent-2018", "RELOCK_PASSWORD_RULES: "},
		{"RELOCK_PASSWORD_LENGTH", "27", "RELOCK_PASSWORD_LENGTH: "},
		{"RELOCK_SECRET", "a.b", "RELOCK_SECRET: "},
		{"RELOCK_HUAWEI_PROJECTS", "", "RELOCK_HUAWEI_PROJECTS: no project for cn-north-4"},
		{"RELOCK_HUAWEI_PROJECTS", "cn-north-4=x", "RELOCK_HUAWEI_PROJECTS: "},
		{"RELOCK_HUAWEI_PROJECTS", huaweiProject, "RELOCK_HUAWEI_PROJECTS: "},
		{"RELOCK_HUAWEI_PROJECTS", "cn-east-3=" + huaweiProject, "no project for cn-north-4"},
		{"RELOCK_HUAWEI_ENDPOINT", "http://10.0.0.1", "RELOCK_HUAWEI_ENDPOINT: plain http"},
		{"RELOCK_POLL_INTERVAL", "50ms", "RELOCK_POLL_INTERVAL: "},
		{"HUAWEICLOUD_SDK_SK", "", "HUAWEICLOUD_SDK_SK: not set, but HUAWEICLOUD_SDK_AK is"},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			setenv(t, onHuawei())
			t.Setenv(c.name, c.value)
			_, err := config.Open(t.Context(), config.Command)
			if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("Open = %v; want the one fault %q", err, c.want)
			}
		})
	}
}

func TestAFunctionKnowsItsProjectAndItsKeys(t *testing.T) {
	vars := onHuawei()
	for _, name := range []string{"RELOCK_HUAWEI_PROJECTS", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "RELOCK_SECRET"} {
		delete(vars, name)
	}
	vars["RUNTIME_PROJECT_ID"] = huaweiProject
	vars["RUNTIME_USERDATA"] = `{"RELOCK_SECRET":"from-user-data","other":"x"}`
	setenv(t, vars)
	k := config.Keys{ID: "given-id", Key: "given-key", Token: "given-token"}
	r, err := config.OpenWith(t.Context(), config.FunctionGraph, k)
	if err != nil {
		t.Fatal(err)
	}
	if r.Secret != "from-user-data" {
		t.Errorf("secret %q; want that of the user data", r.Secret)
	}
	if text := fmt.Sprintf("%v %+v %#v %s %q", k, k, k, k, k); strings.Contains(text, "given") {
		t.Errorf("keys print: %s", text)
	}
	if _, err := config.Open(context.Background(), config.FunctionGraph); err == nil || !strings.Contains(err.Error(), "agency") {
		t.Errorf("Open without keys = %v; want what to do", err)
	}
	t.Setenv("RELOCK_REGIONS", "cn-north-4,cn-east-3")
	if _, err := config.OpenWith(t.Context(), config.FunctionGraph, k); err == nil || !strings.Contains(err.Error(), "no project for") {
		t.Errorf("Open of two regions = %v; one project cannot be that of both", err)
	}
}
