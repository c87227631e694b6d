package tencent

import (
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Reasons and remedies that a state and a code share.
const (
	reasonRescue    = "rescue mode"
	remedyRescue    = "leave rescue mode, then: relock reconcile"
	reasonUncharged = "stopped without charges"
	remedyUncharged = "start them once, then: relock reconcile"
	reasonFrozen    = "frozen by the provider"
	remedyFrozen    = "see the provider's notices on it, then: relock reconcile"
	reasonIsolated  = "isolated"
	remedyIsolated  = "renew it or settle the account, then: relock reconcile"
	reasonArrears   = "isolated for arrears"
	remedyArrears   = "settle the account, then: relock reconcile"
	reasonExpired   = "isolated: its term is over"
	remedyExpired   = "renew it, then: relock reconcile"
	reasonReturned  = "returned by hand, to be destroyed"
	remedyReturned  = "take it back from the recycle bin, then: relock reconcile"
	reasonDestroyed = "being destroyed"
	remedyDestroyed = "take it out of the scope"
	reasonDamaged   = "damaged"
	remedyDamaged   = "ask the provider's support about it"
	reasonLaunch    = "its creation failed"
	remedyLaunch    = "destroy it and create it again"
)

// powers are the states in which a machine is wholly on or off; in every other one it is on its way.
// https://cloud.tencent.com/document/api/213/15753#InstanceStatus.
var powers = map[string]rotation.PowerState{
	"RUNNING":       rotation.Running,
	"STOPPED":       rotation.Stopped,
	"SHUTDOWN":      rotation.Stopped,
	"LAUNCH_FAILED": rotation.Stopped,
	"TERMINATED":    rotation.Stopped,
}

func powerOf(state string) rotation.PowerState {
	if p, ok := powers[state]; ok {
		return p
	}
	return rotation.Changing
}

// states are those in which no reset is accepted. STARTING, STOPPING and REBOOTING are not here: they end by themselves
// in a moment.
var states = map[string]rotation.Refusal{
	"PENDING":                    transient("being created"),
	"ENTER_RESCUE_MODE":          transient("entering rescue mode"),
	"EXIT_RESCUE_MODE":           transient("leaving rescue mode"),
	"ENTER_SERVICE_LIVE_MIGRATE": transient("being migrated"),
	"SERVICE_LIVE_MIGRATE":       transient("being migrated"),
	"EXIT_SERVICE_LIVE_MIGRATE":  transient("being migrated"),
	"RESCUE_MODE":                lasting(reasonRescue, remedyRescue),
	"SHUTDOWN":                   lasting(reasonIsolated, remedyIsolated),
	"FREEZING":                   lasting(reasonFrozen, remedyFrozen),
	"BANNING":                    lasting(reasonFrozen, remedyFrozen),
	"ISOLATING":                  lasting(reasonIsolated, remedyIsolated),
	"CORRUPTED":                  lasting(reasonDamaged, remedyDamaged),
	"LAUNCH_FAILED":              lasting(reasonLaunch, remedyLaunch),
	"TERMINATING":                lasting(reasonDestroyed, remedyDestroyed),
	"TERMINATED":                 lasting(reasonDestroyed, remedyDestroyed),
}

// settled are the states that are not in states.
var settled = map[string]bool{"RUNNING": true, "STOPPED": true, "STARTING": true, "STOPPING": true, "REBOOTING": true}

// isolated are the values of IsolatedSource and RestrictState that forbid a reset.
var isolated = map[string]rotation.Refusal{
	"ARREAR":                lasting(reasonArrears, remedyArrears),
	"EXPIRE":                lasting(reasonExpired, remedyExpired),
	"MANMADE":               lasting(reasonReturned, remedyReturned),
	"EXPIRED":               lasting(reasonExpired, remedyExpired),
	"PROTECTIVELY_ISOLATED": lasting("isolated by the provider for its safety", "see the provider's security notices on it, then: relock reconcile"),
}

func transient(reason string) rotation.Refusal {
	return rotation.Refusal{Kind: rotation.RefusedBusy, Reason: reason, Remedy: retryRemedy}
}

func lasting(reason, remedy string) rotation.Refusal {
	return rotation.Refusal{Kind: rotation.RefusedUnable, Reason: reason, Remedy: remedy}
}

// refusalOf says why CVM would not reset the machine as DescribeInstances shows it. Code is the field's value.
func refusalOf(raw *cvm.Instance) rotation.Refusal {
	current := wire.Deref(raw.InstanceState)
	with := func(r rotation.Refusal, code string) rotation.Refusal {
		r.Code = code
		return r
	}
	// Why it is isolated says more than that it is.
	for _, value := range []string{wire.Deref(raw.IsolatedSource), wire.Deref(raw.RestrictState)} {
		if r, ok := isolated[value]; ok {
			return with(r, value)
		}
	}
	if r, ok := states[current]; ok {
		return with(r, current)
	}
	if !settled[current] {
		return with(transient("in a state that relock does not know ("+current+")"), current)
	}
	if current == "STOPPED" && wire.Deref(raw.StopChargingMode) == "STOP_CHARGING" {
		return with(lasting(reasonUncharged, remedyUncharged), "STOP_CHARGING")
	}
	return rotation.Refusal{}
}
