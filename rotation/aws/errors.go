package aws

import (
	"errors"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/relock-project/relock/rotation/wire"
)

// read tells what an error of the SDK is.
func read(err error) (answer *wire.Answer, broken bool) {
	var refused smithy.APIError
	if errors.As(err, &refused) && refused.ErrorCode() != "" && refused.ErrorCode() != "UnknownError" {
		answer = &wire.Answer{Code: refused.ErrorCode(), Message: refused.ErrorMessage()}
		var response *awshttp.ResponseError
		if errors.As(err, &response) {
			answer.RequestID = response.ServiceRequestID()
		}
		return answer, false
	}
	var sending *smithyhttp.RequestSendError
	return nil, errors.As(err, &sending)
}
