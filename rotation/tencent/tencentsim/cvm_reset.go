package tencentsim

import (
	"time"
	"unicode/utf8"

	"github.com/relock-project/relock/rotation/simcloud"
)

type resetRequest struct {
	InstanceIds []string `json:"InstanceIds"`
	Password    string   `json:"Password"`
	UserName    string   `json:"UserName"`
	ForceStop   bool     `json:"ForceStop"`
}

// resetInstancesPassword: https://www.tencentcloud.com/document/product/213/33250.
func resetInstancesPassword(c *Cloud, k *call, r *resetRequest) (any, error) {
	if r.Password == "" && len(r.InstanceIds) > 0 {
		return nil, missing("Password")
	}
	machines, err := c.target(k, r.InstanceIds)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(r.UserName) > 64 {
		return nil, refuse("InvalidParameterValue.TooLong", "The parameter `UserName` is longer than 64 characters.")
	}
	if err := checkPassword(machines, r); err != nil {
		return nil, err
	}
	return nil, c.operate(k, machines,
		func(m *machine) string { return m.resetRefusal(r.ForceStop) },
		func(m *machine) { c.reset(k, m, r) })
}

// checkPassword applies the stricter rule to a batch with both systems, and the older one too where a machine's image
// asks for it.
func checkPassword(machines []*machine, r *resetRequest) error {
	now, old, aged := linuxRule(), linuxRule2018(), false
	var users []string
	for _, m := range machines {
		if m.windows() {
			now, old = windowsRule(), windowsRule2018()
		}
		aged = aged || m.Rules2018
		user := r.UserName
		if user == "" {
			user = m.DefaultLoginUser
		}
		users = append(users, user)
	}
	if err := now.check(r.Password, users); err != nil || !aged {
		return err
	}
	return old.check(r.Password, users)
}

// resetRefusal is why the machine cannot be reset now; empty means that it can.
func (m *machine) resetRefusal(force bool) string {
	code := m.refusal(actionReset, stateStopped, stateRunning)
	switch {
	case code == stateCode("ENTER_SERVICE_LIVE_MIGRATE"), code == stateCode("EXIT_SERVICE_LIVE_MIGRATE"):
		// The API's list has one code for all three states of a live migration.
		return stateCode("SERVICE_LIVE_MIGRATE")
	case code != "":
		return code
	case m.State == stateRunning && !force:
		return stateCode(stateRunning)
	case m.State == stateStopped && m.StopChargingMode == stopCharging:
		return "UnsupportedOperation.StoppedModeStopCharging"
	}
	return ""
}

// reset schedules an accepted reset: stop a running machine, set the password, start it again.
func (c *Cloud) reset(k *call, m *machine, r *resetRequest) {
	fault := c.accept(k, m)
	t := m.From(k.now)
	wasRunning := m.State == stateRunning
	if wasRunning {
		// "TRUE: force shut down an instance after a normal shutdown fails".
		c.stop(m, t, stopFirstSoft, keepCharging)
	}
	if fault == faultResetNever {
		return
	}
	takes := c.lasting(resetTakes)
	if fault == simcloud.ResetLate {
		takes *= lateTimes
	}
	message := ""
	t.After(takes, func(time.Time) { message = c.land(m, r, fault) })
	if wasRunning && !c.cfg.Answers.StaysStoppedAfterForceStop {
		c.start(m, t)
	}
	t.After(0, func(time.Time) { m.end(message) })
	if fault == simcloud.ResetTwice {
		t.After(c.scaled(twiceGap), func(time.Time) { c.land(m, r, fault) })
	}
}

// land sets the password and returns why it could not, empty when it could.
func (c *Cloud) land(m *machine, r *resetRequest, fault string) string {
	if fault == simcloud.ResetFails {
		return "Failed to reset the password of the instance."
	}
	if !m.set(r.UserName, r.Password) {
		return "The user does not exist in the instance."
	}
	m.Resets++
	m.passwordOff = m.passwordOff && c.cfg.Answers.ResetKeepsPasswordLoginOff
	return ""
}
