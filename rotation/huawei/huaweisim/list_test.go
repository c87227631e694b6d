package huaweisim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func ids(all []model.ServerDetail) []string {
	out := []string{}
	for _, s := range all {
		out = append(out, s.Id)
	}
	return out
}

func TestListsTellWhatAMachineIs(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	linux := w.Add(huaweisim.Machine{Name: "web-1", PrivateIP: "10.0.0.7", PublicIP: "203.0.113.9", KeyName: "ops",
		Tags: map[string]string{"rotate": "yes", "plain": ""}})
	windows := w.Add(huaweisim.Machine{OSType: "Windows", Status: "SHUTOFF", Locked: true, EcmResStatus: "freeze"})
	s := w.listed(t, linux)
	if s.Name != "web-1" || s.Status != "ACTIVE" || s.OSEXTSTSpowerState != 1 || s.KeyName != "ops" || s.Locked ||
		s.Metadata["os_type"] != "Linux" || s.Metadata["EcmResStatus"] != "" || s.TenantId != w.Project(region) || s.Fault != nil {
		t.Errorf("Linux: %+v", s)
	}
	if !strings.Contains(string(w.last.body), `"OS-EXT-STS:task_state":null`) {
		t.Errorf("no task is not null: %s", w.last.body)
	}
	if diff := cmp.Diff([]string{"plain", "rotate=yes"}, *s.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	var addresses []string
	for _, network := range s.Addresses {
		for _, a := range network {
			addresses = append(addresses, a.OSEXTIPStype.Value()+" "+a.Addr)
		}
	}
	if diff := cmp.Diff([]string{"fixed 10.0.0.7", "floating 203.0.113.9"}, addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	s = w.listed(t, windows)
	if s.Status != "SHUTOFF" || s.OSEXTSTSpowerState != 4 || !s.Locked || s.Metadata["os_type"] != "Windows" || s.Metadata["EcmResStatus"] != "freeze" {
		t.Errorf("Windows: %+v", s)
	}
}

func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	a := w.Add(huaweisim.Machine{Name: "web-1", PrivateIP: "10.0.0.7", Tags: map[string]string{"rotate": "yes", "env": "prod"}})
	b := w.Add(huaweisim.Machine{Name: "web-2", PrivateIP: "10.0.0.77", Status: "SHUTOFF", Tags: map[string]string{"rotate": "yes", "env": "dev"}})
	c := w.Add(huaweisim.Machine{Name: "db", PublicIP: "203.0.113.9", Tags: map[string]string{"rotate": "no"}})
	there := w.Add(huaweisim.Machine{Region: "cn-east-3", Tags: map[string]string{"rotate": "yes"}})
	for _, tc := range []struct {
		name string
		r    model.ListServersDetailsRequest
		want []string
	}{
		{"all", model.ListServersDetailsRequest{}, []string{a, b, c}},
		{"a tag", model.ListServersDetailsRequest{Tags: ptr("rotate=yes")}, []string{a, b}},
		{"two tags", model.ListServersDetailsRequest{Tags: ptr("rotate=yes,env=dev")}, []string{b}},
		{"a key", model.ListServersDetailsRequest{Tags: ptr("env")}, []string{a, b}},
		{"not a tag", model.ListServersDetailsRequest{NotTags: ptr("rotate=yes")}, []string{c}},
		{"a status", model.ListServersDetailsRequest{Status: ptr("SHUTOFF")}, []string{b}},
		{"part of a name", model.ListServersDetailsRequest{Name: ptr("web")}, []string{a, b}},
		{"part of an address", model.ListServersDetailsRequest{Ip: ptr("10.0.0.7")}, []string{a, b}},
		{"an address", model.ListServersDetailsRequest{IpEq: ptr("10.0.0.7")}, []string{a}},
		{"a floating address", model.ListServersDetailsRequest{IpEq: ptr("203.0.113.9")}, []string{c}},
		{"every enterprise project", model.ListServersDetailsRequest{EnterpriseProjectId: ptr("all_granted_eps")}, []string{a, b, c}},
		{"another enterprise project", model.ListServersDetailsRequest{EnterpriseProjectId: ptr("x")}, []string{}},
		{"ids, whatever else is asked", model.ListServersDetailsRequest{ServerId: ptr(c + "," + a), Status: ptr("SHUTOFF")}, []string{c, a}},
	} {
		found, err := w.list(&tc.r)
		if err != nil || !slices.Equal(ids(found), tc.want) {
			t.Errorf("%s: %q, %v; want %q", tc.name, ids(found), err, tc.want)
		}
	}
	unknown := w.listed(t, there)
	if unknown.Id != there || unknown.Status != "" || unknown.Fault == nil {
		t.Errorf("an id of another region: %+v; want nothing but the id and a fault", unknown)
	}
}

func TestOffsetsArePageNumbers(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100, Regions: []string{region}, Instances: 30})
	var all []string
	for _, m := range w.Machines() {
		all = append(all, m.ID)
	}
	page := func(offset, limit *int32, marker *string) []string {
		t.Helper()
		resp, err := w.ecs.ListServersDetails(&model.ListServersDetailsRequest{Offset: offset, Limit: limit, Marker: marker})
		if err != nil || *resp.Count != 30 {
			t.Fatalf("%v, %v", resp, err)
		}
		return ids(*resp.Servers)
	}
	for _, tc := range []struct {
		offset, limit *int32
		marker        *string
		from, to      int
	}{
		{nil, nil, nil, 0, 25},
		{ptr[int32](0), nil, nil, 0, 25},
		{ptr[int32](1), nil, nil, 0, 25},
		{ptr[int32](2), nil, nil, 25, 30},
		{ptr[int32](3), nil, nil, 30, 30},
		{ptr[int32](2), ptr[int32](10), nil, 10, 20},
		{nil, ptr[int32](1000), nil, 0, 30},
		{nil, ptr[int32](10), &all[9], 10, 20},
	} {
		if got := page(tc.offset, tc.limit, tc.marker); !slices.Equal(got, all[tc.from:tc.to]) {
			t.Errorf("offset %v, limit %v, marker %v: %q; want %d to %d", tc.offset, tc.limit, tc.marker, got, tc.from, tc.to)
		}
	}
	for _, r := range []*model.ListServersDetailsRequest{{Limit: ptr[int32](1001)}, {Limit: ptr[int32](0)}, {Offset: ptr[int32](-1)}} {
		_, err := w.list(r)
		wantCode(t, err, "Ecs.0005")
	}
}

func TestRegionsAreToldApartByTheProject(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	here, there := w.Add(huaweisim.Machine{}), w.Add(huaweisim.Machine{Region: "cn-east-3"})
	east := connect(t, w.Cloud, keys{project: w.Project("cn-east-3")})
	for _, tc := range []struct {
		w    *world
		want string
	}{{w, here}, {east, there}} {
		if found, err := tc.w.list(&model.ListServersDetailsRequest{}); err != nil || !slices.Equal(ids(found), []string{tc.want}) {
			t.Errorf("%q, %v; want %q", ids(found), err, tc.want)
		}
	}
	if p := w.Project(region); len(p) != 32 || strings.Trim(p, "0123456789abcdef") != "" || p == w.Project("cn-east-3") {
		t.Errorf("project %q", p)
	}
	if w.Project("nowhere") != "" {
		t.Error("a project of no region")
	}
}
