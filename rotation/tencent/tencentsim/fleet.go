package tencentsim

import (
	"fmt"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// system is an image of the generated fleet.
type system struct{ name, user string }

func linuxSystems() []system {
	return []system{
		{"Ubuntu Server 22.04 LTS 64bit", "ubuntu"},
		{"Ubuntu Server 24.04 LTS 64bit", "ubuntu"},
		{"CentOS 7.9 64bit", "root"},
		{"TencentOS Server 3.1 (TK4)", "root"},
		{"Debian 12.0 64bit", "root"},
		{"Rocky Linux 9.3 64bit", "root"},
	}
}

func windowsSystems() []system {
	return []system{
		{"Windows Server 2022 Datacenter 64bit English", "Administrator"},
		{"Windows Server 2019 Datacenter 64bit Chinese", "Administrator"},
	}
}

// loginUserOf is the administrator account: "Administrator in Windows, ubuntu in Ubuntu, root in Linux".
// https://www.tencentcloud.com/document/product/213/33250
func loginUserOf(osName string) string {
	name := strings.ToLower(osName)
	switch {
	case strings.HasPrefix(name, "windows"):
		return "Administrator"
	case strings.HasPrefix(name, "ubuntu"):
		return "ubuntu"
	}
	return "root"
}

// troubles are the ways in which a generated machine cannot be reset, each an edit of a healthy one.
func troubles() []func(*Machine) {
	return []func(*Machine){
		func(m *Machine) { m.State, m.IsolatedSource = stateShutdown, "ARREAR" },
		func(m *Machine) { m.State, m.RestrictState = stateStopped, restrictIsolated },
		func(m *Machine) { m.State = stateRescue },
		func(m *Machine) { m.State, m.StopChargingMode = stateStopped, stopCharging },
		func(m *Machine) {
			m.State, m.Refuse = stateStopped, "UnsupportedOperation.InstanceReinstallFailed"
			m.Operation, m.OperationState, m.OperationError = "ResetInstance", failed, "Failed to reinstall the system."
		},
		func(m *Machine) {
			m.State, m.Operation, m.OperationState = stateFailed, "RunInstances", failed
			m.OperationError = "Failed to create the instance."
		},
	}
}

// fleet makes the machines of Config.Instances, spread over the regions.
func (c *Cloud) fleet() []Machine {
	return simcloud.Fleet(c.random, c.cfg.Instances, c.cfg.KeyPairs, simcloud.Breed[Machine]{
		Healthy: func(number int, windows bool) Machine {
			systems := linuxSystems()
			if windows {
				systems = windowsSystems()
			}
			return c.healthy(number, systems[c.random.Below(len(systems))])
		},
		Stop:     func(m *Machine) { m.State, m.Operation = stateStopped, actionStop },
		Troubles: troubles(),
		Bind: func(m *Machine) bool {
			if m.DefaultLoginUser == "Administrator" {
				return false
			}
			m.KeyIDs = []string{c.random.Name("skey-")}
			return true
		},
	})
}

// healthy makes the machine with a number. Every fourth one has a reset behind it, so that what was done last month
// looks the same as what was done just now.
func (c *Cloud) healthy(number int, s system) Machine {
	role, stage := simcloud.Job(c.random)
	created := c.cfg.Now().Add(-time.Duration(30+c.random.Below(700)) * 24 * time.Hour).UTC().Truncate(time.Second)
	region := c.cfg.Regions[number%len(c.cfg.Regions)]
	m := Machine{
		Name:               simcloud.Called(role, stage, number),
		Region:             region,
		Zone:               fmt.Sprintf("%s-%d", region, 1+c.random.Below(4)),
		OSName:             s.name,
		DefaultLoginUser:   s.user,
		State:              stateRunning,
		Tags:               map[string]string{FleetTagKey: FleetTagValue, "env": stage, "role": role},
		CreatedTime:        created,
		Operation:          "RunInstances",
		OperationState:     success,
		OperationRequestID: c.random.UUID(),
	}
	if c.random.Below(4) == 0 {
		m.Operation = actionReset
	}
	return m
}
