package huawei

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Config is what the drivers of one account have in common. Credentials and Projects have no default.
type Config struct {
	// Credentials returns the keys that sign a request; it is asked at every request, by several goroutines, so that
	// keys that expire can be replaced. An empty token means long-term keys. Nil is an error. See Static.
	Credentials func() (accessKey, secretKey, token string)
	// Projects are the ids of the projects, by region: every region has one of its own.
	Projects map[string]string
	// Endpoint is one host for both services: "https://host", "http://127.0.0.1:8080", or a host alone, which is plain
	// HTTP on a loopback address and HTTPS elsewhere. Empty means the official hosts of the region.
	Endpoint string
	// BootDelay is how long an accepted reset is left alone before the machine is restarted for it. Whether a password
	// reaches the machine at once is not documented. Zero means not at all.
	BootDelay time.Duration
	// Calls counts every request. Nil counts nothing.
	Calls *rotation.Calls
	// Transport makes the HTTP requests. Nil means a transport of the driver's own that honours the proxy variables.
	// Redirects are never followed, whatever it is.
	Transport http.RoundTripper
	// Timeout is how long one request may take; after that its outcome is unknown. Zero or less means 30s.
	Timeout time.Duration
}

// Static returns credentials that do not change.
func Static(accessKey, secretKey, token string) func() (string, string, string) {
	return func() (string, string, string) { return accessKey, secretKey, token }
}

// projectID keeps what is no project id out of paths, in which the SDK escapes nothing.
var projectID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsProject reports whether an id can be a project's.
func IsProject(id string) bool { return projectID.MatchString(id) }

// check returns everything that is wrong with cfg; each fault matches rotation.ErrConfig.
func (cfg Config) check(region string) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{rotation.ErrConfig}, args...)...))
	}
	if cfg.Credentials == nil {
		fault("no Huawei Cloud credentials")
	} else if access, secret, _ := cfg.keys(); access == "" || secret == "" {
		// With neither, the SDK would ask a metadata service that need not be there.
		fault("Huawei Cloud credentials without an access key or a secret key")
	}
	if !wire.IsRegion(region) {
		fault("Huawei Cloud region %q: use a name like cn-north-4", region)
	} else if id := cfg.Projects[region]; id == "" {
		fault("no Huawei Cloud project id for the region %s", region)
	} else if !IsProject(id) {
		fault("the project id for the region %s is none: it has 32 hexadecimal digits, in lower case", region)
	}
	if _, _, err := wire.Endpoint(cfg.Endpoint); cfg.Endpoint != "" && err != nil {
		fault("Huawei Cloud endpoint: %w", err)
	}
	return errors.Join(faults...)
}

// keys are the credentials in force, without the white space that consoles add.
func (cfg Config) keys() (accessKey, secretKey, token string) {
	accessKey, secretKey, token = cfg.Credentials()
	return strings.TrimSpace(accessKey), strings.TrimSpace(secretKey), strings.TrimSpace(token)
}
