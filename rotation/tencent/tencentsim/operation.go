package tencentsim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// How long operations take at scale 1.
const (
	resetTakes  = time.Second
	stopTakes   = 2 * time.Second
	pullTakes   = 500 * time.Millisecond // a hard stop
	startTakes  = 2 * time.Second
	softTimeout = 20 * time.Second // until a soft stop that the system ignores is given up
)

const (
	lateTimes = 30 // how many times longer a late reset takes
	twiceGap  = 20 * time.Second
	staleFor  = 30 * time.Second
)

// target is the machines that an operation names, or why it may not name them.
// Codes: the error lists of https://www.tencentcloud.com/document/product/213/33250 and its neighbours.
func (c *Cloud) target(k *call, ids []string) ([]*machine, error) {
	if len(ids) == 0 {
		return nil, missing("InstanceIds")
	}
	if err := wellFormed(ids); err != nil {
		return nil, err
	}
	var machines []*machine
	var unknown []string
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			// Not documented. Refused, so that a client that repeats itself is noticed.
			return nil, refuse("InvalidParameterValue", "The instance ID `%s` is named more than once.", id)
		}
		m := c.byID[id]
		if m == nil || m.Region != k.Region {
			unknown = append(unknown, id)
			continue
		}
		m.Settle(k.now)
		machines = append(machines, m)
	}
	if len(unknown) > 0 {
		return nil, refuse("InvalidInstanceId.NotFound", "The specified instance ID%s is not found.", c.naming(unknown))
	}
	return machines, nil
}

// wellFormed checks the number of ids and how they look.
func wellFormed(ids []string) error {
	if len(ids) > 100 {
		return refuse("InvalidParameterValue.LimitExceeded", "The number of `InstanceIds` is %d, which exceeds the limit of 100.", len(ids))
	}
	for _, id := range ids {
		rest, ok := strings.CutPrefix(id, "ins-")
		if ok && len(rest) != 8 {
			return refuse("InvalidInstanceId.Malformed", "The instance ID `%s` is malformed: its length is wrong.", id)
		}
		if !ok || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return refuse("InvalidParameterValue.InstanceIdMalformed", "The instance ID `%s` is malformed. Enter a valid ID, such as ins-xxxxxxxx.", id)
		}
	}
	return nil
}

// naming is " `['ins-…']`" for a message, or nothing where messages omit ids.
func (c *Cloud) naming(ids []string) string {
	if c.cfg.Answers.MessagesOmitIDs {
		return ""
	}
	return " " + quoted(ids)
}

// operate has begin start an operation on every machine, or refuses the whole request when code says why one of them
// cannot have it. "If the batch contains an instance that does not allow the operation, a specific error code is
// returned": https://cloud.tencent.com/document/product/213/9397.
func (c *Cloud) operate(k *call, machines []*machine, code func(*machine) string, begin func(*machine)) error {
	var refusal string
	var bad []string
	first := len(machines)
	for i, m := range machines {
		why := code(m)
		if why != "" && refusal == "" {
			refusal, first = why, i
		}
		if why != "" && why == refusal {
			bad = append(bad, m.ID)
		}
	}
	accepted := machines
	if refusal != "" {
		accepted = nil
		if c.cfg.Answers.PartialAcceptance {
			accepted = machines[:first]
		}
	}
	for _, m := range accepted {
		begin(m)
	}
	if refusal != "" {
		return refuse(refusal, "%s", c.explain(refusal, bad))
	}
	return nil
}

// explain writes a refusal's message as clients report them: https://github.com/hashicorp/packer/issues/9054.
func (c *Cloud) explain(code string, ids []string) string {
	switch code {
	case "OperationDenied.InstanceOperationInProgress":
		return "The instance" + c.naming(ids) + " already has operation in progress. Please try again later."
	case "MutexOperation.TaskRunning":
		return "The same task of the instance" + c.naming(ids) + " is running."
	}
	state := strings.TrimPrefix(code, "UnsupportedOperation.")
	return "The request does not support the instance" + c.naming(ids) + " because of `" + state + "`."
}

// someoneBusy is the refusal of a call because its first machine does something else.
func (c *Cloud) someoneBusy(k *call) *apiError {
	var named struct{ InstanceIds []string }
	if json.Unmarshal(k.body, &named) != nil || len(named.InstanceIds) == 0 {
		return missing("InstanceIds")
	}
	const code = "OperationDenied.InstanceOperationInProgress"
	return refuse(code, "%s", c.explain(code, named.InstanceIds[:1]))
}

// accept begins an operation's record and returns the fault that befalls the machine in it.
func (c *Cloud) accept(k *call, m *machine) (fault string) {
	fault = c.Befall(k.Action, k.forced)
	requestID := k.ID
	if c.cfg.Answers.RequestIDsDiffer {
		requestID = c.random.UUID()
	}
	late := c.cfg.Visible
	if fault == simcloud.Stale {
		late += staleFor
	}
	// "We cannot catch LatestOperationState change immediately after modification returns": Terraform's provider,
	// tencentcloud/services/cvm/resource_tc_instance.go.
	m.before = m.shown(k.now)
	m.visible = k.now.Add(c.scaled(late))
	m.latest = record{name: k.Action, requestID: requestID, state: operating}
	return fault
}

// stateCode is the code that refuses an operation on a machine in a state that does not allow it, such as
// UnsupportedOperation.InstanceStateEnterRescueMode.
func stateCode(state string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(state, "_") {
		name.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return "UnsupportedOperation.InstanceState" + name.String()
}

// refusal is the code that keeps an operation from a machine which has to be in one of the wanted states; empty means
// that nothing does.
func (m *machine) refusal(action string, wanted ...string) string {
	switch {
	case m.Refuse != "":
		return m.Refuse
	case m.busy() && m.latest.name == action:
		return "MutexOperation.TaskRunning"
	// Which of the codes an isolated instance gets is not documented; these are the ones on the API's list.
	case m.RestrictState == restrictIsolated:
		return "UnsupportedOperation.InstanceStateFreezing"
	case m.RestrictState == restrictExpired:
		return "UnsupportedOperation.InstanceStateIsolating"
	case !slices.Contains(wanted, m.State) && (m.State != stateRunning && m.State != stateStopped || !m.busy()):
		return stateCode(m.State)
	case m.busy():
		return "OperationDenied.InstanceOperationInProgress"
	}
	return ""
}
