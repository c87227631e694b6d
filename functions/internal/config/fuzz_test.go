package config_test

import (
	"errors"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// FuzzEnvFileKeepsQuiet: a line that does not belong into an environment file may be a key; no fault shows it.
func FuzzEnvFileKeepsQuiet(f *testing.F) {
	const key = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3"
	for _, before := range []string{
		"TENCENTCLOUD_SECRET_KEY=", "export AWS_SECRET_ACCESS_KEY='", "", "# ", "=", "RELOCK_SECRET=x\n", "A B=", "relock_secret=", "\x00", "'\n",
	} {
		f.Add(before)
	}
	f.Fuzz(func(t *testing.T, before string) {
		last := before[strings.LastIndex(before, "\n")+1:]
		if strings.Contains(last, "RELOCK_") {
			return // a fault of a variable of ours may quote its value
		}
		c, err := config.Load(config.Command, write(t, "f.env", before+key+"\n"))
		if err != nil && (strings.Contains(err.Error(), key) || !errors.Is(err, rotation.ErrConfig)) {
			t.Errorf("Load() = %v", err)
		}
		for _, r := range c.Table() {
			if strings.Contains(r.Value+r.From+r.Fault, key) {
				t.Errorf("%s shows the line: %+v", r.Name, r)
			}
		}
		for _, w := range c.Warnings() {
			if strings.Contains(w, key) {
				t.Errorf("a warning shows the line: %s", w)
			}
		}
	})
}

// FuzzEndpoint: what is taken for an endpoint is an address to which no password travels in the clear.
func FuzzEndpoint(f *testing.F) {
	for _, endpoint := range []string{
		"https://gateway.example.com", "http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:1", "http://10.0.0.1", "http://127.0.0.1.example",
		"http://user:pass@127.0.0.1", "https://h?x", "HTTP://LOCALHOST", "http://localhost.", "//h", "http://127.1", "http://[::ffff:127.0.0.1]:1",
	} {
		f.Add(endpoint)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		if strings.ContainsAny(endpoint, "'\r\n") {
			return
		}
		c, err := config.Load(config.Command, write(t, "f.env",
			"RELOCK_SECRET=s\nRELOCK_REGIONS=ap-guangzhou\nRELOCK_TAGS=a=b\nRELOCK_TENCENT_ENDPOINT='"+endpoint+"'\n"))
		if err != nil || c.TencentEndpoint == "" {
			return
		}
		u, err := url.Parse(c.TencentEndpoint)
		if err != nil || u.Hostname() == "" || u.User != nil {
			t.Fatalf("%q is taken for an endpoint: %v, %v", endpoint, u, err)
		}
		ip, err := netip.ParseAddr(u.Hostname())
		here := u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
		if u.Scheme != "https" && !(u.Scheme == "http" && here) {
			t.Errorf("passwords would travel to %q in the clear", endpoint)
		}
	})
}

// FuzzListFile: a list in a file means what is written there, no more and no less.
func FuzzListFile(f *testing.F) {
	for _, text := range []string{
		"ins-00000001\nins-00000002 # the second\n", "# none\n", "ins-00000001,ins-00000002", "@other", "\ufeffins-00000001\r\n", "ins-00000001\x00", "a=b|c\n", "#ins-00000001",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := write(t, "f.env", "RELOCK_SECRET=s\nRELOCK_REGIONS=ap-guangzhou\nRELOCK_INSTANCES=@ids\n")
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "ids"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Command, path)
		if err != nil {
			return
		}
		if len(c.Instances) == 0 {
			t.Errorf("%q is a list of nothing, without a fault", text)
		}
		var want []string
		for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			want = append(want, strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", \t\r", r) })...)
		}
		for _, id := range c.Instances {
			if !slices.Contains(want, id) {
				t.Errorf("%q lists %q, and %q was read", text, want, id)
			}
		}
	})
}
