package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/relock-project/relock/rotation"
)

// choice notes a value that is not one of those separated by |; an empty list allows any.
func (c *Config) choice(name, got, list string) {
	all := strings.Split(list, "|")
	if list == "" || slices.Contains(all, got) {
		return
	}
	use := all[len(all)-1]
	if rest := all[:len(all)-1]; len(rest) > 0 {
		use = strings.Join(rest, ", ") + " or " + use
	}
	c.fault(name, "%s: use %s", quote(got), use)
}

// settle fills in what follows from other variables.
func (c *Config) settle() {
	settle := func(into *string, name, text, from string) {
		if !c.set(name) && text != "" {
			*into = text
			c.settled[name] = origin{text, from}
		}
	}
	// A cloud that is not built in is a fault already; the rest is checked against one that is.
	if providers()[c.Fleet].checkFleet == nil {
		c.Fleet = "tencent"
	}
	settle(&c.Store, "RELOCK_STORE", c.Fleet, "default")
	if _, ok := providers()[c.Store]; !ok {
		c.Store = c.Fleet
	}
	fleet := providers()[c.Fleet]
	if fleet.home != nil && !c.set("RELOCK_REGIONS") {
		if region, variable := fleet.home(c.platform); region != "" {
			c.Regions = List{region}
			c.settled["RELOCK_REGIONS"] = origin{region, variable}
		}
	}
	if home := providers()[c.Store].home; home != nil && c.Store != c.Fleet {
		region, variable := home(c.platform)
		settle(&c.StoreRegion, "RELOCK_STORE_REGION", region, variable)
	}
	if len(c.Regions) > 0 && c.Store == c.Fleet {
		settle(&c.StoreRegion, "RELOCK_STORE_REGION", c.Regions[0], "default")
	}
	settle(&c.Proof, "RELOCK_PROOF", string(fleet.proof), "default")
}

// check notes what is wrong with the variables together. It says nothing of one that is at fault already.
func (c *Config) check() {
	if !c.set("RELOCK_SECRET") {
		c.fault("RELOCK_SECRET", "not set: name the secret that holds the password")
	}
	if len(c.Regions) == 0 && c.sound("RELOCK_REGIONS") {
		c.fault("RELOCK_REGIONS", "not set: list the regions of the machines, such as ap-guangzhou,ap-shanghai")
	}
	if !c.set("RELOCK_INSTANCES") && !c.set("RELOCK_TAGS") {
		c.fault("RELOCK_INSTANCES", "neither this nor RELOCK_TAGS is set: list ids, or tags such as rotate=yes; all machines cannot be said by leaving both out")
	}
	c.checkRegions("RELOCK_REGIONS", c.Regions)
	if c.StoreRegion == "" && len(c.Regions) > 0 && c.sound("RELOCK_STORE") {
		c.fault("RELOCK_STORE_REGION", "not set: name the region of the secret, which is in another cloud than the machines")
	}
	if c.set("RELOCK_STORE_REGION") {
		c.checkRegions("RELOCK_STORE_REGION", []string{c.StoreRegion})
	}
	if strings.ContainsFunc(c.Username, unicode.IsSpace) {
		c.fault("RELOCK_USERNAME", "has a space: one account is meant")
	}
	c.checkEndpoint("RELOCK_TENCENT_ENDPOINT", c.TencentEndpoint)
	c.checkEndpoint("RELOCK_HUAWEI_ENDPOINT", c.HuaweiEndpoint)
	c.checkEndpoint("RELOCK_AWS_ENDPOINT", c.AWSEndpoint)
	c.checkProof()
	c.checkTimes()
	providers()[c.Fleet].checkFleet(c)
	if c.set("RELOCK_SECRET") {
		c.checkSecret("RELOCK_SECRET", c.Secret, c.Store)
	}
	if also := providers()[c.Store].checkStore; also != nil {
		also(c)
	}
	c.checkCredentials()
}

// checkSecret refuses what can be no secret's name in a cloud, and does not show it: it may be a secret's value.
func (c *Config) checkSecret(name, text, cloud string) {
	if p := providers()[cloud]; c.sound(name) && !p.isSecret(text) {
		c.fault(name, "no name of a secret: write its %s", p.secretForm)
	}
}

var regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

func (c *Config) checkRegions(name string, regions []string) {
	for _, region := range regions {
		if !regionName.MatchString(region) && c.sound(name) {
			c.fault(name, "%s is no region: write names such as ap-guangzhou", quote(region))
		}
	}
}

// checkProof refuses a proof by login that nothing could give: without host keys no password is shown to a machine.
func (c *Config) checkProof() {
	if c.Proof == string(rotation.ProofLogin) && !c.set("RELOCK_SSH_KNOWN_HOSTS") {
		c.fault("RELOCK_PROOF", "login needs RELOCK_SSH_KNOWN_HOSTS, which is not set: no password is shown to a machine whose host key is not known; set that, or use %s", providers()[c.Fleet].otherwise)
	}
}

func (c *Config) checkTimes() {
	if !c.sound("RELOCK_SETTLE") || !c.sound("RELOCK_POLL_INTERVAL") || !c.sound("RELOCK_SOFT_STOP_TIMEOUT") {
		return
	}
	if c.Settle.Duration < 2*c.PollInterval.Duration {
		c.fault("RELOCK_SETTLE", "%s is less than two RELOCK_POLL_INTERVAL of %s: nothing that is under way would be seen to end; raise the one or lower the other", c.Settle, c.PollInterval)
	}
	if c.Restart != string(rotation.RestartNever) && c.Settle.Duration < c.SoftStopTimeout.Duration {
		c.fault("RELOCK_SETTLE", "%s is less than RELOCK_SOFT_STOP_TIMEOUT of %s: a run could end while a machine shuts down, and leave it down; raise the one or lower the other", c.Settle, c.SoftStopTimeout)
	}
}

// position says which item of a long list a fault speaks of.
func position(i, n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (item %d of %d)", i+1, n)
}
