package tencentsim_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	ssm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func (w *world) create(name, version, value string) error {
	r := ssm.NewCreateSecretRequest()
	r.SecretName, r.VersionId, r.SecretString = &name, &version, &value
	_, err := w.ssm.CreateSecret(r)
	return err
}

func (w *world) put(name, version, value string) error {
	r := ssm.NewPutSecretValueRequest()
	r.SecretName, r.VersionId, r.SecretString = &name, &version, &value
	_, err := w.ssm.PutSecretValue(r)
	return err
}

func (w *world) update(name, version, value string) error {
	r := ssm.NewUpdateSecretRequest()
	r.SecretName, r.VersionId, r.SecretString = &name, &version, &value
	_, err := w.ssm.UpdateSecret(r)
	return err
}

func (w *world) get(name, version string) (string, error) {
	r := ssm.NewGetSecretValueRequest()
	r.SecretName, r.VersionId = &name, &version
	resp, err := w.ssm.GetSecretValue(r)
	if err != nil {
		return "", err
	}
	return *resp.Response.SecretString, nil
}

func (w *world) versions(name string) ([]string, error) {
	r := ssm.NewListSecretVersionIdsRequest()
	r.SecretName = &name
	resp, err := w.ssm.ListSecretVersionIds(r)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, v := range resp.Response.Versions {
		ids = append(ids, *v.VersionId)
	}
	return ids, nil
}

func (w *world) deleteVersion(name, version string) error {
	r := ssm.NewDeleteSecretVersionRequest()
	r.SecretName, r.VersionId = &name, &version
	_, err := w.ssm.DeleteSecretVersion(r)
	return err
}

func (w *world) describeSecret(name string) (*ssm.DescribeSecretResponse, error) {
	r := ssm.NewDescribeSecretRequest()
	r.SecretName = &name
	return w.ssm.DescribeSecret(r)
}

func TestSecretLivesThroughItsVersions(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	wantCode(t, w.create("s", "v1", "one"), "")
	wantCode(t, w.create("s", "v9", "again"), "ResourceInUse.SecretExists")
	wantCode(t, w.put("s", "v2", "two"), "")
	wantCode(t, w.put("s", "v2", "other"), "ResourceInUse.VersionIdExists")
	wantCode(t, w.update("s", "v1", "uno"), "")
	wantCode(t, w.update("s", "v3", "tres"), "ResourceNotFound")
	if got, err := w.get("s", "v1"); got != "uno" || err != nil {
		t.Errorf("Get(v1) = %q, %v; want uno", got, err)
	}
	if got, err := w.get("s", "v2"); got != "two" || err != nil {
		t.Errorf("Get(v2) = %q, %v; want two: a refused put changes nothing", got, err)
	}
	if ids, err := w.versions("s"); !slices.Equal(ids, []string{"v2", "v1"}) || err != nil {
		t.Errorf("versions = %q, %v; want v2 v1", ids, err)
	}
	wantCode(t, w.deleteVersion("s", "v2"), "")
	wantCode(t, w.deleteVersion("s", "v2"), "ResourceNotFound")
	_, err := w.get("s", "v2")
	wantCode(t, err, "ResourceNotFound")
	if got := w.Secret("s"); len(got) != 1 || got["v1"] != "uno" {
		t.Errorf("Secret(s) = %q; want v1 uno", got)
	}
	if w.Secret("none") != nil {
		t.Error("a secret that does not exist is not nil")
	}
}

func TestSecretMayHaveNoVersions(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret("empty", nil)
	if ids, err := w.versions("empty"); len(ids) != 0 || err != nil {
		t.Errorf("versions = %q, %v; want none", ids, err)
	}
	_, err := w.get("empty", "current")
	wantCode(t, err, "ResourceNotFound")
	_, err = w.get("none", "current")
	wantCode(t, err, "ResourceNotFound.SecretNotExist")
	_, err = w.versions("none")
	wantCode(t, err, "ResourceNotFound")
	if got, err := w.describeSecret("empty"); err != nil || *got.Response.Status != "Enabled" {
		t.Errorf("DescribeSecret: %v, %v; want Enabled", got, err)
	}
}

func TestSecretHoldsTenVersions(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret("s", nil)
	for i := range 10 {
		wantCode(t, w.put("s", fmt.Sprintf("v%d", i), "x"), "")
	}
	wantCode(t, w.put("s", "v10", "x"), "LimitExceeded")
	wantCode(t, w.update("s", "v3", "y"), "")
	wantCode(t, w.deleteVersion("s", "v0"), "")
	wantCode(t, w.put("s", "v10", "x"), "")
}

func TestOnlyOneOfManyPutsOfAVersionWins(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret("s", nil)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if w.put("s", "v1", fmt.Sprint(i)) == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d puts of one version succeeded; want 1", won.Load())
	}
}

func TestSecretParametersAreValidated(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	for _, tc := range []struct{ name, version, value, want string }{
		{"n1", "v1", strings.Repeat("x", 4096), ""},
		{"n2", "v1", strings.Repeat("x", 4097), "InvalidParameterValue"},
		{"n3", "v1", "", "InvalidParameterValue"},
		{"", "v1", "x", "MissingParameter"},
		{strings.Repeat("n", 128), "v1", "x", ""},
		{strings.Repeat("n", 129), "v1", "x", "InvalidParameterValue"},
		{"-n", "v1", "x", "InvalidParameterValue"},
		{"a/b", "v1", "x", "InvalidParameterValue"},
		{"a.b", "v1", "x", "InvalidParameterValue"},
		{"n4", "1.a_B-", "x", ""},
		{"n5", ".v", "x", "InvalidParameterValue"},
		{"n6", "v 1", "x", "InvalidParameterValue"},
		{"n7", strings.Repeat("v", 65), "x", "InvalidParameterValue"},
	} {
		err := w.create(tc.name, tc.version, tc.value)
		if got := code(t, err); got != tc.want {
			t.Errorf("create(%.10q, %.10q, %d bytes) = %v; want %q", tc.name, tc.version, len(tc.value), err, tc.want)
		}
	}
	wantCode(t, w.put("n1", "", "x"), "MissingParameter")
	both := ssm.NewPutSecretValueRequest()
	both.SecretName, both.VersionId = ptr("n1"), ptr("v2")
	both.SecretString, both.SecretBinary = ptr("x"), ptr("eA==")
	_, err := w.ssm.PutSecretValue(both)
	wantCode(t, err, "InvalidParameterValue")
	both.SecretString, both.SecretBinary = nil, ptr("not base64")
	_, err = w.ssm.PutSecretValue(both)
	wantCode(t, err, "InvalidParameterValue")
}

func TestBinarySecretsComeBackAsBase64(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	raw := base64.StdEncoding.EncodeToString(make([]byte, 4096))
	r := ssm.NewCreateSecretRequest()
	r.SecretName, r.SecretBinary = ptr("b"), &raw
	created, err := w.ssm.CreateSecret(r)
	if err != nil || *created.Response.VersionId != "SSM_Current" {
		t.Fatalf("create without a version id: %v, %v; want SSM_Current", created, err)
	}
	g := ssm.NewGetSecretValueRequest()
	g.SecretName, g.VersionId = ptr("b"), ptr("SSM_Current")
	got, err := w.ssm.GetSecretValue(g)
	if err != nil || *got.Response.SecretBinary != raw || *got.Response.SecretString != "" {
		t.Errorf("binary value did not come back: %v", err)
	}
}

func TestSecretStatesAllowWhatTheDocumentsSay(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret("s", map[string]string{"v1": "x", "v2": "x"})
	w.SetSecretStatus("s", tencentsim.SecretDisabled)
	_, err := w.get("s", "v1")
	wantCode(t, err, "ResourceUnavailable.ResourceDisabled")
	wantCode(t, w.put("s", "v3", "x"), "")
	wantCode(t, w.update("s", "v1", "y"), "")
	w.SetSecretStatus("s", tencentsim.SecretPendingDelete)
	_, err = w.get("s", "v1")
	wantCode(t, err, "ResourceUnavailable.ResourcePendingDeleted")
	wantCode(t, w.put("s", "v4", "x"), "ResourceUnavailable.ResourcePendingDeleted")
	wantCode(t, w.update("s", "v1", "z"), "ResourceUnavailable.ResourcePendingDeleted")
	wantCode(t, w.deleteVersion("s", "v2"), "")
	if got, err := w.describeSecret("s"); err != nil || *got.Response.Status != "PendingDelete" {
		t.Errorf("status %v, %v; want PendingDelete", got, err)
	}
}

func TestSecretsAreListed(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	for i := range 25 {
		w.PutSecret(fmt.Sprintf("app-%02d", i), nil)
	}
	w.SetSecretStatus("app-07", tencentsim.SecretDisabled)
	list := func(edit func(*ssm.ListSecretsRequest)) (int, []string) {
		t.Helper()
		r := ssm.NewListSecretsRequest()
		edit(r)
		resp, err := w.ssm.ListSecrets(r)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range resp.Response.SecretMetadatas {
			names = append(names, *s.SecretName)
		}
		return int(*resp.Response.TotalCount), names
	}
	if total, names := list(func(*ssm.ListSecretsRequest) {}); total != 26 || len(names) != 20 || names[0] != "app-24" {
		t.Errorf("first page: %d of %d, from %s; want 20 of 26, newest first", len(names), total, names[0])
	}
	if total, names := list(func(r *ssm.ListSecretsRequest) { r.OrderType, r.Offset = ptr[uint64](1), ptr[uint64](20) }); total != 26 || len(names) != 6 || names[5] != "app-24" {
		t.Errorf("second page ascending: %q of %d", names, total)
	}
	if total, names := list(func(r *ssm.ListSecretsRequest) { r.State = ptr[uint64](2) }); total != 1 || names[0] != "app-07" {
		t.Errorf("disabled: %q", names)
	}
	if total, _ := list(func(r *ssm.ListSecretsRequest) { r.SearchSecretName = ptr("app-1") }); total != 10 {
		t.Errorf("%d secrets match app-1; want 10", total)
	}
}

func TestSecretsBelongToARegion(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	other := connect(t, w.Cloud, w.Transport(), "x.example", "ap-shanghai",
		common.NewCredential(tencentsim.DemoSecretID, tencentsim.DemoSecretKey))
	_, err := other.get(tencentsim.DemoSecret, tencentsim.DemoVersion)
	wantCode(t, err, "ResourceNotFound.SecretNotExist")
	wantCode(t, other.create(tencentsim.DemoSecret, "v1", "x"), "")
}

func TestARegionHoldsAThousandSecrets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{})
		for i := range 999 {
			w.PutSecret(fmt.Sprintf("s%d", i), nil)
		}
		wantCode(t, w.create("one-more", "v", "x"), "LimitExceeded")
	})
}

func TestDemoSecretHoldsTheBaseline(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Instances: 3})
	value, err := w.get(tencentsim.DemoSecret, tencentsim.DemoVersion)
	if err != nil {
		t.Fatal(err)
	}
	var stored struct{ Username, Password *string }
	if err := json.Unmarshal([]byte(value), &stored); err != nil || *stored.Username != "" || *stored.Password != tencentsim.BaselinePassword {
		t.Errorf("demo secret = %s, %v", value, err)
	}
	for _, m := range w.Machines() {
		if m.Password != tencentsim.BaselinePassword {
			t.Errorf("machine %s does not begin with the baseline password", m.ID)
		}
	}
}
