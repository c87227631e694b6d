package main

import (
	"net"
	"strings"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func huaweiKind() simKind {
	return simKind{regions: []string{"cn-north-4", "cn-east-3"}, faults: huaweisim.FaultNames(), open: serveHuawei}
}

func serveHuawei(so simOptions, l net.Listener) (*simCloud, error) {
	faults, err := huaweisim.ParseFaults(so.faults)
	if err != nil {
		return nil, usage("--faults: %w", err)
	}
	cloud, err := huaweisim.New(huaweisim.Config{
		Regions: so.regions, Instances: so.instances, Seed: so.seed, Scale: so.scale, SSH: !so.noSSH, Faults: faults,
	})
	if err != nil {
		return nil, usage("%w", err)
	}
	machines := func() []simMachine {
		var all []simMachine
		for _, m := range cloud.Machines() {
			all = append(all, simMachine{m.ID, huaweiPower(m), m.Password, m.Pending})
		}
		return all
	}
	return so.served(l, cloud, machines, func(url string) []setting { return so.huaweiSettings(url, cloud.Project) }), nil
}

// huaweiPower is a machine's power as check compares it.
func huaweiPower(m huaweisim.Machine) string {
	switch {
	case m.Status == "ACTIVE" && m.TaskState == "":
		return powerOn
	case m.Status == "SHUTOFF" && m.TaskState == "":
		return powerOff
	}
	return m.Status + " " + m.TaskState
}

func (so simOptions) huaweiSettings(url string, project func(region string) string) []setting {
	var projects []string
	for _, region := range so.regions {
		projects = append(projects, region+"="+project(region))
	}
	all := []setting{
		{"HUAWEICLOUD_SDK_AK", huaweisim.DemoAccessKey},
		{"HUAWEICLOUD_SDK_SK", huaweisim.DemoSecretKey},
		{"HUAWEICLOUD_SDK_SECURITY_TOKEN", ""}, // a real one would go with other keys
		{"HUAWEICLOUD_SDK_PROJECT_ID", project(so.regions[0])},
		{"RELOCK_FLEET", "huawei"},
		{"RELOCK_STORE", "huawei"},
		{"RELOCK_HUAWEI_ENDPOINT", url},
		{"RELOCK_HUAWEI_BOOT_DELAY", "10ms"}, // it takes effect at once here
		{"RELOCK_HUAWEI_PROJECTS", strings.Join(projects, ",")},
		{"RELOCK_SECRET", huaweisim.DemoSecret},
		{"RELOCK_TAGS", huaweisim.FleetTagKey + "=" + huaweisim.FleetTagValue},
	}
	if so.noSSH {
		all = append(all, setting{"RELOCK_PROOF", "accepted"}) // there is no record that could prove more
	}
	return all
}
