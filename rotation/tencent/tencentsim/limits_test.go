package tencentsim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	ssm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// burst calls until the limit refuses, and returns how many calls were let through.
func burst(t *testing.T, call func() error) int {
	t.Helper()
	for n := 0; ; n++ {
		if code(t, call()) == "RequestLimitExceeded" {
			return n
		}
		if n > 1000 {
			t.Fatal("there is no limit")
		}
	}
}

func TestEveryActionHasItsDocumentedRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{})
		for _, tc := range []struct {
			name string
			rate int
			call func() error
		}{
			{"DescribeInstances", 40, func() error { _, err := w.filtered(); return err }},
			{"ResetInstancesPassword", 10, func() error { _, err := w.forceReset(password, "ins-00000000"); return err }},
			{"StopInstances", 10, func() error { return w.stop("SOFT", "ins-00000000") }},
			{"StartInstances", 10, func() error { return w.start("ins-00000000") }},
			{"RebootInstances", 10, func() error { return w.reboot("SOFT", "ins-00000000") }},
			{"GetSecretValue", 300, func() error { _, err := w.get("x", "y"); return err }},
			{"PutSecretValue", 100, func() error { return w.put("x", "y", "z") }},
			{"UpdateSecret", 50, func() error { return w.update("x", "y", "z") }},
			{"ListSecretVersionIds", 40, func() error { _, err := w.versions("x"); return err }},
			{"DeleteSecretVersion", 50, func() error { return w.deleteVersion("x", "y") }},
			{"DescribeSecret", 40, func() error { _, err := w.describeSecret("x"); return err }},
			{"ListSecrets", 30, func() error { _, err := w.ssm.ListSecrets(ssm.NewListSecretsRequest()); return err }},
			{"AttachResourcesTag", 20, func() error { return w.attach("k", "v", "ins-00000000") }},
			{"ModifyResourcesTagValue", 20, func() error { return w.modify("k", "v", "ins-00000000") }},
			{"DetachResourcesTag", 20, func() error { return w.detach("k", "ins-00000000") }},
		} {
			if got := burst(t, tc.call); got != tc.rate {
				t.Errorf("%s: %d requests let through in a second; want %d", tc.name, got, tc.rate)
			}
		}
	})
}

func TestLimitIsASlidingSecondPerActionAndRegion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{})
		look := func() error { return w.start("ins-00000000") }
		for range 5 {
			look()
		}
		wait(600 * time.Millisecond)
		if got := burst(t, look); got != 5 {
			t.Errorf("%d more within the second; want 5", got)
		}
		wait(401 * time.Millisecond)
		if got := burst(t, look); got != 5 {
			t.Errorf("%d more once the first five are a second old; want 5", got)
		}
		other := connect(t, w.Cloud, w.Transport(), "x.example", "ap-shanghai",
			common.NewCredential(tencentsim.DemoSecretID, tencentsim.DemoSecretKey))
		if got := burst(t, func() error { return other.start("ins-00000000") }); got != 10 {
			t.Errorf("%d starts in another region; want 10", got)
		}
	})
}

func TestRatesScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Rates: 2})
		if got := burst(t, func() error { return w.start("ins-00000000") }); got != 20 {
			t.Errorf("%d starts in a second at twice the rate; want 20", got)
		}
	})
}
