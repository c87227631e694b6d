package tencent

import "github.com/relock-project/relock/rotation/wire"

// The kinds of codes, shortly: the table is long.
const (
	ambiguous    = wire.Ambiguous
	throttled    = wire.Throttled
	unauthorized = wire.Unauthorized
	parameter    = wire.Parameter
	password     = wire.Password
	config       = wire.Config
	missing      = wire.Missing
	exists       = wire.Exists
	full         = wire.Full
	busy         = wire.Busy
	state        = wire.State
	unable       = wire.Unable
)

type meaning = wire.Meaning

// codes are all that the API is known to answer.
var codes = wire.Codes{Exact: meanings, Families: families}

// families are codes by how they begin. The first part of a code is its category, which the second part narrows:
// https://www.tencentcloud.com/document/product/1271/71928. UnsupportedOperation, FailedOperation and InternalError are
// not here: of an unknown one nobody knows whether it had an effect.
var families = map[string]meaning{
	"RequestLimitExceeded.":              {Kind: throttled},
	"AuthFailure.":                       {Kind: unauthorized},
	"UnauthorizedOperation.":             {Kind: unauthorized},
	"InvalidParameter.":                  {Kind: parameter},
	"InvalidParameterValue.":             {Kind: parameter},
	"MissingParameter.":                  {Kind: parameter},
	"ResourceNotFound.":                  {Kind: missing},
	"UnsupportedOperation.InstanceState": {Kind: busy, Reason: "in a state that does not allow it"},
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
	"MutexOperation.TaskRunning":                                {Kind: busy, Reason: "the same operation is running on it", Remedy: retryRemedy},
	"OperationDenied.InstanceOperationInProgress":               {Kind: busy, Reason: "another operation is in progress", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStatePending":                 {Kind: busy, Reason: "being created", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateRebooting":               {Kind: busy, Reason: "restarting", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateStarting":                {Kind: busy, Reason: "starting", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateStopping":                {Kind: busy, Reason: "shutting down", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateEnterRescueMode":         {Kind: busy, Reason: "entering rescue mode", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateExitRescueMode":          {Kind: busy, Reason: "leaving rescue mode", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateEnterServiceLiveMigrate": {Kind: busy, Reason: "being migrated", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateServiceLiveMigrate":      {Kind: busy, Reason: "being migrated", Remedy: retryRemedy},
	"UnsupportedOperation.InstanceStateExitServiceLiveMigrate":  {Kind: busy, Reason: "being migrated", Remedy: retryRemedy},
	"ResourceInUse":                 {Kind: busy, Reason: "in use by another operation", Remedy: retryRemedy},
	"ResourceInUse.DiskRollbacking": {Kind: busy, Reason: "its disk is being rolled back", Remedy: retryRemedy},

	// One machine of the batch is in another power state.
	"UnsupportedOperation.InstanceStateRunning":    {Kind: state, Reason: "running"},
	"UnsupportedOperation.InstanceStateNotRunning": {Kind: state, Reason: "not running"},
	"UnsupportedOperation.InstanceStateStopped":    {Kind: state, Reason: "stopped"},

	// One machine of the batch cannot be reset as it is.
	"InvalidInstanceId.NotFound":                        {Kind: unable, Reason: "does not exist in this region and account", Remedy: "take it out of the scope"},
	"InvalidInstanceId.Malformed":                       {Kind: unable, Reason: "its id is malformed", Remedy: "correct the configured id"},
	"InvalidParameterValue.InstanceIdMalformed":         {Kind: unable, Reason: "its id is malformed", Remedy: "correct the configured id"},
	"InvalidInstance.NotSupported":                      {Kind: unable, Reason: "its kind of instance is not supported"},
	"UnsupportedOperation.SpecialInstanceType":          {Kind: unable, Reason: "its special instance type is not supported"},
	"FailedOperation.InvalidInstanceApplicationRole":    {Kind: unable, Reason: "another product manages it", Remedy: "set its password in that product"},
	"FailedOperation.InvalidInstanceApplicationRoleEmr": {Kind: unable, Reason: "Elastic MapReduce manages it", Remedy: "set its password in that product"},
	"UnsupportedOperation.InstanceReinstallFailed":      {Kind: unable, Reason: "its last reinstallation failed", Remedy: "reinstall it, then: relock reconcile"},
	"UnsupportedOperation.InstanceStateRescueMode":      {Kind: unable, Reason: reasonRescue, Remedy: remedyRescue},
	"UnsupportedOperation.StoppedModeStopCharging":      {Kind: unable, Reason: reasonUncharged, Remedy: remedyUncharged},
	"UnsupportedOperation.InstanceStateFreezing":        {Kind: unable, Reason: reasonFrozen, Remedy: remedyFrozen},
	"UnsupportedOperation.InstanceStateBanning":         {Kind: unable, Reason: reasonFrozen, Remedy: remedyFrozen},
	"UnsupportedOperation.InstanceStateIsolating":       {Kind: unable, Reason: reasonIsolated, Remedy: remedyIsolated},
	"UnsupportedOperation.InstanceStateShutdown":        {Kind: unable, Reason: reasonIsolated, Remedy: remedyIsolated},
	"UnsupportedOperation.InstanceStateTerminating":     {Kind: unable, Reason: reasonDestroyed, Remedy: remedyDestroyed},
	"UnsupportedOperation.InstanceStateTerminated":      {Kind: unable, Reason: reasonDestroyed, Remedy: remedyDestroyed},
	"UnsupportedOperation.InstanceStateCorrupted":       {Kind: unable, Reason: reasonDamaged, Remedy: remedyDamaged},
	"UnsupportedOperation.InstanceStateLaunchFailed":    {Kind: unable, Reason: reasonLaunch, Remedy: remedyLaunch},

	// The password.
	"InvalidParameterValue.InvalidPassword": {Kind: password, Reason: "the password breaks the rules of a machine's image"},
	"InvalidPassword":                       {Kind: password, Reason: "the password breaks the rules of a machine's image"},

	// The request.
	"InvalidParameter":                      {Kind: parameter},
	"InvalidParameterCombination":           {Kind: parameter},
	"InvalidParameterValue":                 {Kind: parameter},
	"InvalidParameterValue.LimitExceeded":   {Kind: parameter},
	"InvalidParameterValue.TooLong":         {Kind: parameter},
	"MissingParameter":                      {Kind: parameter},
	"UnknownParameter":                      {Kind: parameter},
	"InvalidRequest":                        {Kind: parameter},
	"RequestSizeLimitExceeded":              {Kind: parameter},
	"UnsupportedProtocol":                   {Kind: parameter},
	"InvalidAction":                         {Kind: parameter},
	"ActionOffline":                         {Kind: parameter},
	"NoSuchProduct":                         {Kind: parameter},
	"NoSuchVersion":                         {Kind: parameter},
	"InvalidFilter":                         {Kind: parameter},
	"InvalidFilterValue.LimitExceeded":      {Kind: parameter},
	"LimitExceeded.Quota":                   {Kind: parameter, Remedy: "the account or the machine has too many tags: delete tags that nothing uses"},
	"LimitExceeded.ResourceAttachedTags":    {Kind: parameter, Remedy: "the machine has too many tags: remove some"},
	"LimitExceeded.ResourceNumPerRequest":   {Kind: parameter},
	"LimitExceeded.TagKey":                  {Kind: parameter, Remedy: "the account has too many tag keys: delete some"},
	"LimitExceeded.TagValue":                {Kind: parameter, Remedy: "the tag key has too many values: delete those that nothing uses"},
	"LimitExceeded.TagNumPerRequest":        {Kind: parameter},
	"FailedOperation.PolicyEnforcedInvalid": {Kind: parameter, Remedy: "the account's tag policy forbids the tags relock and relock-secret: allow them"},

	// What a person has to correct.
	"UnsupportedRegion":                          {Kind: config, Remedy: "there is no such region: correct it"},
	"InvalidRegion.NotFound":                     {Kind: config, Remedy: "there is no such region: correct it"},
	"InvalidRegion.Unavailable":                  {Kind: config, Remedy: "the region is not available to this account"},
	"FailedOperation.IllegalTagKey":              {Kind: config, Remedy: "correct the tag keys that select machines"},
	"FailedOperation.IllegalTagValue":            {Kind: config, Remedy: "correct the tag values that select machines"},
	"FailedOperation.TagKeyReserved":             {Kind: config, Remedy: "the provider reserves a tag key that selects machines: use another"},
	"ResourceUnavailable.NotPurchased":           {Kind: config, Remedy: "activate Secrets Manager for this account and region"},
	"ResourceUnavailable.ResourceDisabled":       {Kind: config, Remedy: "the secret is disabled: enable it"},
	"ResourceUnavailable.ResourcePendingDeleted": {Kind: config, Remedy: "the secret is about to be deleted: restore it and enable it"},
	"ResourceUnavailable.PendingDeleted":         {Kind: config, Remedy: "the secret is about to be deleted: restore it and enable it"},
	"ResourceUnavailable.ResourceUninitialized":  {Kind: config, Remedy: "the secret is not initialized yet: wait for it or make another"},
	"ResourceUnavailable.Uninitialized":          {Kind: config, Remedy: "the secret is not initialized yet: wait for it or make another"},
	"OperationDenied.AutoRotatedResource":        {Kind: config, Remedy: "this is a product secret rotated by Tencent Cloud: make a user-defined secret for relock"},

	// Who asks, and how often.
	"RequestLimitExceeded":                 {Kind: throttled},
	"UnauthorizedOperation":                {Kind: unauthorized},
	"UnauthorizedOperation.MFAExpired":     {Kind: unauthorized, Remedy: mfaRemedy},
	"UnauthorizedOperation.MFANotFound":    {Kind: unauthorized, Remedy: mfaRemedy},
	"UnauthorizedOperation.AccessKmsError": {Kind: unauthorized, Remedy: "allow the role to use the secret's KMS key"},
	"AuthFailure":                          {Kind: unauthorized},
	"AuthFailure.MFAFailure":               {Kind: unauthorized, Remedy: mfaRemedy},
	"AuthFailure.SignatureExpire":          {Kind: unauthorized, Remedy: clockRemedy},
	"AuthFailure.TokenFailure":             {Kind: unauthorized, Remedy: "the session token has expired or belongs to other keys: get new credentials"},
	"IpInBlacklist":                        {Kind: unauthorized, Remedy: "the account's policy forbids this address"},
	"IpNotInWhitelist":                     {Kind: unauthorized, Remedy: "the account's policy does not allow this address"},

	// Secrets and tags.
	"ResourceNotFound":              {Kind: missing},
	"ResourceInUse.VersionIdExists": {Kind: exists},
	"ResourceInUse.SecretExists":    {Kind: exists},
	"ResourceInUse.TagDuplicate":    {Kind: exists},
	"ResourceInUse.TagKeyAttached":  {Kind: exists},
	"LimitExceeded":                 {Kind: full, Remedy: "the secret has as many versions as it can have: relock forget makes room"},

	// The provider failed. Whether the request had its effect before that is anybody's guess.
	"InternalServerError":                   {Kind: ambiguous},
	"InternalError":                         {Kind: ambiguous},
	"ServiceUnavailable":                    {Kind: ambiguous},
	"FailedOperation":                       {Kind: ambiguous},
	"FailedOperation.AccessKmsError":        {Kind: ambiguous, Remedy: "the secret's KMS key could not be used: see that it is enabled"},
	"FailedOperation.ResourceTagProcessing": {Kind: ambiguous},
}
