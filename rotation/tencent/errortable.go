package tencent

import (
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A kind is what a code means for the request.
type kind int

const (
	ambiguous    kind = iota // it may have had its effect
	throttled                // too many requests
	unauthorized             // the credentials may not do this
	parameter                // the request is wrong; definitely without effect
	password                 // the password breaks the provider's rules
	config                   // a person has to correct something; definitely without effect
	missing                  // no such secret, version or tag
	exists                   // there is one of that name
	full                     // no room for another
	busy                     // a machine is doing something else
	state                    // a machine is in another power state
	unable                   // a machine that this is never done to as it is
)

// sentinels are the errors of package rotation that a failure of this kind matches. Refusals of machines have none: a
// *rotation.RefusedError says more, and the providers do not promise that a refused batch had no effect at all.
func (k kind) sentinels() []error {
	switch k {
	case throttled:
		return []error{rotation.ErrThrottled}
	case unauthorized:
		return []error{rotation.ErrUnauthorized}
	case parameter:
		return []error{rotation.ErrNotApplied}
	case password:
		return []error{rotation.ErrPasswordRefused, rotation.ErrNotApplied}
	case config:
		return []error{rotation.ErrConfig, rotation.ErrNotApplied}
	case missing:
		return []error{rotation.ErrNotFound}
	case exists:
		return []error{rotation.ErrExists}
	case full:
		return []error{rotation.ErrFull}
	}
	return nil
}

// refusal is the kind as a machine's, empty when it is none.
func (k kind) refusal() rotation.RefusalKind {
	switch k {
	case busy:
		return rotation.RefusedBusy
	case state:
		return rotation.RefusedState
	case unable:
		return rotation.RefusedUnable
	}
	return ""
}

// A meaning is what a code says, for package rotation and for people.
type meaning struct {
	kind   kind
	reason string
	remedy string
}

// meaningOf looks a code up: itself, or the longest family that it belongs to. An unknown code is ambiguous.
func meaningOf(code string) meaning {
	if m, ok := meanings[code]; ok {
		return m
	}
	prefixes := make([]string, 0, len(families))
	for prefix := range families {
		if strings.HasPrefix(code, prefix) {
			prefixes = append(prefixes, prefix)
		}
	}
	if len(prefixes) == 0 {
		return meaning{}
	}
	return families[slices.MaxFunc(prefixes, func(a, b string) int { return len(a) - len(b) })]
}

// families are codes by how they begin. The first part of a code is its category, which the second part narrows:
// https://www.tencentcloud.com/document/product/1271/71928. UnsupportedOperation, FailedOperation and InternalError are
// not here: of an unknown one nobody knows whether it had an effect.
var families = map[string]meaning{
	"RequestLimitExceeded.":              {kind: throttled},
	"AuthFailure.":                       {kind: unauthorized},
	"UnauthorizedOperation.":             {kind: unauthorized},
	"InvalidParameter.":                  {kind: parameter},
	"InvalidParameterValue.":             {kind: parameter},
	"MissingParameter.":                  {kind: parameter},
	"ResourceNotFound.":                  {kind: missing},
	"UnsupportedOperation.InstanceState": {busy, "in a state that does not allow it", ""},
}

const (
	retryRemedy = "relock reconcile, once that is over"
	clockRemedy = "set this machine's clock, then run again"
	mfaRemedy   = "let the account use this API without multi-factor authentication"
)

// meanings has every code of ResetInstancesPassword in the documents of 2018 and of 2025
// (https://www.tencentcloud.com/document/product/213/33240), those that other operations on machines, Secrets Manager
// and tags have besides (the comments of the SDK's clients), and the common ones
// (https://www.tencentcloud.com/document/product/1271/71928).
var meanings = map[string]meaning{
	// One machine of the batch is busy.
	"MutexOperation.TaskRunning":                                {busy, "the same operation is running on it", retryRemedy},
	"OperationDenied.InstanceOperationInProgress":               {busy, "another operation is in progress", retryRemedy},
	"UnsupportedOperation.InstanceStatePending":                 {busy, "being created", retryRemedy},
	"UnsupportedOperation.InstanceStateRebooting":               {busy, "restarting", retryRemedy},
	"UnsupportedOperation.InstanceStateStarting":                {busy, "starting", retryRemedy},
	"UnsupportedOperation.InstanceStateStopping":                {busy, "shutting down", retryRemedy},
	"UnsupportedOperation.InstanceStateEnterRescueMode":         {busy, "entering rescue mode", retryRemedy},
	"UnsupportedOperation.InstanceStateExitRescueMode":          {busy, "leaving rescue mode", retryRemedy},
	"UnsupportedOperation.InstanceStateEnterServiceLiveMigrate": {busy, "being migrated", retryRemedy},
	"UnsupportedOperation.InstanceStateServiceLiveMigrate":      {busy, "being migrated", retryRemedy},
	"UnsupportedOperation.InstanceStateExitServiceLiveMigrate":  {busy, "being migrated", retryRemedy},
	"ResourceInUse":                 {busy, "in use by another operation", retryRemedy},
	"ResourceInUse.DiskRollbacking": {busy, "its disk is being rolled back", retryRemedy},

	// One machine of the batch is in another power state.
	"UnsupportedOperation.InstanceStateRunning":    {state, "running", ""},
	"UnsupportedOperation.InstanceStateNotRunning": {state, "not running", ""},
	"UnsupportedOperation.InstanceStateStopped":    {state, "stopped", ""},

	// One machine of the batch cannot be reset as it is.
	"InvalidInstanceId.NotFound":                        {unable, "does not exist in this region and account", "take it out of the scope"},
	"InvalidInstanceId.Malformed":                       {unable, "its id is malformed", "correct the configured id"},
	"InvalidParameterValue.InstanceIdMalformed":         {unable, "its id is malformed", "correct the configured id"},
	"InvalidInstance.NotSupported":                      {unable, "its kind of instance is not supported", ""},
	"UnsupportedOperation.SpecialInstanceType":          {unable, "its special instance type is not supported", ""},
	"FailedOperation.InvalidInstanceApplicationRole":    {unable, "another product manages it", "set its password in that product"},
	"FailedOperation.InvalidInstanceApplicationRoleEmr": {unable, "Elastic MapReduce manages it", "set its password in that product"},
	"UnsupportedOperation.InstanceReinstallFailed":      {unable, "its last reinstallation failed", "reinstall it, then: relock reconcile"},
	"UnsupportedOperation.InstanceStateRescueMode":      {unable, reasonRescue, remedyRescue},
	"UnsupportedOperation.StoppedModeStopCharging":      {unable, reasonUncharged, remedyUncharged},
	"UnsupportedOperation.InstanceStateFreezing":        {unable, reasonFrozen, remedyFrozen},
	"UnsupportedOperation.InstanceStateBanning":         {unable, reasonFrozen, remedyFrozen},
	"UnsupportedOperation.InstanceStateIsolating":       {unable, reasonIsolated, remedyIsolated},
	"UnsupportedOperation.InstanceStateShutdown":        {unable, reasonIsolated, remedyIsolated},
	"UnsupportedOperation.InstanceStateTerminating":     {unable, reasonDestroyed, remedyDestroyed},
	"UnsupportedOperation.InstanceStateTerminated":      {unable, reasonDestroyed, remedyDestroyed},
	"UnsupportedOperation.InstanceStateCorrupted":       {unable, reasonDamaged, remedyDamaged},
	"UnsupportedOperation.InstanceStateLaunchFailed":    {unable, reasonLaunch, remedyLaunch},

	// The password.
	"InvalidParameterValue.InvalidPassword": {password, "the password breaks the rules of a machine's image", ""},
	"InvalidPassword":                       {password, "the password breaks the rules of a machine's image", ""},

	// The request.
	"InvalidParameter":                      {kind: parameter},
	"InvalidParameterCombination":           {kind: parameter},
	"InvalidParameterValue":                 {kind: parameter},
	"InvalidParameterValue.LimitExceeded":   {kind: parameter},
	"InvalidParameterValue.TooLong":         {kind: parameter},
	"MissingParameter":                      {kind: parameter},
	"UnknownParameter":                      {kind: parameter},
	"InvalidRequest":                        {kind: parameter},
	"RequestSizeLimitExceeded":              {kind: parameter},
	"UnsupportedProtocol":                   {kind: parameter},
	"InvalidAction":                         {kind: parameter},
	"ActionOffline":                         {kind: parameter},
	"NoSuchProduct":                         {kind: parameter},
	"NoSuchVersion":                         {kind: parameter},
	"InvalidFilter":                         {kind: parameter},
	"InvalidFilterValue.LimitExceeded":      {kind: parameter},
	"LimitExceeded.Quota":                   {kind: parameter, remedy: "the account or the machine has too many tags: delete tags that nothing uses"},
	"LimitExceeded.ResourceAttachedTags":    {kind: parameter, remedy: "the machine has too many tags: remove some"},
	"LimitExceeded.ResourceNumPerRequest":   {kind: parameter},
	"LimitExceeded.TagKey":                  {kind: parameter, remedy: "the account has too many tag keys: delete some"},
	"LimitExceeded.TagValue":                {kind: parameter, remedy: "the tag key has too many values: delete those that nothing uses"},
	"LimitExceeded.TagNumPerRequest":        {kind: parameter},
	"FailedOperation.PolicyEnforcedInvalid": {kind: parameter, remedy: "the account's tag policy forbids the tags relock and relock-secret: allow them"},

	// What a person has to correct.
	"UnsupportedRegion":                          {kind: config, remedy: "there is no such region: correct it"},
	"InvalidRegion.NotFound":                     {kind: config, remedy: "there is no such region: correct it"},
	"InvalidRegion.Unavailable":                  {kind: config, remedy: "the region is not available to this account"},
	"FailedOperation.IllegalTagKey":              {kind: config, remedy: "correct the tag keys that select machines"},
	"FailedOperation.IllegalTagValue":            {kind: config, remedy: "correct the tag values that select machines"},
	"FailedOperation.TagKeyReserved":             {kind: config, remedy: "the provider reserves a tag key that selects machines: use another"},
	"ResourceUnavailable.NotPurchased":           {kind: config, remedy: "activate Secrets Manager for this account and region"},
	"ResourceUnavailable.ResourceDisabled":       {kind: config, remedy: "the secret is disabled: enable it"},
	"ResourceUnavailable.ResourcePendingDeleted": {kind: config, remedy: "the secret is about to be deleted: restore it and enable it"},
	"ResourceUnavailable.PendingDeleted":         {kind: config, remedy: "the secret is about to be deleted: restore it and enable it"},
	"ResourceUnavailable.ResourceUninitialized":  {kind: config, remedy: "the secret is not initialized yet: wait for it or make another"},
	"ResourceUnavailable.Uninitialized":          {kind: config, remedy: "the secret is not initialized yet: wait for it or make another"},
	"OperationDenied.AutoRotatedResource":        {kind: config, remedy: "this is a product secret rotated by Tencent Cloud: make a user-defined secret for relock"},

	// Who asks, and how often.
	"RequestLimitExceeded":                 {kind: throttled},
	"UnauthorizedOperation":                {kind: unauthorized},
	"UnauthorizedOperation.MFAExpired":     {kind: unauthorized, remedy: mfaRemedy},
	"UnauthorizedOperation.MFANotFound":    {kind: unauthorized, remedy: mfaRemedy},
	"UnauthorizedOperation.AccessKmsError": {kind: unauthorized, remedy: "allow the role to use the secret's KMS key"},
	"AuthFailure":                          {kind: unauthorized},
	"AuthFailure.MFAFailure":               {kind: unauthorized, remedy: mfaRemedy},
	"AuthFailure.SignatureExpire":          {kind: unauthorized, remedy: clockRemedy},
	"AuthFailure.TokenFailure":             {kind: unauthorized, remedy: "the session token has expired or belongs to other keys: get new credentials"},
	"IpInBlacklist":                        {kind: unauthorized, remedy: "the account's policy forbids this address"},
	"IpNotInWhitelist":                     {kind: unauthorized, remedy: "the account's policy does not allow this address"},

	// Secrets and tags.
	"ResourceNotFound":              {kind: missing},
	"ResourceInUse.VersionIdExists": {kind: exists},
	"ResourceInUse.SecretExists":    {kind: exists},
	"ResourceInUse.TagDuplicate":    {kind: exists},
	"ResourceInUse.TagKeyAttached":  {kind: exists},
	"LimitExceeded":                 {kind: full, remedy: "the secret has as many versions as it can have: relock forget makes room"},

	// The provider failed. Whether the request had its effect before that is anybody's guess.
	"InternalServerError":                   {kind: ambiguous},
	"InternalError":                         {kind: ambiguous},
	"ServiceUnavailable":                    {kind: ambiguous},
	"FailedOperation":                       {kind: ambiguous},
	"FailedOperation.AccessKmsError":        {kind: ambiguous, remedy: "the secret's KMS key could not be used: see that it is enabled"},
	"FailedOperation.ResourceTagProcessing": {kind: ambiguous},
}
