package huaweisim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

const (
	stageTakes = time.Second // until a password is staged, where that is late
	lagTakes   = 2 * time.Second
	lateTimes  = 30 // how many times longer a late reset takes
	twiceGap   = 20 * time.Second

	maxServers = 1000 // of a request; also of all starts, stops or reboots within a minute
)

type serverID struct {
	ID string `json:"id"`
}

type resetRequest struct {
	NewPassword string     `json:"new_password"`
	DryRun      bool       `json:"dry_run"`
	Servers     []serverID `json:"servers"`
}

// batchResetServersPassword: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html.
func batchResetServersPassword(c *Cloud, k *call, r *resetRequest) (any, error) {
	if err := checkServers(r.Servers); err != nil {
		return nil, err
	}
	if r.NewPassword == "" && !r.DryRun {
		return nil, invalid(serviceECS, "new_password is missing.")
	}
	if r.NewPassword != "" {
		if err := checkPassword(r.NewPassword, c.anyWindows(k, r.Servers)); err != nil {
			return nil, err
		}
	}
	var accepted []staging
	var refused []refusal
	for _, s := range r.Servers {
		a, why := c.resettable(k, s.ID, r.DryRun)
		if why != nil {
			refused = append(refused, *why)
			continue
		}
		accepted = append(accepted, a)
	}
	if refused != nil && c.cfg.Answers.OthersNotReset {
		accepted = nil
	}
	out := struct {
		Response []serverID `json:"response"`
	}{[]serverID{}}
	for _, a := range accepted {
		if !r.DryRun {
			c.stage(a, k.now, r.NewPassword)
		}
		out.Response = append(out.Response, serverID{a.machine.ID})
	}
	if refused != nil && !c.cfg.Answers.RefusedAreOmitted {
		return nil, partly(refused)
	}
	return out, nil
}

// partly is the answer to a batch that some machines were refused for.
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0402.html
func partly(refused []refusal) *apiError {
	e := refuse(http.StatusBadRequest, "Ecs.0611", "Batch operation failed: some servers failed.")
	e.Refused = refused
	return e
}

// checkServers: 1 to 1,000 ids. https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html
func checkServers(servers []serverID) *apiError {
	switch {
	case len(servers) == 0:
		return invalid(serviceECS, "servers is missing or empty.")
	case len(servers) > maxServers:
		return refuse(http.StatusBadRequest, "Ecs.0118", "The number of tasks in a batch is greater than the upper limit %d.", maxServers)
	}
	for i, s := range servers {
		if !isUUID(s.ID) {
			return invalid(serviceECS, "the id of a server is not a UUID.")
		}
		if slices.Contains(servers[:i], s) {
			// Not documented. Refused, so that a client that repeats itself is noticed.
			return invalid(serviceECS, "the server %s is named more than once.", s.ID)
		}
	}
	return nil
}

func isUUID(id string) bool {
	return len(id) == 36 && strings.Count(id, "-") == 4 && strings.Trim(id, "0123456789abcdef-") == ""
}

// anyWindows reports whether the stricter password rule counts.
func (c *Cloud) anyWindows(k *call, servers []serverID) bool {
	return slices.ContainsFunc(servers, func(s serverID) bool {
		m := c.in(k, s.ID)
		return m != nil && m.windows()
	})
}

// in returns a machine of the call's region as it is now, nil when there is none.
func (c *Cloud) in(k *call, id string) *machine {
	m := c.byID[id]
	if m == nil || m.Region != k.Region {
		return nil
	}
	m.Settle(k.now)
	return m
}

// A staging is a machine that a reset was accepted for, and the fault that befalls it.
type staging struct {
	machine *machine
	fault   string
}

// resettable returns the machine, or why it cannot be reset.
func (c *Cloud) resettable(k *call, id string, dry bool) (staging, *refusal) {
	m := c.in(k, id)
	if m == nil {
		return staging{}, &refusal{id, "Ecs.0114", "The ECS does not exist."}
	}
	code, message := m.refusal(statusActive, statusShutoff)
	fault := c.Befall(k.Action, k.forced)
	if code == "" && !dry && fault == faultRefused {
		code, message = "Ecs.0100", "The ECS status does not meet the requirements."
	}
	if code == "" && dry && m.NoPlugin && c.cfg.Answers.DryRunChecksPlugin {
		code, message = "Ecs.0100", "The password reset plug-in is not installed."
	}
	if code != "" {
		return staging{}, &refusal{id, code, message}
	}
	return staging{m, fault}, nil
}

// stage hands an accepted password to the machine's plug-in, which sets it at the next boot: "A new password takes effect
// after the ECS is started or restarted." Nothing ever tells what became of it.
func (c *Cloud) stage(a staging, now time.Time, password string) {
	m, fault := a.machine, a.fault
	if m.NoPlugin || fault == simcloud.ResetFails {
		return
	}
	takes := time.Duration(0)
	if c.cfg.Answers.StagedLate || fault == simcloud.ResetLate {
		takes = c.lasting(stageTakes)
	}
	if fault == simcloud.ResetLate {
		takes *= lateTimes
	}
	keep := func(time.Time) { m.Pending = password }
	t := m.From(now)
	t.After(takes, keep)
	if fault == simcloud.ResetTwice {
		t.After(c.scaled(twiceGap), keep)
	}
	m.Settle(now)
}

// boot is the end of a start or reboot: the plug-in sets the password that waits for it.
func (c *Cloud) boot(m *machine, at time.Time) {
	m.run(at)
	set := func(time.Time) {
		if m.Pending == "" || !m.answers() {
			return
		}
		m.Password, m.Pending = m.Pending, ""
		m.Resets++
		m.passwordOff = m.passwordOff && c.cfg.Answers.ResetKeepsPasswordLoginOff
	}
	if c.cfg.Answers.PasswordLagsBoot {
		m.Schedule(at.Add(c.lasting(lagTakes)), set)
		return
	}
	set(at)
}

// showResetPasswordFlag: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1102.html.
func showResetPasswordFlag(c *Cloud, k *call) (any, error) {
	m := c.in(k, k.path["server_id"])
	if m == nil {
		return nil, noServer(k.path["server_id"])
	}
	flag := "True"
	if m.NoPlugin {
		flag = "False"
	}
	return map[string]string{"resetpwd_flag": flag}, nil
}

func noServer(id string) *apiError {
	return refuse(http.StatusNotFound, "Ecs.0114", "The ECS %s does not exist.", id)
}

// serversIn returns the servers that a request names, whatever its action is.
func serversIn(body []byte) []serverID {
	var named struct {
		Servers []serverID `json:"servers"`
		Reboot  struct {
			Servers []serverID `json:"servers"`
		} `json:"reboot"`
		Stop struct {
			Servers []serverID `json:"servers"`
		} `json:"os-stop"`
		Start struct {
			Servers []serverID `json:"servers"`
		} `json:"os-start"`
	}
	if json.Unmarshal(body, &named) != nil {
		return nil
	}
	return slices.Concat(named.Servers, named.Reboot.Servers, named.Stop.Servers, named.Start.Servers)
}

// everyoneBusy is the refusal of a call because its machines do something else.
func (c *Cloud) everyoneBusy(k *call) *apiError {
	const code, message = "Ecs.0100", "The ECS status does not meet the requirements."
	if k.Action != actionReset {
		return refuse(http.StatusBadRequest, code, message)
	}
	refused := []refusal{}
	for _, s := range serversIn(k.body) {
		refused = append(refused, refusal{s.ID, code, message})
	}
	return partly(refused)
}
