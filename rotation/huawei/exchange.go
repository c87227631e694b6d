package huawei

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/response"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
)

// An exchange is one request: it binds the request to its context, and keeps what the SDK drops of an answer.
type exchange struct {
	ctx       context.Context
	next      http.RoundTripper
	requestID string
}

var (
	_ http.RoundTripper   = (*exchange)(nil)
	_ sdkerr.ErrorHandler = (*exchange)(nil)
)

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.next.RoundTrip(req.WithContext(x.ctx))
	if resp != nil {
		x.requestID = resp.Header.Get("X-Request-Id")
	}
	return resp, err
}

// errKeys is a client that could not be made.
var errKeys = errors.New("the SDK takes neither these credentials nor this endpoint")

// A refused is an answer that is an error, whole: the SDK's own handler drops the list of machines.
type refused struct {
	code, message, requestID string
	machines                 []machineError
}

func (r *refused) Error() string { return "refused: " + r.code }

// A machineError is what a batch answers of one machine that was refused:
// https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/apis_recommended/batch_operations/responses_batch_requests.html.
type machineError struct {
	ID      string `json:"id"`
	Code    string `json:"error_code"`
	Message string `json:"error_message"`
}

// errorBody is every form in which the API gateway, ECS and CSMS write an error. A code is a text or a number.
type errorBody struct {
	errorFields
	Error    errorFields    `json:"error"`
	Machines []machineError `json:"internalError"`
}

type errorFields struct {
	Code      json.RawMessage `json:"code"`
	Message   string          `json:"message"`
	ErrorCode json.RawMessage `json:"error_code"`
	ErrorMsg  string          `json:"error_msg"`
}

// errNoAnswer is an answer that the API did not write, or not whole.
var errNoAnswer = errors.New("not an answer of the API")

// largestError is more than any error of the API has.
const largestError = 4 << 20

// HandleError implements sdkerr.ErrorHandler: nil for an answer that is none.
func (x *exchange) HandleError(_ *request.DefaultHttpRequest, resp *response.DefaultHttpResponse) error {
	status := resp.GetStatusCode()
	if status >= 200 && status < 300 {
		return nil
	}
	defer resp.Response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Response.Body, largestError))
	if err != nil {
		return err
	}
	var body errorBody
	if json.Unmarshal(raw, &body) == nil {
		for _, f := range []errorFields{body.Error, body.errorFields} {
			for code, message := range map[string]string{plain(f.ErrorCode): f.ErrorMsg, plain(f.Code): f.Message} {
				if code != "" {
					return &refused{code: code, message: message, requestID: x.requestID, machines: body.Machines}
				}
			}
		}
	}
	if status == http.StatusTooManyRequests {
		return &refused{code: "429", requestID: x.requestID}
	}
	return errNoAnswer
}

// plain is a code without the quotes of JSON.
func plain(code json.RawMessage) string {
	if text := strings.Trim(string(code), `" `); text != "null" {
		return text
	}
	return ""
}
