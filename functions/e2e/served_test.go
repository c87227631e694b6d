package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	secrets "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"
)

// An account is a simulated cloud that `relock cloud` serves from a process of its own, as another client sees it.
type account struct {
	*process
	vars map[string]string // what it printed: the only configuration
}

// startCloud serves Tencent Cloud from a process until the test ends.
func (w *witness) startCloud(t testing.TB, args ...string) *account {
	t.Helper()
	a := w.serving(t, "tencent", args...)
	a.vars["RELOCK_TENCENT_ENDPOINT"] = w.opening(t, passingOn(t, a.vars["RELOCK_TENCENT_ENDPOINT"])).url
	// The last to be registered is the first to be called: the cloud still answers then.
	t.Cleanup(func() {
		for _, value := range a.values(t) {
			w.knows(passwordsIn(value)...)
		}
	})
	return a
}

// serving serves a cloud from a process until the test ends.
func (w *witness) serving(t testing.TB, cloud string, args ...string) *account {
	t.Helper()
	args = append([]string{"cloud", cloud, "--listen", "127.0.0.1:0"}, args...)
	a := &account{process: w.prepare(t, binary(t, relockBinary), nil, args...)}
	printed, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	a.cmd.Stdout = stdout
	a.start(t)
	stdout.Close()
	if err := printed.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(io.TeeReader(printed, a.stdout)) // it closes its output when all is printed
	if err != nil {
		t.Fatalf("read the configuration: %v\n%s", err, a.stderr)
	}
	if a.vars, err = exported(string(text)); err != nil {
		t.Fatal(err)
	}
	return a
}

// passingOn is a handler that passes requests on as they are, and does with a connection what the other side does.
func passingOn(t testing.TB, to string) http.Handler {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// exported reads lines such as export NAME='VALUE' as a POSIX shell does. A quote within a value is '\”.
func exported(text string) (map[string]string, error) {
	vars := map[string]string{}
	for line := range strings.Lines(text) {
		name, quoted, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		name, exports := strings.CutPrefix(name, "export ")
		if !ok || !exports {
			return nil, fmt.Errorf("no line that exports: %q", line)
		}
		var value strings.Builder
		for quoted != "" {
			switch {
			case strings.HasPrefix(quoted, `\'`):
				value.WriteByte('\'')
				quoted = quoted[2:]
			case strings.HasPrefix(quoted, "'") && strings.Contains(quoted[1:], "'"):
				part, rest, _ := strings.Cut(quoted[1:], "'")
				value.WriteString(part)
				quoted = rest
			default:
				return nil, fmt.Errorf("not quoted for a shell: %q", line)
			}
		}
		vars[name] = value.String()
	}
	return vars, nil
}

// sdk prepares a client of the vendor's own SDK for a region.
func (a *account) sdk(client *common.Client, region string) {
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint, _ = strings.Cut(a.vars["RELOCK_TENCENT_ENDPOINT"], "://")
	client.Init(region).WithProfile(p).
		WithCredential(common.NewCredential(a.vars["TENCENTCLOUD_SECRET_ID"], a.vars["TENCENTCLOUD_SECRET_KEY"]))
}

// persistently asks a cloud that may be told to fail until it answers.
func persistently[T any](t testing.TB, ask func() (T, error)) T {
	t.Helper()
	var err error
	for range 50 {
		var answer T
		if answer, err = ask(); err == nil {
			return answer
		}
	}
	t.Fatal(err)
	panic("not reached")
}

// values are all versions of the secret, by version id.
func (a *account) values(t testing.TB) map[string]string {
	t.Helper()
	var client secrets.Client
	a.sdk(&client.Client, a.vars["RELOCK_STORE_REGION"])
	name := a.vars["RELOCK_SECRET"]
	list := persistently(t, func() (*secrets.ListSecretVersionIdsResponse, error) {
		req := secrets.NewListSecretVersionIdsRequest()
		req.SecretName = &name
		return client.ListSecretVersionIds(req)
	})
	all := map[string]string{}
	for _, v := range list.Response.Versions {
		all[*v.VersionId] = *persistently(t, func() (*secrets.GetSecretValueResponse, error) {
			req := secrets.NewGetSecretValueRequest()
			req.SecretName, req.VersionId = &name, v.VersionId
			return client.GetSecretValue(req)
		}).Response.SecretString
	}
	return all
}

// machines are all machines of all regions.
func (a *account) machines(t testing.TB) []*cvm.Instance {
	t.Helper()
	var all []*cvm.Instance
	for region := range strings.SplitSeq(a.vars["RELOCK_REGIONS"], ",") {
		var client cvm.Client
		a.sdk(&client.Client, region)
		all = append(all, persistently(t, func() (*cvm.DescribeInstancesResponse, error) {
			req := cvm.NewDescribeInstancesRequest()
			req.Limit = common.Int64Ptr(100)
			return client.DescribeInstances(req)
		}).Response.InstanceSet...)
	}
	return all
}

// logins are the machines that answer logins now.
func (a *account) logins(t testing.TB) []*cvm.Instance {
	t.Helper()
	var all []*cvm.Instance
	for _, m := range a.machines(t) {
		if *m.InstanceState == "RUNNING" && *m.DefaultLoginUser != "Administrator" {
			all = append(all, m)
		}
	}
	return all
}

// opens reports whether a password opens a machine now.
func (a *account) opens(t testing.TB, m *cvm.Instance, password string) bool {
	t.Helper()
	return opens(t, a.vars["RELOCK_SSH_KNOWN_HOSTS"], *m.PrivateIpAddresses[0], int(*m.DefaultLoginPort), *m.DefaultLoginUser, password)
}

// wantOpen fails the test unless the store holds the generations 1 to generation and every machine that answers logins
// opens with the last one.
func (a *account) wantOpen(t testing.TB, generation int) {
	t.Helper()
	values := a.values(t)
	if len(values) != generation+1 {
		t.Errorf("the secret holds %d versions; want %d generations and current", len(values), generation)
	}
	passwords := passwordsIn(values[slot(generation)])
	if len(passwords) != 1 {
		t.Fatalf("generation %d has %d passwords; want 1", generation, len(passwords))
	}
	tried := a.logins(t)
	for _, m := range tried {
		if !a.opens(t, m, passwords[0]) {
			t.Errorf("machine %s does not open with generation %d", *m.InstanceId, generation)
		}
	}
	if len(tried) == 0 {
		t.Error("no machine answers logins; want some")
	}
}
