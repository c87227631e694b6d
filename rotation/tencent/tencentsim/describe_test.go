package tencentsim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestDescribeShowsWhatAMachineIs(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	created := time.Date(2024, 3, 4, 5, 6, 7, 0, time.UTC)
	id := w.Add(tencentsim.Machine{Name: "n", Zone: "ap-guangzhou-6", OSName: "Windows Server 2022", State: "STOPPED",
		RestrictState: "EXPIRED", IsolatedSource: "EXPIRE", KeyIDs: []string{"skey-12345678"}, CreatedTime: created,
		Tags: map[string]string{"b": "2", "a": "1"}, PrivateIP: "10.1.2.3"})
	i := w.shown(t, id)
	got := fmt.Sprint(*i.InstanceId, *i.InstanceName, *i.Placement.Zone, *i.OsName, *i.InstanceState, *i.RestrictState,
		*i.IsolatedSource, *i.StopChargingMode, *i.DefaultLoginUser, *i.DefaultLoginPort, *i.CreatedTime,
		*i.LoginSettings.KeyIds[0], *i.PrivateIpAddresses[0], *i.Tags[0].Key, *i.Tags[1].Value)
	want := fmt.Sprint(id, "n", "ap-guangzhou-6", "Windows Server 2022", "STOPPED", "EXPIRED",
		"EXPIRE", "KEEP_CHARGING", "Administrator", 3389, "2024-03-04T05:06:07Z",
		"skey-12345678", "10.1.2.3", "a", "2")
	if got != want {
		t.Errorf("shown:\n%s\nwant:\n%s", got, want)
	}
	if i.PublicIpAddresses != nil || i.LatestOperation != nil || i.LatestOperationErrorMsg != nil {
		t.Errorf("what there is not is shown: %v %v %v; want null", i.PublicIpAddresses, i.LatestOperation, i.LatestOperationErrorMsg)
	}
}

func TestFiltersSelect(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	a := w.Add(tencentsim.Machine{Name: "alpha", Zone: "ap-guangzhou-1", PublicIP: "203.0.113.9",
		Tags: map[string]string{"rotate": "yes", "env": "prod"}, CreatedTime: time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)})
	b := w.Add(tencentsim.Machine{Name: "beta", Zone: "ap-guangzhou-2", State: "STOPPED", ChargeType: "PREPAID",
		Tags: map[string]string{"rotate": "yes", "env": "dev"}, CreatedTime: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)})
	c := w.Add(tencentsim.Machine{Region: "ap-shanghai", Tags: map[string]string{"rotate": "yes"}})
	for _, tc := range []struct {
		filters []*cvm.Filter
		want    []string
	}{
		{nil, []string{a, b}},
		{[]*cvm.Filter{by("tag:rotate", "yes")}, []string{a, b}},
		{[]*cvm.Filter{by("tag:rotate", "yes"), by("tag:env", "prod")}, []string{a}},
		{[]*cvm.Filter{by("tag:env", "prod", "dev")}, []string{a, b}},
		{[]*cvm.Filter{by("tag:rotate", "no")}, []string{}},
		{[]*cvm.Filter{by("tag-key", "env")}, []string{a, b}},
		{[]*cvm.Filter{by("tag-value", "dev")}, []string{b}},
		{[]*cvm.Filter{by("instance-id", b, c)}, []string{b}},
		{[]*cvm.Filter{by("instance-state", "STOPPED")}, []string{b}},
		{[]*cvm.Filter{by("instance-name", "alpha")}, []string{a}},
		{[]*cvm.Filter{by("instance-charge-type", "PREPAID")}, []string{b}},
		{[]*cvm.Filter{by("zone", "ap-guangzhou-1")}, []string{a}},
		{[]*cvm.Filter{by("project-id", "0")}, []string{a, b}},
		{[]*cvm.Filter{by("public-ip-address", "203.0.113.9")}, []string{a}},
		{[]*cvm.Filter{by("vpc-id", *w.shown(t, a).VirtualPrivateCloud.VpcId)}, []string{a, b}},
		{[]*cvm.Filter{by("uuid", *w.shown(t, b).Uuid)}, []string{b}},
		{[]*cvm.Filter{by("creation-start-time", "2024-01-01 00:00:00")}, []string{b}},
		{[]*cvm.Filter{by("creation-end-time", "2024-01-01 00:00:00")}, []string{a}},
	} {
		got, err := w.filtered(tc.filters...)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("filters %v = %v, %v; want %v", describe(tc.filters), got, err, tc.want)
		}
	}
}

func describe(filters []*cvm.Filter) (names []string) {
	for _, f := range filters {
		names = append(names, fmt.Sprint(*f.Name, common.StringValues(f.Values)))
	}
	return names
}

func TestDescribeEnforcesItsLimits(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("ins-%08d", i)
	}
	eleven := make([]*cvm.Filter, 11)
	for i := range eleven {
		eleven[i] = by("zone", "z")
	}
	for _, tc := range []struct {
		name string
		edit func(*cvm.DescribeInstancesRequest)
		want string
	}{
		{"ids and filters", func(r *cvm.DescribeInstancesRequest) {
			r.InstanceIds, r.Filters = []*string{&id}, []*cvm.Filter{by("zone", "z")}
		}, "InvalidParameter"},
		{"101 ids", func(r *cvm.DescribeInstancesRequest) { r.InstanceIds = common.StringPtrs(many) }, "InvalidParameterValue.LimitExceeded"},
		{"100 ids", func(r *cvm.DescribeInstancesRequest) { r.InstanceIds = common.StringPtrs(many[:100]) }, ""},
		{"short id", func(r *cvm.DescribeInstancesRequest) { r.InstanceIds = common.StringPtrs([]string{"ins-1122"}) }, "InvalidInstanceId.Malformed"},
		{"odd id", func(r *cvm.DescribeInstancesRequest) { r.InstanceIds = common.StringPtrs([]string{"i-11223344"}) }, "InvalidParameterValue.InstanceIdMalformed"},
		{"11 filters", func(r *cvm.DescribeInstancesRequest) { r.Filters = eleven }, "InvalidFilterValue.LimitExceeded"},
		{"10 filters", func(r *cvm.DescribeInstancesRequest) { r.Filters = eleven[:10] }, ""},
		{"6 values", func(r *cvm.DescribeInstancesRequest) {
			r.Filters = []*cvm.Filter{by("zone", "1", "2", "3", "4", "5", "6")}
		}, "InvalidFilterValue.LimitExceeded"},
		{"unknown filter", func(r *cvm.DescribeInstancesRequest) { r.Filters = []*cvm.Filter{by("colour", "red")} }, "InvalidFilter"},
		{"no time", func(r *cvm.DescribeInstancesRequest) { r.Filters = []*cvm.Filter{by("creation-start-time", "today")} }, "InvalidParameterValue.InvalidTimeFormat"},
		{"limit 101", func(r *cvm.DescribeInstancesRequest) { r.Limit = ptr[int64](101) }, "InvalidParameterValue"},
		{"limit 0", func(r *cvm.DescribeInstancesRequest) { r.Limit = ptr[int64](0) }, "InvalidParameterValue"},
		{"offset -1", func(r *cvm.DescribeInstancesRequest) { r.Offset = ptr[int64](-1) }, "InvalidParameterValue"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := cvm.NewDescribeInstancesRequest()
			tc.edit(r)
			_, err := w.cvm.DescribeInstances(r)
			wantCode(t, err, tc.want)
		})
	}
}

func TestDescribePages(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Regions: []string{region}})
	var ids []string
	for range 130 {
		ids = append(ids, w.Add(tencentsim.Machine{}))
	}
	r := cvm.NewDescribeInstancesRequest()
	resp, err := w.cvm.DescribeInstances(r)
	if err != nil || len(resp.Response.InstanceSet) != 20 || *resp.Response.TotalCount != 130 {
		t.Fatalf("without Limit: %d of %d, %v; want 20 of 130", len(resp.Response.InstanceSet), *resp.Response.TotalCount, err)
	}
	// The default counts for ids too: who names 30 without a Limit gets 20.
	r.InstanceIds = common.StringPtrs(ids[:30])
	if resp, err = w.cvm.DescribeInstances(r); err != nil || len(resp.Response.InstanceSet) != 20 {
		t.Fatalf("30 ids without Limit: %d, %v; want 20", len(resp.Response.InstanceSet), err)
	}
	var got []string
	for offset := int64(0); offset < 130; offset += 100 {
		page := cvm.NewDescribeInstancesRequest()
		page.Offset, page.Limit = &offset, ptr[int64](100)
		resp, err := w.cvm.DescribeInstances(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range resp.Response.InstanceSet {
			got = append(got, *i.InstanceId)
		}
	}
	if !slices.Equal(got, ids) {
		t.Error("two pages of 100 are not all machines in order")
	}
}

func TestUnknownIDsAreLeftOutOrRefused(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		w := open(t, tencentsim.Config{Answers: tencentsim.Answers{UnknownIDsAreErrors: refused}})
		here, elsewhere := w.Add(tencentsim.Machine{}), w.Add(tencentsim.Machine{Region: "ap-shanghai"})
		r := cvm.NewDescribeInstancesRequest()
		r.InstanceIds = common.StringPtrs([]string{here, elsewhere, "ins-00000000"})
		resp, err := w.cvm.DescribeInstances(r)
		if refused {
			wantCode(t, err, "InvalidInstanceId.NotFound")
			continue
		}
		if err != nil || *resp.Response.TotalCount != 1 || *resp.Response.InstanceSet[0].InstanceId != here {
			t.Errorf("of three ids, one known here: %v, %v", resp.ToJsonString(), err)
		}
	}
}

func TestStatusSaysOnlyTheState(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{State: "RESCUE_MODE"})
	r := cvm.NewDescribeInstancesStatusRequest()
	r.InstanceIds = []*string{&id}
	resp, err := w.cvm.DescribeInstancesStatus(r)
	if err != nil || len(resp.Response.InstanceStatusSet) != 1 || *resp.Response.InstanceStatusSet[0].InstanceState != "RESCUE_MODE" {
		t.Errorf("status: %v, %v", resp.ToJsonString(), err)
	}
}
