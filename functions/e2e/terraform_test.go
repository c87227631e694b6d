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
)

// settings is the part of deploy/tencent that needs no provider, in a folder of its own.
type settings struct {
	*witness
	program, dir string
}

func openSettings(t *testing.T) settings {
	t.Helper()
	program, err := exec.LookPath("terraform")
	if err != nil {
		notRun(t, "the settings of deploy/tencent", "there is no terraform here")
	}
	s := settings{newWitness(t), program, t.TempDir()}
	s.knows(keyValue)
	for _, name := range []string{"policy.json", "policy-credentials.json", "settings/main.tf"} {
		s.write(t, name, shipped(t, "deploy", "tencent", name))
	}
	s.run(t, "init", "-input=false").want(t, 0)
	return s
}

func (s settings) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s settings) run(t testing.TB, args ...string) ended {
	t.Helper()
	p := s.prepare(t, s.program, map[string]string{"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": "-no-color"}, args...)
	p.cmd.Dir = filepath.Join(s.dir, "settings")
	p.start(t)
	return ended{"terraform " + strings.Join(args, " "), p.wait(t), p.stdout.String(), p.stderr.String()}
}

// apply reads a fleet's file.
func (s settings) apply(t testing.TB, file string) ended {
	t.Helper()
	return s.run(t, "apply", "-auto-approve", "-input=false", "-var=env_file="+file, "-var=uin=100", "-var=creator_uin=200")
}

// Terraform reads a fleet's file as relock does, and makes of the policy's template one that names its regions and tags.
func TestTerraformReadsTheFleetsFileAsRelockDoes(t *testing.T) {
	t.Parallel()
	s := openSettings(t)
	file := s.write(t, "fleet.env", strings.Join([]string{
		"# a fleet", "RELOCK_SECRET=cvm-admin-prod", `export RELOCK_REGIONS="ap-guangzhou,ap-shanghai"   # two`,
		"RELOCK_TAGS='rotate=yes|always,env=prod'", "RELOCK_RESTART=graceful # softly", "", "  RELOCK_WINDOW = 02:00-05:00 Asia/Shanghai\r",
		"RELOCK_USERNAME=", "RELOCK_MAX_UNAVAILABLE='10%'",
	}, "\n"))
	s.apply(t, file).want(t, 0)
	var out struct {
		Environment struct{ Value map[string]string }
		Policy      struct{ Value string }
	}
	if err := json.Unmarshal([]byte(s.run(t, "output", "-json").want(t, 0).stdout), &out); err != nil {
		t.Fatal(err)
	}

	asRelock := map[string]string{}
	for _, row := range parsed[[]struct{ File, Name, Value, From, Fault string }](t, s.relock(t, nil, "config", "-e", file, "-o", "json").want(t, 0).stdout) {
		if strings.HasPrefix(row.From, file) {
			asRelock[row.Name] = row.Value
		}
	}
	if !maps.Equal(out.Environment.Value, asRelock) || len(asRelock) != 6 {
		t.Errorf("Terraform reads %q, relock %q", out.Environment.Value, asRelock)
	}

	p := readPolicy(t, out.Policy.Value)
	if got, want := slices.Compact(p.actions()), rolePolicy(t).actions(); !slices.Equal(got, want) || strings.Contains(out.Policy.Value, "${") {
		t.Errorf("the policy grants %q; want %q: %s", got, want, out.Policy.Value)
	}
	var limits []string
	for _, s := range p.Statement {
		if slices.Contains(s.Action, "cvm:ResetInstancesPassword") {
			limits = append(limits, s.Resource[0]+" "+s.Condition["for_any_value:string_equal"]["qcs:resource_tag"][0])
		}
	}
	slices.Sort(limits)
	if want := []string{
		"qcs::cvm:ap-guangzhou:uin/100:instance/* rotate&always", "qcs::cvm:ap-guangzhou:uin/100:instance/* rotate&yes",
		"qcs::cvm:ap-shanghai:uin/100:instance/* rotate&always", "qcs::cvm:ap-shanghai:uin/100:instance/* rotate&yes",
	}; !slices.Equal(limits, want) {
		t.Errorf("resets are limited to %q; want %q", limits, want)
	}
}

// The role may read the other cloud's keys when they are in a secret, and nothing else of that one.
func TestTerraformLetsTheRoleReadTheKeysSecretWhenThereIsOne(t *testing.T) {
	t.Parallel()
	s := openSettings(t)
	const most = "RELOCK_SECRET=s\nRELOCK_REGIONS=ap-guangzhou\nRELOCK_TAGS=a=b\n"
	granted := func(file string) policy {
		t.Helper()
		s.apply(t, s.write(t, "fleet.env", file)).want(t, 0)
		text := parsed[string](t, s.run(t, "output", "-json", "policy").want(t, 0).stdout)
		return readPolicy(t, text)
	}
	without, and := granted(most), granted(most+"RELOCK_CREDENTIALS_SECRET=huawei-keys\n")
	if n := len(without.Statement); len(and.Statement) != n+1 || !equalJSON(t, and.Statement[:n], without.Statement) {
		t.Fatalf("the policy is %+v, and with keys in a secret %+v; want one statement more", without, and)
	}
	want := statement{Effect: "allow", Action: []string{"ssm:GetSecretValue"}, Resource: []string{"qcs::ssm:ap-guangzhou:uin/100:secret/creatorUin/200/huawei-keys"}}
	if got := and.Statement[len(without.Statement)]; !equalJSON(t, got, want) {
		t.Errorf("the statement is %+v; want %+v", got, want)
	}
}

// With the machines in another cloud the role has its secrets, and nothing on machines.
func TestTerraformGrantsNothingOnMachinesOfAnotherCloud(t *testing.T) {
	t.Parallel()
	s := openSettings(t)
	file := s.write(t, "fleet.env", strings.Join([]string{
		"RELOCK_FLEET=huawei", "RELOCK_STORE=tencent", "RELOCK_STORE_REGION=ap-guangzhou", "RELOCK_SECRET=s", "RELOCK_REGIONS=cn-north-4,cn-east-3",
		"RELOCK_TAGS=rotate=yes", "RELOCK_CREDENTIALS_SECRET=huawei-keys",
	}, "\n"))
	s.apply(t, file).want(t, 0)
	text := parsed[string](t, s.run(t, "output", "-json", "policy").want(t, 0).stdout)
	want := slices.DeleteFunc(rolePolicy(t).actions(), func(a string) bool { return !strings.HasPrefix(a, "ssm:") })
	got := readPolicy(t, text)
	if !slices.Equal(slices.Compact(got.actions()), want) || len(want) == 0 || len(got.Statement) != 2 || strings.Contains(text, "cn-") {
		t.Errorf("the policy is %s; want %q on the secret, the reading of the keys, and no region of the other cloud", text, want)
	}
	if region := parsed[string](t, s.run(t, "output", "-json", "region").want(t, 0).stdout); region != "ap-guangzhou" {
		t.Errorf("the function is in %s; want it beside the secret", region)
	}
}

// What would leave the role without limits, or the function without its place, is refused and named.
func TestTerraformRefusesAFleetThatItCannotLimit(t *testing.T) {
	t.Parallel()
	s := openSettings(t)
	const most = "RELOCK_SECRET=s\nRELOCK_REGIONS=ap-guangzhou\n"
	for _, row := range []struct{ file, want string }{
		{most, "RELOCK_TAGS"}, {most + "RELOCK_TAGS=@tags\n", "RELOCK_TAGS"}, {most + "RELOCK_TAGS='env=*'\n", "RELOCK_TAGS"},
		{"RELOCK_TAGS=a=b\nRELOCK_REGIONS=ap-guangzhou\n", "RELOCK_SECRET"}, {"RELOCK_TAGS=a=b\nRELOCK_SECRET=s\n", "RELOCK_REGIONS"},
		{most + "RELOCK_TAGS=a=b\nRELOCK_EXCLUDE_TAGS=" + strings.Repeat("x=y,", 1100) + "\n", "4 KB"},
		{most + "RELOCK_FLEET=huawei\nRELOCK_STORE_REGION=ap-guangzhou\n", "RELOCK_STORE"}, {most + "RELOCK_TAGS=a=b\nRELOCK_STORE=aws\n", "RELOCK_STORE"},
		{most + "RELOCK_FLEET=huawei\nRELOCK_STORE=tencent\n", "RELOCK_STORE_REGION"},
	} {
		s.apply(t, s.write(t, "fleet.env", row.file)).want(t, 1, row.want)
	}
}
