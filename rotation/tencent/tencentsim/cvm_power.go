package tencentsim

import (
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// Stop types, of StopInstances and RebootInstances.
const (
	stopSoft      = "SOFT"
	stopHard      = "HARD"
	stopFirstSoft = "SOFT_FIRST"
)

type stopRequest struct {
	InstanceIds []string `json:"InstanceIds"`
	ForceStop   *bool    `json:"ForceStop"`
	StopType    string   `json:"StopType"`
	StoppedMode string   `json:"StoppedMode"`
}

// stopInstances: https://www.tencentcloud.com/document/product/213/33235.
func stopInstances(c *Cloud, k *call, r *stopRequest) (any, error) {
	how, err := stopType(r.StopType, "ForceStop", r.ForceStop)
	if err != nil {
		return nil, err
	}
	mode := r.StoppedMode
	if mode == "" {
		mode = keepCharging
	}
	if mode != keepCharging && mode != stopCharging {
		return nil, refuse("InvalidParameterValue", "The value `%s` specified in the parameter `StoppedMode` is not valid.", mode)
	}
	machines, err := c.target(k, r.InstanceIds)
	if err != nil {
		return nil, err
	}
	code := func(m *machine) string {
		if code := m.refusal(actionStop, stateRunning); code != "" || mode == keepCharging || m.ChargeType == postpaid {
			return code
		}
		return "UnsupportedOperation.StoppedModeStopCharging" // only pay-as-you-go instances have it
	}
	return nil, c.operate(k, machines, code, func(m *machine) {
		fault := c.accept(k, m)
		t := m.From(k.now)
		if fault == simcloud.StopHangs && how == stopSoft {
			m.Stops++
			m.leave(stateStopping, k.now)
			return
		}
		if c.stop(m, t, how, mode) {
			t.After(0, func(time.Time) { m.end("") })
		}
	})
}

// stop takes a machine down, and reports whether it will be STOPPED in the end. Otherwise it has ended the operation.
func (c *Cloud) stop(m *machine, t *simcloud.Timeline, how, mode string) bool {
	m.Stops++
	m.leave(stateStopping, t.At())
	pull := func(time.Time) { m.HardStops++; m.halt(mode) }
	switch {
	case how == stopHard:
		t.After(c.lasting(pullTakes), pull)
	case !m.IgnoresSoftStop:
		t.After(c.lasting(stopTakes), func(time.Time) { m.halt(mode) })
	case how == stopFirstSoft:
		t.After(c.lasting(softTimeout), pull)
	default:
		c.giveUp(m, t)
		return false
	}
	return true
}

// giveUp is a soft stop that the system ignores. How long it takes is not documented.
func (c *Cloud) giveUp(m *machine, t *simcloud.Timeline) {
	if c.cfg.Answers.SoftStopNeverGivesUp {
		return
	}
	t.After(c.lasting(softTimeout), func(at time.Time) {
		m.run(at)
		m.end("The instance did not shut down normally.")
	})
}

type startRequest struct {
	InstanceIds []string `json:"InstanceIds"`
}

// startInstances: https://www.tencentcloud.com/document/product/213/33236.
func startInstances(c *Cloud, k *call, r *startRequest) (any, error) {
	machines, err := c.target(k, r.InstanceIds)
	if err != nil {
		return nil, err
	}
	return nil, c.operate(k, machines,
		func(m *machine) string { return m.refusal(actionStart, stateStopped) },
		func(m *machine) {
			c.accept(k, m)
			t := m.From(k.now)
			c.start(m, t)
			t.After(0, func(time.Time) { m.end("") })
		})
}

// start brings a stopped machine to RUNNING.
func (c *Cloud) start(m *machine, t *simcloud.Timeline) {
	t.After(0, func(time.Time) {
		m.Starts++
		m.State, m.StopChargingMode = stateStarting, notApplicable
	})
	t.After(c.lasting(startTakes), m.run)
}

type rebootRequest struct {
	InstanceIds []string `json:"InstanceIds"`
	ForceReboot *bool    `json:"ForceReboot"`
	StopType    string   `json:"StopType"`
}

// rebootInstances: the SDK's comments on RebootInstances.
func rebootInstances(c *Cloud, k *call, r *rebootRequest) (any, error) {
	how, err := stopType(r.StopType, "ForceReboot", r.ForceReboot)
	if err != nil {
		return nil, err
	}
	machines, err := c.target(k, r.InstanceIds)
	if err != nil {
		return nil, err
	}
	return nil, c.operate(k, machines,
		func(m *machine) string { return m.refusal(actionReboot, stateRunning) },
		func(m *machine) { c.reboot(k, m, how) })
}

func (c *Cloud) reboot(k *call, m *machine, how string) {
	fault := c.accept(k, m)
	t := m.From(k.now)
	m.Reboots++
	m.leave(stateRebooting, k.now)
	takes := stopTakes
	switch {
	case how == stopHard:
		takes = pullTakes
		m.HardStops++
	case how == stopSoft && fault == simcloud.StopHangs:
		return
	case how == stopSoft && m.IgnoresSoftStop:
		c.giveUp(m, t)
		return
	case m.IgnoresSoftStop:
		takes = softTimeout
		m.HardStops++
	}
	t.After(c.lasting(takes+startTakes), m.run)
	t.After(0, func(time.Time) { m.end("") })
}

// stopType reads StopType and the parameter that it replaces, which "cannot be used together".
func stopType(given, deprecated string, force *bool) (string, error) {
	switch {
	case given != "" && force != nil:
		return "", refuse("InvalidParameterCombination", "The parameters `StopType` and `%s` cannot be used together.", deprecated)
	case given == stopSoft, given == stopHard, given == stopFirstSoft:
		return given, nil
	case given != "":
		return "", refuse("InvalidParameterValue", "The value `%s` specified in the parameter `StopType` is not valid.", given)
	case force != nil && *force:
		return stopFirstSoft, nil
	}
	return stopSoft, nil
}
