package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/huawei/huaweisim"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// Machines in one cloud, and their secret in the other's secrets manager: by the command, and by the function of either cloud,
// whose platform gives the keys of its own cloud alone.

func TestMachinesAtHuaweiWithTheirSecretAtTencent(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := smallHuawei(t, w), w.serve(t, tencentsim.Config{Scale: 0.003})
	vars := with(machines.vars(machines.door), "RELOCK_STORE", "tencent", "RELOCK_STORE_REGION", secrets.regions[0],
		"RELOCK_TENCENT_ENDPOINT", secrets.door.url, "RELOCK_SECRET", tencentsim.DemoSecret)
	sharing(machines.door, secrets.door)

	w.relock(t, onTerminal(inCommand(vars)), "rotate").want(t, 0, "rotated 5 of 5")
	wantAtHuawei(t, machines, secrets, 2)

	p := w.function(t)
	scf := onTerminal(inSCF(vars)) // the other cloud's keys are as its SDK spells them
	wantReport(t, p.invoke(t, timer(t, "nightly", time.Now().Add(time.Minute), ""), scf, time.Minute), rotation.Rotated)
	wantAtHuawei(t, machines, secrets, 3)

	g := w.graph(t, inCommand(vars), "120")
	g.start(t)
	if r := g.report(t, graphTimer(t, "nightly", time.Now().Add(2*time.Minute), "")); r.Outcome != rotation.Rotated {
		t.Fatalf("functiongraph: %s: %s", r.Outcome, r.Why)
	}
	wantAtHuawei(t, machines, secrets, 4)
	w.relock(t, onTerminal(inCommand(vars)), "verify").want(t, 0)
}

func TestMachinesAtTencentWithTheirSecretAtHuawei(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	machines, secrets := killable(t, w), w.serveHuawei(t, huaweisim.Config{Scale: 0.003})
	vars := with(machines.through(machines.door), "RELOCK_STORE", "huawei", "RELOCK_STORE_REGION", secrets.regions[0],
		"RELOCK_HUAWEI_ENDPOINT", secrets.door.url, "RELOCK_SECRET", huaweisim.DemoSecret,
		"RELOCK_HUAWEI_PROJECTS", secrets.regions[0]+"="+secrets.Project(secrets.regions[0]))
	sharing(machines.door, secrets.door)

	w.relock(t, onTerminal(inCommand(vars)), "rotate").want(t, 0, "rotated 6 of 6")
	wantAtTencent(t, machines, secrets, 2)

	p := w.function(t)
	wantReport(t, p.invoke(t, timer(t, "nightly", time.Now().Add(time.Minute), ""), onTerminal(inSCF(vars)), time.Minute), rotation.Rotated)
	wantAtTencent(t, machines, secrets, 3)

	g := w.graph(t, inCommand(vars), "120")
	g.start(t)
	if r := g.report(t, graphTimer(t, "nightly", time.Now().Add(2*time.Minute), "")); r.Outcome != rotation.Rotated {
		t.Fatalf("functiongraph: %s: %s", r.Outcome, r.Why)
	}
	wantAtTencent(t, machines, secrets, 4)
}

// sharing lets what one door's store gave back be sent through the other.
func sharing(doors ...*door) {
	for _, d := range doors[1:] {
		d.read = doors[0].read
	}
}

// wantAtHuawei fails the test unless every machine has the password that the other cloud's secret calls current.
func wantAtHuawei(t *testing.T, machines *huaweiCloud, secrets *cloud, generation int) {
	t.Helper()
	v, _ := secrets.version(t, tencentsim.DemoVersion)
	if v.Generation != generation {
		t.Errorf("generation %d is current; want %d", v.Generation, generation)
	}
	for id, m := range machines.byID() {
		if m.Password != v.Password || m.Status != "ACTIVE" {
			t.Errorf("machine %s is %s, with the current password: %t", id, m.Status, m.Password == v.Password)
		}
	}
	if calls := strings.Join(machines.actions(), " "); strings.Contains(calls, "csms") {
		t.Errorf("the machines' cloud was asked for secrets: %s", calls)
	}
}

// wantAtTencent is wantAtHuawei the other way round.
func wantAtTencent(t *testing.T, machines *cloud, secrets *huaweiCloud, generation int) {
	t.Helper()
	v := secrets.current(t)
	if v.Generation != generation {
		t.Errorf("generation %d is current; want %d", v.Generation, generation)
	}
	machines.wantPower(t)
	for id, m := range machines.byID() {
		if m.Password != v.Password {
			t.Errorf("machine %s does not have the current password", id)
		}
	}
	if calls := strings.Join(secrets.actions(), " "); strings.Contains(calls, "ecs") {
		t.Errorf("the secret's cloud was asked about machines: %s", calls)
	}
}
