package huawei

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
)

// The accounts that a reset changes: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html. The API does not
// say which one a machine has; it follows from its system.
const (
	windowsLogin = "Administrator"
	linuxLogin   = "root"
)

// PortTag is the tag that says on which port a machine takes SSH logins, when that is not 22: ECS has no field for it.
const PortTag = "ssh-port"

// instance is a machine as package rotation wants it.
func (f *Fleet) instance(raw *model.ServerDetail) rotation.Instance {
	inst := rotation.Instance{
		ID: raw.Id, Name: raw.Name, Region: f.Region(), OS: rotation.Linux,
		Power: powerOf(raw), Busy: raw.OSEXTSTStaskState != "",
		LoginUser: linuxLogin, Addresses: addressesOf(raw), KeyPair: raw.KeyName, Tags: tagsOf(raw),
	}
	rules := f.linux
	if strings.EqualFold(raw.Metadata["os_type"], "windows") {
		inst.OS, inst.LoginUser, rules = rotation.Windows, windowsLogin, f.windows
	}
	if port, err := strconv.Atoi(inst.Tags[PortTag]); err == nil && port > 0 && port < 1<<16 {
		inst.Port = port
	}
	if created, err := time.Parse(time.RFC3339, raw.Created); err == nil {
		inst.CreatedAt = created
	}
	inst.Mark = markOf(inst.Tags)
	inst.Terms = rotation.Terms{Rules: rules, MaxBatch: maxBatch, Effect: rotation.AtNextBoot, BootDelay: f.bootDelay, Refuse: refusalOf(raw)}
	return inst
}

// addressesOf are a machine's addresses, the private ones first: whoever is inside the network reaches them, and the
// login does not cross the internet. Within a kind, the primary one is first, and the order does not change.
func addressesOf(raw *model.ServerDetail) []string {
	var all []model.ServerAddress
	for _, network := range slices.Sorted(maps.Keys(raw.Addresses)) {
		all = append(all, raw.Addresses[network]...)
	}
	rank := func(a model.ServerAddress) int {
		switch {
		case a.OSEXTIPStype != nil && a.OSEXTIPStype.Value() == "floating":
			return 2
		case a.Primary != nil && *a.Primary:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b model.ServerAddress) int { return rank(a) - rank(b) })
	var out []string
	for _, a := range all {
		if a.Addr != "" && !contains(out, a.Addr) {
			out = append(out, a.Addr)
		}
	}
	return out
}

// tagsOf reads tags, each one text: "key=value", or "key" when the value is empty.
func tagsOf(raw *model.ServerDetail) map[string]string {
	tags := map[string]string{}
	if raw.Tags == nil {
		return tags
	}
	for _, t := range *raw.Tags {
		key, value, _ := strings.Cut(t, "=")
		tags[key] = value
	}
	return tags
}
