package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Config is what the drivers of one account have in common. Only Credentials has no default.
type Config struct {
	// Credentials returns the keys that sign a request; it is asked at every request, by several goroutines. An empty
	// token means long-term keys. Nil is an error. See Static.
	Credentials func() (accessKey, secretKey, token string)
	// Endpoint is where requests go: "https://host", "http://127.0.0.1:8080", or a host alone, which is plain HTTP on a
	// loopback address and HTTPS elsewhere. Empty means the official host of the region.
	Endpoint string
	// Calls counts every request. Nil counts nothing.
	Calls *rotation.Calls
	// Transport makes the HTTP requests. Nil means a transport of the driver's own that honours the proxy variables.
	// Redirects are never followed, whatever it is.
	Transport http.RoundTripper
	// Timeout is how long one request may take; after that its outcome is unknown. Zero or less means 30s.
	Timeout time.Duration
	// Clock waits for what is written to be seen. Nil means rotation.SystemClock.
	Clock rotation.Clock
}

// Static returns credentials that do not change.
func Static(accessKey, secretKey, token string) func() (string, string, string) {
	return func() (string, string, string) { return accessKey, secretKey, token }
}

// provider is Config.Credentials as the SDK wants it.
func (cfg Config) provider() sdk.CredentialsProvider {
	return sdk.CredentialsProviderFunc(func(context.Context) (c sdk.Credentials, _ error) {
		c.AccessKeyID, c.SecretAccessKey, c.SessionToken = cfg.Credentials()
		return c, nil
	})
}

// check returns everything that is wrong with cfg; each fault matches rotation.ErrConfig.
func (cfg Config) check(region string) error {
	var faults []error
	if cfg.Credentials == nil {
		faults = append(faults, fmt.Errorf("%w: no AWS credentials", rotation.ErrConfig))
	}
	if !wire.IsRegion(region) {
		faults = append(faults, fmt.Errorf("%w: AWS region %q: use a name like eu-central-1", rotation.ErrConfig, region))
	}
	if _, _, err := wire.Endpoint(cfg.Endpoint); cfg.Endpoint != "" && err != nil {
		faults = append(faults, fmt.Errorf("%w: AWS endpoint: %w", rotation.ErrConfig, err))
	}
	return errors.Join(faults...)
}

func (cfg Config) clock() rotation.Clock {
	if cfg.Clock == nil {
		return rotation.SystemClock{}
	}
	return cfg.Clock
}
