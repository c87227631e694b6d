package tencent_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// rotateFleet rotates n healthy machines of one region through the real drivers, in virtual time, and returns every
// request that the cloud saw.
func rotateFleet(t *testing.T, n int, faults tencentsim.Faults) (*rotation.Report, []tencentsim.Request, []tencentsim.Machine) {
	cloud, err := tencentsim.New(tencentsim.Config{Regions: []string{region}, Scale: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	for range n {
		cloud.Add(tencentsim.Machine{
			Region: region, OSName: "Ubuntu Server 22.04 LTS 64bit", DefaultLoginUser: "ubuntu", State: "RUNNING",
			Tags: map[string]string{"rotate": "yes"},
		})
	}
	cloud.SetFaults(faults)
	calls := &rotation.Calls{}
	cfg := tencent.Config{
		Credentials: tencent.Static(tencentsim.DemoSecretID, tencentsim.DemoSecretKey, ""),
		Endpoint:    "http://127.0.0.1:1", Transport: cloud.Transport(), Calls: calls,
	}
	fleet, err := tencent.NewFleet(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	store, err := tencent.NewStore(cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	r := rotation.Rotator{
		Secret: tencentsim.DemoSecret, Store: store, Home: [2]string{"tencent", region}, Fleets: []rotation.Fleet{fleet},
		Scope: rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}}, Calls: calls,
		Policy: rotation.Policy{
			Restart: rotation.RestartGraceful, Proof: rotation.ProofProvider, MaxUnavailable: rotation.Share{Number: n},
			PollInterval: 5 * time.Second,
		},
	}
	report, err := r.Do(t.Context(), rotation.Request{})
	if err != nil {
		t.Fatalf("Do = %v", err)
	}
	return report, cloud.Requests(), cloud.Machines()
}

// TestAHealthyFleetCostsTheFewestRequests counts what a rotation costs at the API, through the real drivers.
func TestAHealthyFleetCostsTheFewestRequests(t *testing.T) {
	for _, n := range []int{1, 100, 250, 1000} {
		synctest.Test(t, func(t *testing.T) {
			report, requests, _ := rotateFleet(t, n, nil)
			if report.Outcome != rotation.Rotated || report.Counts.Proven != n {
				t.Fatalf("%d machines: %s (%s), %d proven; want all", n, report.Outcome, report.Why, report.Counts.Proven)
			}
			hundreds := (n + 99) / 100
			resets, describes := of(requests, "ResetInstancesPassword"), of(requests, "DescribeInstances")
			if len(resets) > hundreds+1 {
				t.Errorf("%d machines took %d resets; want at most %d", n, len(resets), hundreds+1)
			}
			polls := int(report.Seconds/5) + 1
			if len(describes) > hundreds*(3+polls) {
				t.Errorf("%d machines took %d describes in %d polls; want at most %d", n, len(describes), polls, hundreds*(3+polls))
			}
			for _, action := range []string{"ResetInstancesPassword", "StopInstances", "StartInstances"} {
				if most := busiestSecond(of(requests, action)); most > 10 {
					t.Errorf("%d machines: %d %s within one second; the limit is 10", n, most, action)
				}
			}
			for _, request := range requests {
				if request.Service == "cvm" && request.IDs > 100 {
					t.Errorf("%s named %d machines; the limit is 100", request.Action, request.IDs)
				}
				if strings.HasPrefix(request.Code, "RequestLimitExceeded") {
					t.Errorf("%s was throttled: we sent it too fast", request.Action)
				}
			}
		})
	}
}

// TestAFleetIsRotatedThroughFaults holds that faults of the cloud cost time, not passwords, and no machine is left down.
func TestAFleetIsRotatedThroughFaults(t *testing.T) {
	for _, faults := range []tencentsim.Faults{
		{"throttle": 0.1}, {"lost-reply": 0.05}, {"internal-error": 0.05}, {"internal-error-applied": 0.05},
		{"busy": 0.1}, {"bad-gateway": 0.05}, {"reset-fails": 0.05}, {"stale-describe": 0.2},
	} {
		synctest.Test(t, func(t *testing.T) {
			report, _, machines := rotateFleet(t, 120, faults)
			if report.Outcome != rotation.Rotated {
				t.Errorf("%v: %s: %s", faults, report.Outcome, report.Why)
			}
			for _, m := range machines {
				if m.State != "RUNNING" {
					t.Errorf("%v: %s is %s; it was running", faults, m.ID, m.State)
				}
				if m.Password == tencentsim.BaselinePassword {
					t.Errorf("%v: %s still has the old password", faults, m.ID)
				}
			}
		})
	}
}

// TestFleetThroughTheRealDrivers prints what the rotation of a fleet costs at each API: all of its machines run and may be
// down at once.
func TestFleetThroughTheRealDrivers(t *testing.T) {
	fmt.Fprint(os.Stderr, "\n## Tencent Cloud, through the real drivers, in virtual time\n\n"+
		"| machines | took | DescribeInstances | StopInstances | ResetInstancesPassword | StartInstances | tags | secret | throttled |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, n := range []int{100, 1000} {
		synctest.Test(t, func(t *testing.T) {
			report, requests, _ := rotateFleet(t, n, nil)
			count := map[string]int{}
			for _, r := range requests {
				count[r.Service]++
				count[r.Action]++
			}
			if report.Throttled > 0 || report.Counts.Proven != n {
				t.Errorf("%d machines: %d throttled, %d proven", n, report.Throttled, report.Counts.Proven)
			}
			fmt.Fprintf(os.Stderr, "| %d | %.0fs | %d | %d | %d | %d | %d | %d | %d |\n", n, report.Seconds, count["DescribeInstances"], count["StopInstances"],
				count["ResetInstancesPassword"], count["StartInstances"], count["tag"], count["ssm"], report.Throttled)
		})
	}
}

func of(requests []tencentsim.Request, action string) []tencentsim.Request {
	var out []tencentsim.Request
	for _, r := range requests {
		if r.Action == action {
			out = append(out, r)
		}
	}
	return out
}

// busiestSecond is the most requests within any second.
func busiestSecond(requests []tencentsim.Request) int {
	most := 0
	for i, first := range requests {
		n := 0
		for _, r := range requests[i:] {
			if r.Time.Sub(first.Time) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
