package tencentsim_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	ssm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"
	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

const (
	region   = "ap-guangzhou"
	password = "Another.2025-Xy"
)

// A world is a cloud and the official SDK's clients for its first region, joined without a network.
type world struct {
	*tencentsim.Cloud
	cvm *cvm.Client
	ssm *ssm.Client
	tag *tag.Client
}

func open(t *testing.T, cfg tencentsim.Config) *world {
	t.Helper()
	cloud, err := tencentsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	return connect(t, cloud, cloud.Transport(), "simulated.example", region,
		common.NewCredential(tencentsim.DemoSecretID, tencentsim.DemoSecretKey))
}

func connect(t *testing.T, cloud *tencentsim.Cloud, via http.RoundTripper, endpoint, region string, cred *common.Credential) *world {
	t.Helper()
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme = "HTTP"
	p.HttpProfile.Endpoint = endpoint
	p.Language = "en-US"
	w := &world{Cloud: cloud}
	var err error
	if w.cvm, err = cvm.NewClient(cred, region, p); err != nil {
		t.Fatal(err)
	}
	if w.ssm, err = ssm.NewClient(cred, region, p); err != nil {
		t.Fatal(err)
	}
	if w.tag, err = tag.NewClient(cred, region, p); err != nil {
		t.Fatal(err)
	}
	w.cvm.WithHttpTransport(via)
	w.ssm.WithHttpTransport(via)
	w.tag.WithHttpTransport(via)
	return w
}

// code is the API's error code in err, empty for nil.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	if failure := (*sdkerrors.TencentCloudSDKError)(nil); errors.As(err, &failure) {
		return failure.Code
	}
	t.Fatalf("error %v is not the SDK's", err)
	return ""
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if got := code(t, err); got != want {
		t.Errorf("error code = %q (%v); want %q", got, err, want)
	}
}

func ptr[T any](v T) *T { return &v }

// machine returns the machine with an id as it is now.
func (w *world) machine(t *testing.T, id string) tencentsim.Machine {
	t.Helper()
	for _, m := range w.Machines() {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no machine %s", id)
	return tencentsim.Machine{}
}

// reset resets stopped machines; forceReset resets running ones too.
func (w *world) reset(password string, ids ...string) (requestID string, err error) {
	r := cvm.NewResetInstancesPasswordRequest()
	r.InstanceIds, r.Password = common.StringPtrs(ids), &password
	return w.send(r)
}

func (w *world) forceReset(password string, ids ...string) (requestID string, err error) {
	r := cvm.NewResetInstancesPasswordRequest()
	r.InstanceIds, r.Password, r.ForceStop = common.StringPtrs(ids), &password, ptr(true)
	return w.send(r)
}

func (w *world) send(r *cvm.ResetInstancesPasswordRequest) (requestID string, err error) {
	resp, err := w.cvm.ResetInstancesPassword(r)
	if err != nil {
		return "", err
	}
	return *resp.Response.RequestId, nil
}

func (w *world) stop(how string, ids ...string) error {
	r := cvm.NewStopInstancesRequest()
	r.InstanceIds = common.StringPtrs(ids)
	r.StopType = &how
	_, err := w.cvm.StopInstances(r)
	return err
}

func (w *world) start(ids ...string) error {
	r := cvm.NewStartInstancesRequest()
	r.InstanceIds = common.StringPtrs(ids)
	_, err := w.cvm.StartInstances(r)
	return err
}

func (w *world) reboot(how string, ids ...string) error {
	r := cvm.NewRebootInstancesRequest()
	r.InstanceIds = common.StringPtrs(ids)
	r.StopType = &how
	_, err := w.cvm.RebootInstances(r)
	return err
}

// shown is one machine as DescribeInstances tells of it.
func (w *world) shown(t *testing.T, id string) *cvm.Instance {
	t.Helper()
	r := cvm.NewDescribeInstancesRequest()
	r.InstanceIds = []*string{&id}
	resp, err := w.cvm.DescribeInstances(r)
	if err != nil || len(resp.Response.InstanceSet) != 1 {
		t.Fatalf("DescribeInstances(%s): %d instances, %v", id, len(resp.Response.InstanceSet), err)
	}
	return resp.Response.InstanceSet[0]
}

func (w *world) filtered(filters ...*cvm.Filter) ([]string, error) {
	r := cvm.NewDescribeInstancesRequest()
	r.Filters = filters
	r.Limit = ptr[int64](100)
	resp, err := w.cvm.DescribeInstances(r)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, i := range resp.Response.InstanceSet {
		ids = append(ids, *i.InstanceId)
	}
	return ids, nil
}

func by(name string, values ...string) *cvm.Filter {
	return &cvm.Filter{Name: &name, Values: common.StringPtrs(values)}
}

// wait passes time; in a bubble it costs none.
func wait(d time.Duration) { time.Sleep(d) }
