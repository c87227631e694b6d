package tencentsim_test

import (
	"testing"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// FuzzRequest: whatever a client sends under a good signature, it gets an answer of the API, and the password of a machine
// changes by a reset alone.
func FuzzRequest(f *testing.F) {
	const id = "ins-00000001"
	for _, seed := range [][4]string{
		{"cvm", "DescribeInstances", region, `{"InstanceIds":["` + id + `"],"Limit":100,"Offset":0}`},
		{"cvm", "DescribeInstances", region, `{"Filters":[{"Name":"tag:rotate","Values":["yes",null]},null,{"Name":"tag-key"}]}`},
		{"cvm", "DescribeInstancesStatus", region, `{"Offset":-1}`},
		{"cvm", "ResetInstancesPassword", region, `{"InstanceIds":["` + id + `"],"Password":"Another.2025-Xy","UserName":null,"ForceStop":true}`},
		{"cvm", "StopInstances", region, `{"InstanceIds":["` + id + `"],"StopType":"SOFT","StoppedMode":"KEEP_CHARGING"}`},
		{"cvm", "StartInstances", region, `{"InstanceIds":[null,""]}`},
		{"cvm", "RebootInstances", "", `{"InstanceIds":"x"}`},
		{"ssm", "CreateSecret", region, `{"SecretName":"n","VersionId":"v","SecretString":"s"}`},
		{"ssm", "PutSecretValue", region, `{"SecretName":"s","VersionId":"g00000001","SecretString":"x"}`},
		{"ssm", "UpdateSecret", region, `{"SecretName":"s","VersionId":"current","SecretString":""}`},
		{"ssm", "GetSecretValue", region, `{"SecretName":"s","VersionId":"current"}`},
		{"ssm", "ListSecretVersionIds", region, `{"SecretName":"s"}`},
		{"ssm", "DeleteSecretVersion", region, `{"SecretName":"s","VersionId":"none"}`},
		{"ssm", "ListSecrets", region, `{"Limit":-1,"SecretTypes":[null]}`},
		{"tag", "AttachResourcesTag", "", `{"ServiceType":"cvm","ResourcePrefix":"instance","ResourceRegion":"` + region + `","ResourceIds":["` + id + `"],"TagKey":"k","TagValue":"v"}`},
		{"tag", "ModifyResourcesTagValue", region, `null`},
		{"tag", "DetachResourcesTag", region, `[`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], "")
	}
	f.Add("cvm", "DescribeInstances", region, "{}", "TC3-HMAC-SHA256 Credential=a/b/cvm/tc3_request, SignedHeaders=;, Signature=x")
	f.Add("cvm", "DescribeInstances", region, "{}", "TC3-HMAC-SHA256 ")
	versions := map[string]string{"cvm": "2017-03-12", "ssm": "2019-09-23", "tag": "2018-08-13"}
	f.Fuzz(func(t *testing.T, service, action, region, body, authorization string) {
		cloud, err := tencentsim.New(tencentsim.Config{Scale: 1e-6})
		if err != nil {
			t.Fatal(err)
		}
		defer cloud.Close()
		cloud.Add(tencentsim.Machine{ID: id, State: "STOPPED", Tags: map[string]string{"rotate": "yes"}})
		before := cloud.Machines()[0].Password
		s := goodSigner()
		s.service, s.version, s.action, s.region, s.body, s.authorization = service, versions[service], action, region, body, authorization
		if body == "" {
			s.body = "{}"
		}
		r := s.request()
		for _, values := range r.Header {
			for _, v := range values {
				if !sendable(v) {
					return
				}
			}
		}
		code, answered := send(t, cloud, r)
		if !answered {
			t.Errorf("%s %s %s: an answer without a RequestId, code %q", service, action, body, code)
		}
		if after := cloud.Machines()[0].Password; after != before && (action != "ResetInstancesPassword" || code != "") {
			t.Errorf("%s %s %s: code %q, and the password changed", service, action, body, code)
		}
		if len(cloud.Requests()) != 1 {
			t.Errorf("%d requests are in the log; want 1", len(cloud.Requests()))
		}
	})
}

// sendable reports whether net/http would send a header with this value.
func sendable(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
