package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
)

func tencentProvider() provider {
	return provider{
		proof:      rotation.ProofProvider,
		otherwise:  rotation.ProofProvider,
		home:       tencentHome,
		secrets:    "Tencent Secrets Manager",
		platform:   SCF,
		region:     regionFrom(tencentHome),
		variables:  tencentVariables(),
		profile:    "~/.tencentcloud/credentials",
		isSecret:   tencentSecret.MatchString,
		secretForm: "name, not its value: 1 to 128 letters, digits, - and _, the first a letter or digit",
		checkFleet: checkTencentFleet,
		connect:    connectTencent,
	}
}

func tencentVariables() [3]string {
	return [3]string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"}
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
	c.checkPace("RELOCK_TENCENT_ENDPOINT")
	c.checkTencentPassword()
	for _, region := range c.Regions {
		if !tencent.KnownRegion(region) && regionName.MatchString(region) {
			c.warn("RELOCK_REGIONS", "%s is not among the regions that Tencent Cloud documents for password resets: a new one, or a slip", region)
		}
	}
}

// The name of a secret: https://www.tencentcloud.com/document/product/1078/38661.
var tencentSecret = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

func (c *Config) checkTencentPassword() {
	rules := rotation.TencentLinux()
	if c.PasswordRules == tencent.Rules2018 {
		rules = rotation.TencentLinux2018()
	}
	c.checkPassword(rules)
}

type tencentCloud struct{ config tencent.Config }

func (t tencentCloud) fleet(region string) (rotation.Fleet, error) {
	return tencent.NewFleet(t.config, region)
}

func (t tencentCloud) store(region string) (rotation.Store, error) {
	return tencent.NewStore(t.config, region)
}

func (t tencentCloud) shelf(region string) (rotation.Shelf, error) {
	return tencent.NewShelf(t.config, region)
}

func connectTencent(c *Config, calls *rotation.Calls) (cloud, error) {
	credentials, err := c.tencentCredentials()
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
func (c *Config) tencentCredentials() (credentials, error) {
	if c.platform == SCF {
		keys, err := c.keys("tencent", [3]string{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"})
		if err == nil && keys == nil {
			err = errors.New("TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY: not set by the platform: give the function an execution role")
		}
		return keys, err
	}
	keys, err := c.keys("tencent", tencentVariables())
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
