package tencentsim

import (
	"slices"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

type describeRequest struct {
	InstanceIds []string `json:"InstanceIds"`
	Filters     []filter `json:"Filters"`
	Offset      *int     `json:"Offset"`
	Limit       *int     `json:"Limit"`
}

// instance is the Instance of https://cloud.tencent.com/document/api/213/15753, as far as it says something of
// a simulated machine. Pointers are the fields that "may return null".
type instance struct {
	Placement                placement
	InstanceId               string
	InstanceType             string
	CPU, Memory              int
	RestrictState            string
	InstanceName             string
	InstanceChargeType       string
	PrivateIpAddresses       []string
	PublicIpAddresses        []string // null when there is none
	VirtualPrivateCloud      network
	ImageId                  string
	CreatedTime              string
	OsName                   string
	SecurityGroupIds         []string
	LoginSettings            loginSettings
	InstanceState            string
	Tags                     []tag
	StopChargingMode         string
	Uuid                     string
	LatestOperation          *string
	LatestOperationState     *string
	LatestOperationRequestId *string
	LatestOperationErrorMsg  *string
	IsolatedSource           string
	LicenseType              string
	DisableApiTermination    bool
	DefaultLoginUser         string
	DefaultLoginPort         int
}

type placement struct {
	Zone      string
	ProjectId int
}

type network struct{ VpcId, SubnetId string }

// loginSettings "currently returns only the associated keys".
type loginSettings struct{ KeyIds []string }

type tag struct{ Key, Value string }

const (
	securityGroup = "sg-demo0001"
	windowsPort   = 3389
	linuxPort     = 22
)

// describeInstances: https://cloud.tencent.com/document/api/213/15728.
func describeInstances(c *Cloud, k *call, r *describeRequest) (any, error) {
	found, err := c.find(k, r)
	if err != nil {
		return nil, err
	}
	total := len(found)
	if found, err = page(found, r.Offset, r.Limit); err != nil {
		return nil, err
	}
	set := make([]instance, len(found))
	for i, m := range found {
		m.Settle(k.now)
		set[i] = m.describe(k.now)
	}
	return struct {
		TotalCount  int
		InstanceSet []instance
	}{total, set}, nil
}

type statusRequest struct {
	InstanceIds []string `json:"InstanceIds"`
	Offset      *int     `json:"Offset"`
	Limit       *int     `json:"Limit"`
}

// describeInstancesStatus: the SDK's comments on DescribeInstancesStatus.
func describeInstancesStatus(c *Cloud, k *call, r *statusRequest) (any, error) {
	found, err := c.find(k, &describeRequest{InstanceIds: r.InstanceIds})
	if err != nil {
		return nil, err
	}
	total := len(found)
	if found, err = page(found, r.Offset, r.Limit); err != nil {
		return nil, err
	}
	type status struct{ InstanceId, InstanceState string }
	set := make([]status, len(found))
	for i, m := range found {
		m.Settle(k.now)
		set[i] = status{m.ID, m.State}
	}
	return struct {
		TotalCount        int
		InstanceStatusSet []status
	}{total, set}, nil
}

// find returns the machines of the call's region that the request names, or all that pass its filters.
func (c *Cloud) find(k *call, r *describeRequest) ([]*machine, error) {
	if len(r.InstanceIds) > 0 && len(r.Filters) > 0 {
		return nil, refuse("InvalidParameter", "The parameters `InstanceIds` and `Filters` cannot be specified at the same time.")
	}
	if err := wellFormed(r.InstanceIds); err != nil {
		return nil, err
	}
	if len(r.InstanceIds) == 0 {
		return c.filtered(k, r.Filters)
	}
	var found []*machine
	var unknown []string
	for i, id := range r.InstanceIds {
		m := c.byID[id]
		if m == nil || m.Region != k.Region {
			unknown = append(unknown, id)
		} else if !slices.Contains(r.InstanceIds[:i], id) {
			found = append(found, m)
		}
	}
	if len(unknown) > 0 && c.cfg.Answers.UnknownIDsAreErrors {
		return nil, refuse("InvalidInstanceId.NotFound", "The specified instance ID%s is not found.", c.naming(unknown))
	}
	return found, nil
}

// page cuts out what Offset (default 0) and Limit (default 20, at most 100) ask for, of machines named by id too.
func page(found []*machine, offset, limit *int) ([]*machine, error) {
	from, n := 0, 20
	if offset != nil {
		from = *offset
	}
	if limit != nil {
		n = *limit
	}
	if from < 0 {
		return nil, refuse("InvalidParameterValue", "The value `%d` specified in the parameter `Offset` is not valid.", from)
	}
	if n < 1 || n > 100 {
		return nil, refuse("InvalidParameterValue", "The value `%d` specified in the parameter `Limit` is not valid: 1 to 100.", n)
	}
	from = min(from, len(found))
	return found[from:min(from+n, len(found))], nil
}

func (m *machine) describe(now time.Time) instance {
	i := instance{
		Placement:           placement{Zone: m.Zone},
		InstanceId:          m.ID,
		InstanceType:        "S5.MEDIUM4",
		CPU:                 2,
		Memory:              4,
		RestrictState:       m.RestrictState,
		InstanceName:        m.Name,
		InstanceChargeType:  m.ChargeType,
		PrivateIpAddresses:  []string{m.PrivateIP},
		VirtualPrivateCloud: network{VpcId: m.vpc(), SubnetId: m.subnet()},
		ImageId:             m.image(),
		CreatedTime:         m.CreatedTime.UTC().Format(time.RFC3339),
		OsName:              m.OSName,
		SecurityGroupIds:    []string{securityGroup},
		LoginSettings:       loginSettings{KeyIds: m.KeyIDs},
		InstanceState:       m.State,
		Tags:                sortedTags(m.shownTags),
		StopChargingMode:    m.StopChargingMode,
		Uuid:                m.uuid,
		IsolatedSource:      m.IsolatedSource,
		LicenseType:         "TencentCloud",
		DefaultLoginUser:    m.DefaultLoginUser,
		DefaultLoginPort:    m.loginPort(),
	}
	if m.PublicIP != "" {
		i.PublicIpAddresses = []string{m.PublicIP}
	}
	if op := m.shown(now); op.name != "" {
		i.LatestOperation, i.LatestOperationState, i.LatestOperationRequestId = &op.name, &op.state, &op.requestID
		if op.message != "" {
			i.LatestOperationErrorMsg = &op.message
		}
	}
	return i
}

func (m *machine) loginPort() int {
	switch {
	case m.SSHPort != 0:
		return m.SSHPort
	case m.windows():
		return windowsPort
	}
	return linuxPort
}

func (m *machine) vpc() string    { return "vpc-" + shortHash(m.Region) }
func (m *machine) subnet() string { return "subnet-" + shortHash(m.Zone) }
func (m *machine) image() string  { return "img-" + shortHash(m.OSName) }

// shortHash is eight characters that look like those of a resource's id.
func shortHash(s string) string { return simcloud.Digest([]byte(s))[:8] }
