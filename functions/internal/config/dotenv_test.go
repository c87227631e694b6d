package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// write makes a file in a new folder.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const envFile = "\ufeff# the fleet\r\n" +
	"RELOCK_SECRET=cvm-admin-prod # and what it is for\r\n" +
	"export RELOCK_REGIONS='ap-guangzhou, ap-shanghai'\n" +
	"\n" +
	"  RELOCK_TAGS = \"rotate=yes,env=prod|staging\"   # all\n" +
	"RELOCK_WINDOW=02:00-05:00 Asia/Shanghai\n" +
	"RELOCK_USERNAME=\n" +
	"RELOCK_PROOF=''"

func TestAFileReplacesTheEnvironment(t *testing.T) {
	ambient := map[string]string{
		"RELOCK_SECRET": "other", "RELOCK_INSTANCES": "ins-ffffffff", "RELOCK_EXCLUDE_TAGS": "env=prod",
		"RELOCK_USERNAME": "ambient", "RELOCK_DRY_RUN": "nonsense", "RELOCK_TYPO": "x",
	}
	setenv(t, ambient)
	path := write(t, "prod.env", envFile)
	c, err := config.Load(config.Command, path)
	if err != nil {
		t.Fatalf("Load() = %v", err)
	}
	if c.Secret != "cvm-admin-prod" || len(c.Instances)+len(c.ExcludeTags) != 0 || c.Username != "" || c.DryRun {
		t.Errorf("Load() = %+v; want nothing of the environment", c)
	}
	if diff := cmp.Diff(config.Tags{"rotate": {"yes"}, "env": {"prod", "staging"}}, c.Tags); diff != "" {
		t.Errorf("Tags (-want +got):\n%s", diff)
	}
	for name, want := range map[string][2]string{
		"RELOCK_SECRET":       {"cvm-admin-prod", path + ":2"},
		"RELOCK_REGIONS":      {"ap-guangzhou, ap-shanghai", path + ":3"},
		"RELOCK_WINDOW":       {"02:00-05:00 Asia/Shanghai", path + ":6"},
		"RELOCK_USERNAME":     {"", "default"},
		"RELOCK_PROOF":        {"provider", "default"},
		"RELOCK_STORE":        {"tencent", "default"},
		"RELOCK_STORE_REGION": {"ap-guangzhou", "default"},
		"RELOCK_SETTLE":       {"8m", "default"},
	} {
		if r := row(t, c, name); r.Value != want[0] || r.From != want[1] {
			t.Errorf("%s = %q from %q; want %q from %q", name, r.Value, r.From, want[0], want[1])
		}
	}
	for name, want := range ambient {
		if got := os.Getenv(name); got != want {
			t.Errorf("after Load() the environment has %s=%q; want %q as before", name, got, want)
		}
	}
	if _, inEnv := os.LookupEnv("RELOCK_TAGS"); inEnv {
		t.Error("after Load() the file's RELOCK_TAGS is in the environment")
	}
}

func TestWithoutAFileTheEnvironmentCounts(t *testing.T) {
	c, err := load(t, minimal())
	if err != nil {
		t.Fatalf("Load() = %v", err)
	}
	if r := row(t, c, "RELOCK_TAGS"); r.Value != "rotate=yes" || r.From != "environment" {
		t.Errorf("RELOCK_TAGS = %q from %q; want it from the environment", r.Value, r.From)
	}
}

func TestAFilesFaultsHaveTheirLines(t *testing.T) {
	const key = "AKIDthisisnotforyoureyes"
	setenv(t, minimal())
	path := write(t, "bad.env", strings.Join([]string{
		"RELOCK_SECRET=s",                 // 1
		"TENCENTCLOUD_SECRET_KEY=" + key,  // 2
		key,                               // 3
		"RELOCK_REGIONS=ap-tokyo",         // 4
		"RELOCK_REGIONS=ap-seoul",         // 5
		"RELOCK_TAGS='rotate=yes",         // 6
		"RELOCK_WINDOW=\"02:00\" + 3",     // 7
		"RELOCK_USERNAME=$USER",           // 8
		"RELOCK_RESTART=sometimes",        // 9
		"RELOCK_EXCLUDE_TAGS=\"a=`id`\"",  // 10
		"export\tRELOCK_PROOFS=" + key,    // 11
		"exportRELOCK_CANARY=1",           // 12
		"RELOCK CANARY=1",                 // 13
		"RELOCK_LOG_LEVEL=it\\'s",         // 14
		"RELOCK_MAX_EXCEPTIONS='1' # one", // 15: right
	}, "\n"))
	c, err := config.Load(config.Command, path)
	if !errors.Is(err, rotation.ErrConfig) {
		t.Fatalf("Load() = %v; want ErrConfig", err)
	}
	for line, want := range map[int]string{
		2:  "TENCENTCLOUD_SECRET_KEY: only RELOCK_ variables belong here",
		3:  "neither NAME=value nor a # comment",
		5:  "RELOCK_REGIONS: is set in " + path + ":4 already",
		6:  "RELOCK_TAGS: the closing quote is missing",
		7:  "RELOCK_WINDOW: text after the closing quote",
		8:  "RELOCK_USERNAME: $ outside quotes",
		9:  "RELOCK_RESTART: \"sometimes\": use never",
		10: "RELOCK_EXCLUDE_TAGS: $, ` or \\ in double quotes",
		11: "RELOCK_PROOFS: there is no such variable: did you mean RELOCK_PROOF?",
		12: "exportRELOCK_CANARY: only RELOCK_",
		13: "neither NAME=value nor a # comment",
		14: "RELOCK_LOG_LEVEL: \\ outside quotes",
	} {
		if want = fmt.Sprintf("%s:%d: %s", path, line, want); !strings.Contains(err.Error(), want) {
			t.Errorf("Load() does not say %q", want)
		}
	}
	if got := len(strings.Split(err.Error(), "\n")); got != 12 || strings.Contains(err.Error(), key) {
		t.Errorf("Load() has %d faults; want 12, without the key:\n%v", got, err)
	}
	if r := row(t, c, "RELOCK_MAX_EXCEPTIONS"); r.Value != "1" {
		t.Errorf("RELOCK_MAX_EXCEPTIONS = %q; want 1", r.Value)
	}
}

func TestWhatAFileLacksIsAFaultOfTheFile(t *testing.T) {
	setenv(t, minimal())
	path := write(t, "empty.env", "RELOCK_REGIONS=ap-tokyo\nRELOCK_TAGS=a=b\n")
	if _, err := config.Load(config.Command, path); err == nil || !strings.Contains(err.Error(), path+": RELOCK_SECRET: not set") {
		t.Errorf("Load() = %v; want that the file lacks RELOCK_SECRET", err)
	}
}

func TestAFileThatCannotBeReadIsTheOnlyFault(t *testing.T) {
	setenv(t, nil)
	folder := t.TempDir()
	for _, path := range []string{filepath.Join(folder, "none.env"), folder, write(t, "large.env", strings.Repeat("#\n", 1<<20))} {
		_, err := config.Load(config.Command, path)
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Load(%s) = %v; want one fault that names the file", path, err)
		}
	}
}

// put makes files in a folder until the test ends.
func put(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
}

func TestAListMayBeAFile(t *testing.T) {
	const ids = "# canaries\nins-1a2b3c4d  # web-17\nins-2b3c4d5e, ins-3c4d5e6f\n\n"
	want := config.List{"ins-1a2b3c4d", "ins-2b3c4d5e", "ins-3c4d5e6f"}
	text := "RELOCK_SECRET=s\nRELOCK_REGIONS=ap-tokyo\nRELOCK_INSTANCES=@ids.txt\nRELOCK_TAGS=@tags.txt\n"
	files := map[string]string{"ids.txt": ids, "tags.txt": "rotate=yes\nenv=prod|staging\n", "prod.env": text}

	check := func(t *testing.T, c *config.Config, err error) {
		t.Helper()
		if diff := cmp.Diff(want, c.Instances); err != nil || diff != "" {
			t.Errorf("Load() = %v; Instances (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff(config.Tags{"rotate": {"yes"}, "env": {"prod", "staging"}}, c.Tags); diff != "" {
			t.Errorf("Tags (-want +got):\n%s", diff)
		}
		if r := row(t, c, "RELOCK_INSTANCES"); r.Value != "@ids.txt (3)" {
			t.Errorf("RELOCK_INSTANCES = %q; want @ids.txt (3)", r.Value)
		}
	}
	vars := map[string]string{"RELOCK_SECRET": "s", "RELOCK_REGIONS": "ap-tokyo", "RELOCK_INSTANCES": "@ids.txt", "RELOCK_TAGS": "@tags.txt"}
	t.Run("beside the environment file", func(t *testing.T) {
		setenv(t, nil)
		folder := t.TempDir()
		put(t, folder, files)
		c, err := config.Load(config.Command, filepath.Join(folder, "prod.env"))
		check(t, c, err)
	})
	t.Run("in the command's folder", func(t *testing.T) {
		t.Chdir(t.TempDir())
		put(t, ".", files)
		c, err := load(t, vars)
		check(t, c, err)
	})
	t.Run("beside a function's binary", func(t *testing.T) {
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(t.TempDir())
		put(t, filepath.Dir(program), files)
		setenv(t, vars)
		c, err := config.Load(config.SCF, "")
		check(t, c, err)
	})
}

func TestAListsFileThatIsNoneIsAFault(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"empty": "# nothing\n", "nested": "\n@ids\n", "words": "web-17\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for value, want := range map[string]string{
		"@absent": "no such file",
		"@empty":  "nothing is listed",
		"@nested": "names a file",
		"@words":  `"web-17" is no instance id`,
		"@":       "",
	} {
		_, err := load(t, with(minimal(), "RELOCK_INSTANCES", value))
		if err == nil || !strings.Contains(err.Error(), "RELOCK_INSTANCES: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("RELOCK_INSTANCES=%s: Load() = %v; want %q", value, err, want)
		}
	}
}

func TestHostKeysMayBeAFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"known_hosts": authority + "\n",
		"prod.env":    "RELOCK_SECRET=s\nRELOCK_REGIONS=ap-tokyo\nRELOCK_TAGS=a=b\nRELOCK_PROOF=login\nRELOCK_SSH_KNOWN_HOSTS=known_hosts\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setenv(t, map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDx", "TENCENTCLOUD_SECRET_KEY": "k"})
	c, err := config.Load(config.Command, filepath.Join(folder, "prod.env"))
	if err != nil {
		t.Fatalf("Load() = %v", err)
	}
	if r, err := c.Open(t.Context()); err != nil || r.Verifier == nil {
		t.Errorf("Open() = %+v, %v; want a verifier", r, err)
	}
	if _, err := load(t, with(minimal(), "RELOCK_SSH_KNOWN_HOSTS", "none/known_hosts")); err == nil || !strings.Contains(err.Error(), "RELOCK_SSH_KNOWN_HOSTS: ") {
		t.Errorf("Load() = %v; want a fault of RELOCK_SSH_KNOWN_HOSTS", err)
	}
}

func FuzzEnvFile(f *testing.F) {
	f.Add(envFile)
	f.Add("RELOCK_A='x' y\nexport RELOCK_B=\"\\\"\n=\nRELOCK_=")
	f.Add("export export RELOCK_SECRET=1\nRELOCK_SECRET =2")
	f.Fuzz(func(t *testing.T, text string) {
		path := write(t, "f.env", text)
		before := slices.Sorted(slices.Values(os.Environ()))
		c, err := config.Load(config.Command, path)
		if err != nil && !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("Load() = %v; want ErrConfig", err)
		}
		for _, r := range c.Table() {
			if r.Fault == "" && r.From != "default" && !strings.HasPrefix(r.From, path+":") {
				t.Errorf("%s is from %q", r.Name, r.From)
			}
		}
		if after := slices.Sorted(slices.Values(os.Environ())); !slices.Equal(after, before) {
			t.Error("Load() changed the environment")
		}
	})
}
