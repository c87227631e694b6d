package main

import (
	"net"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func tencentKind() simKind {
	return simKind{regions: []string{"ap-guangzhou", "ap-shanghai"}, faults: tencentsim.FaultNames(), open: serveTencent}
}

func serveTencent(so simOptions, l net.Listener) (*simCloud, error) {
	faults, err := tencentsim.ParseFaults(so.faults)
	if err != nil {
		return nil, usage("--faults: %w", err)
	}
	cloud, err := tencentsim.New(tencentsim.Config{
		Regions: so.regions, Instances: so.instances, Seed: so.seed, Scale: so.scale, SSH: !so.noSSH, Faults: faults,
	})
	if err != nil {
		return nil, usage("%w", err)
	}
	machines := func() []simMachine {
		var all []simMachine
		for _, m := range cloud.Machines() {
			all = append(all, simMachine{m.ID, m.State, m.Password, ""})
		}
		return all
	}
	return so.served(l, cloud, machines, so.tencentSettings), nil
}

func (so simOptions) tencentSettings(url string) []setting {
	all := []setting{
		{"TENCENTCLOUD_SECRET_ID", tencentsim.DemoSecretID},
		{"TENCENTCLOUD_SECRET_KEY", tencentsim.DemoSecretKey},
		{"TENCENTCLOUD_TOKEN", ""}, // a real one would go with other keys
		{"RELOCK_FLEET", "tencent"},
		{"RELOCK_STORE", "tencent"},
		{"RELOCK_TENCENT_ENDPOINT", url},
		{"RELOCK_SECRET", tencentsim.DemoSecret},
		{"RELOCK_TAGS", tencentsim.FleetTagKey + "=" + tencentsim.FleetTagValue},
	}
	if so.noSSH {
		all = append(all, setting{"RELOCK_PROOF", "provider"})
	}
	return all
}
