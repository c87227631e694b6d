package tencentsim

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// Instance states. https://cloud.tencent.com/document/api/213/15753#InstanceStatus
const (
	statePending   = "PENDING"
	stateRunning   = "RUNNING"
	stateStopped   = "STOPPED"
	stateStarting  = "STARTING"
	stateStopping  = "STOPPING"
	stateRebooting = "REBOOTING"
	stateShutdown  = "SHUTDOWN"
	stateRescue    = "RESCUE_MODE"
	stateFailed    = "LAUNCH_FAILED"
)

const (
	restrictNormal   = "NORMAL"
	restrictExpired  = "EXPIRED"
	restrictIsolated = "PROTECTIVELY_ISOLATED"

	keepCharging  = "KEEP_CHARGING"
	stopCharging  = "STOP_CHARGING"
	notApplicable = "NOT_APPLICABLE"

	postpaid = "POSTPAID_BY_HOUR"

	operating = "OPERATING"
	success   = "SUCCESS"
	failed    = "FAILED"
)

// A Machine is one CVM instance, as Add takes it and as Machines shows it. Empty fields that Add takes get a default:
// a running Ubuntu machine of the first region with the baseline password.
type Machine struct {
	ID     string // ins-xxxxxxxx
	Name   string
	Region string
	Zone   string
	// OSName decides the default of DefaultLoginUser, and which password rule counts.
	OSName           string
	DefaultLoginUser string
	State            string // InstanceState
	RestrictState    string // NORMAL, EXPIRED or PROTECTIVELY_ISOLATED
	StopChargingMode string // KEEP_CHARGING, STOP_CHARGING or NOT_APPLICABLE
	IsolatedSource   string // ARREAR, EXPIRE, MANMADE or NOTISOLATED
	ChargeType       string // InstanceChargeType
	// KeyIDs binds the machine to key pairs, which turns password login off until a reset.
	KeyIDs      []string
	Tags        map[string]string
	CreatedTime time.Time
	PrivateIP   string
	PublicIP    string // empty means none
	// SSHPort is the port of 127.0.0.1 on which the machine answers; zero means that it does not. Add ignores it.
	SSHPort int
	// Password is DefaultLoginUser's password in force; Users has that of every other account that exists.
	Password string
	Users    map[string]string

	// Rules2018 makes the machine's image refuse what the password rules of 2018 did not allow.
	Rules2018 bool
	// IgnoresSoftStop makes the system never shut down when it is only asked to.
	IgnoresSoftStop bool
	// Refuse is an error code with which every operation on the machine is refused, for what DescribeInstances does
	// not show, such as UnsupportedOperation.SpecialInstanceType. Empty means none.
	Refuse string

	// Operation is the latest operation as it truly is, whatever DescribeInstances shows yet. Add takes it as what
	// happened last before the simulation.
	Operation          string
	OperationState     string // SUCCESS, OPERATING or FAILED
	OperationRequestID string
	OperationError     string

	// What happened so far; Add ignores these.
	Stops     int // how often it left RUNNING to be stopped, by StopInstances or for a reset
	HardStops int // how often the plug was pulled, to stop or to reboot it
	Starts    int
	Reboots   int
	Resets    int           // how many times a reset set a password
	DownSince time.Time     // when it left RUNNING; zero when it did not, or runs again
	Down      time.Duration // how long it was not RUNNING since it first left that, up to now
}

// A record is one LatestOperation as DescribeInstances shows it.
type record struct{ name, requestID, state, message string }

// machine is a Machine in the cloud. Nothing happens in it until Settle is called, which every look at it does first.
type machine struct {
	Machine
	simcloud.Agenda
	number      int // how many machines were added before it
	uuid        string
	passwordOff bool
	shownTags   map[string]string // Tags as DescribeInstances shows them; never changed in place, like Tags

	latest  record
	before  record    // what is shown until visible
	visible time.Time // when latest begins to be shown
}

// shown is the LatestOperation that DescribeInstances shows at now.
func (m *machine) shown(now time.Time) record {
	if now.Before(m.visible) {
		return m.before
	}
	return m.latest
}

func (m *machine) busy() bool { return m.latest.state == operating }

func (m *machine) windows() bool { return isWindows(m.OSName, m.DefaultLoginUser) }

func isWindows(osName, loginUser string) bool {
	return loginUser == "Administrator" || strings.HasPrefix(strings.ToLower(osName), "windows")
}

// snapshot is the machine as Machines shows it at now.
func (m *machine) snapshot(now time.Time) Machine {
	s := m.Machine
	s.KeyIDs = slices.Clone(m.KeyIDs)
	s.Tags = maps.Clone(m.Tags)
	s.Users = maps.Clone(m.Users)
	s.Operation, s.OperationState = m.latest.name, m.latest.state
	s.OperationRequestID, s.OperationError = m.latest.requestID, m.latest.message
	if !s.DownSince.IsZero() {
		s.Down += now.Sub(s.DownSince)
	}
	return s
}

// leave takes the machine out of RUNNING.
func (m *machine) leave(state string, at time.Time) {
	m.State, m.StopChargingMode = state, notApplicable
	if m.DownSince.IsZero() {
		m.DownSince = at
	}
}

// halt is the end of a stop.
func (m *machine) halt(chargingMode string) {
	m.State, m.StopChargingMode = stateStopped, chargingMode
}

// run brings the machine to RUNNING.
func (m *machine) run(at time.Time) {
	m.State, m.StopChargingMode = stateRunning, notApplicable
	if !m.DownSince.IsZero() {
		m.Down += at.Sub(m.DownSince)
		m.DownSince = time.Time{}
	}
}

// end finishes the latest operation; an empty message is success.
func (m *machine) end(message string) {
	m.latest.state, m.latest.message = success, message
	if message != "" {
		m.latest.state = failed
	}
}

// set makes password the one in force for user, empty meaning DefaultLoginUser. It reports whether there is such a user.
func (m *machine) set(user, password string) bool {
	if user == "" || user == m.DefaultLoginUser {
		m.Password = password
		return true
	}
	if _, ok := m.Users[user]; !ok && (user != "root" || m.windows()) {
		return false // every Linux system has root, with or without a password
	}
	users := maps.Clone(m.Users)
	if users == nil {
		users = make(map[string]string)
	}
	users[user] = password
	m.Users = users
	return true
}

// password returns what opens user's account.
func (m *machine) password(user string) (string, bool) {
	if user == m.DefaultLoginUser {
		return m.Password, true
	}
	p, ok := m.Users[user]
	return p, ok
}
