package aws

import "github.com/relock-project/relock/rotation/wire"

const (
	keyRemedy   = "see to the key that encrypts the secret: that it is enabled, and that its policy lets this role use kms:Decrypt and kms:GenerateDataKey"
	clockRemedy = "set this machine's clock, then run again"
	roleRemedy  = "give the role DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage on this secret, and kms:Decrypt and kms:GenerateDataKey where it has a key of its own"
	keysRemedy  = "see to the credentials of this role"
)

// codes are those of the actions used (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html)
// and the common ones (https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html).
var codes = wire.Codes{
	Exact: map[string]wire.Meaning{
		"ResourceNotFoundException":   {Kind: wire.Missing},
		"ResourceExistsException":     {Kind: wire.Exists},
		"LimitExceededException":      {Kind: wire.Full, Remedy: "remove labels or wait: a secret has room for 20 labels, and versions stay for a day"},
		"InvalidParameterException":   {Kind: wire.Parameter},
		"ValidationException":         {Kind: wire.Parameter},
		"SerializationException":      {Kind: wire.Parameter},
		"UnknownOperationException":   {Kind: wire.Parameter},
		"InvalidRequestException":     {Kind: wire.Config, Remedy: "see whether the secret is marked for deletion, belongs to another service or is a replica"},
		"PreconditionNotMetException": {Kind: wire.Parameter},

		"EncryptionFailure":          {Kind: wire.Config, Remedy: keyRemedy},
		"EncryptionFailureException": {Kind: wire.Config, Remedy: keyRemedy},
		"DecryptionFailure":          {Kind: wire.Config, Remedy: keyRemedy},
		"DecryptionFailureException": {Kind: wire.Config, Remedy: keyRemedy},

		"ThrottlingException":      {Kind: wire.Throttled},
		"Throttling":               {Kind: wire.Throttled},
		"TooManyRequestsException": {Kind: wire.Throttled},
		"RequestLimitExceeded":     {Kind: wire.Throttled},
		"SlowDown":                 {Kind: wire.Throttled},

		"AccessDeniedException":               {Kind: wire.Unauthorized, Remedy: roleRemedy},
		"AccessDenied":                        {Kind: wire.Unauthorized, Remedy: roleRemedy},
		"UnauthorizedOperation":               {Kind: wire.Unauthorized, Remedy: roleRemedy},
		"NotAuthorized":                       {Kind: wire.Unauthorized, Remedy: roleRemedy},
		"OptInRequired":                       {Kind: wire.Unauthorized, Remedy: "enable the region for this account"},
		"UnrecognizedClientException":         {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"InvalidClientTokenId":                {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"MissingAuthenticationTokenException": {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"MissingAuthenticationToken":          {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"IncompleteSignatureException":        {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"IncompleteSignature":                 {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"ExpiredTokenException":               {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"ExpiredToken":                        {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"InvalidSignatureException":           {Kind: wire.Unauthorized, Remedy: clockRemedy},
		"SignatureDoesNotMatch":               {Kind: wire.Unauthorized, Remedy: keysRemedy},
		"RequestExpired":                      {Kind: wire.Unauthorized, Remedy: clockRemedy},
	},
	// InternalServiceError, InternalFailure and ServiceUnavailable are not here: whether they had an effect nobody knows.
}
