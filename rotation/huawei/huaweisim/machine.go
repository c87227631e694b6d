package huaweisim

import (
	"maps"
	"slices"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// Server states. https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_08_0002.html
const (
	statusActive     = "ACTIVE"
	statusShutoff    = "SHUTOFF"
	statusReboot     = "REBOOT"
	statusHardReboot = "HARD_REBOOT"
	statusError      = "ERROR"

	taskNone       = ""
	taskStopping   = "powering-off"
	taskStarting   = "powering-on"
	taskReboot     = "rebooting"
	taskHardReboot = "rebooting_hard"
)

const (
	osLinux   = "Linux"
	osWindows = "Windows"

	resNormal = "normal"
	resFrozen = "freeze"
)

// A Machine is one ECS server, as Add takes it and as Machines shows it. Empty fields that Add takes get a default: a
// running Linux machine of the first region with the baseline password and the plug-in.
type Machine struct {
	ID     string // a UUID
	Name   string
	Region string
	Zone   string
	OSType string // Linux or Windows
	Image  string
	Status string
	// TaskState is what the machine is doing; empty means nothing.
	TaskState string
	// EcmResStatus is normal or freeze.
	EcmResStatus string
	Locked       bool
	// KeyName binds the machine to a key pair, which turns password login off until a password is reset.
	KeyName     string
	Tags        map[string]string
	CreatedTime time.Time
	PrivateIP   string
	PublicIP    string // empty means none
	// SSHPort is the port of 127.0.0.1 on which the machine answers; zero means that it does not. Add ignores it.
	SSHPort int
	// Password is the password in force of root, or of Administrator.
	Password string
	// Pending is the password that the plug-in sets at the next boot; empty means none.
	Pending string

	// NoPlugin makes resets be accepted and never applied, which nothing tells but os-resetpwd-flag.
	NoPlugin bool
	// IgnoresSoftStop makes the system never shut down when it is only asked to.
	IgnoresSoftStop bool
	// Refuse is an error code with which every reset and action on the machine is refused, for what lists do not show.
	// Empty means none.
	Refuse string

	// What happened so far; Add ignores these.
	Stops     int // how often it left ACTIVE to be stopped
	HardStops int // how often the plug was pulled, to stop or to reboot it
	Starts    int
	Reboots   int
	Resets    int           // how many times a reset set a password
	DownSince time.Time     // when it left ACTIVE; zero when it did not, or runs again
	Down      time.Duration // how long it was not ACTIVE since it first left that, up to now
}

// shown is what a list tells of a machine's power.
type shown struct{ status, task string }

// machine is a Machine in the cloud. Nothing happens in it until Settle is called, which every look at it does first.
type machine struct {
	Machine
	simcloud.Agenda
	number      int // how many machines were added before it
	passwordOff bool
	shownTags   map[string]string // Tags as lists show them; never changed in place, like Tags

	before  shown // what is shown until visible
	visible time.Time
	doing   *subJob // the action under way; nil means none
}

func (m *machine) windows() bool { return m.OSType == osWindows }

// user is the name of the account whose password is reset.
func (m *machine) user() string {
	if m.windows() {
		return "Administrator"
	}
	return "root"
}

// answers reports whether the system is up.
func (m *machine) answers() bool { return m.Status == statusActive && m.TaskState == taskNone }

// shown is what a list tells at now.
func (m *machine) shown(now time.Time) shown {
	if now.Before(m.visible) {
		return m.before
	}
	return shown{m.Status, m.TaskState}
}

// snapshot is the machine as Machines shows it at now.
func (m *machine) snapshot(now time.Time) Machine {
	s := m.Machine
	s.Tags = maps.Clone(m.Tags)
	if !s.DownSince.IsZero() {
		s.Down += now.Sub(s.DownSince)
	}
	return s
}

// leave takes a running machine down.
func (m *machine) leave(status, task string, at time.Time) {
	m.Status, m.TaskState = status, task
	if m.DownSince.IsZero() {
		m.DownSince = at
	}
}

// halt is the end of a stop.
func (m *machine) halt() { m.Status, m.TaskState = statusShutoff, taskNone }

// run brings the machine to ACTIVE.
func (m *machine) run(at time.Time) {
	m.Status, m.TaskState = statusActive, taskNone
	if !m.DownSince.IsZero() {
		m.Down += at.Sub(m.DownSince)
		m.DownSince = time.Time{}
	}
}

// refusal is the code and message that keep a reset or an action from a machine whose status has to be one of those wanted;
// an empty code means that nothing does. Codes: https://support.huaweicloud.com/intl/en-us/api-ecs/ErrorCode.html.
func (m *machine) refusal(wanted ...string) (code, message string) {
	switch {
	case m.Refuse != "":
		return m.Refuse, "The ECS does not support this operation."
	case m.EcmResStatus == resFrozen:
		return "Ecs.0030", "The resource is frozen."
	case m.Locked:
		return "Ecs.0605", "The ECS has been locked."
	case !slices.Contains(wanted, m.Status) || m.TaskState != taskNone:
		return "Ecs.0100", "The ECS status does not meet the requirements."
	}
	return "", ""
}
