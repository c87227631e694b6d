package tencent

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// The sets of API hosts that Config.Site names.
const (
	SiteChina         = "cn"   // *.tencentcloudapi.com
	SiteInternational = "intl" // *.intl.tencentcloudapi.com
)

// Rules2018 is the Config.Rules for images that refuse what the documents of 2018 did not allow.
const Rules2018 = "tencent-2018"

// Config is what the drivers of one account have in common. Only Credentials has no default.
type Config struct {
	// Credentials returns the keys that sign a request; it is asked at every request, by several goroutines, so that
	// keys that expire can be replaced. An empty token means long-term keys. Nil is an error. See Static.
	Credentials func() (secretID, secretKey, token string)
	// Site is SiteChina or SiteInternational. Empty means SiteChina.
	Site string
	// Endpoint is one host for all services: "https://host", "http://127.0.0.1:8080", or a host alone, which is plain
	// HTTP on a loopback address and HTTPS elsewhere. Empty means the official hosts of Site.
	Endpoint string
	// Calls counts every request. Nil counts nothing.
	Calls *rotation.Calls
	// Transport makes the HTTP requests. Nil means a transport of the driver's own that honours the proxy variables.
	// Redirects are never followed, whatever it is.
	Transport http.RoundTripper
	// Timeout is how long one request may take; after that its outcome is unknown. Zero or less means 30s.
	Timeout time.Duration
	// Username is the account whose password is set, for the rules that forbid it in passwords; the account of a reset
	// is that of its Credential. Empty means each machine's own administrator. At most 64 characters.
	Username string
	// Rules is Rules2018, or empty for the rules in force.
	Rules string
}

// Static returns credentials that do not change.
func Static(secretID, secretKey, token string) func() (string, string, string) {
	return func() (string, string, string) { return secretID, secretKey, token }
}

const maxUsername = 64 // characters: https://www.tencentcloud.com/document/product/213/33240

// check returns everything that is wrong with cfg; each fault matches rotation.ErrConfig.
func (cfg Config) check(region string) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{rotation.ErrConfig}, args...)...))
	}
	if cfg.Credentials == nil {
		fault("no Tencent Cloud credentials")
	} else if id, key, _ := cfg.Credentials(); id == "" || key == "" {
		fault("Tencent Cloud credentials without a secret id or a secret key")
	}
	if cfg.Site != "" && cfg.Site != SiteChina && cfg.Site != SiteInternational {
		fault("Tencent Cloud site %q: use %s or %s", cfg.Site, SiteChina, SiteInternational)
	}
	if !wire.IsRegion(region) {
		fault("Tencent Cloud region %q: use a name like ap-guangzhou", region)
	}
	if _, _, err := wire.Endpoint(cfg.Endpoint); cfg.Endpoint != "" && err != nil {
		fault("Tencent Cloud endpoint: %w", err)
	}
	if err := checkUsername(cfg.Username); err != nil {
		faults = append(faults, err)
	}
	if cfg.Rules != "" && cfg.Rules != Rules2018 {
		fault("password rules %q: use %s, or nothing for the rules in force", cfg.Rules, Rules2018)
	}
	return errors.Join(faults...)
}

func checkUsername(name string) error {
	if n := utf8.RuneCountInString(name); n > maxUsername {
		return fmt.Errorf("%w: user name of %d characters: Tencent Cloud takes at most %d", rotation.ErrConfig, n, maxUsername)
	}
	return nil
}

// credential is Config.Credentials as the SDK wants it. It prints as the address of a function.
type credential func() (secretID, secretKey, token string)

var _ common.CredentialIface = credential(nil)

func (c credential) GetSecretId() string  { id, _, _ := c(); return strings.TrimSpace(id) }
func (c credential) GetSecretKey() string { _, key, _ := c(); return strings.TrimSpace(key) }
func (c credential) GetToken() string     { _, _, token := c(); return strings.TrimSpace(token) }

func (c credential) GetCredential() (secretID, secretKey, token string) {
	secretID, secretKey, token = c()
	return strings.TrimSpace(secretID), strings.TrimSpace(secretKey), strings.TrimSpace(token)
}
