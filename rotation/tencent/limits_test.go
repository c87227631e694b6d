package tencent_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// TestNoActionIsSentFasterThanItsRate sends as much as it can for two seconds, through the simulator's own limits.
func TestNoActionIsSentFasterThanItsRate(t *testing.T) {
	t.Parallel()
	rates := map[string]int{
		"ResetInstancesPassword": 10, "StopInstances": 10, "StartInstances": 10, "RebootInstances": 10, "DescribeInstances": 40,
		"AttachResourcesTag": 20, "ModifyResourcesTagValue": 20, "ListSecretVersionIds": 40, "GetSecretValue": 300, "PutSecretValue": 100, "UpdateSecret": 50,
		"DeleteSecretVersion": 50,
	}
	for name := range calls(nil, nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fleet, shelf, cloud := inProcess(t, tencentsim.Config{})
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						for err := error(nil); !errors.Is(err, context.DeadlineExceeded); {
							err = calls(fleet, shelf)[name](ctx)
						}
					})
				}
				wg.Wait()
				wantRates(t, cloud.Requests(), rates)
			})
		})
	}
}

// inProcess are drivers that call a simulated cloud without a network, so that time can be synctest's.
func inProcess(t *testing.T, sim tencentsim.Config) (*tencent.Fleet, *tencent.Shelf, *tencentsim.Cloud) {
	t.Helper()
	cloud, err := tencentsim.New(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	fleet, shelf := drivers(t, configOf(cloud))
	return fleet, shelf, cloud
}

// configOf reaches the cloud without a network.
func configOf(cloud *tencentsim.Cloud) tencent.Config {
	return tencent.Config{
		Credentials: tencent.Static(tencentsim.DemoSecretID, tencentsim.DemoSecretKey, ""),
		Endpoint:    "127.0.0.1:1", Transport: cloud.Transport(),
	}
}

// wantRates fails when any second has more requests of an action than its rate, or when the rate is hardly used.
func wantRates(t *testing.T, log []tencentsim.Request, rates map[string]int) {
	t.Helper()
	byAction := map[string][]time.Time{}
	for _, r := range log {
		if r.Code == "RequestLimitExceeded" {
			t.Errorf("%s was throttled", r.Action)
		}
		byAction[r.Action] = append(byAction[r.Action], r.Time)
	}
	for action, times := range byAction {
		for i := range times {
			if j := i + rates[action]; j < len(times) && times[j].Sub(times[i]) < time.Second {
				t.Errorf("%s: %d requests within %s", action, rates[action]+1, times[j].Sub(times[i]))
				break
			}
		}
		if len(byAction) == 1 && len(times) < rates[action]*3/2 {
			t.Errorf("%s: %d requests in 2s; want most of its rate, %d a second", action, len(times), rates[action])
		}
	}
}

// TestARunThatEndsFirstSendsNothing: waiting for a turn that comes too late is not waited for.
func TestARunThatEndsFirstSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fleet, _, cloud := inProcess(t, tencentsim.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		batch := machines("ins-00000001")
		_, _ = fleet.Start(ctx, batch)
		_, err := fleet.Start(ctx, batch)
		if !rotation.DefinitelyNotApplied(err) || len(cloud.Requests()) != 1 {
			t.Errorf("Start = %v after %d requests; want it not sent", err, len(cloud.Requests()))
		}
	})
}

func TestAVeryLargeFleetIsDescribed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 2_000
		fleet, _, _ := inProcess(t, tencentsim.Config{Instances: n, Regions: []string{region}})
		began := time.Now()
		found, err := fleet.Describe(t.Context(), everything)
		if err != nil || len(found) != n {
			t.Fatalf("Describe = %d machines, %v", len(found), err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%d pages took %s of the provider's time", n/100, took)
		}
	})
}

func BenchmarkDescribe(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cloud, err := tencentsim.New(tencentsim.Config{Instances: n, Regions: []string{region}, Rates: 1000})
			if err != nil {
				b.Fatal(err)
			}
			fleet, _ := drivers(b, configOf(cloud))
			for b.Loop() {
				found, err := fleet.Describe(b.Context(), everything)
				if err != nil || len(found) != n {
					b.Fatalf("Describe = %d machines, %v", len(found), err)
				}
			}
		})
	}
}
