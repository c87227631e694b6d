package tencent

import (
	"context"
	"fmt"
	"time"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Reset implements rotation.Fleet. It never stops a running machine: CVM refuses a batch with one in it.
func (f *Fleet) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	op, err := wire.Begin(rotation.OpReset, batch, maxBatch)
	if err != nil {
		return op, err
	}
	if err := checkUsername(c.Username); err != nil {
		return op, fmt.Errorf("%w: %w", rotation.ErrNotApplied, err)
	}
	if c.Password.IsZero() {
		return op, fmt.Errorf("reset %d machines without a password: %w", len(batch), rotation.ErrNotApplied)
	}
	secret, force := c.Password.Reveal(), false
	hide := wire.For(secret)
	f.remember(c.Password, hide)

	var resp *cvm.ResetInstancesPasswordResponse
	err = f.client.Send(ctx, resetPassword, hide, func(ctx context.Context) (err error) {
		op.Sent = time.Now()
		req := cvm.NewResetInstancesPasswordRequest()
		req.InstanceIds, req.Password, req.ForceStop = pointers(op.Instances), &secret, &force
		if c.Username != "" {
			req.UserName = &c.Username
		}
		if resp, err = f.client.cvm.ResetInstancesPasswordWithContext(ctx, req); err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if err != nil {
		return wire.End(op, "", err)
	}
	op.RequestID = wire.Deref(resp.Response.RequestId)
	return op, nil
}
