package huawei_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// CSMS takes its requests of all kinds together: https://support.huaweicloud.com/intl/en-us/api-dew/dew_02_0006.html.
func TestAllRequestsForSecretsShareOneQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := huaweisim.New(huaweisim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer cloud.Close()
		const region = "cn-north-4"
		calls := &rotation.Calls{}
		store, err := huawei.NewStore(huawei.Config{
			Credentials: huawei.Static(huaweisim.DemoAccessKey, huaweisim.DemoSecretKey, ""),
			Projects:    map[string]string{region: cloud.Project(region)},
			Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(), Calls: calls,
		}, region)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := store.History(t.Context(), huaweisim.DemoSecret); err != nil {
					t.Errorf("History: %v", err)
				}
			})
		}
		all.Wait()
		sent, throttled := calls.Counts()
		if throttled != 0 || len(sent) < 2 {
			t.Errorf("%d requests throttled of %v; want none of several kinds", throttled, sent)
		}
	})
}
