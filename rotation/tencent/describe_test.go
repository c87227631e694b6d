package tencent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestDescribeSaysWhatTheProviderSays(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	w.Add(tencentsim.Machine{
		ID: "ins-0000000b", Name: "web-1", OSName: "Ubuntu Server 22.04 LTS 64bit", State: "STOPPED", CreatedTime: created,
		PrivateIP: "10.0.0.7", PublicIP: "203.0.113.7", KeyIDs: []string{"skey-a", "skey-b"},
		Tags: map[string]string{"env": "prod", "relock": "42.down.2", "relock-secret": "0123456789ab"},
	})
	w.Add(tencentsim.Machine{
		ID: "ins-0000000a", Name: "ad-1", OSName: "Windows Server 2022", CreatedTime: created, PrivateIP: "10.0.0.8",
		Operation: "StopInstances", OperationState: "OPERATING",
	})
	got := w.describe("ins-0000000b", "ins-0000000a")
	terms := rotation.Terms{MaxBatch: 100, NeedsStopped: true, Effect: rotation.AtOnce, Reported: true}
	want := []rotation.Instance{{
		ID: "ins-0000000a", Name: "ad-1", Region: region, OS: rotation.Windows, Power: rotation.Running, Busy: true,
		LoginUser: "Administrator", Addresses: []string{"10.0.0.8"}, Port: 3389, CreatedAt: created, Tags: map[string]string{}, Terms: terms,
	}, {
		ID: "ins-0000000b", Name: "web-1", Region: region, OS: rotation.Linux, Power: rotation.Stopped,
		LoginUser: "ubuntu", Addresses: []string{"10.0.0.7", "203.0.113.7"}, Port: 22, CreatedAt: created, KeyPair: "skey-a,skey-b",
		Tags:  map[string]string{"env": "prod", "relock": "42.down.2", "relock-secret": "0123456789ab"},
		Mark:  rotation.Mark{Secret: "0123456789ab", Generation: 42, State: rotation.MarkDown, Tries: 2},
		Terms: terms,
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(rotation.Terms{}, "Rules")); diff != "" {
		t.Errorf("Describe (-want +got):\n%s", diff)
	}
}

func TestSystemsAndTheirRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ os, login, rules2018, want string }{
		{`"OsName":"Windows Server 2019"`, "", "", "windows Administrator Tencent Windows"},
		{`"DefaultLoginUser":"Administrator"`, "", "", "windows Administrator Tencent Windows"},
		{`"DefaultLoginUser":"admin","OsName":"windows 11"`, "", "", "windows admin Tencent Windows"},
		{`"DefaultLoginPort":3389`, "", "", "windows Administrator Tencent Windows"},
		{`"OsName":"Ubuntu Server 24.04"`, "", "", "linux ubuntu Tencent Linux"},
		{`"OsName":"TencentOS Server 3.1","DefaultLoginUser":null`, "", "", "linux root Tencent Linux"},
		{`"DefaultLoginUser":"lighthouse"`, "", "", "linux lighthouse Tencent Linux"},
		{`"OsName":null`, "", "", "linux root Tencent Windows"}, // nothing tells: the stricter rules
		{`"OsName":"Debian 12"`, "", "tencent-2018", "linux root Tencent Linux 2018"},
		{`"OsName":"Windows Server 2012"`, "", "tencent-2018", "windows Administrator Tencent Windows 2018"},
	} {
		cfg := stubConfig(func(string, string) (int, string) {
			return 200, `{"Response":{"TotalCount":1,"InstanceSet":[{"InstanceId":"ins-00000001","InstanceState":"RUNNING",` + c.os + `},null,{}]}}`
		})
		cfg.Rules = c.rules2018
		fleet, _ := drivers(t, cfg)
		found, err := fleet.Describe(t.Context(), rotation.Selector{IDs: []string{"ins-00000001"}})
		if err != nil || len(found) != 1 {
			t.Errorf("%s: Describe = %v, %v", c.os, found, err)
			continue
		}
		inst := found[0]
		if got := fmt.Sprintf("%s %s %s", inst.OS, inst.LoginUser, inst.Terms.Rules.Name); got != c.want {
			t.Errorf("%s: %s; want %s", c.os, got, c.want)
		}
	}
}

func TestWindowsRulesForbidTheConfiguredUser(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.cfg.Username = "Operator"
	w.connect()
	found := w.describe(w.Add(tencentsim.Machine{OSName: "Windows Server 2022"}))
	for password, ok := range map[string]bool{"xxOPERATOR.2024-Ab": false, "xxadministrator.4-AB": false, "Compliant.2024-Ab": true} {
		if broken := found[0].Terms.Rules.Check(rotation.NewPassword(password)); (len(broken) == 0) != ok {
			t.Errorf("Check(%s) = %v; want compliance: %t", password, broken, ok)
		}
	}
}

func TestRulesAreSharedBetweenMachines(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Instances: 150, Regions: []string{region}})
	found, err := w.fleet.Describe(t.Context(), everything)
	if err != nil || len(found) != 150 {
		t.Fatalf("Describe = %d machines, %v", len(found), err)
	}
	rules := map[*rotation.Rules]bool{}
	for _, inst := range found {
		rules[inst.Terms.Rules] = true
	}
	if len(rules) > 3 {
		t.Errorf("%d machines have %d rules; want one for each system and account", len(found), len(rules))
	}
}

// everything selects all machines that a simulated cloud is filled with.
var everything = rotation.Selector{Tags: map[string][]string{tencentsim.FleetTagKey: {tencentsim.FleetTagValue}}}

func TestMachinesThatCannotBeResetSayWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fields, kind, reason string
		power                rotation.PowerState
	}{
		{`"InstanceState":"RUNNING"`, "", "", rotation.Running},
		{`"InstanceState":"STOPPED","StopChargingMode":"KEEP_CHARGING"`, "", "", rotation.Stopped},
		{`"InstanceState":"RUNNING","StopChargingMode":"NOT_APPLICABLE","IsolatedSource":"NOTISOLATED","RestrictState":"NORMAL"`, "", "", rotation.Running},
		{`"InstanceState":"STARTING"`, "", "", rotation.Changing},
		{`"InstanceState":"STOPPING"`, "", "", rotation.Changing},
		{`"InstanceState":"REBOOTING"`, "", "", rotation.Changing},
		{`"InstanceState":"PENDING"`, "busy", "being created", rotation.Changing},
		{`"InstanceState":"ENTER_RESCUE_MODE"`, "busy", "entering rescue mode", rotation.Changing},
		{`"InstanceState":"EXIT_RESCUE_MODE"`, "busy", "leaving rescue mode", rotation.Changing},
		{`"InstanceState":"ENTER_SERVICE_LIVE_MIGRATE"`, "busy", "being migrated", rotation.Changing},
		{`"InstanceState":"SERVICE_LIVE_MIGRATE"`, "busy", "being migrated", rotation.Changing},
		{`"InstanceState":"EXIT_SERVICE_LIVE_MIGRATE"`, "busy", "being migrated", rotation.Changing},
		{`"InstanceState":"SOMETHING_NEW"`, "busy", "SOMETHING_NEW", rotation.Changing},
		{`"InstanceState":null`, "busy", "does not know", rotation.Changing},
		{`"InstanceState":"RESCUE_MODE"`, "unable", "rescue mode", rotation.Changing},
		{`"InstanceState":"SHUTDOWN"`, "unable", "isolated", rotation.Stopped},
		{`"InstanceState":"SHUTDOWN","IsolatedSource":"ARREAR"`, "unable", "isolated for arrears", rotation.Stopped},
		{`"InstanceState":"SHUTDOWN","IsolatedSource":"EXPIRE"`, "unable", "its term is over", rotation.Stopped},
		{`"InstanceState":"SHUTDOWN","IsolatedSource":"MANMADE"`, "unable", "returned by hand", rotation.Stopped},
		{`"InstanceState":"STOPPED","RestrictState":"EXPIRED"`, "unable", "its term is over", rotation.Stopped},
		{`"InstanceState":"STOPPED","RestrictState":"PROTECTIVELY_ISOLATED"`, "unable", "isolated by the provider", rotation.Stopped},
		{`"InstanceState":"STOPPED","StopChargingMode":"STOP_CHARGING"`, "unable", "stopped without charges", rotation.Stopped},
		{`"InstanceState":"TERMINATING"`, "unable", "being destroyed", rotation.Changing},
		{`"InstanceState":"LAUNCH_FAILED"`, "unable", "its creation failed", rotation.Stopped},
		{`"InstanceState":"FREEZING"`, "unable", "frozen", rotation.Changing},
	} {
		fleet, _ := stubbed(t, func(string, string) (int, string) {
			return 200, `{"Response":{"TotalCount":1,"InstanceSet":[{"InstanceId":"ins-00000001",` + c.fields + `}]}}`
		})
		found, err := fleet.Describe(t.Context(), rotation.Selector{IDs: []string{"ins-00000001"}})
		if err != nil || len(found) != 1 {
			t.Errorf("%s: Describe = %v, %v", c.fields, found, err)
			continue
		}
		why := found[0].Terms.Refuse
		if string(why.Kind) != c.kind || !strings.Contains(why.Reason, c.reason) || found[0].Power != c.power {
			t.Errorf("%s: %s, %+v; want %s, %s, %q", c.fields, found[0].Power, why, c.power, c.kind, c.reason)
		}
		if c.kind == "unable" && why.Remedy == "" {
			t.Errorf("%s: no remedy", c.fields)
		}
	}
}

func TestUnknownIDsAreLeftOutWhateverTheProviderSaysOfThem(t *testing.T) {
	t.Parallel()
	for _, answers := range []tencentsim.Answers{
		{}, {UnknownIDsAreErrors: true}, {UnknownIDsAreErrors: true, MessagesOmitIDs: true},
	} {
		w := open(t, tencentsim.Config{Answers: answers})
		elsewhere := w.Add(tencentsim.Machine{Region: "ap-shanghai"})
		ids := []string{elsewhere, "ins-99999999", "ins-88888888", elsewhere}
		var want []string
		for range 7 {
			id := w.Add(tencentsim.Machine{})
			ids, want = append(ids, id), append(want, id)
		}
		slices.Sort(want)
		found, err := w.fleet.Describe(t.Context(), rotation.Selector{IDs: ids})
		if got := idsOf(found); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: Describe = %v, %v; want %v", answers, got, err, want)
		}
		none, err := w.fleet.Describe(t.Context(), rotation.Selector{IDs: []string{"ins-99999999"}})
		if err != nil || len(none) != 0 {
			t.Errorf("%+v: Describe of an unknown id = %v, %v; want none", answers, none, err)
		}
	}
}

func idsOf(found []rotation.Instance) []string {
	ids := make([]string, len(found))
	for i, inst := range found {
		ids[i] = inst.ID
	}
	return ids
}

func TestMalformedIDsAreNamedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	_, err := w.fleet.Describe(t.Context(), rotation.Selector{IDs: []string{w.Add(tencentsim.Machine{}), "ins-1122", "i-0a1b2c3d", "ins-0A1B2C3D"}})
	if !errors.Is(err, rotation.ErrConfig) {
		t.Fatalf("Describe = %v; want an error matching ErrConfig", err)
	}
	for _, id := range []string{"ins-1122", "i-0a1b2c3d", "ins-0A1B2C3D"} {
		if !strings.Contains(err.Error(), id) {
			t.Errorf("Describe = %v; want %s in it", err, id)
		}
	}
	if sent := w.Requests(); len(sent) != 0 {
		t.Errorf("%d requests were sent", len(sent))
	}
}

func TestSelectionsByTagsAreExactWhateverTheProvidersLimits(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Regions: []string{region}})
	many := map[string]string{"role": "web", "owner": ""}
	wide := map[string][]string{}
	for i := range 14 {
		key := fmt.Sprintf("k%02d", i)
		many[key] = "v"
		wide[key] = []string{"v"}
	}
	all := w.Add(tencentsim.Machine{Tags: many})
	delete(many, "k13")
	most := w.Add(tencentsim.Machine{Tags: many})
	web := w.Add(tencentsim.Machine{Tags: map[string]string{"role": "web"}})
	db := w.Add(tencentsim.Machine{Tags: map[string]string{"role": "db", "owner": "me"}})
	w.Add(tencentsim.Machine{Tags: map[string]string{"roles": "web"}})
	w.Add(tencentsim.Machine{})
	six := []string{"a", "b", "c", "d", "e", "web"}
	for name, c := range map[string]struct {
		sel  rotation.Selector
		want []string
	}{
		"nothing":               {rotation.Selector{}, nil},
		"only exclusions":       {rotation.Selector{ExcludeTags: map[string][]string{"role": nil}}, nil},
		"one value":             {rotation.Selector{Tags: map[string][]string{"role": {"web"}}}, []string{all, most, web}},
		"more than five values": {rotation.Selector{Tags: map[string][]string{"role": six}}, []string{all, most, web}},
		"any value":             {rotation.Selector{Tags: map[string][]string{"owner": nil}}, []string{all, most, db}},
		"any value of two keys": {rotation.Selector{Tags: map[string][]string{"owner": nil, "role": nil}}, []string{all, most, db}},
		"both":                  {rotation.Selector{Tags: map[string][]string{"owner": nil, "role": six}}, []string{all, most}},
		"more than ten keys":    {rotation.Selector{Tags: wide}, []string{all}},
		"exclusions":            {rotation.Selector{Tags: map[string][]string{"role": nil}, ExcludeTags: map[string][]string{"owner": {"me"}, "k13": nil}}, []string{most, web}},
		"ids and tags":          {rotation.Selector{IDs: []string{web, db}, Tags: map[string][]string{"role": {"web"}}}, []string{web}},
		"a key that nobody has": {rotation.Selector{Tags: map[string][]string{"nobody": {"x"}}}, nil},
	} {
		found, err := w.fleet.Describe(t.Context(), c.sel)
		slices.Sort(c.want)
		if got := idsOf(found); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: Describe = %v, %v; want %v", name, got, err, c.want)
		}
	}
	for _, r := range w.Requests() {
		if r.Code != "" {
			t.Errorf("%s was refused: %s", r.Action, r.Code)
		}
	}
}

func TestATagKeyThatTheAccountDoesNotHaveSelectsNothing(t *testing.T) {
	t.Parallel()
	fleet, _ := stubbed(t, failing("InvalidParameterValue.TagKeyNotFound", "The tag key does not exist."))
	found, err := fleet.Describe(t.Context(), everything)
	if err != nil || len(found) != 0 {
		t.Errorf("Describe = %v, %v; want none", found, err)
	}
}

func TestEveryPageIsRead(t *testing.T) {
	t.Parallel()
	const n = 730
	w := open(t, tencentsim.Config{Instances: n, Regions: []string{region}})
	w.FailNext("DescribeInstances", 2, "bad-gateway")
	w.FailNext("DescribeInstances", 4, "throttle")
	w.FailNext("DescribeInstances", 5, "cut")
	found, err := w.fleet.Describe(t.Context(), everything)
	if err != nil || len(found) != n {
		t.Fatalf("Describe = %d machines, %v; want %d", len(found), err, n)
	}
	if !slices.IsSortedFunc(found, func(a, b rotation.Instance) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the machines are not in the order of their ids")
	}
	if sent, throttled := w.calls.Counts(); sent["cvm DescribeInstances"] != 8+3 || throttled != 1 {
		t.Errorf("calls %v, throttled %d; want 8 pages and 3 repetitions, 1 throttled", sent, throttled)
	}
	byID, err := w.fleet.Describe(t.Context(), rotation.Selector{IDs: idsOf(found)})
	if diff := cmp.Diff(found, byID, cmpopts.IgnoreFields(rotation.Terms{}, "Rules")); err != nil || diff != "" {
		t.Errorf("by id: %v, (-by tag +by id)\n%s", err, diff)
	}
}

func TestAListingThatFailsIsAnErrorAndNoList(t *testing.T) {
	t.Parallel()
	for fault, code := range map[string]string{"internal-error": "InternalServerError", "throttle": "RequestLimitExceeded", "bad-gateway": "gateway"} {
		w := open(t, tencentsim.Config{Instances: 250, Regions: []string{region}, Faults: tencentsim.Faults{fault: 1}})
		found, err := w.fleet.Describe(t.Context(), everything)
		if err == nil || found != nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: Describe = %d machines, %v; want an error with %s", fault, len(found), err, code)
		}
	}
	w := open(t, tencentsim.Config{Instances: 250})
	w.cfg.Credentials = func() (string, string, string) { return tencentsim.DemoSecretID, "wrong", "" }
	w.connect()
	_, err := w.fleet.Describe(t.Context(), everything)
	if sent, _ := w.calls.Counts(); !errors.Is(err, rotation.ErrUnauthorized) || sent["cvm DescribeInstances"] != 1 {
		t.Errorf("Describe with a wrong key: %v after %v; want ErrUnauthorized after one request", err, sent)
	}
}

// shrinking is a fleet of which the first machine goes after the first page was read: every other one moves up.
type shrinking struct {
	mu  sync.Mutex
	ids []string
}

func (s *shrinking) answer(_, body string) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var req struct{ Offset, Limit int }
	if err := json.Unmarshal([]byte(body), &req); err != nil {
		return 200, failure("InvalidParameter", err.Error())
	}
	page := s.ids[min(req.Offset, len(s.ids)):min(req.Offset+req.Limit, len(s.ids))]
	var set []string
	for _, id := range page {
		set = append(set, fmt.Sprintf(`{"InstanceId":%q,"InstanceState":"RUNNING","Tags":[{"Key":"rotate","Value":"yes"}]}`, id))
	}
	answer := fmt.Sprintf(`{"Response":{"TotalCount":%d,"InstanceSet":[%s]}}`, len(s.ids), strings.Join(set, ","))
	if len(s.ids) == 250 {
		s.ids = s.ids[1:]
	}
	return 200, answer
}

func TestAMachineThatMovesBetweenPagesIsNotLost(t *testing.T) {
	t.Parallel()
	s := &shrinking{}
	for i := range 250 {
		s.ids = append(s.ids, fmt.Sprintf("ins-%08d", i))
	}
	fleet, _ := stubbed(t, s.answer)
	found, err := fleet.Describe(t.Context(), everything)
	got := idsOf(found)
	if err != nil || len(got) != 250 || !slices.Contains(got, "ins-00000100") {
		t.Errorf("Describe = %d machines, %v; want all 250 that were there, ins-00000100 among them", len(got), err)
	}
}
