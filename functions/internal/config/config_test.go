package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// minimal is the least that a configuration needs.
func minimal() map[string]string {
	return map[string]string{
		"RELOCK_SECRET":  "cvm-admin-prod",
		"RELOCK_REGIONS": "ap-guangzhou,ap-shanghai",
		"RELOCK_TAGS":    "rotate=yes",
	}
}

// with returns vars with pairs of names and values added.
func with(vars map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return vars
}

// setenv makes vars the only variables that matter here, and keeps the home folder of whoever runs the tests out.
func setenv(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "RELOCK_") || strings.HasPrefix(name, "TENCENTCLOUD_") || strings.HasPrefix(name, "HUAWEICLOUD_") || strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that the test's end puts it back
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
	for name, value := range vars {
		t.Setenv(name, value)
	}
}

// load reads vars as the command does.
func load(t *testing.T, vars map[string]string) (*config.Config, error) {
	t.Helper()
	setenv(t, vars)
	return config.Load(config.Command, "")
}

func row(t *testing.T, c *config.Config, name string) config.Row {
	t.Helper()
	for _, r := range c.Table() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("Table() has no row %s", name)
	return config.Row{}
}

// garbage is, for every variable, what it cannot be.
func garbage() map[string]string {
	return map[string]string{
		"RELOCK_FLEET":              "tencnet",
		"RELOCK_STORE":              "vault",
		"RELOCK_SECRET":             "prod/password!",
		"RELOCK_STORE_REGION":       "Guangzhou 3",
		"RELOCK_REGIONS":            "ap-guangzhou;ap-shanghai",
		"RELOCK_INSTANCES":          "web-17",
		"RELOCK_TAGS":               "env:prod",
		"RELOCK_EXCLUDE_TAGS":       "env",
		"RELOCK_INCLUDE_KEY_PAIRS":  "maybe",
		"RELOCK_USERNAME":           "root toor",
		"RELOCK_PASSWORD_LENGTH":    "long",
		"RELOCK_PASSWORD_RULES":     "2018",
		"RELOCK_RESTART":            "gracefull",
		"RELOCK_BATCH_SIZE":         "0",
		"RELOCK_CANARY":             "-1",
		"RELOCK_MAX_UNAVAILABLE":    "5 %",
		"RELOCK_MAX_EXCEPTIONS":     "1.5",
		"RELOCK_MAX_ATTEMPTS":       "4",
		"RELOCK_PROOF":              "trust",
		"RELOCK_WINDOW":             "02:00-05:00 Asia/Shangai",
		"RELOCK_POLL_INTERVAL":      "5",
		"RELOCK_SETTLE":             "8",
		"RELOCK_SOFT_STOP_TIMEOUT":  "-5m",
		"RELOCK_RESET_TIMEOUT":      "1d",
		"RELOCK_START_TIMEOUT":      "0s",
		"RELOCK_LOGIN_TIMEOUT":      "never",
		"RELOCK_DRY_RUN":            "yes please",
		"RELOCK_SSH_KNOWN_HOSTS":    "10.0.0.5 ssh-ed25519",
		"RELOCK_SSH_ALLOW_LOOPBACK": "2",
		"RELOCK_TENCENT_SITE":       "international",
		"RELOCK_TENCENT_ENDPOINT":   "ftp://127.0.0.1",
		"RELOCK_HUAWEI_PROJECTS":    "cn-north-4",
		"RELOCK_HUAWEI_ENDPOINT":    "http://10.0.0.5",
		"RELOCK_HUAWEI_BOOT_DELAY":  "soon",
		"RELOCK_AWS_ENDPOINT":       "http://10.0.0.5",
		"RELOCK_CREDENTIALS_SECRET": "\x01",
		"RELOCK_LOG_LEVEL":          "verbose",
	}
}

func TestEveryVariableHasAGoodDefaultOrIsNamed(t *testing.T) {
	bad := garbage()
	for _, v := range config.Variables() {
		_, required := minimal()[v.Name]
		t.Run(v.Name, func(t *testing.T) {
			if bad[v.Name] == "" {
				t.Fatalf("no garbage for %s", v.Name)
			}
			var rows []config.Row
			for what, value := range map[string]string{"unset": "", "empty": "", "blank": " \t "} {
				vars := minimal()
				delete(vars, v.Name)
				if what != "unset" {
					vars[v.Name] = value
				}
				c, err := load(t, vars)
				if required {
					wantFault(t, err, v.Name)
				} else if err != nil {
					t.Errorf("%s: Load() = %v; want a default", what, err)
				}
				rows = append(rows, row(t, c, v.Name))
			}
			for _, r := range rows[1:] {
				if r.Value != rows[0].Value || r.From != rows[0].From {
					t.Errorf("unset, empty and blank differ: %q from %s, %q from %s", rows[0].Value, rows[0].From, r.Value, r.From)
				}
			}
			for what, value := range map[string]string{
				"garbage":             bad[v.Name],
				"too long":            strings.Repeat("x", 5000),
				"control character":   "a\x07b",
				"not UTF-8":           "a\xffb",
				"more than one line":  "a\n@b",
				"not an ASCII number": "٣",
			} {
				c, err := load(t, with(minimal(), v.Name, value))
				if what == "not an ASCII number" && err == nil {
					continue // a user name or a file's name may be anything
				}
				wantFault(t, err, v.Name)
				if r := row(t, c, v.Name); r.Fault == "" || r.Value != "" {
					t.Errorf("%s: Table() shows the value %q and the fault %q; want the fault alone", what, r.Value, r.Fault)
				}
			}
		})
	}
}

// wantFault expects a configuration error that names the variable.
func wantFault(t *testing.T, err error, name string) {
	t.Helper()
	if !errors.Is(err, rotation.ErrConfig) || !regexp.MustCompile(name+`\b`).MatchString(err.Error()) {
		t.Errorf("error %v; want one that matches ErrConfig and names %s", err, name)
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	c, err := load(t, garbage())
	for name := range garbage() {
		wantFault(t, err, name)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(garbage()) {
		t.Errorf("%d faults for %d wrong variables:\n%v", lines, len(garbage()), err)
	}
	if _, openErr := c.Open(t.Context()); !errors.Is(openErr, rotation.ErrConfig) ||
		!strings.Contains(openErr.Error(), "TENCENTCLOUD_SECRET_ID") || !strings.Contains(openErr.Error(), "RELOCK_SECRET") {
		t.Errorf("Open() = %v; want the faults and the missing credentials", openErr)
	}
}

func TestNoFaultShowsASecret(t *testing.T) {
	const secret = "Pa55-w0rd!Pa55-w0rd"
	vars := map[string]string{"TENCENTCLOUD_SECRET_ID": secret, "TENCENTCLOUD_TOKEN": secret}
	for _, name := range []string{"RELOCK_SECRET", "RELOCK_USERNAME", "RELOCK_SSH_KNOWN_HOSTS", "RELOCK_SECRET_KEY"} {
		vars[name] = secret + " " + secret
	}
	vars["RELOCK_TENCENT_ENDPOINT"] = "https://user:" + secret + "@example.com"
	c, err := load(t, vars)
	_, openErr := c.Open(t.Context())
	for _, err := range []error{err, openErr} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v; want one without the secret", err)
		}
	}
	for _, r := range c.Table() {
		if strings.Contains(r.Value+r.Fault, secret) {
			t.Errorf("Table() shows the secret in %s: %q %q", r.Name, r.Value, r.Fault)
		}
	}
}

func TestDefaults(t *testing.T) {
	setenv(t, with(minimal(), "TENCENTCLOUD_SECRET_ID", "AKIDx", "TENCENTCLOUD_SECRET_KEY", "k"))
	r, err := config.Open(t.Context(), config.Command)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	want := rotation.Policy{
		Restart: rotation.RestartNever, Proof: rotation.ProofProvider, Canary: 1, MaxAttempts: 3,
		MaxUnavailable: rotation.Share{Number: 10},
		PollInterval:   5 * time.Second, Settle: 8 * time.Minute, SoftStopTimeout: 5 * time.Minute,
		ResetTimeout: 3 * time.Minute, StartTimeout: 5 * time.Minute, LoginTimeout: 2 * time.Minute,
	}
	if diff := cmp.Diff(want, r.Policy, cmp.Comparer(func(a, b rotation.Window) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("Policy (-want +got):\n%s", diff)
	}
	if r.Verifier != nil || r.Log != nil || r.DryRun || r.Username != "" || r.Calls == nil {
		t.Errorf("Rotator = %+v; want no verifier, no log, no dry run, no user name, and calls", r)
	}
}

func TestEveryValueReachesTheRotator(t *testing.T) {
	setenv(t, map[string]string{
		"TENCENTCLOUD_SECRET_ID": "AKIDx", "TENCENTCLOUD_SECRET_KEY": "k",
		"RELOCK_FLEET": "tencent", "RELOCK_STORE": "tencent", "RELOCK_SECRET": "s", "RELOCK_STORE_REGION": "ap-beijing",
		"RELOCK_REGIONS": " ap-tokyo , ap-seoul, ", "RELOCK_INSTANCES": "ins-1a2b3c4d, ins-2b3c4d5e,ins-1a2b3c4d",
		"RELOCK_TAGS": "rotate=yes, env = prod | staging,team=*", "RELOCK_EXCLUDE_TAGS": "pinned=*", "RELOCK_INCLUDE_KEY_PAIRS": "true",
		"RELOCK_USERNAME": "admin", "RELOCK_PASSWORD_LENGTH": "16", "RELOCK_PASSWORD_RULES": "tencent-2018",
		"RELOCK_RESTART": "graceful", "RELOCK_BATCH_SIZE": "010", "RELOCK_CANARY": "0", "RELOCK_MAX_UNAVAILABLE": "5%",
		"RELOCK_MAX_EXCEPTIONS": "3", "RELOCK_MAX_ATTEMPTS": "2", "RELOCK_PROOF": "login", "RELOCK_WINDOW": "22:00-05:00 Asia/Shanghai",
		"RELOCK_POLL_INTERVAL": "1s", "RELOCK_SETTLE": "4m", "RELOCK_SOFT_STOP_TIMEOUT": "3m", "RELOCK_RESET_TIMEOUT": "61s",
		"RELOCK_START_TIMEOUT": "62s", "RELOCK_LOGIN_TIMEOUT": "63s", "RELOCK_DRY_RUN": "TRUE", "RELOCK_SSH_KNOWN_HOSTS": authority,
		"RELOCK_SSH_ALLOW_LOOPBACK": "true", "RELOCK_TENCENT_SITE": "intl", "RELOCK_TENCENT_ENDPOINT": "http://127.0.0.1:1",
		"RELOCK_LOG_LEVEL": "debug",
	})
	r, err := config.Open(t.Context(), config.Command)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	window, err := rotation.ParseWindow("22:00-05:00 Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	policy := rotation.Policy{
		Restart: rotation.RestartGraceful, Proof: rotation.ProofLogin, Canary: -1, MaxAttempts: 2, BatchSize: 10,
		MaxUnavailable: rotation.Share{Number: 5, Percent: true}, MaxExceptions: 3, IncludeKeyPairs: true,
		PollInterval: time.Second, Settle: 4 * time.Minute, SoftStopTimeout: 3 * time.Minute,
		ResetTimeout: 61 * time.Second, StartTimeout: 62 * time.Second, LoginTimeout: 63 * time.Second, Window: window,
	}
	sameWindow := cmp.Comparer(func(a, b rotation.Window) bool { return a.String() == b.String() })
	if diff := cmp.Diff(policy, r.Policy, sameWindow); diff != "" {
		t.Errorf("Policy (-want +got):\n%s", diff)
	}
	scope := rotation.Selector{
		IDs:         []string{"ins-1a2b3c4d", "ins-2b3c4d5e"},
		Tags:        map[string][]string{"rotate": {"yes"}, "env": {"prod", "staging"}, "team": nil},
		ExcludeTags: map[string][]string{"pinned": nil},
	}
	if diff := cmp.Diff(scope, r.Scope); diff != "" {
		t.Errorf("Scope (-want +got):\n%s", diff)
	}
	var regions []string
	for _, f := range r.Fleets {
		regions = append(regions, f.Region())
	}
	verifier, ok := r.Verifier.(*sshlogin.Verifier)
	got := []any{r.Secret, r.StoreName, r.Home, regions, r.Recipe.Length, r.Username, r.DryRun, ok && verifier.AllowLoopback && verifier.HostKeys != nil}
	want := []any{"s", "Tencent Secrets Manager, ap-beijing", [2]string{"tencent", "ap-beijing"}, []string{"ap-tokyo", "ap-seoul"}, 16, "admin", true, true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Rotator has %v; want %v", got, want)
	}
}

const authority = "@cert-authority * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEX7QnVxpfuzmsMVPwRIPUVQTTV7/u0U0mFqGQy3Yh4p"

func TestWhatDoesNotFitTogetherIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		vars map[string]string
		want []string
	}{
		{"proof by login without host keys", with(minimal(), "RELOCK_PROOF", "login"), []string{"RELOCK_PROOF: ", "RELOCK_SSH_KNOWN_HOSTS"}},
		{"no selection", map[string]string{"RELOCK_SECRET": "s", "RELOCK_REGIONS": "ap-tokyo", "RELOCK_EXCLUDE_TAGS": "a=b"},
			[]string{"RELOCK_INSTANCES: ", "RELOCK_TAGS"}},
		{"less time than a shutdown takes", with(minimal(), "RELOCK_RESTART", "graceful", "RELOCK_SETTLE", "4m"),
			[]string{"RELOCK_SETTLE: ", "RELOCK_SOFT_STOP_TIMEOUT"}},
		{"less time than two looks take", with(minimal(), "RELOCK_SETTLE", "9s"), []string{"RELOCK_SETTLE: ", "RELOCK_POLL_INTERVAL"}},
		{"longer than the rules allow", with(minimal(), "RELOCK_PASSWORD_LENGTH", "17", "RELOCK_PASSWORD_RULES", "tencent-2018"),
			[]string{"RELOCK_PASSWORD_LENGTH: ", "8 to 16"}},
		{"too few bits", with(minimal(), "RELOCK_PASSWORD_LENGTH", "9"), []string{"RELOCK_PASSWORD_LENGTH: ", "bits"}},
		{"no length", with(minimal(), "RELOCK_PASSWORD_LENGTH", "0"), []string{"RELOCK_PASSWORD_LENGTH: "}},
		{"a password in the clear", with(minimal(), "RELOCK_TENCENT_ENDPOINT", "http://10.0.0.8:8080"),
			[]string{"RELOCK_TENCENT_ENDPOINT: ", "https"}},
		{"a fleet that there is not", with(minimal(), "RELOCK_FLEET", "aws"), []string{"RELOCK_FLEET: "}},
		{"a store elsewhere without its region", with(minimal(), "RELOCK_STORE", "aws"), []string{"RELOCK_STORE_REGION: not set"}},
		{"milliseconds for minutes", with(minimal(), "RELOCK_START_TIMEOUT", "50ms"), []string{"RELOCK_START_TIMEOUT: 50ms", "1s or more"}},
		{"one of many ids", with(minimal(), "RELOCK_INSTANCES", "ins-1a2b3c4d,i-0abc"), []string{"RELOCK_INSTANCES: ", "item 2 of 2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.vars)
			for _, want := range tc.want {
				if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), want) {
					t.Errorf("Load() = %v; want %q", err, want)
				}
			}
		})
	}
}

func TestAnUnlistedRegionIsAWarning(t *testing.T) {
	c, err := load(t, with(minimal(), "RELOCK_REGIONS", "ap-guangzhou,ap-atlantis"))
	if err != nil {
		t.Fatalf("Load() = %v; want no error", err)
	}
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0], "RELOCK_REGIONS: ap-atlantis") {
		t.Errorf("Warnings() = %q; want one that names ap-atlantis", w)
	}
}

func TestAMisspelledVariableIsNamed(t *testing.T) {
	for name, want := range map[string]string{
		"RELOCK_TAG":             "did you mean RELOCK_TAGS?",
		"RELOCK_MAXUNAVAILABLE":  "did you mean RELOCK_MAX_UNAVAILABLE?",
		"RELOCK_EXCLUDED_TAGS":   "did you mean RELOCK_EXCLUDE_TAGS?",
		"RELOCK_regions":         "did you mean RELOCK_REGIONS?",
		"RELOCK_GOOGLE_PROJECTS": "relock config --help",
		"RELOCK_FOO":             "relock config --help",
	} {
		_, err := load(t, with(minimal(), name, "x", "RELOCK_OTHER", ""))
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), name+": there is no such variable") ||
			!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "RELOCK_OTHER") {
			t.Errorf("%s: Load() = %v; want %q, and nothing of a blank variable", name, err, want)
		}
	}
}

// TestTheReadmeListsTheVariables compares what `relock config --markdown` prints with the README.
func TestTheReadmeListsTheVariables(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "<!-- variables -->\n")
	got, _, closed := strings.Cut(rest, "<!-- /variables -->")
	if !ok || !closed {
		t.Fatal("README.md has no <!-- variables --> and <!-- /variables -->")
	}
	if diff := cmp.Diff(strings.TrimSpace(config.Markdown()), strings.TrimSpace(got)); diff != "" {
		t.Errorf("README.md differs from relock config --markdown (-want +got):\n%s", diff)
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	fields := reflect.TypeFor[config.Config]()
	all := config.Variables()
	for i, v := range all {
		tag := fields.Field(i).Tag
		if tag.Get("split_words") != "true" || tag.Get("envconfig") != "" {
			t.Errorf("%s: a name of its own, or words not split", v.Name)
		}
		if v.Description == "" || v.Default == "" || !strings.Contains(config.Markdown(), "| `"+v.Name+"` |") {
			t.Errorf("%s: not documented: %+v", v.Name, v)
		}
		if plain := strings.ReplaceAll(strings.ToUpper(fields.Field(i).Name), "_", ""); strings.ReplaceAll(strings.TrimPrefix(v.Name, "RELOCK_"), "_", "") != plain {
			t.Errorf("%s is said to be field %s", v.Name, fields.Field(i).Name)
		}
	}
	if n := fields.NumField(); len(all) > n || fields.Field(len(all)).IsExported() {
		t.Errorf("%d variables of %d fields; want every exported one", len(all), n)
	}
}
