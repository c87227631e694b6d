package huawei_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// Others of the account use the quota up, and gateways fail: what only reads is asked again.
func TestAPassingFailureDoesNotHideASecret(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"throttle", "bad-gateway", "lost-reply"} {
		for _, action := range []string{"ShowSecretStage", "ShowSecretVersion", "ListSecretVersions"} {
			synctest.Test(t, func(t *testing.T) {
				cloud, store := store(t)
				cloud.FailNext(action, 1, fault)
				cloud.FailNext(action, 2, fault)
				if all, err := store.History(t.Context(), huaweisim.DemoSecret); err != nil || len(all) != 1 {
					t.Errorf("%s of %s: %d versions, %v; want 1", fault, action, len(all), err)
				}
			})
		}
	}
}

// CSMS takes its requests of all kinds together: https://support.huaweicloud.com/intl/en-us/api-dew/dew_02_0006.html.
func TestAllRequestsForSecretsShareOneQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, store := store(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := store.History(t.Context(), huaweisim.DemoSecret); err != nil {
					t.Errorf("History: %v", err)
				}
			})
		}
		all.Wait()
		kinds := map[string]bool{}
		for _, r := range cloud.Requests() {
			if kinds[r.Action] = true; r.Code != "" {
				t.Errorf("%s was answered %s", r.Action, r.Code)
			}
		}
		if len(kinds) < 2 {
			t.Errorf("only %v was asked; want several kinds", kinds)
		}
	})
}

// store is one on a cloud without a network.
func store(t *testing.T) (*huaweisim.Cloud, rotation.Store) {
	t.Helper()
	cloud, err := huaweisim.New(huaweisim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	const region = "cn-north-4"
	s, err := huawei.NewStore(huawei.Config{
		Credentials: huawei.Static(huaweisim.DemoAccessKey, huaweisim.DemoSecretKey, ""),
		Projects:    map[string]string{region: cloud.Project(region)},
		Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(),
	}, region)
	if err != nil {
		t.Fatal(err)
	}
	return cloud, s
}
