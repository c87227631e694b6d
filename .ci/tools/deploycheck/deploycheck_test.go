package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository.
const root = "../../.."

// copied returns a folder with the files that are checked, one of them edited.
func copied(t *testing.T, path, old, new string) string {
	t.Helper()
	folder, edited := t.TempDir(), false
	files, err := filepath.Glob(filepath.Join(root, "deploy", "*", "*.tf"))
	more, _ := filepath.Glob(filepath.Join(root, "deploy", "tencent", "*", "*.tf"))
	if err != nil || len(files) == 0 || len(more) == 0 {
		t.Fatalf("%d and %d Terraform files, %v", len(files), len(more), err)
	}
	for _, file := range append(append(files, more...), filepath.Join(root, "serverless.yml"), filepath.Join(root, "README.md")) {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name == path {
			after := strings.Replace(string(text), old, new, 1)
			edited = after != string(text)
			text = []byte(after)
		}
		to := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if path != "" && !edited {
		t.Fatalf("%s has no %q", path, old)
	}
	return folder
}

func TestWhatIsShippedIsDocumented(t *testing.T) {
	if faults, err := check(copied(t, "", "", "")); err != nil || len(faults) > 0 {
		t.Errorf("check() = %q, %v; want no faults", faults, err)
	}
}

func TestSlipsAreNamed(t *testing.T) {
	const tf = "deploy/tencent/"
	for _, row := range []struct{ path, old, new, want string }{
		{tf + "main.tf", `mem_size          = local.memory`, `memory_size       = local.memory`, "tencentcloud_scf_function has no documented memory_size"},
		{tf + "main.tf", `retry_num = 0`, `retries = 0`, "no documented async_trigger_config.retry_config.retries"},
		{tf + "main.tf", `msg_ttl = 3600`, ``, "needs async_trigger_config.msg_ttl"},
		{tf + "main.tf", `"tencentcloud_scf_trigger"`, `"tencentcloud_scf_timer"`, "tencentcloud_scf_timer is not among the resources"},
		{tf + "alarms.tf", `sql_flag    = true`, `sql         = true`, "no documented rule.key_value.key_values.value.sql"},
		{tf + "alarms.tf", `number            = 1`, ``, "needs alarm_targets.number"},
		{tf + "versions.tf", `domain = `, `host = `, "provider tencentcloud has no documented host"},
		{tf + "main.tf", `var.timers ?`, `var.timer ?`, "there is no var.timer"},
		{tf + "main.tf", `module.settings.environment`, `module.settings.env`, "there is no module.settings.env"},
		{tf + "main.tf", `local.memory`, `local.mem`, "there is no local.mem"},
		{tf + "main.tf", `tencentcloud_cam_role.relock.name`, `tencentcloud_cam_role.function.name`, "there is no tencentcloud_cam_role.function"},
		{tf + "main.tf", `  env_file    = var.env_file`, ``, "the module needs env_file"},
		{tf + "main.tf", `  uin         =`, `  account     =`, "the module has no variable account"},
		{tf + "alarms.tf", `key = key_values.key`, `key = keys.key`, "there is no keys.key"},
		{tf + "role.tf", `policy_id = `, `policy_id `, "role.tf"},
		{"deploy/huawei/alarms.tf", `notification_save_rule {`, `notification_rule {`, "huaweicloud_lts_keywords_alarm_rule has no documented notification_rule"},
		{"deploy/huawei/alarms.tf", `period              = 300`, ``, "needs condition.period"},
		{"deploy/huawei/alarms.tf", `var.alarm_user`, `var.user`, "there is no var.user"},
		{"serverless.yml", `memorySize: 128`, `memory: 128`, "inputs.memory is not documented"},
		{"serverless.yml", `cronExpression: '0 0 3`, `cron: '0 0 3`, "inputs.events.timer.parameters.cron is not documented"},
		{"serverless.yml", `RELOCK_TAGS: ${env.RELOCK_TAGS}`, `RELOCK_TAG: ${env.RELOCK_TAG}`, "there is no variable RELOCK_TAG"},
		{"serverless.yml", `RELOCK_TAGS: ${env.RELOCK_TAGS}`, `RELOCK_TAGS: rotate=yes`, "RELOCK_TAGS: want the value of the fleet's env file"},
		{"serverless.yml", `runtime: Go1`, `runtime: Golang1`, "want scf with Go1"},
		{"serverless.yml", `timeout: 900`, `timeout: 3`, "timeout 3"},
		{"serverless.yml", `'{"action":"resume"}'`, `'{"action":"rotate"}'`, "timer resume"},
		{"serverless.yml", `component: scf`, "component: scf\n\tname: x", "serverless.yml"},
	} {
		faults, err := check(copied(t, row.path, row.old, row.new))
		if err != nil {
			faults = append(faults, err.Error())
		}
		if got := strings.Join(faults, "\n"); !strings.Contains(got, row.want) {
			t.Errorf("%s with %q for %q: %q; want %q", row.path, row.new, row.old, got, row.want)
		}
	}
}
