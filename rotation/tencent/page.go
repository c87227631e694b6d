package tencent

import (
	"context"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation/wire"
)

// page reads one page of DescribeInstances.
func (f *Fleet) page(ctx context.Context, fill func(*cvm.DescribeInstancesRequest)) (page *cvm.DescribeInstancesResponseParams, err error) {
	err = wire.Again(ctx, func() error {
		page, err = f.readPage(ctx, fill)
		return err
	})
	return page, err
}

func (f *Fleet) readPage(ctx context.Context, fill func(*cvm.DescribeInstancesRequest)) (*cvm.DescribeInstancesResponseParams, error) {
	var resp *cvm.DescribeInstancesResponse
	err := f.client.Send(ctx, describeInstances, nil, func(ctx context.Context) (err error) {
		req := cvm.NewDescribeInstancesRequest()
		limit := int64(pageSize)
		req.Limit = &limit // the default is 20, for ids too
		fill(req)
		if resp, err = f.client.cvm.DescribeInstancesWithContext(ctx, req); err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if err != nil {
		return nil, err
	}
	return resp.Response, nil
}
