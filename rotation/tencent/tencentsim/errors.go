package tencentsim

import (
	"fmt"
	"strings"
)

// An apiError is an error as the API answers it: HTTP 200 with Response.Error.
// https://www.tencentcloud.com/document/product/597/35338
type apiError struct {
	Code    string
	Message string
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *apiError {
	return &apiError{Code: code, Message: fmt.Sprintf(format, args...)}
}

func missing(parameter string) *apiError {
	return refuse("MissingParameter", "The request is missing a required parameter `%s`.", parameter)
}

// quoted writes ids as the API's messages do: `['ins-meu2jpya', 'ins-jnoiqr60']`, seen in
// https://github.com/hashicorp/packer/issues/9054 and https://github.com/hashicorp/packer/issues/10396.
func quoted(ids []string) string {
	return "`['" + strings.Join(ids, "', '") + "']`"
}

// tooOften is the refusal as clients report it: https://github.com/cloud-barista/cb-spider/issues/654.
func tooOften(n, allowed int) *apiError {
	return refuse("RequestLimitExceeded", "Your current request times equals to `%d` in a second, which exceeds the "+
		"frequency limit `%d` for a second. Please reduce the frequency of calls.", n, allowed)
}
