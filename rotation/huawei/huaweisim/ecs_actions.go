package huaweisim

import (
	"net/http"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// How long actions take at scale 1.
const (
	stopTakes   = 2 * time.Second
	pullTakes   = 500 * time.Millisecond // a hard stop
	startTakes  = 2 * time.Second
	softTimeout = 20 * time.Second // until a soft stop that the system ignores is given up
)

// Types of a stop and of a reboot.
const (
	typeSoft = "SOFT"
	typeHard = "HARD"
)

// A powerAction is a reboot, os-stop or os-start.
type powerAction struct {
	Type    string     `json:"type"`
	Servers []serverID `json:"servers"`
}

type rebootRequest struct {
	Reboot powerAction `json:"reboot"`
}

type stopRequest struct {
	Stop powerAction `json:"os-stop"`
}

type startRequest struct {
	Start struct {
		Servers []serverID `json:"servers"`
	} `json:"os-start"`
}

// batchRebootServers: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0302.html. The type is mandatory.
func batchRebootServers(c *Cloud, k *call, r *rebootRequest) (any, error) {
	if r.Reboot.Type != typeSoft && r.Reboot.Type != typeHard {
		return nil, invalid(serviceECS, "the type of a reboot is SOFT or HARD.")
	}
	return c.act(k, "rebootServer", r.Reboot.Servers, statusActive, func(m *machine, t *simcloud.Timeline, fault string) {
		c.reboot(m, t, r.Reboot.Type, fault)
	})
}

// batchStopServers: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0303.html. The type is SOFT by default.
func batchStopServers(c *Cloud, k *call, r *stopRequest) (any, error) {
	if r.Stop.Type != "" && r.Stop.Type != typeSoft && r.Stop.Type != typeHard {
		return nil, invalid(serviceECS, "the type of a stop is SOFT or HARD.")
	}
	return c.act(k, "stopServer", r.Stop.Servers, statusActive, func(m *machine, t *simcloud.Timeline, fault string) {
		c.stop(m, t, r.Stop.Type == typeHard, fault)
	})
}

// batchStartServers: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0301.html.
func batchStartServers(c *Cloud, k *call, r *startRequest) (any, error) {
	return c.act(k, "startServer", r.Start.Servers, statusShutoff, func(m *machine, t *simcloud.Timeline, _ string) {
		m.Starts++
		m.TaskState = taskStarting
		t.After(c.lasting(startTakes), func(at time.Time) {
			c.boot(m, at)
			m.finish(at, "", "")
		})
	})
}

// started is how many servers one batch action began with.
type started struct {
	at time.Time
	n  int
}

// allow counts the servers of a batch action: "A maximum of 1,000 ECSs can be started in one minute", stopped and restarted
// alike.
func (c *Cloud) allow(k *call, n int) *apiError {
	key := k.Action + " " + k.Region
	recent := slices.DeleteFunc(c.recent[key], func(s started) bool { return k.now.Sub(s.at) >= time.Minute })
	for _, s := range recent {
		n += s.n
	}
	c.recent[key] = recent
	if n > maxServers {
		return refuse(http.StatusBadRequest, "Ecs.0118", "The number of tasks in a batch is greater than the upper limit %d.", maxServers)
	}
	return nil
}

// act begins an action on every machine that is in the wanted status, as one job. kind is the name of its sub-jobs.
func (c *Cloud) act(k *call, kind string, servers []serverID, wanted string, begin func(*machine, *simcloud.Timeline, string)) (any, error) {
	if err := checkServers(servers); err != nil {
		return nil, err
	}
	var machines []*machine
	for _, s := range servers {
		m := c.in(k, s.ID)
		if m == nil {
			return nil, noServer(s.ID)
		}
		if code, message := m.refusal(wanted); code != "" && c.cfg.Answers.ActionRefusesBatch && !c.idle(m, wanted) {
			return nil, refuse(http.StatusBadRequest, code, "%s", message)
		}
		machines = append(machines, m)
	}
	if err := c.allow(k, len(servers)); err != nil {
		return nil, err
	}
	c.recent[k.Action+" "+k.Region] = append(c.recent[k.Action+" "+k.Region], started{k.now, len(servers)})
	j := &job{id: plainID(c.random), kind: "batch_" + kind, region: k.Region, begun: k.now, inits: c.lasting(initTakes)}
	c.jobs[j.id] = j
	for _, m := range machines {
		c.actOn(k, j, &subJob{id: plainID(c.random), kind: kind, machine: m, status: jobRunning}, wanted, begin)
	}
	return map[string]string{"job_id": j.id}, nil
}

// actOn begins one sub-job, or fails it.
func (c *Cloud) actOn(k *call, j *job, s *subJob, wanted string, begin func(*machine, *simcloud.Timeline, string)) {
	j.subs = append(j.subs, s)
	m := s.machine
	fault := c.Befall(k.Action, k.forced)
	code, message := m.refusal(wanted)
	switch {
	case c.idle(m, wanted):
		s.end(k.now, "", "")
		return
	case code == "" && fault == faultJobFails:
		code, message = "Ecs.0000", "The task failed."
	}
	if code != "" {
		s.end(k.now, code, message)
		return
	}
	m.before = m.shown(k.now)
	late := c.cfg.Visible
	if fault == simcloud.Stale {
		late += staleFor
	}
	m.visible = k.now.Add(c.scaled(late))
	m.doing = s
	begin(m, m.From(k.now), fault)
}

// staleFor is how much later, at scale 1, a stale list tells of an action.
const staleFor = 30 * time.Second

// idle reports whether an action has nothing to do with a machine, where that is a success.
func (c *Cloud) idle(m *machine, wanted string) bool {
	already := statusActive
	if wanted == statusActive {
		already = statusShutoff
	}
	code, _ := m.refusal(already)
	return c.cfg.Answers.IdleActionsSucceed && code == ""
}

// stop takes a machine down.
func (c *Cloud) stop(m *machine, t *simcloud.Timeline, hard bool, fault string) {
	m.Stops++
	m.leave(statusActive, taskStopping, t.At())
	takes := stopTakes
	switch {
	case hard:
		takes = pullTakes
	case fault == simcloud.StopHangs:
		return
	case m.IgnoresSoftStop:
		c.giveUp(m, t)
		return
	}
	t.After(c.lasting(takes), func(at time.Time) {
		if hard {
			m.HardStops++
		}
		m.halt()
		m.finish(at, "", "")
	})
}

// giveUp is a soft stop or reboot that the system ignores. How long it takes is not documented.
func (c *Cloud) giveUp(m *machine, t *simcloud.Timeline) {
	if c.cfg.Answers.SoftStopNeverGivesUp {
		return
	}
	t.After(c.lasting(softTimeout), func(at time.Time) {
		m.run(at)
		m.finish(at, "Ecs.0000", "The ECS did not shut down normally.")
	})
}

// reboot takes a machine down and up again.
func (c *Cloud) reboot(m *machine, t *simcloud.Timeline, how, fault string) {
	m.Reboots++
	takes := stopTakes
	switch {
	case how == typeHard:
		takes = pullTakes
		m.HardStops++
		m.leave(statusHardReboot, taskHardReboot, t.At())
	case fault == simcloud.StopHangs:
		m.leave(statusReboot, taskReboot, t.At())
		return
	case m.IgnoresSoftStop && !c.cfg.Answers.SoftRebootTurnsHard:
		m.leave(statusReboot, taskReboot, t.At())
		c.giveUp(m, t)
		return
	default:
		m.leave(statusReboot, taskReboot, t.At())
		if m.IgnoresSoftStop {
			takes = softTimeout
			m.HardStops++
		}
	}
	t.After(c.lasting(takes+startTakes), func(at time.Time) {
		c.boot(m, at)
		m.finish(at, "", "")
	})
}
