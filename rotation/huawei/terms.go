package huawei

import (
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
)

// Reasons and remedies that a state and a code share.
const (
	reasonLocked  = "locked"
	remedyLocked  = "unlock it, or let what locked it end, then: relock reconcile"
	reasonFrozen  = "frozen by the provider"
	remedyFrozen  = "settle the account or see the provider's notices, then: relock reconcile"
	reasonDamaged = "in the state ERROR"
	remedyDamaged = "restart it, or ask the provider's support, then: relock reconcile"
	reasonShelved = "not on a host"
	remedyShelved = "bring it back, then: relock reconcile"
	reasonGone    = "deleted"
	remedyGone    = "take it out of the scope"
)

// The states in which a machine is wholly on or off; in every other one it is on its way.
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_08_0002.html.
const (
	active  = "ACTIVE"
	shutoff = "SHUTOFF"
)

// powerOf takes a task of its power for a change that has begun.
func powerOf(raw *model.ServerDetail) rotation.PowerState {
	task := strings.ToLower(raw.OSEXTSTStaskState)
	switch {
	case strings.HasPrefix(task, "power"), strings.HasPrefix(task, "reboot"):
		return rotation.Changing
	case raw.Status == active:
		return rotation.Running
	case raw.Status == shutoff:
		return rotation.Stopped
	}
	return rotation.Changing
}

// states are those in which no reset is accepted. REBOOT and HARD_REBOOT are not here: they end by themselves in a moment.
var states = map[string]rotation.Refusal{
	"BUILD":             transient("being created"),
	"MIGRATING":         transient("being migrated"),
	"REBUILD":           transient("being reinstalled"),
	"RESIZE":            transient("being resized"),
	"REVERT_RESIZE":     transient("being resized"),
	"VERIFY_RESIZE":     transient("being resized"),
	"ERROR":             lasting(reasonDamaged, remedyDamaged),
	"PAUSED":            lasting("paused", remedyShelved),
	"SUSPENDED":         lasting("suspended", remedyShelved),
	"SHELVED":           lasting(reasonShelved, remedyShelved),
	"SHELVED_OFFLOADED": lasting(reasonShelved, remedyShelved),
	"DELETED":           lasting(reasonGone, remedyGone),
	"SOFT_DELETED":      lasting(reasonGone, remedyGone),
}

func transient(reason string) rotation.Refusal {
	return rotation.Refusal{Kind: rotation.RefusedBusy, Reason: reason, Remedy: retryRemedy}
}

func lasting(reason, remedy string) rotation.Refusal {
	return rotation.Refusal{Kind: rotation.RefusedUnable, Reason: reason, Remedy: remedy}
}

// refusalOf says why ECS would not reset the machine as ListServersDetails shows it. Code is the field's value.
func refusalOf(raw *model.ServerDetail) rotation.Refusal {
	with := func(r rotation.Refusal, code string) rotation.Refusal {
		r.Code = code
		return r
	}
	switch {
	case strings.EqualFold(raw.Metadata["EcmResStatus"], "freeze"):
		return with(lasting(reasonFrozen, remedyFrozen), "freeze")
	case raw.Locked:
		return with(lasting(reasonLocked, remedyLocked), strings.TrimSpace("locked "+raw.Metadata["lockScene"]))
	}
	if r, ok := states[raw.Status]; ok {
		return with(r, raw.Status)
	}
	switch raw.Status {
	case active, shutoff, "REBOOT", "HARD_REBOOT":
		return rotation.Refusal{}
	}
	return with(transient("in a state that relock does not know ("+raw.Status+")"), raw.Status)
}
