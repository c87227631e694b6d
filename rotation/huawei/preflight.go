package huawei

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"golang.org/x/sync/errgroup"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Preflight implements rotation.Preflighter: a reset that is only checked, with a password that is thrown away, and for
// each machine the question whether it can be reset. Without the plug-in, a reset is accepted and never applied:
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1102.html.
func (f *Fleet) Preflight(ctx context.Context, batch []rotation.Instance) (map[string]rotation.Refusal, error) {
	op, err := wire.Begin(rotation.OpReset, batch, maxBatch)
	if err != nil {
		return nil, err
	}
	thrown, err := batch[0].Terms.Rules.Generate(rotation.Recipe{})
	if err != nil {
		return nil, fmt.Errorf("generate a password to check the reset with: %w", err)
	}
	var refused *rotation.RefusedError
	out := map[string]rotation.Refusal{}
	switch _, err := f.reset(ctx, op.Instances, thrown.Reveal(), true, new(time.Time)); {
	case errors.As(err, &refused):
		maps.Copy(out, refused.Machines)
		maps.DeleteFunc(out, func(_ string, r rotation.Refusal) bool { return r.Kind != rotation.RefusedUnable })
	case err != nil:
		return nil, fmt.Errorf("check a reset of %d machines: %w", len(batch), err)
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(wire.AtOnce)
	for _, id := range op.Instances {
		group.Go(func() error {
			able, err := f.resettable(ctx, id)
			if err != nil || able {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			out[id] = lasting("its password-reset plug-in is not installed",
				"install the one-click password reset plug-in (CloudResetPwdAgent), then: relock reconcile")
			return nil
		})
	}
	return out, group.Wait()
}

// resettable asks whether the plug-in is on a machine. The answer is a text.
func (f *Fleet) resettable(ctx context.Context, id string) (bool, error) {
	if err := checkIDs([]string{id}); err != nil {
		return false, err
	}
	var flag *model.ShowResetPasswordFlagResponse
	err := f.client.Send(ctx, resetFlag, nil, func(ctx context.Context) error {
		sdk, _, err := f.client.ecs(ctx)
		if err != nil {
			return err
		}
		if flag, err = sdk.ShowResetPasswordFlag(&model.ShowResetPasswordFlagRequest{ServerId: id}); err != nil {
			return err
		}
		return wire.Answered(flag.ResetpwdFlag)
	})
	if err != nil {
		return false, err
	}
	return !strings.EqualFold(strings.TrimSpace(*flag.ResetpwdFlag), "false"), nil
}
