package tencent

import (
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation/wire"
)

// regions are those in which ResetInstancesPassword is documented to work:
// https://www.tencentcloud.com/document/product/213/33240, last updated 2025-12-17.
var regions = []string{
	"ap-bangkok", "ap-beijing", "ap-chengdu", "ap-chongqing", "ap-guangzhou", "ap-hongkong", "ap-jakarta", "ap-nanjing",
	"ap-seoul", "ap-shanghai", "ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-singapore", "ap-tokyo", "eu-frankfurt",
	"na-ashburn", "na-siliconvalley", "sa-saopaulo",
}

// KnownRegion reports whether the documents list the region. An unlisted one may be new, or a misprint: it deserves a
// warning, never a refusal.
func KnownRegion(region string) bool { return slices.Contains(regions, region) }

// host returns where the requests of a service go. cfg has been checked.
func (cfg Config) host(service, region string) (scheme, host string) {
	if cfg.Endpoint != "" {
		scheme, host, _ = wire.Endpoint(cfg.Endpoint)
		return scheme, host
	}
	switch {
	case strings.HasSuffix(region, "-fsi"):
		// Finance regions have hosts of their own: https://github.com/TencentCloud/tencentcloud-sdk-go#readme.
		return "https", service + "." + region + ".tencentcloudapi.com"
	case cfg.Site == SiteInternational:
		return "https", service + ".intl.tencentcloudapi.com"
	}
	return "https", service + ".tencentcloudapi.com"
}
