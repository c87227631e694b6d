package tencent

import (
	"context"
	"errors"
	"fmt"
	"time"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/relock-project/relock/rotation"
)

const (
	pageTries = 3
	pagePause = 200 * time.Millisecond // doubled after each try
)

// page reads one page of DescribeInstances, once more when the provider or the way to it failed: a listing is all or
// nothing, and of the thousand pages of a large fleet one always fails.
func (f *Fleet) page(ctx context.Context, fill func(*cvm.DescribeInstancesRequest)) (*cvm.DescribeInstancesResponseParams, error) {
	clock, pause := rotation.SystemClock{}, pagePause
	for try := 1; ; try++ {
		page, err := f.readPage(ctx, fill)
		if err == nil || try == pageTries || !passing(err) {
			return page, err
		}
		if clock.Wait(ctx, pause) != nil {
			return nil, fmt.Errorf("%w, after %w", ended(ctx), err)
		}
		pause *= 2
	}
}

func (f *Fleet) readPage(ctx context.Context, fill func(*cvm.DescribeInstancesRequest)) (*cvm.DescribeInstancesResponseParams, error) {
	var resp *cvm.DescribeInstancesResponse
	err := f.client.send(ctx, describeInstances, nil, func(ctx context.Context) (err error) {
		req := cvm.NewDescribeInstancesRequest()
		limit := int64(pageSize)
		req.Limit = &limit // the default is 20, for ids too
		fill(req)
		if resp, err = f.client.cvm.DescribeInstancesWithContext(ctx, req); err != nil {
			return err
		}
		return answered(resp.Response)
	})
	if err != nil {
		return nil, err
	}
	return resp.Response, nil
}

// passing reports whether a read that failed so may succeed when it is repeated.
func passing(err error) bool {
	var e *apiError
	if !errors.As(err, &e) || errors.Is(err, rotation.ErrNotApplied) { // not even sent, or wrong in itself
		return false
	}
	return e.meaning.kind == ambiguous || e.meaning.kind == throttled
}
