package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// A provider is a cloud that this binary is built for. A further one is a file like huawei.go and a line in providers.
type provider struct {
	// proof is RELOCK_PROOF when that is unset.
	proof rotation.Proof
	// otherwise is what proves a machine that takes no logins.
	otherwise rotation.Proof
	// home returns the region that the function runs in and the variable that says so; empty when it is not known.
	home func(Platform) (region, variable string)
	// secrets is what people call its secrets manager.
	secrets string
	// platform is that of its functions, which gives them its keys.
	platform Platform
	// region returns the function's own region, when the function's platform tells; empty when it does not.
	region func(*Config) string
	// variables are those of an id, a key and, with temporary keys, a token, as the cloud's own SDK calls them.
	variables [3]string
	// profile is where else the command finds keys; empty for nowhere.
	profile string
	// isSecret reports whether a text can be a secret's name, and secretForm says what one looks like.
	isSecret   func(string) bool
	secretForm string
	// checkFleet and checkStore note what else the cloud does not take. Without checkFleet it has no machines for relock;
	// without checkStore it takes every secret with a name.
	checkFleet, checkStore func(*Config)
	// connect prepares its drivers. An error is about the credentials.
	connect func(*Config, *rotation.Calls) (cloud, error)
}

// A cloud makes the drivers of one account.
type cloud interface {
	fleet(region string) (rotation.Fleet, error)
	store(region string) (rotation.Store, error)
	shelf(region string) (rotation.Shelf, error)
}

func providers() map[string]provider {
	return map[string]provider{"aws": awsProvider(), "huawei": huaweiProvider(), "tencent": tencentProvider()}
}

// WhereKeysAre says where the command finds each cloud's credentials, a line per cloud.
func WhereKeysAre() []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(providers())) {
		p := providers()[name]
		line := fmt.Sprintf("%s: %s, %s and, with temporary keys, %s", name, p.variables[0], p.variables[1], p.variables[2])
		if p.profile != "" {
			line += "; or " + p.profile
		}
		lines = append(lines, line)
	}
	return lines
}

// regionFrom is the region of a home.
func regionFrom(home func(Platform) (region, variable string)) func(*Config) string {
	return func(c *Config) string {
		region, _ := home(c.platform)
		return region
	}
}
