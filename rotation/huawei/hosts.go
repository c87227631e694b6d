package huawei

import (
	"slices"

	"github.com/relock-project/relock/rotation/wire"
)

// regions are those in which both services have hosts:
// https://github.com/huaweicloud/huaweicloud-sdk-go-v3, services/ecs/v2/region and services/csms/v1/region, v0.1.207.
var regions = []string{
	"ae-ad-1", "af-north-1", "af-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "cn-east-2", "cn-east-3", "cn-east-4", "cn-east-5", "cn-north-1", "cn-north-11", "cn-north-12",
	"cn-north-2", "cn-north-4", "cn-north-9", "cn-south-1", "cn-south-2", "cn-southwest-2", "cn-southwest-3", "la-north-2",
	"la-south-2", "me-east-1", "my-kualalumpur-1", "na-mexico-1", "ru-moscow-1", "sa-brazil-1", "tr-west-1",
}

// KnownRegion reports whether both services are known to be there. An unlisted one may be new, or a misprint: it
// deserves a warning, never a refusal.
func KnownRegion(region string) bool { return slices.Contains(regions, region) }

// The services, by the names of their hosts. The secrets are on the host of KMS:
// https://support.huaweicloud.com/intl/en-us/api-dew/dew_02_0003.html.
const (
	ecsService  = "ecs"
	csmsService = "kms"
)

// host returns where the requests of a service go. cfg has been checked.
func (cfg Config) host(service, region string) string {
	if cfg.Endpoint != "" {
		scheme, host, _ := wire.Endpoint(cfg.Endpoint)
		return scheme + "://" + host
	}
	return "https://" + service + "." + region + ".myhuaweicloud.com"
}
