package huaweisim_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

const (
	region   = "cn-north-4"
	password = "Another.2025-Xy"
)

// A world is a cloud and the official SDK's clients for its first region, joined without a network.
type world struct {
	*huaweisim.Cloud
	ecs  *ecs.EcsClient
	csms *csms.CsmsClient
	last *recorder
}

func open(t *testing.T, cfg huaweisim.Config) *world {
	t.Helper()
	cloud, err := huaweisim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	return connect(t, cloud, keys{project: cloud.Project(region)})
}

// keys are what a client signs with; empty ones are the demo's.
type keys struct{ access, secret, token, project string }

func connect(t *testing.T, cloud *huaweisim.Cloud, k keys) *world {
	t.Helper()
	if k.access == "" {
		k.access = huaweisim.DemoAccessKey
	}
	if k.secret == "" {
		k.secret = huaweisim.DemoSecretKey
	}
	cred, err := basic.NewCredentialsBuilder().WithAk(k.access).WithSk(k.secret).WithSecurityToken(k.token).WithProjectId(k.project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Cloud: cloud, last: &recorder{next: cloud.Transport()}}
	client := func(b *core.HcHttpClientBuilder) *core.HcHttpClient {
		c, err := b.WithEndpoint("http://simulated.example").WithCredential(cred).
			WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(w.last).WithUserAgent("huaweisim-test")).SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w.ecs = ecs.NewEcsClient(client(ecs.EcsClientBuilder()))
	w.csms = csms.NewCsmsClient(client(csms.CsmsClientBuilder()))
	return w
}

// A recorder keeps the last answer's body, because the SDK drops internalError.
type recorder struct {
	next   http.RoundTripper
	status int
	body   []byte
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.status, r.body = 0, nil
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	r.status = response.StatusCode
	r.body, err = io.ReadAll(response.Body)
	response.Body = io.NopCloser(&reader{b: r.body})
	return response, err
}

type reader struct{ b []byte }

func (r *reader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// refused returns the codes of the last answer's internalError by id.
func (w *world) refused(t *testing.T) map[string]string {
	t.Helper()
	var answer struct {
		InternalError []struct {
			ID   string `json:"id"`
			Code string `json:"error_code"`
		} `json:"internalError"`
	}
	if err := json.Unmarshal(w.last.body, &answer); err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	for _, e := range answer.InternalError {
		codes[e.ID] = e.Code
	}
	return codes
}

// code is the API's error code in err, "network" for an answer that was none, empty for nil.
func code(err error) string {
	if err == nil {
		return ""
	}
	if failure := (*sdkerr.ServiceResponseError)(nil); errors.As(err, &failure) {
		return failure.ErrorCode
	}
	return "network"
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("error code = %q (%v); want %q", got, err, want)
	}
}

func ptr[T any](v T) *T { return &v }

// machine returns the machine with an id as it is now.
func (w *world) machine(t *testing.T, id string) huaweisim.Machine {
	t.Helper()
	for _, m := range w.Machines() {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no machine %s", id)
	return huaweisim.Machine{}
}

func servers(ids []string) []model.ServerId {
	out := []model.ServerId{}
	for _, id := range ids {
		out = append(out, model.ServerId{Id: id})
	}
	return out
}

// reset returns the ids that the answer names.
func (w *world) reset(password string, ids ...string) ([]string, error) {
	return w.resetOr(false, password, ids...)
}

func (w *world) resetOr(dry bool, password string, ids ...string) ([]string, error) {
	resp, err := w.ecs.BatchResetServersPassword(&model.BatchResetServersPasswordRequest{Body: &model.BatchResetServersPasswordRequestBody{
		NewPassword: password, DryRun: &dry, Servers: servers(ids)}})
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, s := range *resp.Response {
		out = append(out, s.Id)
	}
	return out, nil
}

func (w *world) reboot(hard bool, ids ...string) (job string, err error) {
	how := model.GetBatchRebootSeversOptionTypeEnum().SOFT
	if hard {
		how = model.GetBatchRebootSeversOptionTypeEnum().HARD
	}
	resp, err := w.ecs.BatchRebootServers(&model.BatchRebootServersRequest{Body: &model.BatchRebootServersRequestBody{
		Reboot: &model.BatchRebootSeversOption{Type: how, Servers: servers(ids)}}})
	if err != nil {
		return "", err
	}
	return *resp.JobId, nil
}

func (w *world) stop(hard bool, ids ...string) (job string, err error) {
	how := model.GetBatchStopServersOptionTypeEnum().SOFT
	if hard {
		how = model.GetBatchStopServersOptionTypeEnum().HARD
	}
	resp, err := w.ecs.BatchStopServers(&model.BatchStopServersRequest{Body: &model.BatchStopServersRequestBody{
		OsStop: &model.BatchStopServersOption{Type: &how, Servers: servers(ids)}}})
	if err != nil {
		return "", err
	}
	return *resp.JobId, nil
}

func (w *world) start(ids ...string) (job string, err error) {
	resp, err := w.ecs.BatchStartServers(&model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
		OsStart: &model.BatchStartServersOption{Servers: servers(ids)}}})
	if err != nil {
		return "", err
	}
	return *resp.JobId, nil
}

func (w *world) job(t *testing.T, id string) *model.ShowJobResponse {
	t.Helper()
	resp, err := w.ecs.ShowJob(&model.ShowJobRequest{JobId: id})
	if err != nil {
		t.Fatalf("ShowJob(%s): %v", id, err)
	}
	return resp
}

// listed is one machine as ListServersDetails tells of it.
func (w *world) listed(t *testing.T, id string) model.ServerDetail {
	t.Helper()
	found, err := w.list(&model.ListServersDetailsRequest{ServerId: &id})
	if err != nil || len(found) != 1 {
		t.Fatalf("ListServersDetails(%s): %d servers, %v", id, len(found), err)
	}
	return found[0]
}

func (w *world) list(r *model.ListServersDetailsRequest) ([]model.ServerDetail, error) {
	resp, err := w.ecs.ListServersDetails(r)
	if err != nil {
		return nil, err
	}
	return *resp.Servers, nil
}

// wait passes time; in a bubble it costs none.
func wait(d time.Duration) { time.Sleep(d) }
