package tencentsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

type filter struct {
	Name   string   `json:"Name"`
	Values []string `json:"Values"`
}

// filtered returns the machines of the call's region that pass every filter: AND over filters, OR over values.
// https://cloud.tencent.com/document/api/213/15728, Filters.
func (c *Cloud) filtered(k *call, filters []filter) ([]*machine, error) {
	if len(filters) > 10 {
		return nil, refuse("InvalidFilterValue.LimitExceeded", "The number of filters is %d, which exceeds the limit of 10.", len(filters))
	}
	var passes []func(*machine) bool
	for _, f := range filters {
		if len(f.Values) > 5 {
			return nil, refuse("InvalidFilterValue.LimitExceeded", "The number of values of filter `%s` is %d, which exceeds the limit of 5.", f.Name, len(f.Values))
		}
		if len(f.Values) == 0 {
			return nil, refuse("InvalidParameterValue", "The filter `%s` has no values.", f.Name)
		}
		pass, err := f.compile(k.now)
		if err != nil {
			return nil, err
		}
		passes = append(passes, pass)
	}
	found := make([]*machine, 0, 100)
	for _, m := range c.inRegion[k.Region] {
		m.Settle(k.now)
		if !slices.ContainsFunc(passes, func(pass func(*machine) bool) bool { return !pass(m) }) {
			found = append(found, m)
		}
	}
	return found, nil
}

// compile returns what a machine has to be like to pass the filter.
func (f filter) compile(now time.Time) (func(*machine) bool, error) {
	if key, ok := strings.CutPrefix(f.Name, "tag:"); ok {
		return func(m *machine) bool {
			value, ok := m.shownTags[key]
			return ok && slices.Contains(f.Values, value)
		}, nil
	}
	switch f.Name {
	case "tag-key":
		return func(m *machine) bool {
			return slices.ContainsFunc(f.Values, func(key string) bool { _, ok := m.shownTags[key]; return ok })
		}, nil
	case "tag-value":
		return func(m *machine) bool {
			for _, value := range m.shownTags {
				if slices.Contains(f.Values, value) {
					return true
				}
			}
			return false
		}, nil
	case "creation-start-time", "creation-end-time":
		return f.byTime()
	case "instance-id":
		if err := wellFormed(f.Values); err != nil {
			return nil, err
		}
	case "project-id":
		for _, value := range f.Values {
			if _, err := strconv.Atoi(value); err != nil {
				return nil, refuse("InvalidParameterValue", "The value `%s` of filter `project-id` is not an integer.", value)
			}
		}
	}
	field := fieldNamed(f.Name)
	if field == nil {
		return nil, refuse("InvalidFilter", "The filter `%s` is not supported.", f.Name)
	}
	return func(m *machine) bool { return slices.Contains(f.Values, field(m)) }, nil
}

// byTime compares the creation time; "for example: 2023-06-01 00:00:00".
func (f filter) byTime() (func(*machine) bool, error) {
	t, err := time.Parse(time.DateTime, f.Values[0])
	if err != nil {
		return nil, refuse("InvalidParameterValue.InvalidTimeFormat", "The value `%s` of filter `%s` is not a time.", f.Values[0], f.Name)
	}
	if f.Name == "creation-start-time" {
		return func(m *machine) bool { return !m.CreatedTime.Before(t) }, nil
	}
	return func(m *machine) bool { return !m.CreatedTime.After(t) }, nil
}

// fieldNamed returns the property that a filter compares, nil when there is no such filter.
func fieldNamed(name string) func(*machine) string {
	switch name {
	case "zone":
		return func(m *machine) string { return m.Zone }
	case "project-id":
		return func(*machine) string { return "0" }
	case "host-id", "dedicated-cluster-id", "ipv6-address":
		return func(*machine) string { return "" }
	case "vpc-id":
		return (*machine).vpc
	case "subnet-id":
		return (*machine).subnet
	case "instance-id":
		return func(m *machine) string { return m.ID }
	case "uuid":
		return func(m *machine) string { return m.uuid }
	case "security-group-id":
		return func(*machine) string { return securityGroup }
	case "instance-name":
		return func(m *machine) string { return m.Name }
	case "instance-charge-type":
		return func(m *machine) string { return m.ChargeType }
	case "instance-state":
		return func(m *machine) string { return m.State }
	case "private-ip-address":
		return func(m *machine) string { return m.PrivateIP }
	case "public-ip-address":
		return func(m *machine) string { return m.PublicIP }
	}
	return nil
}
