package tencent

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// regionName keeps what is no region out of host names.
var regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

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
		scheme, host, _ = parseEndpoint(cfg.Endpoint)
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

// parseEndpoint reads Config.Endpoint.
func parseEndpoint(endpoint string) (scheme, host string, err error) {
	text := endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
		if isLoopback(endpoint) {
			text = "http://" + endpoint
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return "", "", fmt.Errorf("%q is no host: use one like http://127.0.0.1:8080", endpoint)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", "", fmt.Errorf("%q: the scheme is http or https", endpoint)
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fmt.Errorf("the endpoint at %q has more than a host", u.Host)
	}
	return u.Scheme, u.Host, nil
}

// isLoopback reports whether host, with or without a port, is this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
