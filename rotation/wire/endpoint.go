package wire

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

// IsRegion reports whether a name can be a region's: anything else is kept out of host names.
func IsRegion(name string) bool { return regionName.MatchString(name) }

// Endpoint reads where a driver's requests go: "https://host", "http://127.0.0.1:8080", or a host alone, which is plain
// HTTP on a loopback address and HTTPS elsewhere.
func Endpoint(endpoint string) (scheme, host string, err error) {
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
