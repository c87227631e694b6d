package huaweisim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func TestTheFleetIsWhatItIsSaidToBe(t *testing.T) {
	t.Parallel()
	cfg := huaweisim.Config{Instances: 250, KeyPairs: 5, Seed: 9}
	w := open(t, cfg)
	count := map[string]int{}
	for _, m := range w.Machines() {
		count[m.Region]++
		count[m.OSType]++
		if m.Tags[huaweisim.FleetTagKey] != huaweisim.FleetTagValue || m.Tags["env"] == "" || m.Password != huaweisim.BaselinePassword {
			t.Errorf("%+v", m)
		}
		for what, is := range map[string]bool{
			"stopped": m.Status == "SHUTOFF" && m.EcmResStatus == "normal", "frozen": m.EcmResStatus == "freeze", "locked": m.Locked,
			"faulty": m.Status == "ERROR", "resizing": m.Status == "RESIZE", "without plug-in": m.NoPlugin, "bound": m.KeyName != "",
		} {
			if is {
				count[what]++
			}
		}
		if m.KeyName != "" && m.OSType == "Windows" {
			t.Error("a Windows machine is bound to a key pair")
		}
	}
	want := map[string]int{region: 125, "cn-east-3": 125, "Linux": 175, "Windows": 75, "stopped": 20,
		"frozen": 2, "locked": 2, "faulty": 2, "resizing": 2, "without plug-in": 2, "bound": 5}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("fleet (-want +got):\n%s", diff)
	}
	again := open(t, cfg)
	if again.Machines()[17].ID != w.Machines()[17].ID || again.Project(region) != w.Project(region) {
		t.Error("the same seed makes another cloud")
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, cfg := range []huaweisim.Config{
		{Regions: []string{""}}, {Regions: []string{"a", "a"}}, {Instances: -1}, {KeyPairs: -1}, {Scale: -1}, {Rates: -1},
		{Faults: huaweisim.Faults{"cut": 2}},
	} {
		if _, err := huaweisim.New(cfg); err == nil {
			t.Errorf("New(%+v) takes it", cfg)
		}
	}
}
