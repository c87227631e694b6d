package e2e_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	secrets "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// tccliBinary stands in for the vendor's command line tool.
var tccliBinary = sync.OnceValues(func() (string, error) { return build("e2e/testdata/tccli", "tccli") })

// setup are the commands of the runbook's first set-up that need nothing but relock, tccli and a cloud, a block each.
func setup(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "tencent", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```sh setup\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) != 5 {
		t.Fatalf("the runbook has %d blocks of a set-up; want 5", len(blocks))
	}
	return blocks
}

// A person is somebody who follows the runbook in a shell: it has keys, an empty folder, and nothing of relock's set.
type person struct {
	*account
	t        *testing.T
	w        *witness
	dir, one string
}

// does runs a block as it is written, typing what it asks for, and returns what it printed.
func (p person) does(block, typed string) string {
	p.t.Helper()
	shell := p.tries(block, typed)
	if status := shell.wait(p.t); status != 0 {
		p.t.Fatalf("%s\nended with status %d\n%s\n%s", block, status, shell.stdout, shell.stderr)
	}
	return shell.stdout.String()
}

// tries starts a block.
func (p person) tries(block, typed string) *process {
	p.t.Helper()
	keys := map[string]string{"ONE": p.one, "HOME": p.dir}
	for name, value := range p.vars {
		if strings.HasPrefix(name, "TENCENTCLOUD_") {
			keys[name] = value
		}
	}
	shell := p.w.prepare(p.t, "/bin/bash", keys, "-euo", "pipefail", "-c", block)
	shell.cmd.Dir, shell.cmd.Stdin = p.dir, strings.NewReader(typed)
	shell.start(p.t)
	return shell
}

// wantNoFile fails the test when a password is left in a file.
func (p person) wantNoFile() {
	p.t.Helper()
	if _, err := os.Stat(filepath.Join(p.dir, "secret.json")); err == nil {
		p.t.Error("the file with the password is still there")
	}
}

// configure tells tccli and relock where the simulated cloud is, and how fast: the only difference from a real one. What
// the runbook sets stays as it is.
func (p person) configure() {
	p.t.Helper()
	scheme, host, _ := strings.Cut(p.vars["RELOCK_TENCENT_ENDPOINT"], "://")
	p.write(".tccli/default.configure", fmt.Sprintf(`{"ssm":{"scheme":%q,"endpoint":%q}}`, scheme, host))
	file := filepath.Join(p.dir, "fleets", "prod.env")
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	lines := string(text)
	for _, name := range slices.Sorted(maps.Keys(p.vars)) {
		if strings.HasPrefix(name, "RELOCK_") && !strings.Contains(lines, name+"=") {
			lines += fmt.Sprintf("%s='%s'\n", name, p.vars[name])
		}
	}
	p.write("fleets/prod.env", lines)
}

func (p person) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// empty makes a secret as Terraform's provider does: with a version, which it then deletes.
func (a *account) empty(t testing.TB, name string) {
	t.Helper()
	var client secrets.Client
	a.sdk(&client.Client, a.vars["RELOCK_STORE_REGION"])
	version, value := "default", "{}"
	create := secrets.NewCreateSecretRequest()
	create.SecretName, create.VersionId, create.SecretString = &name, &version, &value
	if _, err := client.CreateSecret(create); err != nil {
		t.Fatal(err)
	}
	remove := secrets.NewDeleteSecretVersionRequest()
	remove.SecretName, remove.VersionId = &name, &version
	if _, err := client.DeleteSecretVersion(remove); err != nil {
		t.Fatal(err)
	}
}

// wantOpenWith fails the test unless the machines that answer logins open with a password, and one machine, if named, does
// with another instead.
func (p person) wantOpenWith(password, one, instead string) {
	p.t.Helper()
	for _, m := range p.logins(p.t) {
		want := password
		if *m.InstanceId == one {
			want = instead
		}
		if !p.opens(p.t, m, want) {
			p.t.Errorf("machine %s does not open with the password that it should have", *m.InstanceId)
		}
	}
}

// The commands of the first set-up, in order, as the runbook has them.
func TestRunbooksFirstSetUpWorksAsItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	a := w.startCloud(t, "--instances", "12", "--seed", "7", "--scale", pace())
	binary(t, relockBinary)
	binary(t, tccliBinary)
	blocks := setup(t)
	p := person{a, t, w, t.TempDir(), *a.logins(t)[0].InstanceId}

	p.does(blocks[0], "")
	p.configure()
	a.vars = with(a.vars, "RELOCK_SECRET", "cvm-admin-prod")

	if status := p.tries(blocks[1], tencentsim.BaselinePassword+"\n").wait(t); status == 0 {
		t.Error("a password was stored in a secret that does not exist")
	}
	p.wantNoFile()
	a.empty(t, "cvm-admin-prod")
	p.does(blocks[1], tencentsim.BaselinePassword+"\n")
	if values := a.values(t); len(values) != 1 || !slices.Equal(passwordsIn(values["current"]), []string{tencentsim.BaselinePassword}) {
		t.Fatalf("the secret holds %d versions; want current, with the password that was typed", len(values))
	}
	p.wantNoFile()

	out := p.does(blocks[2], "")
	for _, want := range []string{"12 machines", "make generation 2", "Nothing was sent and nothing was stored."} {
		if !strings.Contains(out, want) {
			t.Errorf("the dry run printed\n%s\nwant %q", out, want)
		}
	}
	p.wantOpenWith(tencentsim.BaselinePassword, "", "")
	if len(a.values(t)) != 1 {
		t.Error("the dry run stored something")
	}

	if out := p.does(blocks[3], ""); !strings.Contains(out, "rotated 1 of 12") {
		t.Errorf("rotating one machine printed\n%s\nwant 1 of 12", out)
	}
	candidate := passwordsIn(a.values(t)[slot(2)])
	if len(candidate) != 1 {
		t.Fatalf("generation 2 has %d passwords; want 1", len(candidate))
	}
	p.wantOpenWith(tencentsim.BaselinePassword, p.one, candidate[0])

	p.does(blocks[4], "")
	p.wantOpenWith(candidate[0], "", "")
	a.wantOpen(t, 2)
	evidence, err := os.Open(filepath.Join(p.dir, "evidence.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer evidence.Close()
	if rows, err := csv.NewReader(evidence).ReadAll(); err != nil || len(rows) != 13 {
		t.Errorf("the evidence has %d lines, %v; want a heading and 12 machines", len(rows), err)
	}
}
