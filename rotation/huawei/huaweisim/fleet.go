package huaweisim

import (
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

func linuxImages() []string {
	return []string{"Ubuntu 22.04 server 64bit", "Ubuntu 24.04 server 64bit", "CentOS 7.9 64bit",
		"Huawei Cloud EulerOS 2.0 Standard 64 bit", "Debian 12.0.0 64bit", "Rocky Linux 9.3 64bit"}
}

func windowsImages() []string {
	return []string{"Windows Server 2022 Datacenter 64bit English", "Windows Server 2019 Datacenter 64bit Chinese"}
}

// troubles are the ways in which a generated machine cannot be reset, each an edit of a healthy one. The last is one that
// a reset is accepted for.
func troubles() []func(*Machine) {
	return []func(*Machine){
		func(m *Machine) { m.Status, m.EcmResStatus = statusShutoff, resFrozen },
		func(m *Machine) { m.Locked = true },
		func(m *Machine) { m.Status = statusError },
		func(m *Machine) { m.Status, m.TaskState = "RESIZE", "resize_migrating" },
		func(m *Machine) { m.NoPlugin = true },
	}
}

// fleet makes the machines of Config.Instances, spread over the regions.
func (c *Cloud) fleet() []Machine {
	return simcloud.Fleet(c.random, c.cfg.Instances, c.cfg.KeyPairs, simcloud.Breed[Machine]{
		Healthy:  c.healthy,
		Stop:     func(m *Machine) { m.Status = statusShutoff },
		Troubles: troubles(),
		Bind: func(m *Machine) bool {
			if m.OSType == osWindows {
				return false
			}
			m.KeyName = c.random.Name("KeyPair-")
			return true
		},
	})
}

// healthy makes the machine with a number.
func (c *Cloud) healthy(number int, windows bool) Machine {
	system, images := osLinux, linuxImages()
	if windows {
		system, images = osWindows, windowsImages()
	}
	role, stage := simcloud.Job(c.random)
	region := c.cfg.Regions[number%len(c.cfg.Regions)]
	return Machine{
		Name:        simcloud.Called(role, stage, number),
		Region:      region,
		Zone:        region + string(rune('a'+c.random.Below(3))),
		OSType:      system,
		Image:       images[c.random.Below(len(images))],
		Tags:        map[string]string{FleetTagKey: FleetTagValue, "env": stage, "role": role},
		CreatedTime: c.cfg.Now().Add(-time.Duration(30+c.random.Below(700)) * 24 * time.Hour).UTC().Truncate(time.Second),
	}
}
