package config

import (
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
	// keys says where the command finds credentials, in words.
	keys string
	// checkFleet and checkStore note what the cloud does not take. Without checkFleet it has no machines for relock.
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
		lines = append(lines, name+": "+providers()[name].keys)
	}
	return lines
}
