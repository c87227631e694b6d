package main

import (
	"fmt"
	"time"

	"github.com/relock-project/relock/rotation"
)

var began = time.Date(2026, 11, 21, 18, 0, 2, 0, time.UTC)

// machines makes n of them that are alike; edit makes each its own.
func machines(from, n int, region string, edit func(*rotation.MachineReport)) []rotation.MachineReport {
	out := make([]rotation.MachineReport, n)
	for i := range out {
		out[i] = rotation.MachineReport{
			ID: fmt.Sprintf("ins-%08x", from+i), Name: fmt.Sprintf("web-%02d", (from+i)%100), Region: region, OS: rotation.Linux,
			State: rotation.StateProven, Evidence: rotation.ByLogin, Power: rotation.Running, Was: rotation.Running, Counts: true,
			Generations: []int{42},
		}
		edit(&out[i])
	}
	return out
}

func unable(reason, remedy string) func(*rotation.MachineReport) {
	return func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Power, m.Was, m.Counts = rotation.StateUnable, "", rotation.Stopped, rotation.Stopped, false
		m.Reason, m.Remedy, m.Generations, m.Unknown = reason, remedy, []int{41, 42, 40, 39}, true
	}
}

func held(counts bool) func(*rotation.MachineReport) {
	return func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Counts = rotation.StateHeld, "", counts
		m.Reason = "key pair bound (skey-" + m.ID[4:] + ")"
		m.Remedy = "RELOCK_INCLUDE_KEY_PAIRS=true rotates it too (the reset may re-enable password login)"
	}
}

// fleetOf2000 is the machines of a large run, in the order of the report.
func fleetOf2000() []rotation.MachineReport {
	same := func(*rotation.MachineReport) {}
	stopped := func(m *rotation.MachineReport) {
		m.Evidence, m.Power, m.Was = rotation.ByRecord, rotation.Stopped, rotation.Stopped
	}
	windows := func(m *rotation.MachineReport) { m.Evidence, m.OS = rotation.ByRecord, rotation.Windows }
	var all []rotation.MachineReport
	all = append(all, machines(0x1000, 1586, "ap-guangzhou", same)...)
	all = append(all, machines(0x2000, 301, "ap-shanghai", stopped)...)
	all = append(all, machines(0x3000, 24, "ap-shanghai", windows)...)
	all = append(all, machines(0x4000, 52, "ap-shanghai", unable("isolated for arrears", "settle the account, then: relock reconcile"))...)
	all = append(all, machines(0x5000, 13, "ap-shanghai", unable("rescue mode", "leave rescue mode, then: relock reconcile"))...)
	all = append(all, machines(0x6000, 9, "ap-shanghai", unable("stopped without charges", "start them once, then: relock reconcile"))...)
	all = append(all, machines(0x7000, 12, "ap-shanghai", held(false))...)
	all = append(all, machines(0x77aa01bc, 1, "ap-shanghai", held(true))...)
	return all
}

func failures() []rotation.MachineReport {
	return []rotation.MachineReport{
		{
			ID: "ins-5c01d9e0", Name: "db-03", Region: "ap-guangzhou", OS: rotation.Linux, State: rotation.StateFailed,
			Power: rotation.Running, Was: rotation.Running, Counts: true,
			Reason: "did not shut down in 5m0s (soft stop)", Remedy: "shut it down by hand, then: relock reconcile",
			RequestID: "6ef60bec-0242-43af-bb20-270359fb54a7", Request: rotation.OpStop, Generations: []int{41, 42}, Stops: 1,
		},
		{
			ID: "ins-5c01d9e1", Name: "db-04", Region: "ap-shanghai", OS: rotation.Linux, State: rotation.StateFailed,
			Power: rotation.Running, Was: rotation.Running, Counts: true,
			Reason: "reset failed at the provider: guest agent timeout", Remedy: "relock reconcile", Code: "FailedOperation.Agent",
			RequestID: "81aa0c13-9d1e-4f6b-8a55-0f1c52a2b7e4", Request: rotation.OpReset, Generations: []int{42, 41, 40, 39},
			Unknown: true, Stops: 2, DownSeconds: 200,
		},
	}
}

// rotated is the report of a large rotation that left two machines behind.
func rotatedReport() *rotation.Report {
	r := &rotation.Report{
		Secret: "cvm-admin-prod", StoreName: "Tencent Secrets Manager, ap-guangzhou", Action: rotation.Resume,
		Outcome: rotation.Rotated, Generation: 42, From: 41, Token: "timer:monthly:2026-11-21T18:00:00Z",
		Created: began, Started: began.Add(46 * time.Minute), Ended: began.Add(58*time.Minute + 9*time.Second), Seconds: 729,
		Down: rotation.Downtime{Machines: 1611, Again: 1, AtOnce: 100, Median: 171, Longest: 364, Total: 275_481, LongestID: "ins-00001007"},
		Calls: map[string]int{"cvm ResetInstancesPassword": 24, "cvm StopInstances": 18, "cvm StartInstances": 18,
			"cvm DescribeInstances": 1911, "secrets PutSecretValue": 1, "secrets UpdateSecret": 1},
		Stored: &rotation.Stored{Generations: 42, Newest: 42, Oldest: 1, Archives: 2, Slots: 10, SlotsUsed: 8, Room: 90},
		Next:   []string{"relock reconcile", "relock lookup ins-5c01d9e0"},
	}
	r.Machines = append(fleetOf2000(), failures()...)
	count(r)
	r.Counts.Behind = 3
	return r
}

// count adds up the machines of a report that was made by hand.
func count(r *rotation.Report) {
	r.Counts = rotation.Counts{Scope: len(r.Machines)}
	c := &r.Counts
	for _, m := range r.Machines {
		switch m.State {
		case rotation.StateProven:
			c.Proven++
			switch m.Evidence {
			case rotation.ByLogin:
				c.Login++
			case rotation.ByRecord:
				c.Record++
			case rotation.ByMark:
				c.Mark++
			}
		case rotation.StateAccepted:
			c.Accepted++
		case rotation.StateWaiting:
			c.Waiting++
		case rotation.StateUnproven:
			c.Unproven++
		case rotation.StateUnable:
			c.Unable++
		case rotation.StateHeld:
			c.Held++
		case rotation.StateFailed:
			c.Failed++
		case rotation.StateDrifted:
			c.Drifted++
		default:
			c.Unfinished++
		}
	}
}

// plannedReport is a plan for the same fleet; of the machines that are held back one counts.
func plannedReport() *rotation.Report {
	r := &rotation.Report{
		Secret: "cvm-admin-prod", StoreName: "Tencent Secrets Manager, ap-guangzhou", Action: rotation.Plan, Outcome: rotation.Planned,
		DryRun: true, Generation: 42, From: 41, Started: began, Ended: began,
		Plan: &rotation.PlanReport{
			Generation: 42, Length: 24, Bits: 148.3, Rules: "Tencent Linux ∩ Tencent Windows", Running: 1612, Stopped: 301,
			ByLogin: 1588, ByRecord: 325, Capacity: 100, Waves: 18, Canary: "ins-0a11b2c3", Resets: 23, Stops: 18, Starts: 18,
			Seconds: 3240, Window: "02:00-05:00 Asia/Shanghai", Opens: true,
			Refused: "configuration: 1 machines would stay behind, RELOCK_MAX_EXCEPTIONS=0 allows 0:\n" +
				"  ins-77aa01bc (ap-shanghai): key pair bound (skey-77aa01bc): RELOCK_INCLUDE_KEY_PAIRS=true rotates it too\n" +
				"Change what holds them back, take them out of the scope (RELOCK_EXCLUDE_TAGS), or set RELOCK_MAX_EXCEPTIONS=1",
		},
	}
	for _, m := range append(fleetOf2000(), failures()...) {
		switch m.State {
		case rotation.StateUnable, rotation.StateHeld:
		default:
			m.State, m.Evidence, m.Reason, m.Remedy = rotation.StatePlanned, "", "", ""
		}
		r.Machines = append(r.Machines, m)
	}
	count(r)
	return r
}

// incompleteReport ended early: machines are down, wait, or were not begun.
func incompleteReport() *rotation.Report {
	r := &rotation.Report{
		Secret: "ecs-admin", StoreName: "Tencent Secrets Manager, ap-guangzhou", Action: rotation.Rotate, Outcome: rotation.Incomplete,
		Why:        "5 of 9 machines are not finished: interrupted",
		Generation: 7, From: 6, Token: "manual:2026-11-21T18:00:02Z:0011223344556677", Created: began, Started: began,
		Ended: began.Add(95 * time.Second), Seconds: 95, Throttled: 2, Calls: map[string]int{"cvm DescribeInstances": 4},
		Down:     rotation.Downtime{Machines: 3, AtOnce: 3, Median: 41, Longest: 90, LongestID: "ins-00000010", Left: []string{"ins-00000010"}},
		Warnings: []string{"the mark of ins-00000001 could not be written: tags are full"},
		Next:     []string{"relock resume", "relock lookup ins-00000030"},
	}
	state := func(s rotation.State, reason, remedy string) func(*rotation.MachineReport) {
		return func(m *rotation.MachineReport) {
			m.State, m.Evidence, m.Reason, m.Remedy, m.Generations = s, "", reason, remedy, []int{7, 6}
		}
	}
	r.Machines = append(r.Machines, machines(1, 1, "ap-guangzhou", func(m *rotation.MachineReport) { m.Evidence = rotation.ByMark })...)
	r.Machines = append(r.Machines, machines(0x10, 1, "ap-guangzhou", func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Power, m.Generations, m.Stops = rotation.StateStarting, "", rotation.Stopped, []int{7, 6}, 1
	})...)
	r.Machines = append(r.Machines, machines(0x18, 1, "ap-guangzhou", func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Generations, m.Stops = rotation.StateStopping, "", []int{6}, 1 // looked at before its stop was sent
	})...)
	r.Machines = append(r.Machines, machines(0x20, 3, "ap-guangzhou", state(rotation.StatePlanned, "", ""))...)
	r.Machines = append(r.Machines, machines(0x30, 1, "ap-shanghai", state(rotation.StateUnproven, "does not answer logins: i/o timeout",
		"check the way to its port, then: relock resume"))...)
	r.Machines = append(r.Machines, machines(0x40, 1, "ap-shanghai", state(rotation.StateWaiting,
		"waits for its next boot: the password takes effect then", "restart it, then: relock resume"))...)
	r.Machines = append(r.Machines, machines(0x50, 1, "ap-shanghai", func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.OS = rotation.StateAccepted, rotation.ByAccepted, rotation.Windows
	})...)
	count(r)
	return r
}

// driftReport is a verification that found many machines changed by hand.
func driftReport() *rotation.Report {
	r := &rotation.Report{
		Secret: "cvm-admin-prod", StoreName: "Tencent Secrets Manager, ap-guangzhou", Action: rotation.Verify, Outcome: rotation.Drift,
		Why: "the current password is refused by 14 machines", Generation: 42, From: 42, Started: began, Ended: began.Add(400 * time.Millisecond),
		Seconds: 0.4, Next: []string{"relock reconcile", "relock lookup ins-00000100"},
	}
	r.Machines = append(r.Machines, machines(1, 3, "ap-guangzhou", func(*rotation.MachineReport) {})...)
	r.Machines = append(r.Machines, machines(0x100, 14, "ap-guangzhou", func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Reason, m.Remedy = rotation.StateDrifted, "", "refuses the current password", "relock reconcile sets it again"
		m.Generations = []int{42, 41, 40, 39}
	})...)
	r.Machines = append(r.Machines, machines(0x200, 2, "ap-guangzhou", func(m *rotation.MachineReport) {
		m.State, m.Evidence, m.Power, m.Was = rotation.StatePlanned, "", rotation.Stopped, rotation.Stopped
	})...)
	count(r)
	return r
}
