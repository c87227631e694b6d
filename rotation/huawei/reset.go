package huawei

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Reset implements rotation.Fleet. That it was accepted means that the password waits for the machine's next boot, and no
// more: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html.
func (f *Fleet) Reset(ctx context.Context, batch []rotation.Instance, c rotation.Credential) (rotation.Operation, error) {
	op, err := wire.Begin(rotation.OpReset, batch, maxBatch)
	if err != nil {
		return op, err
	}
	if c.Password.IsZero() {
		return op, fmt.Errorf("reset %d machines without a password: %w", len(batch), rotation.ErrNotApplied)
	}
	if err := otherAccounts(batch, c.Username); err != nil {
		return op, err
	}
	secret := c.Password.Reveal()
	x, err := f.reset(ctx, op.Instances, secret, false, &op.Sent)
	op.RequestID = x.requestID
	if err != nil {
		return wire.End(op, "", err)
	}
	return op, nil
}

// otherAccounts refuses the machines whose administrator is another account than the one that is meant: the request has
// no place for one.
func otherAccounts(batch []rotation.Instance, username string) error {
	machines := map[string]rotation.Refusal{}
	for _, inst := range batch {
		if username != "" && !strings.EqualFold(username, inst.LoginUser) {
			machines[inst.ID] = rotation.Refusal{
				Kind:   rotation.RefusedUnable,
				Reason: fmt.Sprintf("Huawei Cloud resets its %s, and the user name of the secret is another", inst.LoginUser),
				Remedy: "take it out of the scope, or leave the user name in the secret empty",
			}
		}
	}
	if len(machines) == 0 {
		return nil
	}
	return &rotation.RefusedError{Machines: machines, Refusal: rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "another account"}}
}

// reset makes the request, for good or dry, and compares the machines in the answer with those that were sent.
func (f *Fleet) reset(ctx context.Context, ids []string, secret string, dry bool, sent *time.Time) (*exchange, error) {
	hide := wire.For(secret)
	x := &exchange{}
	var answer *model.BatchResetServersPasswordResponse
	var failed []machineError
	err := f.client.Send(ctx, resetServers, hide, func(ctx context.Context) error {
		*sent = time.Now()
		sdk, its, err := f.client.ecs(ctx)
		if err != nil {
			return err
		}
		x = its
		body := &model.BatchResetServersPasswordRequestBody{NewPassword: secret, Servers: serverIDs(ids)}
		if dry {
			body.DryRun = &dry
		}
		answer, err = sdk.BatchResetServersPassword(&model.BatchResetServersPasswordRequest{Body: body})
		var r *refused
		if errors.As(err, &r) {
			failed = r.machines
		}
		if err != nil {
			return err
		}
		return wire.Answered(answer.Response)
	})
	if err != nil {
		return x, refusedMachines(ids, hide, failed, err)
	}
	return x, unnamed(ids, *answer.Response, x.requestID)
}

// unnamed is the error for the machines that an answer leaves out: nothing is known of them.
func unnamed(ids []string, answered []model.ServerId, requestID string) error {
	done := map[string]bool{}
	for _, s := range answered {
		done[s.Id] = true
	}
	machines := map[string]rotation.Refusal{}
	for _, id := range ids {
		if !done[id] {
			machines[id] = rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "the provider's answer leaves it out", Remedy: "relock reconcile", RequestID: requestID}
		}
	}
	if len(machines) == 0 {
		return nil
	}
	return &rotation.RefusedError{Machines: machines, Refusal: rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "machines are left out of the answer", RequestID: requestID}}
}
