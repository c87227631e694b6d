package huawei

import (
	"context"
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"

	"github.com/relock-project/relock/rotation/wire"
)

// The APIs, and how many requests a second are sent of each. Huawei documents no rates for ECS: these are ours, and what is
// too often is answered by 429, after which the engine waits. CSMS takes 20 requests a second of all kinds together
// (https://support.huaweicloud.com/intl/en-us/api-dew/dew_02_0006.html). Of starts, stops and restarts ECS takes 1,000
// machines a minute (https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/apis_recommended/batch_operations/index.html):
// they are counted in machines.
var (
	listServers  = wire.API{Name: "ecs ListServersDetails", PerSecond: 40}
	resetServers = wire.API{Name: "ecs BatchResetServersPassword", PerSecond: 10}
	resetFlag    = wire.API{Name: "ecs ShowResetPasswordFlag", PerSecond: 40}
	showJob      = wire.API{Name: "ecs ShowJob", PerSecond: 40}
	tagServer    = wire.API{Name: "ecs BatchCreateServerTags", PerSecond: 40}

	stopServers   = wire.API{Name: "ecs BatchStopServers", PerSecond: machinesASecond, Burst: maxBatch}
	startServers  = wire.API{Name: "ecs BatchStartServers", PerSecond: machinesASecond, Burst: maxBatch}
	rebootServers = wire.API{Name: "ecs BatchRebootServers", PerSecond: machinesASecond, Burst: maxBatch}

	showStage     = wire.API{Name: "csms ShowSecretStage", PerSecond: 20, Quota: csmsService}
	showVersion   = wire.API{Name: "csms ShowSecretVersion", PerSecond: 20, Quota: csmsService}
	listVersions  = wire.API{Name: "csms ListSecretVersions", PerSecond: 20, Quota: csmsService}
	createVersion = wire.API{Name: "csms CreateSecretVersion", PerSecond: 20, Quota: csmsService}
	updateStage   = wire.API{Name: "csms UpdateSecretStage", PerSecond: 20, Quota: csmsService}
	deleteStage   = wire.API{Name: "csms DeleteSecretStage", PerSecond: 20, Quota: csmsService}
)

// machinesASecond leaves room for a burst of one batch within any minute's 1,000.
const machinesASecond = (1000 - maxBatch) / 60.0

// agent is sent beside the SDK's own name. Without one the SDK writes a file into the home directory.
const agent = "relock"

// client makes requests in one region. It may be used by several goroutines.
type client struct {
	region, project string
	cfg             Config
	transport       http.RoundTripper
	*wire.Line
}

func newClient(cfg Config, region string) (*client, error) {
	if err := cfg.check(region); err != nil {
		return nil, err
	}
	return &client{
		region: region, project: cfg.Projects[region], cfg: cfg, transport: wire.Transport(cfg.Transport),
		Line: wire.NewLine(cfg.Calls, cfg.Timeout, codes, read,
			listServers, resetServers, resetFlag, showJob, tagServer, stopServers, startServers, rebootServers,
			showStage, showVersion, listVersions, createVersion, updateStage, deleteStage),
	}, nil
}

// ecs returns a client for one request, and what is learnt of its answer besides its body.
func (c *client) ecs(ctx context.Context) (*ecs.EcsClient, *exchange, error) {
	sdk, x, err := c.sdk(ctx, ecsService)
	return ecs.NewEcsClient(sdk), x, err
}

// csms is ecs for secrets.
func (c *client) csms(ctx context.Context) (*csms.CsmsClient, *exchange, error) {
	sdk, x, err := c.sdk(ctx, csmsService)
	return csms.NewCsmsClient(sdk), x, err
}

// sdk makes the SDK's client for one request: it knows no contexts, so the one of the request is in its transport. The
// connections are the client's and kept. It does not retry, and has no time limit of its own.
func (c *client) sdk(ctx context.Context, service string) (*core.HcHttpClient, *exchange, error) {
	access, secret, token := c.cfg.keys()
	credentials, err := basic.NewCredentialsBuilder().
		WithAk(access).WithSk(secret).WithSecurityToken(token).WithProjectId(c.project).SafeBuild()
	if err != nil {
		return nil, nil, errKeys // the SDK's text may hold one
	}
	x := &exchange{ctx: ctx, next: c.transport}
	client, err := core.NewHcHttpClientBuilder().
		WithEndpoint(c.cfg.host(service, c.region)).
		WithCredential(credentials).
		WithErrorHandler(x).
		WithHttpConfig(config.DefaultHttpConfig().WithTimeout(0).WithHttpRoundTripper(x).WithUserAgent(agent)).
		SafeBuild()
	if err != nil {
		return nil, nil, errKeys
	}
	return client, x, nil
}
