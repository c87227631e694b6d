package tencent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/relock-project/relock/rotation"
)

// apiError is a request that failed. Its text is fit for people and holds nothing of what was sent.
type apiError struct {
	api       string
	code      string // the provider's; empty when it did not answer, or not understandably
	message   string // the provider's, or ours when there is no code
	requestID string
	meaning   meaning
	named     []string // the machines that the provider's message names
	kinds     []error  // what it means for package rotation; empty: ambiguous
	cause     error    // nil when it may quote an answer
}

func (e *apiError) Error() string {
	var text strings.Builder
	text.WriteString(e.api)
	for _, part := range []string{e.code, e.message} {
		if part != "" {
			text.WriteString(": " + part)
		}
	}
	if e.requestID != "" {
		text.WriteString(" (request " + e.requestID + ")")
	}
	if e.meaning.remedy != "" && e.meaning.kind.refusal() == "" {
		text.WriteString("; " + e.meaning.remedy)
	}
	return text.String()
}

// Unwrap makes errors.Is find the kinds and the end of a context.
func (e *apiError) Unwrap() []error {
	if e.cause == nil {
		return e.kinds
	}
	return append(slices.Clone(e.kinds), e.cause)
}

// failure turns an error of the SDK into ours. limited is the request's own context within ctx.
func (c *client) failure(ctx, limited context.Context, a api, v veil, err error) *apiError {
	e := &apiError{api: a.name}
	var answer *sdk.TencentCloudSDKError
	if errors.As(err, &answer) && !strings.HasPrefix(answer.Code, "ClientError.") {
		e.meaning = meaningOf(answer.Code)
		e.code, e.requestID = v.word(answer.Code), v.word(answer.RequestId)
		e.named = instanceIDs(answer.Message)
		e.kinds = e.meaning.kind.sentinels()
		e.message = v.people(answer.Message)
		if e.meaning.kind == password {
			e.message = e.meaning.reason // the provider's may say how the password is made
		}
		return e
	}
	switch {
	case ctx.Err() != nil:
		e.message, e.cause = "no answer before the run ended: "+ended(ctx).Error(), ended(ctx)
	case limited.Err() != nil:
		e.message = fmt.Sprintf("no answer within %s", c.timeout)
	case answer != nil && answer.Code == "ClientError.NetworkError":
		e.cause = network(answer)
		e.message = "no answer: " + e.cause.Error()
	default:
		// The SDK's texts hold the whole answer: common/http/response.go. A secret's value may be in it.
		e.message = "no answer of the API: the connection broke, or a proxy or gateway answered instead"
	}
	return e
}

// network is why no answer came, without the texts of net/http that quote what did come.
func network(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	text := err.Error()
	for _, quoting := range []string{"malformed", "Content-Length", "encoding"} {
		if strings.Contains(text, quoting) {
			return errors.New("the connection broke")
		}
	}
	return err
}

// instanceID is an id in a message; a longer word is none.
var instanceID = regexp.MustCompile(`\bins-[0-9a-z]{8}\b`)

// instanceIDs returns the machines that a message names, each once. Messages look like "The request does not support the
// instances `['ins-meu2jpya']`", seen in https://github.com/hashicorp/packer/issues/9054.
func instanceIDs(message string) []string {
	ids := instanceID.FindAllString(message, -1)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// codeOf is the provider's code in err, empty when there is none.
func codeOf(err error) string {
	var e *apiError
	if errors.As(err, &e) {
		return e.code
	}
	return ""
}

// requestIDOf is the provider's id of the request that failed, empty when there is none.
func requestIDOf(err error) string {
	var e *apiError
	if errors.As(err, &e) {
		return e.requestID
	}
	return ""
}

// refusal turns the failure of an operation on machines into a *rotation.RefusedError when the provider refused it
// because of some of them; any other error is returned as it is.
func refusal(a api, batch []string, err error) error {
	var e *apiError
	if !errors.As(err, &e) {
		return err
	}
	kind := e.meaning.kind.refusal()
	if kind == "" {
		return err
	}
	if underWay[a] == e.code {
		kind = rotation.RefusedState
	}
	why := rotation.Refusal{
		Kind: kind, Reason: e.meaning.reason, Remedy: e.meaning.remedy, Code: e.code, RequestID: e.requestID,
	}
	machines := map[string]rotation.Refusal{}
	for _, id := range e.named {
		if slices.Contains(batch, id) {
			machines[id] = why
		}
	}
	return &rotation.RefusedError{Machines: machines, Refusal: why, Err: e}
}

// underWay are the answers which say that what was asked for is happening already.
var underWay = map[api]string{
	stopInstances:   "UnsupportedOperation.InstanceStateStopping",
	startInstances:  "UnsupportedOperation.InstanceStateStarting",
	rebootInstances: "UnsupportedOperation.InstanceStateRebooting",
}

// namedIn are the machines that the provider's message in err names.
func namedIn(err error) []string {
	var e *apiError
	if errors.As(err, &e) {
		return e.named
	}
	return nil
}
