package huawei

import (
	"context"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/wire"
)

// page reads one page of ListServersDetails.
func (f *Fleet) page(ctx context.Context, req *model.ListServersDetailsRequest) (page *model.ListServersDetailsResponse, err error) {
	err = wire.Again(ctx, func() error {
		return f.client.Send(ctx, listServers, nil, func(ctx context.Context) error {
			sdk, _, err := f.client.ecs(ctx)
			if err != nil {
				return err
			}
			if page, err = sdk.ListServersDetails(req); err != nil {
				return err
			}
			return wire.Answered(page)
		})
	})
	return page, err
}
