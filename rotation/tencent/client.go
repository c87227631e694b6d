package tencent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	secrets "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"
	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"
	"golang.org/x/time/rate"

	"github.com/relock-project/relock/rotation"
)

// An api is one action, named as a person would look it up, and how many requests a second it takes per region and
// account. CVM: https://cloud.tencent.com/document/api/213/15689, Secrets Manager:
// https://www.tencentcloud.com/document/product/1078/38633, tags: https://www.tencentcloud.com/document/product/651/37823.
type api struct {
	name      string
	perSecond float64
}

var (
	describeInstances = api{"cvm DescribeInstances", 40}
	resetPassword     = api{"cvm ResetInstancesPassword", 10}
	stopInstances     = api{"cvm StopInstances", 10}
	startInstances    = api{"cvm StartInstances", 10}
	rebootInstances   = api{"cvm RebootInstances", 10}

	attachTag = api{"tag AttachResourcesTag", 20}
	modifyTag = api{"tag ModifyResourcesTagValue", 20}
	createTag = api{"tag CreateTag", 20}

	getSecret     = api{"secrets GetSecretValue", 300}
	listVersions  = api{"secrets ListSecretVersionIds", 40}
	putSecret     = api{"secrets PutSecretValue", 100}
	updateSecret  = api{"secrets UpdateSecret", 50}
	deleteVersion = api{"secrets DeleteSecretVersion", 50}
)

// share of the documented rate that is used. At the full rate a request that is delayed on its way meets the next one
// in the provider's second, and one of them is refused.
const share = 0.95

// client makes requests in one region. It may be used by several goroutines: the SDK's clients are only read after they
// are made, and every request is an object of its own.
type client struct {
	region  string
	cvm     cvm.Client
	tag     tag.Client
	secrets secrets.Client
	limits  map[api]*rate.Limiter
	calls   *rotation.Calls
	timeout time.Duration
}

func newClient(cfg Config, region string) (*client, error) {
	if err := cfg.check(region); err != nil {
		return nil, err
	}
	c := &client{region: region, calls: cfg.Calls, timeout: cfg.timeout(), limits: map[api]*rate.Limiter{}}
	for _, a := range []api{
		describeInstances, resetPassword, stopInstances, startInstances, rebootInstances,
		attachTag, modifyTag, createTag,
		getSecret, listVersions, putSecret, updateSecret, deleteVersion,
	} {
		// No burst: a burst of 10 would let 19 requests into one second.
		c.limits[a] = rate.NewLimiter(rate.Limit(a.perSecond*share), 1)
	}
	transport := cfg.newTransport()
	for service, sdk := range map[string]*common.Client{"cvm": &c.cvm.Client, "tag": &c.tag.Client, "ssm": &c.secrets.Client} {
		sdk.Init(region).WithCredential(credential(cfg.Credentials)).WithProfile(cfg.profile(service, region)).WithHttpTransport(transport)
	}
	return c, nil
}

// profile turns everything off that the SDK would do by itself: retries, which know no context, and the change to
// another region's hosts. Its debug output, which holds whole requests, is never turned on.
func (cfg Config) profile(service, region string) *profile.ClientProfile {
	p := profile.NewClientProfile()
	p.Language = "en-US"
	p.DisableRegionBreaker = true
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint = cfg.host(service, region)
	p.HttpProfile.ReqTimeout = 0 // the context has it
	return p
}

// send makes one request when its turn has come, and counts it. do checks the answer with answered. veil, which may
// be nil, hides what the request held from the provider's messages.
func (c *client) send(ctx context.Context, a api, v veil, do func(context.Context) error) error {
	if err := c.limits[a].Wait(ctx); err != nil {
		return unsent(ctx, a)
	}
	c.calls.Add(a.name)
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := guarded(func() error { return do(limited) })
	if err == nil {
		return nil
	}
	failure := c.failure(ctx, limited, a, v, err)
	if errors.Is(failure, rotation.ErrThrottled) {
		c.calls.Throttled()
	}
	return failure
}

// errNoContent is an answer without the content that every answer has.
var errNoContent = errors.New("an answer without content")

// answered checks that an answer has content.
func answered[T any](body *T) error {
	if body == nil {
		return errNoContent
	}
	return nil
}

// guarded turns a panic into an unreadable answer. The SDK has one: it follows nil where an answer is the JSON null
// (common/http/response.go, TryReadErr, v1.3.209). What was panicked with is not kept: it may hold the answer.
func guarded(do func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errNoContent
		}
	}()
	return do()
}

// unsent is the error of a request whose turn does not come before ctx ends.
func unsent(ctx context.Context, a api) error {
	e := &apiError{api: a.name, message: "not sent: the run ends first", kinds: []error{rotation.ErrNotApplied}}
	if ctx.Err() != nil {
		e.cause = ended(ctx)
	} else {
		e.cause = context.DeadlineExceeded
	}
	return e
}

// ended is why ctx ended; it matches ctx.Err() whatever the cause is.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}
