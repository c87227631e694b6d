package tencent

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/relock-project/relock/rotation/wire"
)

// read tells what an error of the SDK is.
func read(err error) (answer *wire.Answer, broken bool) {
	var e *sdk.TencentCloudSDKError
	switch {
	case !errors.As(err, &e):
		return nil, false
	case !strings.HasPrefix(e.Code, "ClientError."):
		return &wire.Answer{Code: e.Code, Message: e.Message, RequestID: e.RequestId, Named: instanceIDs(e.Message)}, false
	}
	return nil, e.Code == "ClientError.NetworkError"
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

// underWay are the answers which say that what was asked for is happening already.
var underWay = map[wire.API]string{
	stopInstances:   "UnsupportedOperation.InstanceStateStopping",
	startInstances:  "UnsupportedOperation.InstanceStateStarting",
	rebootInstances: "UnsupportedOperation.InstanceStateRebooting",
}
