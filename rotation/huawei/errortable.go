package huawei

import "github.com/relock-project/relock/rotation/wire"

const (
	retryRemedy = "relock reconcile, once that is over"
	keysRemedy  = "get new credentials, and see that the function's agency or the user has the policy of deploy/huawei"
)

// codes are all that the API is known to answer. ECS:
// https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/appendix/error_codes.html and
// https://support.huaweicloud.com/intl/en-us/api-ecs/ErrorCode.html. CSMS:
// https://support.huaweicloud.com/intl/en-us/api-dew/ErrorCode.html. The gateway:
// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html. Only what cannot have had an effect is
// more than ambiguous.
var codes = wire.Codes{
	Exact: map[string]wire.Meaning{
		// One machine of the batch.
		"Ecs.0100": {Kind: wire.Busy, Reason: "in a state that does not allow it", Remedy: retryRemedy},
		"Ecs.0114": {Kind: wire.Unable, Reason: "does not exist in this region and project", Remedy: "take it out of the scope"},
		"Ecs.0605": {Kind: wire.Unable, Reason: reasonLocked, Remedy: remedyLocked},
		"Ecs.0030": {Kind: wire.Unable, Reason: reasonFrozen, Remedy: remedyFrozen},
		"Ecs.0011": {Kind: wire.Password, Reason: "the password breaks the provider's rules"},
		"Ecs.0611": {Kind: wire.Ambiguous, Reason: "some machines of the batch were refused"},

		// The request.
		"Ecs.0000": {Kind: wire.Ambiguous},
		"Ecs.0002": {Kind: wire.Ambiguous},
		"Ecs.0005": {Kind: wire.Parameter},
		"Ecs.0118": {Kind: wire.Parameter, Remedy: "lower RELOCK_BATCH_SIZE"},

		// Who asks, and how often.
		"Ecs.0003":    {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"CSMS.0301":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"CSMS.0302":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"401":         {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"403":         {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"429":         {Kind: wire.Throttled},
		"APIGW.0308":  {Kind: wire.Throttled},
		"APIG.0308":   {Kind: wire.Throttled},
		"APIGW.0101":  {Kind: wire.Parameter, Remedy: "there is no such API at this host: correct the region or the endpoint"},
		"APIG.0101":   {Kind: wire.Parameter, Remedy: "there is no such API at this host: correct the region or the endpoint"},
		"APIGW.0301":  {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIG.0301":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIGW.0302":  {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIG.0302":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIGW.0303":  {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIG.0303":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIGW.0304":  {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"APIG.0304":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"PAP5.0011":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"PDP5.0011":   {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"IAM.0000001": {Kind: wire.Unauthorized, Remedy: keysRemedy},

		// Secrets. A name that is not there is a 400 for the secret, a 404 for what is in it.
		"CSMS.0002": {Kind: wire.Parameter},
		"CSMS.0003": {Kind: wire.Parameter},
		"CSMS.0004": {Kind: wire.Parameter},
		"CSMS.0005": {Kind: wire.Missing},
		"CSMS.0106": {Kind: wire.Missing},
		"CSMS.0103": {Kind: wire.Config, Remedy: "the secret is about to be deleted: cancel that"},
		"CSMS.0107": {Kind: wire.Config, Remedy: "the secret is about to be deleted: cancel that"},
		"CSMS.0105": {Kind: wire.Parameter},
		"CSMS.0109": {Kind: wire.Config, Remedy: "the secret is not enabled: enable it"},
		"CSMS.0203": {Kind: wire.Full, Remedy: "the secret has as many labels as it can have: relock forget makes room"},
		"CSMS.0204": {Kind: wire.Full, Remedy: "the secret has as many labels as it can have: relock forget makes room"},
		"CSMS.0401": {Kind: wire.Ambiguous, Remedy: "the secret's KMS key could not be used: see that it is enabled and granted to the agency"},
	},
	Families: map[string]wire.Meaning{},
}
