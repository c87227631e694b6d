package huaweisim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

const (
	serviceECS  = "ecs"
	serviceCSMS = "csms"

	actionReset  = "BatchResetServersPassword"
	actionFlag   = "ShowResetPasswordFlag"
	actionStop   = "BatchStopServers"
	actionStart  = "BatchStartServers"
	actionReboot = "BatchRebootServers"
)

// Requests a second. "The QPS of a single user is 20" is said of the key management service, whose endpoint CSMS shares:
// https://support.huaweicloud.com/intl/en-us/productdesc-dew/dew_01_0012.html. For ECS there is no public figure; 50 for
// each API and project is an assumption.
const (
	rateECS  = 50
	rateCSMS = 20
)

// A route is one API: where it is and what it does.
type route struct {
	service, method, path string
	// action is the SDK's name for it. More of them at one path are told apart by the body: selector is the field that
	// one of them has, or "action=create" for a field with a value.
	action, selector string
	status           int // of success; zero means 200
	run              func(*Cloud, *call) (any, error)
}

func routes() []route {
	const servers, secrets = "/v1/{project_id}/cloudservers", "/v1/{project_id}/secrets"
	return []route{
		{serviceECS, "GET", servers + "/detail", "ListServersDetails", "", 0, listServersDetails},
		{serviceECS, "PUT", servers + "/os-reset-passwords", actionReset, "", 0, bind(batchResetServersPassword)},
		{serviceECS, "GET", servers + "/{server_id}/os-resetpwd-flag", actionFlag, "", 0, showResetPasswordFlag},
		{serviceECS, "POST", servers + "/action", actionReboot, "reboot", 0, bind(batchRebootServers)},
		{serviceECS, "POST", servers + "/action", actionStop, "os-stop", 0, bind(batchStopServers)},
		{serviceECS, "POST", servers + "/action", actionStart, "os-start", 0, bind(batchStartServers)},
		{serviceECS, "GET", "/v1/{project_id}/jobs/{job_id}", "ShowJob", "", 0, showJob},
		{serviceECS, "POST", servers + "/{server_id}/tags/action", "BatchCreateServerTags", "action=create", http.StatusNoContent, bind(batchServerTags)},
		{serviceECS, "POST", servers + "/{server_id}/tags/action", "BatchDeleteServerTags", "action=delete", http.StatusNoContent, bind(batchServerTags)},
		{serviceECS, "GET", servers + "/{server_id}/tags", "ShowServerTags", "", 0, showServerTags},

		{serviceCSMS, "POST", secrets, "CreateSecret", "", 0, bind(createSecret)},
		{serviceCSMS, "GET", secrets, "ListSecrets", "", 0, listSecrets},
		{serviceCSMS, "GET", secrets + "/{secret_name}", "ShowSecret", "", 0, showSecret},
		{serviceCSMS, "POST", secrets + "/{secret_name}/versions", "CreateSecretVersion", "", 0, bind(createSecretVersion)},
		{serviceCSMS, "GET", secrets + "/{secret_name}/versions", "ListSecretVersions", "", 0, listSecretVersions},
		{serviceCSMS, "GET", secrets + "/{secret_name}/versions/{version_id}", "ShowSecretVersion", "", 0, showSecretVersion},
		{serviceCSMS, "GET", secrets + "/{secret_name}/stages/{stage_name}", "ShowSecretStage", "", 0, showSecretStage},
		{serviceCSMS, "PUT", secrets + "/{secret_name}/stages/{stage_name}", "UpdateSecretStage", "", 0, bind(updateSecretStage)},
		{serviceCSMS, "DELETE", secrets + "/{secret_name}/stages/{stage_name}", "DeleteSecretStage", "", http.StatusNoContent, deleteSecretStage},
	}
}

// find notes in k which API is called, and in which region. It reports false when there is no such API.
func (c *Cloud) find(k *call, r *http.Request) (route, bool) {
	for _, to := range c.routes {
		path, ok := to.match(r.Method, r.URL.Path)
		if !ok || !to.selects(k.body) {
			continue
		}
		k.Service, k.Action, k.path = to.service, to.action, path
		k.Region, _ = c.regionOf(path["project_id"])
		k.IDs = len(serversIn(k.body))
		if path["server_id"] != "" {
			k.IDs = 1
		}
		return to, true
	}
	return route{}, false
}

// match returns what the names in the route's path stand for.
func (to route) match(method, path string) (map[string]string, bool) {
	want, got := strings.Split(to.path, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if method != to.method || len(want) != len(got) {
		return nil, false
	}
	names := make(map[string]string)
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && got[i] != "":
			names[strings.Trim(w, "{}")] = got[i]
		case w != got[i]:
			return nil, false
		}
	}
	return names, true
}

// selects reports whether the body is for this one of the APIs at one path.
func (to route) selects(body []byte) bool {
	if to.selector == "" {
		return true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return false
	}
	name, value, valued := strings.Cut(to.selector, "=")
	field, ok := fields[name]
	return ok && (!valued || string(field) == `"`+value+`"`)
}

// rate is under which name a call is counted, and how often in a second there may be one.
func (to route) rate(k *call) (key string, rate int) {
	if to.service == serviceCSMS {
		return serviceCSMS + " " + k.Region, rateCSMS
	}
	return to.action + " " + k.Region, rateECS
}

// bind reads the body before run.
func bind[T any](run func(*Cloud, *call, *T) (any, error)) func(*Cloud, *call) (any, error) {
	return func(c *Cloud, k *call) (any, error) {
		var request T
		if err := decode(k, &request); err != nil {
			return nil, err
		}
		return run(c, k, &request)
	}
}

// decode reads a request's JSON into the struct that into points at. A field that the struct does not have is refused: a
// client that spells one wrong is to be noticed.
func decode(k *call, into any) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(k.body, &fields) != nil {
		if k.Service == serviceCSMS {
			return refuse(http.StatusBadRequest, "CSMS.0004", "The requested body format is wrong.")
		}
		return invalid(k.Service, "the body is not a JSON object.")
	}
	var known []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known = append(known, name)
	}
	for name := range fields {
		if !slices.Contains(known, name) {
			return invalid(k.Service, "the field %s is not known.", name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(k.body))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return invalid(k.Service, "the type of a field is wrong.")
	}
	return nil
}
