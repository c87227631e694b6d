package tencent

import (
	"context"
	"fmt"
	"slices"

	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

const (
	tagBatch   = 50 // machines of one request: https://www.tencentcloud.com/document/product/651/37823
	tagService = "cvm"
	tagPrefix  = "instance"
)

// The answers of the tag service that say which other request is needed.
const (
	tagAttached    = "ResourceInUse.TagKeyAttached"
	tagNotAttached = "ResourceNotFound.AttachedTagKeyNotFound"
	tagUnknown     = "ResourceNotFound.TagNonExist"
)

// tagKey is one tag of one machine.
type tagKey struct{ instance, key string }

// Mark implements rotation.Marker. The tag that names the secret comes first: a mark without it is nobody's.
func (f *Fleet) Mark(ctx context.Context, batch []rotation.Instance, m rotation.Mark) error {
	for _, t := range []struct{ key, value string }{{rotation.SecretTag, m.Secret}, {rotation.MarkTag, m.Value()}} {
		if t.value == "" {
			continue
		}
		if err := f.note(ctx, batch, t.key, t.value); err != nil {
			return fmt.Errorf("tag %d machines with %s: %w", len(batch), t.key, err)
		}
	}
	return nil
}

// note gives the machines a tag. The secret's name, which does not change, is written to those only whose mark names
// another.
func (f *Fleet) note(ctx context.Context, batch []rotation.Instance, key, value string) error {
	var absent, present []string
	for _, inst := range batch {
		now, attached := f.tagged(inst, key)
		switch {
		case key == rotation.SecretTag && now == value:
		case attached:
			present = append(present, inst.ID)
		default:
			absent = append(absent, inst.ID)
		}
	}
	for chunk := range slices.Chunk(absent, tagBatch) {
		if err := f.write(ctx, tagWrite{f.attach, f.modify, key, value}, chunk); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(present, tagBatch) {
		if err := f.write(ctx, tagWrite{f.modify, f.attach, key, value}, chunk); err != nil {
			return err
		}
	}
	return nil
}

// tagged is a machine's tag: what this Fleet wrote last, or what the machine came with. The callers' machines are as they
// were described, and a tag may show late: without this memory every second mark would try the wrong request first.
func (f *Fleet) tagged(inst rotation.Instance, key string) (value string, attached bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if value, ok := f.tags[tagKey{inst.ID, key}]; ok {
		return value, true
	}
	value, attached = inst.Tags[key]
	if key == rotation.SecretTag {
		value = inst.Mark.Secret // the caller may know better than the tag
	}
	return value, attached
}

// A tagWrite gives machines a tag: by first, or by other where first says that it is the wrong one.
type tagWrite struct {
	first, other func(ctx context.Context, ids []string, key, value string) error
	key, value   string
}

// write gives machines a tag, whether or not they have one of that key. When some have and some have not, neither
// request suits them all: they are divided.
func (f *Fleet) write(ctx context.Context, w tagWrite, ids []string) error {
	err := w.first(ctx, ids, w.key, w.value)
	if wrongWay(err) {
		err = w.other(ctx, ids, w.key, w.value)
	}
	if wrongWay(err) && len(ids) > 1 {
		if err := f.write(ctx, w, ids[:len(ids)/2]); err != nil {
			return err
		}
		return f.write(ctx, w, ids[len(ids)/2:])
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.tags[tagKey{id, w.key}] = w.value
	}
	return nil
}

func wrongWay(err error) bool {
	code := wire.CodeOf(err)
	return code == tagAttached || code == tagNotAttached
}

// attach gives a tag to machines without one of that key.
func (f *Fleet) attach(ctx context.Context, ids []string, key, value string) error {
	return f.known(ctx, key, value, func() error {
		return f.client.Send(ctx, attachTag, nil, func(ctx context.Context) error {
			req := tag.NewAttachResourcesTagRequest()
			service, prefix, region := tagService, tagPrefix, f.Region()
			req.ServiceType, req.ResourcePrefix, req.ResourceRegion = &service, &prefix, &region
			req.ResourceIds, req.TagKey, req.TagValue = pointers(ids), &key, &value
			resp, err := f.client.tag.AttachResourcesTagWithContext(ctx, req)
			if err != nil {
				return err
			}
			return wire.Answered(resp.Response)
		})
	})
}

// modify changes the value of a tag that the machines have.
func (f *Fleet) modify(ctx context.Context, ids []string, key, value string) error {
	return f.known(ctx, key, value, func() error {
		return f.client.Send(ctx, modifyTag, nil, func(ctx context.Context) error {
			req := tag.NewModifyResourcesTagValueRequest()
			service, prefix, region := tagService, tagPrefix, f.Region()
			req.ServiceType, req.ResourcePrefix, req.ResourceRegion = &service, &prefix, &region
			req.ResourceIds, req.TagKey, req.TagValue = pointers(ids), &key, &value
			resp, err := f.client.tag.ModifyResourcesTagValueWithContext(ctx, req)
			if err != nil {
				return err
			}
			return wire.Answered(resp.Response)
		})
	})
}

// known does a request, and again after creating the tag if the account does not have it: that attaching creates it is
// not documented, and others create it first (https://github.com/cloud-barista/cb-spider).
func (f *Fleet) known(ctx context.Context, key, value string, do func() error) error {
	err := do()
	if wire.CodeOf(err) != tagUnknown {
		return err
	}
	err = f.client.Send(ctx, createTag, nil, func(ctx context.Context) error {
		req := tag.NewCreateTagRequest()
		req.TagKey, req.TagValue = &key, &value
		resp, err := f.client.tag.CreateTagWithContext(ctx, req)
		if err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if err != nil && wire.CodeOf(err) != "ResourceInUse.TagDuplicate" {
		return err
	}
	return do()
}
