package tencent

import (
	"context"
	"time"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// StopType of StopInstances and RebootInstances. SOFT_FIRST is not among them: it pulls the plug of a machine that does
// not shut down in time, without saying so (https://www.tencentcloud.com/document/product/213/33235).
const (
	soft = "SOFT"
	hard = "HARD"
)

// keepCharging is the StoppedMode in which a machine keeps its address and can be reset.
const keepCharging = "KEEP_CHARGING"

func stopType(how rotation.Force) string {
	if how == rotation.Hard {
		return hard
	}
	return soft
}

// Stop implements rotation.Power. A machine that does not shut down softly is not stopped.
func (f *Fleet) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.operate(ctx, stopInstances, rotation.OpStop, batch, func(ctx context.Context, ids []*string) (*string, error) {
		req := cvm.NewStopInstancesRequest()
		stop, mode := stopType(how), keepCharging
		req.InstanceIds, req.StopType, req.StoppedMode = ids, &stop, &mode
		resp, err := f.client.cvm.StopInstancesWithContext(ctx, req)
		if err != nil {
			return nil, err
		}
		if err := wire.Answered(resp.Response); err != nil {
			return nil, err
		}
		return resp.Response.RequestId, nil
	})
}

// Start implements rotation.Power.
func (f *Fleet) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	return f.operate(ctx, startInstances, rotation.OpStart, batch, func(ctx context.Context, ids []*string) (*string, error) {
		req := cvm.NewStartInstancesRequest()
		req.InstanceIds = ids
		resp, err := f.client.cvm.StartInstancesWithContext(ctx, req)
		if err != nil {
			return nil, err
		}
		if err := wire.Answered(resp.Response); err != nil {
			return nil, err
		}
		return resp.Response.RequestId, nil
	})
}

// Restart implements rotation.Power.
func (f *Fleet) Restart(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.operate(ctx, rebootInstances, rotation.OpRestart, batch, func(ctx context.Context, ids []*string) (*string, error) {
		req := cvm.NewRebootInstancesRequest()
		stop := stopType(how)
		req.InstanceIds, req.StopType = ids, &stop
		resp, err := f.client.cvm.RebootInstancesWithContext(ctx, req)
		if err != nil {
			return nil, err
		}
		if err := wire.Answered(resp.Response); err != nil {
			return nil, err
		}
		return resp.Response.RequestId, nil
	})
}

// operate makes one request on a batch; do returns the provider's id of it.
func (f *Fleet) operate(ctx context.Context, a wire.API, kind rotation.OpKind, batch []rotation.Instance, do func(context.Context, []*string) (*string, error)) (rotation.Operation, error) {
	op, err := wire.Begin(kind, batch, maxBatch)
	if err != nil {
		return op, err
	}
	var requestID *string
	err = f.client.Send(ctx, a, nil, func(ctx context.Context) (err error) {
		op.Sent = time.Now()
		requestID, err = do(ctx, pointers(op.Instances))
		return err
	})
	op.RequestID = wire.Deref(requestID)
	return wire.End(op, underWay[a], err)
}
