package huawei

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"golang.org/x/sync/errgroup"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// The documents contradict each other about dots in the values of tags, so a mark is written without:
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1002.html.
var (
	dotless = strings.NewReplacer(".", "-")
	dotted  = strings.NewReplacer("-", ".")
)

// markOf reads the mark among a machine's tags.
func markOf(tags map[string]string) rotation.Mark {
	if _, ok := tags[rotation.MarkTag]; ok {
		tags = maps.Clone(tags)
		tags[rotation.MarkTag] = dotted.Replace(tags[rotation.MarkTag])
	}
	return rotation.ParseMark(tags)
}

// Mark implements rotation.Marker: one request for each machine, with both tags, which replaces those of the same keys.
func (f *Fleet) Mark(ctx context.Context, batch []rotation.Instance, m rotation.Mark) error {
	var tags []model.BatchAddServerTag
	for _, t := range [][2]string{{rotation.SecretTag, m.Secret}, {rotation.MarkTag, dotless.Replace(m.Value())}} {
		if t[1] != "" {
			tags = append(tags, model.BatchAddServerTag{Key: t[0], Value: &t[1]})
		}
	}
	if len(tags) == 0 {
		return nil
	}
	var group errgroup.Group
	group.SetLimit(wire.AtOnce)
	for _, inst := range batch {
		group.Go(func() error {
			if err := f.tag(ctx, inst.ID, tags); err != nil {
				return fmt.Errorf("tag %s: %w", inst.ID, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (f *Fleet) tag(ctx context.Context, id string, tags []model.BatchAddServerTag) error {
	if err := checkIDs([]string{id}); err != nil {
		return err
	}
	return f.client.Send(ctx, tagServer, nil, func(ctx context.Context) error {
		sdk, _, err := f.client.ecs(ctx)
		if err != nil {
			return err
		}
		_, err = sdk.BatchCreateServerTags(&model.BatchCreateServerTagsRequest{
			ServerId: id,
			Body: &model.BatchCreateServerTagsRequestBody{
				Action: model.GetBatchCreateServerTagsRequestBodyActionEnum().CREATE, Tags: tags,
			},
		})
		return err
	})
}
