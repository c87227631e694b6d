package tencentsim_test

import (
	"reflect"
	"testing"
	"testing/synctest"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestFleetIsMixed(t *testing.T) {
	t.Parallel()
	for _, n := range []int{100, 1000} {
		w := open(t, tencentsim.Config{Instances: n, Seed: 3})
		count := map[string]int{}
		for _, m := range w.Machines() {
			count[m.Region]++
			count["state "+m.State]++
			if m.DefaultLoginUser == "Administrator" {
				count["windows"]++
			}
			if m.State == "SHUTDOWN" && m.IsolatedSource == "ARREAR" {
				count["arrears"]++
			}
			if m.RestrictState == "PROTECTIVELY_ISOLATED" {
				count["isolated"]++
			}
			if m.State == "STOPPED" && m.StopChargingMode == "STOP_CHARGING" {
				count["free of charge"]++
			}
			if m.Refuse != "" {
				count["reinstall failed"]++
			}
			if len(m.KeyIDs) > 0 {
				count["keys"]++
			}
			if m.Tags[tencentsim.FleetTagKey] != tencentsim.FleetTagValue || m.Password != tencentsim.BaselinePassword {
				t.Errorf("machine %+v is not tagged, or has not the baseline password", m)
			}
		}
		if count["ap-guangzhou"] != n/2 || count["ap-shanghai"] != n/2 || count["windows"] != n*3/10 || count["keys"] != 0 {
			t.Errorf("of %d: %v", n, count)
		}
		for _, kind := range []string{"arrears", "isolated", "free of charge", "reinstall failed", "state RESCUE_MODE", "state LAUNCH_FAILED"} {
			if count[kind] < 1 || count[kind] > n/50 {
				t.Errorf("of %d: %d %s", n, count[kind], kind)
			}
		}
		if count["state RUNNING"] < n*4/5 || count["state STOPPED"] < n/20 {
			t.Errorf("of %d: %v", n, count)
		}
	}
}

func TestFleetFollowsFromTheSeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, tencentsim.Config{Instances: 50, Seed: 5}).Machines()
		b := open(t, tencentsim.Config{Instances: 50, Seed: 5}).Machines()
		c := open(t, tencentsim.Config{Instances: 50, Seed: 6}).Machines()
		if !reflect.DeepEqual(a, b) {
			t.Error("one seed made two fleets")
		}
		if reflect.DeepEqual(a, c) {
			t.Error("two seeds made one fleet")
		}
	})
}

func TestFleetHasTheKeyPairsAskedFor(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Instances: 100, KeyPairs: 4})
	bound := 0
	for _, m := range w.Machines() {
		if len(m.KeyIDs) > 0 {
			bound++
			if m.DefaultLoginUser == "Administrator" {
				t.Error("a Windows machine has a key pair")
			}
		}
	}
	if bound != 4 {
		t.Errorf("%d machines with key pairs; want 4", bound)
	}
}

func TestSnapshotIsACopy(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	given := tencentsim.Machine{Tags: map[string]string{"a": "1"}, KeyIDs: []string{"skey-1"}}
	id := w.Add(given)
	given.Tags["a"] = "2"
	m := w.machine(t, id)
	m.Tags["a"], m.KeyIDs[0] = "3", "x"
	if got := w.machine(t, id); got.Tags["a"] != "1" || got.KeyIDs[0] != "skey-1" {
		t.Errorf("the machine changed with a copy of it: %+v", got)
	}
}

func TestAddRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	for _, m := range []tencentsim.Machine{{ID: id}, {Region: "mars-north-1"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Add(%+v) did not panic", m)
				}
			}()
			w.Add(m)
		}()
	}
}

func TestLargeFleetIsServedByIDAndByTag(t *testing.T) {
	t.Parallel()
	const n = 10_000
	w := open(t, tencentsim.Config{Instances: n})
	if got := *w.shown(t, w.Machines()[n-2].ID).InstanceName; got == "" {
		t.Error("the last machine of the region has no name")
	}
	r := cvm.NewDescribeInstancesRequest()
	r.Filters = []*cvm.Filter{by("tag:rotate", "yes")}
	r.Offset, r.Limit = ptr[int64](n/2-30), ptr[int64](100)
	resp, err := w.cvm.DescribeInstances(r)
	if err != nil || *resp.Response.TotalCount != n/2 || len(resp.Response.InstanceSet) != 30 {
		t.Errorf("the last page: %d of %d, %v; want 30 of %d", len(resp.Response.InstanceSet), *resp.Response.TotalCount, err, n/2)
	}
}

func BenchmarkDescribeOf100000(b *testing.B) {
	cloud, err := tencentsim.New(tencentsim.Config{Instances: 100_000, Rates: 1e9})
	if err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{
		"one by id":     `{"InstanceIds":["` + cloud.Machines()[0].ID + `"]}`,
		"a page by tag": `{"Filters":[{"Name":"tag:rotate","Values":["yes"]}],"Limit":100}`,
	} {
		b.Run(name, func(b *testing.B) {
			s := goodSigner()
			s.body = body
			for b.Loop() {
				resp, err := cloud.Transport().RoundTrip(s.request())
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}
