package huaweisim_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// An act is one of the power actions on machines.
type act func(w *world, ids ...string) (string, error)

func softStop(w *world, ids ...string) (string, error)   { return w.stop(false, ids...) }
func hardStop(w *world, ids ...string) (string, error)   { return w.stop(true, ids...) }
func softReboot(w *world, ids ...string) (string, error) { return w.reboot(false, ids...) }
func hardReboot(w *world, ids ...string) (string, error) { return w.reboot(true, ids...) }
func start(w *world, ids ...string) (string, error)      { return w.start(ids...) }

func TestActionsMoveMachinesThroughTheirStates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		act              act
		from, during     string
		task, to         string
		stops, hard, ups int
	}{
		{"soft stop", softStop, "ACTIVE", "ACTIVE", "powering-off", "SHUTOFF", 1, 0, 0},
		{"hard stop", hardStop, "ACTIVE", "ACTIVE", "powering-off", "SHUTOFF", 1, 1, 0},
		{"start", start, "SHUTOFF", "SHUTOFF", "powering-on", "ACTIVE", 0, 0, 1},
		{"soft reboot", softReboot, "ACTIVE", "REBOOT", "rebooting", "ACTIVE", 0, 0, 0},
		{"hard reboot", hardReboot, "ACTIVE", "HARD_REBOOT", "rebooting_hard", "ACTIVE", 0, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Scale: 1, Visible: -1})
			id := w.Add(huaweisim.Machine{Status: tc.from})
			_, err := tc.act(w, id)
			wantCode(t, err, "")
			if s := w.listed(t, id); s.Status != tc.during || s.OSEXTSTStaskState != tc.task {
				t.Errorf("%s: %s, %s while it lasts", tc.name, s.Status, s.OSEXTSTStaskState)
			}
			_, err = w.reset(password, id)
			wantCode(t, err, "Ecs.0611") // nothing can be reset meanwhile
			wait(10 * time.Second)
			if s := w.listed(t, id); s.Status != tc.to || s.OSEXTSTStaskState != "" {
				t.Errorf("%s: %s, %s in the end", tc.name, s.Status, s.OSEXTSTStaskState)
			}
			m := w.machine(t, id)
			if m.Stops != tc.stops || m.HardStops != tc.hard || m.Starts != tc.ups {
				t.Errorf("%s: %d stops, %d hard, %d starts", tc.name, m.Stops, m.HardStops, m.Starts)
			}
			if down := m.Down > time.Second; down != (tc.from == "ACTIVE") {
				t.Errorf("%s: down for %v", tc.name, m.Down)
			}
		})
	}
}

func TestJobsAreFollowedToTheirEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		a, b := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{})
		id, err := w.reboot(false, a, b)
		wantCode(t, err, "")
		if j := w.job(t, id); j.Status.Value() != "INIT" || *j.JobId != id || j.EndTime != nil {
			t.Errorf("at first: %v", j)
		}
		wait(time.Second)
		if j := w.job(t, id); j.Status.Value() != "RUNNING" || *j.Entities.SubJobsTotal != 2 {
			t.Errorf("then: %v", j)
		}
		wait(10 * time.Second)
		j := w.job(t, id)
		if j.Status.Value() != "SUCCESS" || j.EndTime == nil || j.ErrorCode != nil || j.FailReason != nil {
			t.Errorf("in the end: %v", j)
		}
		var ids []string
		for _, s := range *j.Entities.SubJobs {
			ids = append(ids, *s.Entities.ServerId)
			if s.Status.Value() != "SUCCESS" || s.ErrorCode != nil {
				t.Errorf("sub-job: %v", s)
			}
		}
		if !slices.Equal(ids, []string{a, b}) {
			t.Errorf("sub-jobs of %q", ids)
		}
	})
}

func TestUnknownJobsAreRefusedWithCodeAndMessage(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	_, err := w.ecs.ShowJob(&model.ShowJobRequest{JobId: "ff80808288d41e1b018990260955686a"})
	if wantCode(t, err, "Ecs.0005"); !strings.HasPrefix(string(w.last.body), `{"code":`) {
		t.Errorf("the body is %s", w.last.body)
	}
	there := connect(t, w.Cloud, keys{project: w.Project("cn-east-3")})
	job, err := w.reboot(false, w.Add(huaweisim.Machine{}))
	wantCode(t, err, "")
	_, err = there.ecs.ShowJob(&model.ShowJobRequest{JobId: job})
	wantCode(t, err, "Ecs.0005") // of another region
}

func TestAMachineInTheWrongStateFailsItsSubJobAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		fine := w.Add(huaweisim.Machine{})
		want := map[string]string{
			fine: "", w.Add(huaweisim.Machine{Status: "SHUTOFF"}): "Ecs.0100", w.Add(huaweisim.Machine{Locked: true}): "Ecs.0605",
			w.Add(huaweisim.Machine{EcmResStatus: "freeze"}): "Ecs.0030",
		}
		ids := []string{}
		for id := range want {
			ids = append(ids, id)
		}
		id, err := w.reboot(false, ids...)
		wantCode(t, err, "")
		wait(10 * time.Second)
		j := w.job(t, id)
		if j.Status.Value() != "FAIL" || *j.ErrorCode == "" || *j.FailReason == "" {
			t.Errorf("job: %v", j)
		}
		for _, s := range *j.Entities.SubJobs {
			machine := *s.Entities.ServerId
			got := ""
			if s.ErrorCode != nil {
				got = *s.ErrorCode
			}
			if got != want[machine] || (got != "") != (s.Status.Value() == "FAIL") || (got != "") != (s.Entities.ErrorcodeMessage != nil) {
				t.Errorf("sub-job of %s: %v; want %q", machine, s, want[machine])
			}
		}
		if w.machine(t, fine).Reboots != 1 {
			t.Error("the others are not rebooted")
		}
	})
}

func TestActionsMayRefuseTheBatch(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Answers: huaweisim.Answers{ActionRefusesBatch: true}})
	fine, off := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{Status: "SHUTOFF"})
	_, err := w.reboot(false, fine, off)
	wantCode(t, err, "Ecs.0100")
	if w.machine(t, fine).Reboots != 0 {
		t.Error("the others are rebooted")
	}
}

func TestUnknownMachinesRefuseTheAction(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	there := w.Add(huaweisim.Machine{Region: "cn-east-3"})
	for _, id := range []string{there, "00000000-0000-4000-8000-000000000000"} {
		for _, a := range []act{softStop, start, hardReboot} {
			_, err := a(w, id)
			wantCode(t, err, "Ecs.0114")
		}
	}
	_, err := w.start()
	wantCode(t, err, "Ecs.0005")
}

func TestIdleActionsMaySucceed(t *testing.T) {
	t.Parallel()
	for _, succeeds := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Answers: huaweisim.Answers{IdleActionsSucceed: succeeds}})
			on, off := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{Status: "SHUTOFF"})
			started, _ := w.start(on)
			stopped, _ := w.stop(false, off)
			wait(time.Second)
			for _, id := range []string{started, stopped} {
				if got := w.job(t, id).Status.Value(); (got == "SUCCESS") != succeeds {
					t.Errorf("nothing to do is %s (switch %v)", got, succeeds)
				}
			}
			if w.machine(t, on).Starts+w.machine(t, off).Stops != 0 {
				t.Error("something was done")
			}
		})
	}
}

func TestSystemsThatIgnoreASoftStop(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		answers huaweisim.Answers
		act     act
		job     string
		status  string
		hard    int
	}{
		{"stop", huaweisim.Answers{}, softStop, "FAIL", "ACTIVE", 0},
		{"reboot", huaweisim.Answers{}, softReboot, "FAIL", "ACTIVE", 0},
		{"stop for ever", huaweisim.Answers{SoftStopNeverGivesUp: true}, softStop, "RUNNING", "ACTIVE", 0},
		{"reboot for ever", huaweisim.Answers{SoftStopNeverGivesUp: true}, softReboot, "RUNNING", "REBOOT", 0},
		{"reboot turns hard", huaweisim.Answers{SoftRebootTurnsHard: true}, softReboot, "SUCCESS", "ACTIVE", 1},
		{"hard stop", huaweisim.Answers{}, hardStop, "SUCCESS", "SHUTOFF", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, huaweisim.Config{Scale: 1, Answers: tc.answers})
			id := w.Add(huaweisim.Machine{IgnoresSoftStop: true})
			w.reset(password, id)
			job, err := tc.act(w, id)
			wantCode(t, err, "")
			wait(time.Hour)
			m := w.machine(t, id)
			if got := w.job(t, job).Status.Value(); got != tc.job || m.Status != tc.status || m.HardStops != tc.hard {
				t.Errorf("%s: job %s, machine %s, %d hard stops; want %s, %s, %d", tc.name, got, m.Status, m.HardStops, tc.job, tc.status, tc.hard)
			}
			if booted := tc.hard > 0 && tc.status == "ACTIVE"; (m.Password == password) != booted {
				t.Errorf("%s: password in force: %v", tc.name, m.Password == password)
			}
		})
	}
}

func TestListsTellOfAnActionLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Visible: time.Second})
		id := w.Add(huaweisim.Machine{})
		w.stop(true, id)
		if s := w.listed(t, id); s.Status != "ACTIVE" || s.OSEXTSTStaskState != "" {
			t.Errorf("at once: %s, %s", s.Status, s.OSEXTSTStaskState)
		}
		wait(2 * time.Second)
		if s := w.listed(t, id); s.Status != "SHUTOFF" {
			t.Errorf("later: %s", s.Status)
		}
	})
}

func TestAThousandMachinesAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Instances: 1001, Regions: []string{region}})
		var ids []string
		for _, m := range w.Machines() {
			ids = append(ids, m.ID)
		}
		_, err := w.reboot(true, ids...)
		wantCode(t, err, "Ecs.0118")
		_, err = w.reboot(true, ids[:600]...)
		wantCode(t, err, "")
		_, err = w.reboot(true, ids[600:]...)
		wantCode(t, err, "Ecs.0118")
		_, err = w.stop(true, ids[600:]...) // another action has its own
		wantCode(t, err, "")
		wait(time.Minute)
		_, err = w.reboot(true, ids[600:]...)
		wantCode(t, err, "")
	})
}
