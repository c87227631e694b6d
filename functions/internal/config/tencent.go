package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
)

func tencentProvider() provider {
	return provider{
		proof:      rotation.ProofProvider,
		home:       tencentHome,
		secrets:    "Tencent Secrets Manager",
		checkFleet: checkTencentFleet,
		checkStore: checkTencentStore,
		connect:    connectTencent,
	}
}

// tencentHome: https://www.tencentcloud.com/document/product/583/32748. For the command it is nobody's home: what a
// shell happens to have set must not choose the machines.
func tencentHome(p Platform) (region, variable string) {
	const name = "TENCENTCLOUD_REGION"
	if p != SCF {
		return "", ""
	}
	return strings.TrimSpace(os.Getenv(name)), name
}

var tencentInstance = regexp.MustCompile(`^ins-[0-9a-z]+$`)

func checkTencentFleet(c *Config) {
	for i, id := range c.Instances {
		if !tencentInstance.MatchString(id) && c.sound("RELOCK_INSTANCES") {
			c.fault("RELOCK_INSTANCES", "%s%s is no instance id: write ids such as ins-1a2b3c4d", quote(id), position(i, len(c.Instances)))
		}
	}
	c.checkTencentHosts()
	c.checkTencentTimes()
	c.checkTencentPassword()
	for _, region := range c.Regions {
		if !tencent.KnownRegion(region) && regionName.MatchString(region) {
			c.warn("RELOCK_REGIONS", "%s is not among the regions that Tencent Cloud documents for password resets: a new one, or a slip", region)
		}
	}
}

// The name of a secret: https://www.tencentcloud.com/document/product/1078/38661.
var tencentSecret = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

func checkTencentStore(c *Config) {
	if c.set("RELOCK_SECRET") && c.sound("RELOCK_SECRET") && !tencentSecret.MatchString(c.Secret) {
		c.fault("RELOCK_SECRET", "no name of a secret: write its name, not its value: 1 to 128 letters, digits, - and _, the first a letter or digit")
	}
}

// checkTencentHosts refuses an endpoint that passwords would travel to in the clear.
func (c *Config) checkTencentHosts() {
	const name = "RELOCK_TENCENT_ENDPOINT"
	if c.TencentEndpoint == "" || !c.sound(name) {
		return
	}
	u, err := url.Parse(c.TencentEndpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		c.fault(name, "no address: write one such as https://gateway.example.com or http://127.0.0.1:8080")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		c.fault(name, "has more than a scheme, a host and a port: leave the rest out")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.fault(name, "plain http to another machine would show passwords on the way: use https, or a loopback address")
	}
}

// checkTencentTimes refuses what only a simulator can keep to: ms is a slip for m or s.
func (c *Config) checkTencentTimes() {
	for _, t := range []struct {
		name string
		time.Duration
	}{
		{"RELOCK_POLL_INTERVAL", c.PollInterval.Duration},
		{"RELOCK_SETTLE", c.Settle.Duration},
		{"RELOCK_SOFT_STOP_TIMEOUT", c.SoftStopTimeout.Duration},
		{"RELOCK_RESET_TIMEOUT", c.ResetTimeout.Duration},
		{"RELOCK_START_TIMEOUT", c.StartTimeout.Duration},
		{"RELOCK_LOGIN_TIMEOUT", c.LoginTimeout.Duration},
	} {
		if t.Duration < time.Second && !c.set("RELOCK_TENCENT_ENDPOINT") && c.sound(t.name) {
			c.fault(t.name, "%s is for a simulator at RELOCK_TENCENT_ENDPOINT: a real cloud needs 1s or more", t.Duration)
		}
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkTencentPassword tries the recipe on the less strict of the rules that machines may have; a run tries the others.
func (c *Config) checkTencentPassword() {
	rules := rotation.TencentLinux()
	if c.PasswordRules == tencent.Rules2018 {
		rules = rotation.TencentLinux2018()
	}
	if !c.sound("RELOCK_PASSWORD_LENGTH") || !c.set("RELOCK_PASSWORD_LENGTH") {
		return
	}
	if c.PasswordLength <= 0 {
		c.fault("RELOCK_PASSWORD_LENGTH", "%d: use a length such as 24", c.PasswordLength)
		return
	}
	if _, err := rules.Plan(c.recipe()); err != nil {
		c.fault("RELOCK_PASSWORD_LENGTH", "%s", strings.TrimPrefix(err.Error(), rotation.ErrConfig.Error()+": "))
	}
}

type tencentCloud struct{ config tencent.Config }

func (t tencentCloud) fleet(region string) (rotation.Fleet, error) {
	return tencent.NewFleet(t.config, region)
}

func (t tencentCloud) store(region string) (rotation.Store, error) {
	return tencent.NewStore(t.config, region)
}

func connectTencent(c *Config, calls *rotation.Calls) (cloud, error) {
	credentials, err := tencentCredentials(c.platform)
	if err != nil {
		return nil, err
	}
	return tencentCloud{tencent.Config{
		Credentials: credentials,
		Site:        c.TencentSite,
		Endpoint:    c.TencentEndpoint,
		Calls:       calls,
		Username:    c.Username,
		Rules:       c.PasswordRules,
	}}, nil
}

// tencentCredentials returns the keys that are in force now. On SCF they come with every invocation, spelled otherwise
// than the SDK spells them: https://www.tencentcloud.com/document/product/583/32748. The SDK's own chain is not used: it
// ends at a metadata host that hangs where there is none.
func tencentCredentials(p Platform) (func() (string, string, string), error) {
	if p == SCF {
		keys, err := tencentKeys("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")
		if err == nil && keys == nil {
			err = errors.New("TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY: not set by the platform: give the function an execution role")
		}
		return keys, err
	}
	keys, err := tencentKeys("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN")
	if keys != nil || err != nil {
		return keys, err
	}
	profile, err := common.DefaultProfileProvider().GetCredential()
	if err != nil {
		why := err.Error()
		if answer := (*sdk.TencentCloudSDKError)(nil); errors.As(err, &answer) {
			why = answer.Message
		}
		return nil, fmt.Errorf("TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY: not set, nor are there keys in ~/.tencentcloud/credentials (%s): set the two, and TENCENTCLOUD_TOKEN with temporary keys, or write that file", why)
	}
	return profile.GetCredential, nil
}

// tencentKeys reads the three variables; nil when neither the id nor the key is set.
func tencentKeys(id, key, token string) (func() (string, string, string), error) {
	values := [3]string{}
	for i, name := range []string{id, key, token} {
		values[i] = strings.TrimSpace(os.Getenv(name))
	}
	switch {
	case values[0] == "" && values[1] == "":
		return nil, nil
	case values[0] == "":
		return nil, fmt.Errorf("%s: not set, but %s is: the two go together", id, key)
	case values[1] == "":
		return nil, fmt.Errorf("%s: not set, but %s is: the two go together", key, id)
	}
	return tencent.Static(values[0], values[1], values[2]), nil
}
