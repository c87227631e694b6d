package huawei

import (
	"errors"
	"net/url"
	"regexp"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// read tells what an error of the SDK is.
func read(err error) (answer *wire.Answer, broken bool) {
	var r *refused
	if errors.As(err, &r) {
		a := &wire.Answer{Code: r.code, Message: r.message, RequestID: r.requestID}
		for _, m := range r.machines {
			a.Named = append(a.Named, m.ID)
		}
		return a, false
	}
	var request *url.Error
	return nil, errors.As(err, &request)
}

// instanceID is a machine's id: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html. Ids are put into
// paths, in which the SDK escapes nothing.
var instanceID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// IsInstance reports whether an id can be a machine's.
func IsInstance(id string) bool { return instanceID.MatchString(id) }

// refusedMachines turns the list of machines in a failed batch into a *rotation.RefusedError, each with the reason of its
// own code. Those of the batch that are not on it are unknown. An error without the list is returned as it is.
func refusedMachines(batch []string, v wire.Veil, failed []machineError, err error) error {
	var e *wire.Error
	if len(failed) == 0 || !errors.As(err, &e) {
		return err
	}
	machines := map[string]rotation.Refusal{}
	for _, m := range failed {
		why := codes.Meaning(m.Code).Refusal(v.Word(m.Code, codes), e.RequestID)
		if why.Reason == "" {
			why.Reason = "the provider refuses it: " + v.People(m.Message)
		}
		machines[m.ID] = why
	}
	for id := range machines {
		if !contains(batch, id) {
			delete(machines, id)
		}
	}
	if len(machines) == 0 {
		return err
	}
	return &rotation.RefusedError{Machines: machines, Refusal: rotation.Refusal{Reason: e.Message, Code: e.Code, RequestID: e.RequestID}, Err: e}
}
