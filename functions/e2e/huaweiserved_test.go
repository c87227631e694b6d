package e2e_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	secrets "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// huaweiSDK prepares a client of the vendor's own SDK from what the cloud printed.
func (a *account) huaweiSDK(t testing.TB, b *core.HcHttpClientBuilder, project string) *core.HcHttpClient {
	t.Helper()
	keys, err := basic.NewCredentialsBuilder().WithAk(a.vars["HUAWEICLOUD_SDK_AK"]).WithSk(a.vars["HUAWEICLOUD_SDK_SK"]).
		WithProjectId(project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := b.WithEndpoint(a.vars["RELOCK_HUAWEI_ENDPOINT"]).WithCredential(keys).
		WithHttpConfig(config.DefaultHttpConfig().WithUserAgent("another client")).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// servers are the machines of all regions, by id.
func (a *account) servers(t testing.TB) map[string]model.ServerDetail {
	t.Helper()
	all := map[string]model.ServerDetail{}
	for pair := range strings.SplitSeq(a.vars["RELOCK_HUAWEI_PROJECTS"], ",") {
		_, project, _ := strings.Cut(pair, "=")
		limit := int32(100)
		client := ecs.NewEcsClient(a.huaweiSDK(t, ecs.EcsClientBuilder(), project))
		found := patiently(t, func() (*model.ListServersDetailsResponse, error) {
			return client.ListServersDetails(&model.ListServersDetailsRequest{Limit: &limit})
		})
		for _, s := range *found.Servers {
			all[s.Id] = s
		}
	}
	return all
}

// unlocks reports whether a password opens a Linux machine now.
func (a *account) unlocks(t testing.TB, s model.ServerDetail, password string) bool {
	t.Helper()
	port := 0
	for _, tag := range *s.Tags {
		if value, ok := strings.CutPrefix(tag, huaweisim.PortTag+"="); ok {
			port, _ = strconv.Atoi(value)
		}
	}
	for _, network := range s.Addresses {
		return opens(t, a.vars["RELOCK_SSH_KNOWN_HOSTS"], network[0].Addr, port, "root", password)
	}
	return false
}

// current is the value at SYSCURRENT.
func (a *account) current(t testing.TB) string {
	t.Helper()
	name := a.vars["RELOCK_SECRET"]
	client := csms.NewCsmsClient(a.huaweiSDK(t, csms.CsmsClientBuilder(), a.vars["HUAWEICLOUD_SDK_PROJECT_ID"]))
	stage := patiently(t, func() (*secrets.ShowSecretStageResponse, error) {
		return client.ShowSecretStage(&secrets.ShowSecretStageRequest{SecretName: name, StageName: "SYSCURRENT"})
	})
	version := patiently(t, func() (*secrets.ShowSecretVersionResponse, error) {
		return client.ShowSecretVersion(&secrets.ShowSecretVersionRequest{SecretName: name, VersionId: *stage.Stage.VersionId})
	})
	return *version.Version.SecretString
}

// patiently asks until there is an answer: the account's quota may be used up by somebody else.
func patiently[T any](t testing.TB, ask func() (T, error)) T {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		answer, err := ask()
		if err == nil {
			return answer
		}
		if time.Since(began) > patience {
			t.Fatal(err)
		}
	}
}

// An operator's day against a served Huawei Cloud, whose printed lines are the only configuration. Windows machines take no
// logins, so they are told to stay behind.
func TestOperatorNeedsNothingButWhatTheHuaweiCloudPrints(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	a := w.serving(t, "huawei", "--instances", "30", "--scale", pace())
	w.relock(t, a.vars, "plan").want(t, 0, "reset, restart", "Nothing was sent and nothing was stored.")
	before := a.servers(t)
	if len(before) != 30 {
		t.Fatalf("%d machines; want 30", len(before))
	}
	vars := with(a.vars, "RELOCK_MAX_EXCEPTIONS", "12")
	r := parsed[rotation.Report](t, w.relock(t, vars, "rotate", "--output", "json").want(t, 0).stdout)
	if r.Outcome != rotation.Rotated || r.Generation != 2 || r.Counts.Scope != 30 || r.Counts.Login == 0 || r.Counts.Unproven == 0 {
		t.Errorf("%s: generation %d, counts %+v; want 2, proven by logins but for Windows", r.Outcome, r.Generation, r.Counts)
	}
	if s := w.status(t, vars); s != (standing{Current: 2, Previous: 1}) {
		t.Errorf("status %+v; want 2, after 1, and nothing pending", s)
	}
	passwords := passwordsIn(a.current(t))
	w.knows(passwords...)
	after := a.servers(t)
	for _, m := range r.Machines {
		s := after[m.ID]
		if s.Status != before[m.ID].Status {
			t.Errorf("machine %s was %s and is %s", m.ID, before[m.ID].Status, s.Status)
		}
		if m.State != rotation.StateProven {
			continue
		}
		if !a.unlocks(t, s, passwords[0]) || a.unlocks(t, s, huaweisim.BaselinePassword) {
			t.Errorf("machine %s is proven and does not open with the current password alone", m.ID)
		}
	}
}
