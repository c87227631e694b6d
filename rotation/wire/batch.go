package wire

import (
	"fmt"
	"time"

	"github.com/relock-project/relock/rotation"
)

// Begin is the operation that a request on the batch is, or why the request cannot be made.
func Begin(kind rotation.OpKind, batch []rotation.Instance, most int) (rotation.Operation, error) {
	op := rotation.Operation{Kind: kind, Instances: make([]string, len(batch)), Sent: time.Now()}
	for i, inst := range batch {
		op.Instances[i] = inst.ID
	}
	if len(batch) == 0 || len(batch) > most {
		return op, fmt.Errorf("%s %d machines: one request takes 1 to %d: %w", kind, len(batch), most, rotation.ErrNotApplied)
	}
	return op, nil
}

// End is the result of a request on a batch; underWay is as in Refused. The operation is whole beside an error too: the
// request may have been taken.
func End(op rotation.Operation, underWay string, err error) (rotation.Operation, error) {
	if err == nil {
		return op, nil
	}
	op.RequestID = RequestIDOf(err)
	return op, fmt.Errorf("%s %d machines: %w", op.Kind, len(op.Instances), Refused(op.Instances, underWay, err))
}
