package huaweisim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// server is what a list tells of a machine, as far as it says something of a simulated one.
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html
type server struct {
	ID               string               `json:"id"`
	Name             *string              `json:"name"`
	Status           *string              `json:"status"`
	TaskState        *string              `json:"OS-EXT-STS:task_state"`
	VMState          *string              `json:"OS-EXT-STS:vm_state"`
	PowerState       *int                 `json:"OS-EXT-STS:power_state"`
	AvailabilityZone *string              `json:"OS-EXT-AZ:availability_zone"`
	Created          *string              `json:"created"`
	Updated          *string              `json:"updated"`
	TenantID         *string              `json:"tenant_id"`
	KeyName          *string              `json:"key_name"`
	Locked           *bool                `json:"locked"`
	Metadata         map[string]string    `json:"metadata"`
	Addresses        map[string][]address `json:"addresses"`
	Tags             []string             `json:"tags"`
	Fault            any                  `json:"fault,omitempty"`
	EnterpriseID     *string              `json:"enterprise_project_id"`
}

type address struct {
	Version string `json:"version"`
	Addr    string `json:"addr"`
	Type    string `json:"OS-EXT-IPS:type"`
	Primary bool   `json:"primary"`
}

const defaultEnterprise = "0"

// listServersDetails: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html.
func listServersDetails(c *Cloud, k *call) (any, error) {
	q := query{k: k}
	limit := q.number("limit", 25, 1, 1000)
	page := max(1, q.number("offset", 1, 0, 1<<30)) // "offset: the page number; 0 is page 1"
	q.known("limit", "offset", "marker", "name", "status", "ip", "ip_eq", "tags", "not-tags", "server_id", "flavor",
		"reservation_id", "enterprise_project_id")
	if q.wrong != nil {
		return nil, q.wrong
	}
	if ids := q.text("server_id"); ids != "" {
		return c.named(k, strings.Split(ids, ",")), nil
	}
	found := []server{}
	count, skip := 0, (page-1)*limit
	past := q.text("marker") == ""
	for _, m := range c.machines {
		if m.Region != k.Region {
			continue
		}
		m.Settle(k.now)
		if !c.matches(m, &q) {
			continue
		}
		count++
		switch {
		case !past:
			past = m.ID == q.text("marker")
		case q.text("marker") == "" && skip > 0:
			skip--
		case len(found) < limit:
			found = append(found, c.describe(m, k.now))
		}
	}
	return map[string]any{"count": count, "servers": found}, nil
}

// named are the servers with these ids. "For an id that does not exist, all fields but id and fault are null."
func (c *Cloud) named(k *call, ids []string) any {
	servers := []server{}
	for _, id := range ids {
		if m := c.in(k, id); m != nil {
			servers = append(servers, c.describe(m, k.now))
			continue
		}
		servers = append(servers, server{ID: id, Fault: map[string]any{"code": http.StatusNotFound, "message": "The ECS does not exist."}})
	}
	return map[string]any{"count": len(servers), "servers": servers}
}

// matches reports whether a machine is what the filters ask for, all of them.
func (c *Cloud) matches(m *machine, q *query) bool {
	enterprise := q.text("enterprise_project_id")
	addresses := []string{m.PrivateIP, m.PublicIP}
	return strings.Contains(m.Name, q.text("name")) &&
		(q.text("status") == "" || m.shown(q.k.now).status == q.text("status")) &&
		(q.text("ip_eq") == "" || slices.Contains(addresses, q.text("ip_eq"))) &&
		(q.text("ip") == "" || slices.ContainsFunc(addresses, func(a string) bool { return strings.Contains(a, q.text("ip")) })) &&
		(q.text("tags") == "" || tagged(m.shownTags, q.text("tags"), true)) &&
		(q.text("not-tags") == "" || tagged(m.shownTags, q.text("not-tags"), false)) &&
		(enterprise == "" || enterprise == "all_granted_eps" || enterprise == defaultEnterprise) &&
		q.text("flavor") == "" && q.text("reservation_id") == ""
}

// tagged reports whether each of "key=value,key" is among tags, or none of them is.
func tagged(tags map[string]string, wanted string, want bool) bool {
	for pair := range strings.SplitSeq(wanted, ",") {
		key, value, valued := strings.Cut(pair, "=")
		has, ok := tags[key]
		if (ok && (!valued || has == value)) != want {
			return false
		}
	}
	return true
}

func (c *Cloud) describe(m *machine, now time.Time) server {
	at := m.shown(now)
	vm, power := strings.ToLower(at.status), 1
	switch at.status {
	case statusShutoff:
		vm, power = "stopped", 4
	case statusReboot, statusHardReboot:
		vm = "active"
	case statusError:
		power = 0
	}
	var task *string // null for none
	if at.task != taskNone {
		task = &at.task
	}
	created := m.CreatedTime.UTC().Format(time.RFC3339)
	addresses := []address{{"4", m.PrivateIP, "fixed", true}}
	if m.PublicIP != "" {
		addresses = append(addresses, address{"4", m.PublicIP, "floating", false})
	}
	s := server{
		ID: m.ID, Name: &m.Name, Status: &at.status, TaskState: task, VMState: &vm, PowerState: &power,
		AvailabilityZone: &m.Zone, Created: &created, Updated: &created, TenantID: pointer(c.projects[m.Region]),
		KeyName: &m.KeyName, Locked: &m.Locked, EnterpriseID: pointer(defaultEnterprise),
		Metadata: map[string]string{"os_type": m.OSType, "image_name": m.Image, "os_bit": "64", "charging_mode": "0",
			"vpc_id": "vpc-demo"},
		Addresses: map[string][]address{"vpc-demo": addresses},
		Tags:      []string{},
	}
	if m.EcmResStatus != resNormal { // "added when the ECS is frozen or unfrozen"
		s.Metadata["EcmResStatus"] = m.EcmResStatus
	}
	for _, key := range slices.Sorted(maps.Keys(m.shownTags)) {
		tag := key
		if value := m.shownTags[key]; value != "" {
			tag += "=" + value
		}
		s.Tags = append(s.Tags, tag)
	}
	if at.status == statusError {
		s.Fault = map[string]any{"code": http.StatusInternalServerError, "message": "The ECS is faulty."}
	}
	return s
}

// A query reads a call's parameters and remembers the first that is wrong.
type query struct {
	k     *call
	wrong error
}

func (q *query) text(name string) string {
	if values := q.k.query[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (q *query) number(name string, absent, low, high int) int {
	text := q.text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		q.fail(fmt.Sprintf("%s is not within %d and %d.", name, low, high))
	}
	return n
}

// known refuses every parameter but these: a client that spells one wrong is to be noticed.
func (q *query) known(names ...string) {
	for name := range q.k.query {
		if !slices.Contains(names, name) {
			q.fail("the parameter " + name + " is not known.")
		}
	}
}

func (q *query) fail(why string) {
	if q.wrong == nil {
		q.wrong = invalid(q.k.Service, "%s", why)
	}
}
