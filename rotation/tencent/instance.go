package tencent

import (
	"strings"
	"time"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// The accounts that a reset without a user name changes: https://www.tencentcloud.com/document/product/213/33240.
const (
	windowsLogin = "Administrator"
	ubuntuLogin  = "ubuntu"
	linuxLogin   = "root"
)

const (
	sshPort = 22
	rdpPort = 3389
)

// instance is a machine as package rotation wants it.
func (f *Fleet) instance(raw *cvm.Instance) rotation.Instance {
	os, rules := systemOf(raw)
	inst := rotation.Instance{
		ID: wire.Deref(raw.InstanceId), Name: wire.Deref(raw.InstanceName), Region: f.Region(), OS: os,
		Power: powerOf(wire.Deref(raw.InstanceState)), Busy: busyOf(raw),
		LoginUser: wire.Deref(raw.DefaultLoginUser),
		// The private address first: whoever is inside the network reaches it, and the login does not cross the internet.
		Addresses: append(values(raw.PrivateIpAddresses), values(raw.PublicIpAddresses)...),
		Port:      int(wire.Deref(raw.DefaultLoginPort)),
		Tags:      tagsOf(raw),
	}
	if inst.LoginUser == "" {
		inst.LoginUser = loginOf(os, wire.Deref(raw.OsName))
	}
	if inst.Port == 0 {
		inst.Port = sshPort
	}
	if created, err := time.Parse(time.RFC3339, wire.Deref(raw.CreatedTime)); err == nil {
		inst.CreatedAt = created
	}
	if raw.LoginSettings != nil {
		inst.KeyPair = strings.Join(values(raw.LoginSettings.KeyIds), ",")
	}
	inst.Mark = rotation.ParseMark(inst.Tags)
	inst.Terms = rotation.Terms{
		Rules: f.rulesFor(rules, inst.LoginUser), MaxBatch: maxBatch, NeedsStopped: true,
		Effect: rotation.AtOnce, Reported: true, Refuse: refusalOf(raw),
	}
	return inst
}

// systemOf is the machine's system, and the one whose password rules count: the stricter ones of Windows when nothing
// tells. DescribeInstances has no field for the platform: https://cloud.tencent.com/document/api/213/15753#Instance.
func systemOf(raw *cvm.Instance) (os, rules rotation.OS) {
	login, name := wire.Deref(raw.DefaultLoginUser), strings.ToLower(strings.TrimSpace(wire.Deref(raw.OsName)))
	switch {
	case strings.EqualFold(login, windowsLogin), strings.HasPrefix(name, "windows"), wire.Deref(raw.DefaultLoginPort) == rdpPort:
		return rotation.Windows, rotation.Windows
	case name == "" && login == "":
		return rotation.Linux, rotation.Windows
	}
	return rotation.Linux, rotation.Linux
}

// loginOf is the account of a machine that does not say.
func loginOf(os rotation.OS, name string) string {
	switch {
	case os == rotation.Windows:
		return windowsLogin
	case strings.Contains(strings.ToLower(name), "ubuntu"):
		return ubuntuLogin
	}
	return linuxLogin
}

func tagsOf(raw *cvm.Instance) map[string]string {
	tags := make(map[string]string, len(raw.Tags))
	for _, t := range raw.Tags {
		if t != nil && t.Key != nil {
			tags[*t.Key] = wire.Deref(t.Value)
		}
	}
	return tags
}

// What LatestOperationState says of the latest operation.
const (
	operating = "OPERATING"
	succeeded = "SUCCESS"
	failed    = "FAILED"
)

func busyOf(raw *cvm.Instance) bool { return wire.Deref(raw.LatestOperationState) == operating }
