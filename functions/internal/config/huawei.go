package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei"
)

func huaweiProvider() provider {
	return provider{
		proof:      rotation.ProofLogin,
		otherwise:  rotation.ProofAccepted,
		secrets:    "Huawei CSMS",
		platform:   FunctionGraph,
		region:     huaweiRegion,
		variables:  huaweiVariables(),
		isSecret:   huawei.IsSecret,
		secretForm: "name, not its value: 1 to 64 letters, digits, - and _",
		checkFleet: checkHuaweiFleet,
		checkStore: checkHuaweiStore,
		connect:    connectHuawei,
	}
}

func huaweiVariables() [3]string {
	return [3]string{"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"}
}

// runtimeProject is the variable by which FunctionGraph tells a function its project. It does not tell the region.
const runtimeProject = "RUNTIME_PROJECT_ID"

// huaweiRegion is the region of the function's own project, when that is listed.
func huaweiRegion(c *Config) string {
	for _, region := range slices.Sorted(maps.Keys(c.HuaweiProjects)) {
		if c.platform == FunctionGraph && c.HuaweiProjects[region] == c.platform.variable(runtimeProject) {
			return region
		}
	}
	return ""
}

// Projects are "region=id,region=id".
type Projects map[string]string

// Decode implements envconfig.Decoder.
func (p *Projects) Decode(text string) error {
	all := Projects{}
	for _, item := range items(text) {
		region, id, ok := strings.Cut(item, "=")
		region, id = strings.TrimSpace(region), strings.TrimSpace(id)
		switch {
		case !ok || !regionName.MatchString(region):
			return fmt.Errorf("%s is not region=id: write cn-north-4= and the 32 digits of the project's id", quote(item))
		case !huawei.IsProject(id):
			return fmt.Errorf("%s: a project's id has 32 hexadecimal digits, in lower case; the console shows it under My Credentials", quote(item))
		case all[region] != "":
			return fmt.Errorf("the region %s is there twice: it has one project", quote(region))
		}
		all[region] = id
	}
	if len(all) == 0 {
		return errors.New("nothing is listed")
	}
	*p = all
	return nil
}

func checkHuaweiFleet(c *Config) {
	for i, id := range c.Instances {
		if !huawei.IsInstance(id) && c.sound("RELOCK_INSTANCES") {
			c.fault("RELOCK_INSTANCES", "%s%s is no server id: write ids such as 616fb98f-46ca-475e-917e-2563e5a8cd19", quote(id), position(i, len(c.Instances)))
		}
	}
	if c.Proof == string(rotation.ProofProvider) && c.sound("RELOCK_PROOF") {
		c.fault("RELOCK_PROOF", "provider: Huawei Cloud keeps no record of a reset: use login, or accepted, which is reported as no more than that")
	}
	if c.Username != "" && !slices.Contains([]string{"root", "Administrator"}, c.Username) {
		c.fault("RELOCK_USERNAME", "Huawei Cloud resets root and Administrator only: leave it unset")
	}
	if c.PasswordRules != "" && c.sound("RELOCK_PASSWORD_RULES") {
		c.fault("RELOCK_PASSWORD_RULES", "%s are rules of another cloud: leave it unset", c.PasswordRules)
	}
	c.checkPassword(rotation.HuaweiLinux())
	c.checkPace("RELOCK_HUAWEI_ENDPOINT")
	c.checkProjects(c.Regions)
	for _, region := range c.Regions {
		if !huawei.KnownRegion(region) && regionName.MatchString(region) {
			c.warn("RELOCK_REGIONS", "%s is not among the regions that Huawei Cloud's SDK knows: a new one, or a slip", region)
		}
	}
}

func checkHuaweiStore(c *Config) {
	if c.StoreRegion != "" {
		c.checkProjects([]string{c.StoreRegion})
	}
}

// checkProjects notes the regions without a project. A function knows the project that it is in, and not its region: where
// only one region is meant, it is that one.
func (c *Config) checkProjects(regions []string) {
	const name = "RELOCK_HUAWEI_PROJECTS"
	if id := c.platform.variable(runtimeProject); c.platform == FunctionGraph && !c.set(name) && huawei.IsProject(id) {
		if all := c.huaweiRegions(); len(all) == 1 {
			c.HuaweiProjects = Projects{all[0]: id}
			c.settled[name] = origin{all[0] + "=" + id, runtimeProject}
		}
	}
	var missing []string
	for _, region := range regions {
		if c.HuaweiProjects[region] == "" && regionName.MatchString(region) {
			missing = append(missing, region)
		}
	}
	if len(missing) > 0 && c.sound(name) {
		c.fault(name, "no project for %s: list region=id for each region; the console shows the ids under My Credentials", strings.Join(missing, ", "))
	}
}

// huaweiRegions are those of the machines and of the secret that are Huawei Cloud's.
func (c *Config) huaweiRegions() []string {
	var all []string
	if c.Fleet == "huawei" {
		all = append(all, c.Regions...)
	}
	if c.Store == "huawei" && c.StoreRegion != "" {
		all = append(all, c.StoreRegion)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

type huaweiCloud struct{ config huawei.Config }

func (h huaweiCloud) fleet(region string) (rotation.Fleet, error) {
	return huawei.NewFleet(h.config, region)
}

func (h huaweiCloud) store(region string) (rotation.Store, error) {
	return huawei.NewStore(h.config, region)
}

func (h huaweiCloud) shelf(region string) (rotation.Shelf, error) {
	return huawei.NewShelf(h.config, region)
}

func connectHuawei(c *Config, calls *rotation.Calls) (cloud, error) {
	credentials, err := c.huaweiCredentials()
	if err != nil {
		return nil, err
	}
	return huaweiCloud{huawei.Config{
		Credentials: credentials, Projects: c.HuaweiProjects, Endpoint: c.HuaweiEndpoint, Calls: calls,
		BootDelay: c.HuaweiBootDelay.Duration,
	}}, nil
}

// huaweiCredentials returns the keys that are in force now. FunctionGraph gives them with each event. The SDK's own chain
// is not used: it ends at a metadata host that hangs where there is none.
func (c *Config) huaweiCredentials() (credentials, error) {
	if c.platform == FunctionGraph {
		if c.given == nil {
			return nil, errors.New("the platform gave no credentials with the event: give the function an agency for its execution")
		}
		return c.given, nil
	}
	names := huaweiVariables()
	keys, err := c.keys("huawei", names)
	if err == nil && keys == nil {
		err = fmt.Errorf("%s, %s: not set: set the two, and %s with temporary keys", names[0], names[1], names[2])
	}
	return keys, err
}
