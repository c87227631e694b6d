package huaweisim

import (
	"fmt"
	"net/http"
	"strings"
)

// An apiError is an error as the APIs answer it.
//
// ECS: https://support.huaweicloud.com/intl/en-us/api-ecs/ErrorCode.html. CSMS:
// https://support.huaweicloud.com/intl/en-us/api-dew/ErrorCode.html. The gateway:
// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html.
type apiError struct {
	Status  int
	Code    string
	Message string
	Refused []refusal // machines of a batch, with their own reasons
	Flat    bool      // the body has code and message at the top
}

// A refusal is one entry of internalError.
type refusal struct {
	ID      string `json:"id"`
	Code    string `json:"error_code"`
	Message string `json:"error_message"`
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func refuse(status int, code, format string, args ...any) *apiError {
	return &apiError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalid is the service's refusal of a parameter.
func invalid(service, format string, args ...any) *apiError {
	code := "Ecs.0005"
	if service == serviceCSMS {
		code = "CSMS.0002"
	}
	return refuse(http.StatusBadRequest, code, "Invalid request parameters: "+format, args...)
}

func unauthenticated(why string) *apiError {
	return refuse(http.StatusUnauthorized, "APIGW.0301", "Incorrect IAM authentication information: %s", why)
}

func tooOften(allowed int) *apiError {
	return refuse(http.StatusTooManyRequests, "APIGW.0308",
		"The throttling threshold has been reached: policy user over ratelimit,limit:%d,time:1 second", allowed)
}

// internalError is how each service says that it failed itself.
func internalError(service string) *apiError {
	if service == serviceCSMS {
		return refuse(http.StatusInternalServerError, "CSMS.0001", "Internal service error.")
	}
	return refuse(http.StatusInternalServerError, "Ecs.0000", "The request is incorrect. Please try again later or contact customer service.")
}

// body is the error as it is written: the gateway and CSMS have error_code and error_msg at the top, ECS an object error,
// and beside it internalError for the machines of a batch.
func (e *apiError) body() any {
	if e.Flat {
		return map[string]string{"code": e.Code, "message": e.Message}
	}
	if !strings.HasPrefix(e.Code, "Ecs.") {
		return map[string]string{"error_code": e.Code, "error_msg": e.Message}
	}
	out := map[string]any{"error": map[string]string{"code": e.Code, "message": e.Message}}
	if e.Refused != nil {
		out["internalError"] = e.Refused
	}
	return out
}
