package huawei

import (
	"context"
	"time"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// wrongState is what a batch is refused with when a machine is in another power state than the request needs.
const wrongState = "Ecs.0100"

// Stop implements rotation.Power. A machine that does not shut down softly is not stopped.
func (f *Fleet) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.operate(ctx, stopServers, rotation.OpStop, batch, func(sdk *ecs.EcsClient, ids []model.ServerId) (*string, error) {
		types := model.GetBatchStopServersOptionTypeEnum()
		kind := types.SOFT
		if how == rotation.Hard {
			kind = types.HARD
		}
		resp, err := sdk.BatchStopServers(&model.BatchStopServersRequest{Body: &model.BatchStopServersRequestBody{
			OsStop: &model.BatchStopServersOption{Servers: ids, Type: &kind},
		}})
		if err != nil {
			return nil, err
		}
		return resp.JobId, nil
	})
}

// Start implements rotation.Power.
func (f *Fleet) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	return f.operate(ctx, startServers, rotation.OpStart, batch, func(sdk *ecs.EcsClient, ids []model.ServerId) (*string, error) {
		resp, err := sdk.BatchStartServers(&model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
			OsStart: &model.BatchStartServersOption{Servers: ids},
		}})
		if err != nil {
			return nil, err
		}
		return resp.JobId, nil
	})
}

// Restart implements rotation.Power.
func (f *Fleet) Restart(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	return f.operate(ctx, rebootServers, rotation.OpRestart, batch, func(sdk *ecs.EcsClient, ids []model.ServerId) (*string, error) {
		types := model.GetBatchRebootSeversOptionTypeEnum()
		kind := types.SOFT
		if how == rotation.Hard {
			kind = types.HARD
		}
		resp, err := sdk.BatchRebootServers(&model.BatchRebootServersRequest{Body: &model.BatchRebootServersRequestBody{
			Reboot: &model.BatchRebootSeversOption{Servers: ids, Type: kind},
		}})
		if err != nil {
			return nil, err
		}
		return resp.JobId, nil
	})
}

// operate makes one request on a batch; do returns the job that carries it out.
func (f *Fleet) operate(ctx context.Context, a wire.API, kind rotation.OpKind, batch []rotation.Instance, do func(*ecs.EcsClient, []model.ServerId) (*string, error)) (rotation.Operation, error) {
	op, err := wire.Begin(kind, batch, maxBatch)
	if err != nil {
		return op, err
	}
	err = f.client.SendMany(ctx, a, len(batch), nil, func(ctx context.Context) error {
		op.Sent = time.Now()
		sdk, x, err := f.client.ecs(ctx)
		if err != nil {
			return err
		}
		job, err := do(sdk, serverIDs(op.Instances))
		op.RequestID = x.requestID
		if err != nil {
			return err
		}
		op.Job = wire.Deref(job)
		return wire.Answered(job)
	})
	return wire.End(op, wrongState, err)
}
