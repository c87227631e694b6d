package huawei

import (
	"slices"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation"
)

// maxBatch is the machines of one request. A reset takes up to 1,000 by the definition of the API, a start 1,000 a minute;
// a smaller batch loses less when one of its machines is refused.
const maxBatch = 100

// A Fleet is the ECS machines of one region and project. It may be used by several goroutines.
type Fleet struct {
	client         *client
	linux, windows *rotation.Rules
	bootDelay      time.Duration
}

var (
	_ rotation.Fleet       = (*Fleet)(nil)
	_ rotation.Power       = (*Fleet)(nil)
	_ rotation.Marker      = (*Fleet)(nil)
	_ rotation.Preflighter = (*Fleet)(nil)
)

// NewFleet returns the machines of a region, or everything that is wrong with cfg, matching rotation.ErrConfig. It sends
// nothing.
func NewFleet(cfg Config, region string) (*Fleet, error) {
	c, err := newClient(cfg, region)
	if err != nil {
		return nil, err
	}
	// One value each for all machines: a hundred thousand of them have two rules.
	return &Fleet{client: c, linux: rotation.HuaweiLinux(), windows: rotation.HuaweiWindows(), bootDelay: cfg.BootDelay}, nil
}

// Region implements rotation.Fleet.
func (f *Fleet) Region() string { return f.client.region }

// serverIDs is a batch as requests have it.
func serverIDs(ids []string) []model.ServerId {
	out := make([]model.ServerId, len(ids))
	for i, id := range ids {
		out[i].Id = id
	}
	return out
}

func contains(ids []string, id string) bool { return slices.Contains(ids, id) }
