package tencent

import (
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	secrets "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"
	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"

	"github.com/relock-project/relock/rotation/wire"
)

// The actions, and how many requests a second each takes per region and account. CVM:
// https://cloud.tencent.com/document/api/213/15689, Secrets Manager:
// https://www.tencentcloud.com/document/product/1078/38633, tags: https://www.tencentcloud.com/document/product/651/37823.
var (
	describeInstances = wire.API{Name: "cvm DescribeInstances", PerSecond: 40}
	resetPassword     = wire.API{Name: "cvm ResetInstancesPassword", PerSecond: 10}
	stopInstances     = wire.API{Name: "cvm StopInstances", PerSecond: 10}
	startInstances    = wire.API{Name: "cvm StartInstances", PerSecond: 10}
	rebootInstances   = wire.API{Name: "cvm RebootInstances", PerSecond: 10}

	attachTag = wire.API{Name: "tag AttachResourcesTag", PerSecond: 20}
	modifyTag = wire.API{Name: "tag ModifyResourcesTagValue", PerSecond: 20}
	createTag = wire.API{Name: "tag CreateTag", PerSecond: 20}

	getSecret     = wire.API{Name: "secrets GetSecretValue", PerSecond: 300}
	listVersions  = wire.API{Name: "secrets ListSecretVersionIds", PerSecond: 40}
	putSecret     = wire.API{Name: "secrets PutSecretValue", PerSecond: 100}
	updateSecret  = wire.API{Name: "secrets UpdateSecret", PerSecond: 50}
	deleteVersion = wire.API{Name: "secrets DeleteSecretVersion", PerSecond: 50}
)

// client makes requests in one region. It may be used by several goroutines: the SDK's clients are only read after they
// are made, and every request is an object of its own.
type client struct {
	region  string
	cvm     cvm.Client
	tag     tag.Client
	secrets secrets.Client
	*wire.Line
}

func newClient(cfg Config, region string) (*client, error) {
	if err := cfg.check(region); err != nil {
		return nil, err
	}
	c := &client{region: region, Line: wire.NewLine(cfg.Calls, cfg.Timeout, codes, read,
		describeInstances, resetPassword, stopInstances, startInstances, rebootInstances,
		attachTag, modifyTag, createTag,
		getSecret, listVersions, putSecret, updateSecret, deleteVersion,
	)}
	transport := wire.Transport(cfg.Transport)
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
