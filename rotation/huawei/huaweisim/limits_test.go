package huaweisim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func TestSecretsTakeTwentyRequestsASecondInAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{})
		for range 10 {
			_, err := w.value("v1")
			wantCode(t, err, "")
			wantCode(t, w.point("own", "v1"), "")
		}
		_, err := w.value("v1")
		if wantCode(t, err, "APIGW.0308"); w.last.status != 429 {
			t.Errorf("HTTP %d; want 429", w.last.status)
		}
		_, err = w.list(&model.ListServersDetailsRequest{}) // ECS has its own
		wantCode(t, err, "")
		wait(time.Second)
		_, err = w.value("v1")
		wantCode(t, err, "")
	})
}

func TestServersTakeFiftyRequestsASecondOfEachKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{})
		for range 50 {
			_, err := w.list(&model.ListServersDetailsRequest{})
			wantCode(t, err, "")
		}
		_, err := w.list(&model.ListServersDetailsRequest{})
		wantCode(t, err, "APIGW.0308")
		_, err = w.reset(password, w.Add(huaweisim.Machine{}))
		wantCode(t, err, "")
		there := connect(t, w.Cloud, keys{project: w.Project("cn-east-3")})
		_, err = there.list(&model.ListServersDetailsRequest{})
		wantCode(t, err, "")
	})
}

func TestRatesCanBeScaled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Rates: 0.1})
		for _, want := range []string{"", "", "APIGW.0308"} {
			_, err := w.value("v1")
			wantCode(t, err, want)
		}
	})
}
