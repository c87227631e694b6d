package huaweisim_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// rebooted restarts machines softly and waits until they are up again.
func (w *world) rebooted(t *testing.T, ids ...string) {
	t.Helper()
	if _, err := w.reboot(false, ids...); err != nil {
		t.Fatal(err)
	}
	wait(10 * time.Second)
}

func TestPasswordsTakeEffectAtTheNextBoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		running, stopped := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{Status: "SHUTOFF"})
		ids, err := w.reset(password, running, stopped)
		if wantCode(t, err, ""); !slices.Equal(ids, []string{running, stopped}) {
			t.Errorf("answered %q", ids)
		}
		wait(time.Hour)
		for _, id := range []string{running, stopped} {
			if m := w.machine(t, id); m.Password != huaweisim.BaselinePassword || m.Pending != password || m.Resets != 0 {
				t.Errorf("before its boot: in force %s, pending %s", m.Password, m.Pending)
			}
		}
		w.rebooted(t, running)
		_, err = w.start(stopped)
		wantCode(t, err, "")
		wait(10 * time.Second)
		for _, id := range []string{running, stopped} {
			if m := w.machine(t, id); m.Password != password || m.Pending != "" || m.Resets != 1 || m.Status != "ACTIVE" {
				t.Errorf("after its boot: in force %s, pending %s, %s", m.Password, m.Pending, m.Status)
			}
		}
	})
}

func TestTheLastResetBeforeABootCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		id := w.Add(huaweisim.Machine{})
		w.reset("Older.2025-Xy", id)
		w.reset(password, id)
		w.rebooted(t, id)
		if m := w.machine(t, id); m.Password != password || m.Resets != 1 {
			t.Errorf("in force %s after %d resets", m.Password, m.Resets)
		}
	})
}

func TestWithoutThePluginResetsAreAcceptedAndNeverApplied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		with, without := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{NoPlugin: true})
		for id, want := range map[string]string{with: "True", without: "False"} {
			resp, err := w.ecs.ShowResetPasswordFlag(&model.ShowResetPasswordFlagRequest{ServerId: id})
			if err != nil || *resp.ResetpwdFlag != want {
				t.Errorf("os-resetpwd-flag = %v, %v; want %s", resp, err, want)
			}
		}
		ids, err := w.reset(password, with, without)
		if wantCode(t, err, ""); len(ids) != 2 {
			t.Errorf("answered %q", ids)
		}
		w.rebooted(t, with, without)
		if w.machine(t, with).Password != password || w.machine(t, without).Password != huaweisim.BaselinePassword {
			t.Error("the plug-in makes no difference")
		}
	})
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	linux, windows := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{OSType: "Windows"})
	for _, tc := range []struct {
		password         string
		linux, onWindows bool
	}{
		{"Aa1!aaaa", true, true},
		{"Aa1!aaa", false, false}, // 7 characters
		{"Aa1!" + strings.Repeat("b", 22), true, true},
		{"Aa1!" + strings.Repeat("b", 23), false, false},
		{"aaaabbb1", false, false}, // two kinds
		{"aaaaBBB1", true, true},
		{"Aa1!@%-_=+[]:./?", true, true},
		{"Aa1#bbbbb", false, false}, {"Aa1~bbbbb", false, false}, {"Aa1 bbbbb", false, false}, {"Aa1éé bbbbb", false, false},
		{"xRoOt1234", false, false}, {"1tOOrbbbbB", false, false},
		{"Administrator1", false, false}, {"rotartsinimdA1", false, false},
		{"Amin12345", true, false}, // min
		{"xxSTR1234", true, false},
		{"Amn-is-12", true, true},
	} {
		for _, to := range []struct {
			ids   []string
			works bool
		}{{[]string{linux}, tc.linux}, {[]string{linux, windows}, tc.onWindows}} {
			_, err := w.reset(tc.password, to.ids...)
			want := "Ecs.0011"
			if to.works {
				want = ""
			}
			wantCode(t, err, want)
			if err != nil && strings.Contains(string(w.last.body), tc.password) {
				t.Errorf("the answer holds the password: %s", w.last.body)
			}
		}
	}
}

func TestMachinesThatCannotBeResetAreNamedInInternalError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1})
		other := w.Add(huaweisim.Machine{Region: "cn-east-3"})
		nobody := "00000000-0000-4000-8000-000000000000"
		rebooting := w.Add(huaweisim.Machine{})
		w.reboot(false, rebooting)
		want := map[string]string{
			other: "Ecs.0114", nobody: "Ecs.0114", rebooting: "Ecs.0100",
			w.Add(huaweisim.Machine{Locked: true}):                          "Ecs.0605",
			w.Add(huaweisim.Machine{EcmResStatus: "freeze"}):                "Ecs.0030",
			w.Add(huaweisim.Machine{Status: "ERROR"}):                       "Ecs.0100",
			w.Add(huaweisim.Machine{TaskState: "migrating"}):                "Ecs.0100",
			w.Add(huaweisim.Machine{Status: "SHUTOFF", Refuse: "Ecs.4711"}): "Ecs.4711",
		}
		fine := w.Add(huaweisim.Machine{})
		_, err := w.reset(password, append(slices.Collect(maps.Keys(want)), fine)...)
		wantCode(t, err, "Ecs.0611")
		if got := w.refused(t); !maps.Equal(got, want) || w.last.status != 400 {
			t.Errorf("internalError %v, HTTP %d; want %v", got, w.last.status, want)
		}
		if m := w.machine(t, fine); m.Pending != password {
			t.Error("the machine that was not refused is not reset")
		}
		for _, m := range w.Machines() {
			if want[m.ID] != "" && m.Pending != "" {
				t.Errorf("%s was refused (%s) and reset", m.ID, want[m.ID])
			}
		}
	})
}

func TestAnswersToPartialRefusal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		answers huaweisim.Answers
		code    string
		names   int
		reset   bool
	}{
		{huaweisim.Answers{}, "Ecs.0611", 0, true},
		{huaweisim.Answers{OthersNotReset: true}, "Ecs.0611", 0, false},
		{huaweisim.Answers{RefusedAreOmitted: true}, "", 1, true},
		{huaweisim.Answers{RefusedAreOmitted: true, OthersNotReset: true}, "", 0, false},
	} {
		w := open(t, huaweisim.Config{Answers: tc.answers})
		fine, locked := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{Locked: true})
		ids, err := w.reset(password, fine, locked)
		wantCode(t, err, tc.code)
		if reset := w.machine(t, fine).Pending == password; len(ids) != tc.names || reset != tc.reset {
			t.Errorf("%+v: names %q, the other is reset: %v", tc.answers, ids, reset)
		}
		if applied := w.Requests()[0].Applied; applied != (tc.reset || tc.code == "") {
			t.Errorf("%+v: logged as applied: %v", tc.answers, applied)
		}
	}
}

func TestMalformedResetsAreRefusedWhole(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{})
	many := make([]string, 1001)
	for i := range many {
		many[i] = id
	}
	for _, tc := range []struct {
		ids      []string
		password string
		code     string
	}{
		{nil, password, "Ecs.0005"}, {[]string{"web-1"}, password, "Ecs.0005"}, {[]string{id, id}, password, "Ecs.0005"},
		{[]string{id}, "", "Ecs.0005"}, {many, password, "Ecs.0118"},
	} {
		_, err := w.reset(tc.password, tc.ids...)
		wantCode(t, err, tc.code)
	}
	if m := w.machine(t, id); m.Pending != "" {
		t.Error("a malformed request has an effect")
	}
}

func TestDryRunsChecksAndResetsNothing(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	fine, plain, locked := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{NoPlugin: true}), w.Add(huaweisim.Machine{Locked: true})
	for _, text := range []string{password, ""} {
		ids, err := w.resetOr(true, text, fine, plain)
		if wantCode(t, err, ""); len(ids) != 2 {
			t.Errorf("dry run answers %q", ids)
		}
	}
	_, err := w.resetOr(true, "short", fine)
	wantCode(t, err, "Ecs.0011")
	_, err = w.resetOr(true, password, fine, locked)
	wantCode(t, err, "Ecs.0611")
	if got := w.refused(t); got[locked] != "Ecs.0605" || len(got) != 1 {
		t.Errorf("internalError %v", got)
	}
	for _, m := range w.Machines() {
		if m.Pending != "" {
			t.Errorf("a dry run reset %s", m.ID)
		}
	}
	strict := open(t, huaweisim.Config{Answers: huaweisim.Answers{DryRunChecksPlugin: true}})
	plain = strict.Add(huaweisim.Machine{NoPlugin: true})
	_, err = strict.resetOr(true, password, plain)
	wantCode(t, err, "Ecs.0611")
}

func TestTheRestartMayComeTooEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 5, Answers: huaweisim.Answers{StagedLate: true}})
		id := w.Add(huaweisim.Machine{Status: "SHUTOFF"})
		w.reset(password, id)
		if m := w.machine(t, id); m.Pending != "" {
			t.Error("staged at once")
		}
		wait(10 * time.Second)
		if m := w.machine(t, id); m.Pending != password {
			t.Error("never staged")
		}
	})
}

func TestThePasswordMayLagTheBoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Answers: huaweisim.Answers{PasswordLagsBoot: true}})
		id := w.Add(huaweisim.Machine{})
		w.reset(password, id)
		w.reboot(true, id)
		for w.machine(t, id).Status != "ACTIVE" {
			wait(100 * time.Millisecond)
		}
		if m := w.machine(t, id); m.Password != huaweisim.BaselinePassword {
			t.Error("in force as soon as it is ACTIVE")
		}
		wait(3 * time.Second)
		if m := w.machine(t, id); m.Password != password {
			t.Error("never in force")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Answers: huaweisim.Answers{PasswordLagsBoot: true}})
		id := w.Add(huaweisim.Machine{})
		w.reset(password, id)
		w.reboot(true, id)
		for w.machine(t, id).Status != "ACTIVE" {
			wait(100 * time.Millisecond)
		}
		w.stop(true, id)
		wait(time.Minute)
		if m := w.machine(t, id); m.Password != huaweisim.BaselinePassword || m.Pending != password {
			t.Error("a machine that was stopped too early does not wait for its next boot")
		}
	})
}
