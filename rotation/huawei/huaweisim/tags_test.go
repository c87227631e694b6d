package huaweisim_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

func (w *world) tag(id string, pairs ...string) error {
	var tags []model.BatchAddServerTag
	for i := 0; i < len(pairs); i += 2 {
		tags = append(tags, model.BatchAddServerTag{Key: pairs[i], Value: &pairs[i+1]})
	}
	_, err := w.ecs.BatchCreateServerTags(&model.BatchCreateServerTagsRequest{ServerId: id, Body: &model.BatchCreateServerTagsRequestBody{
		Action: model.GetBatchCreateServerTagsRequestBodyActionEnum().CREATE, Tags: tags}})
	return err
}

func (w *world) untag(id string, keys ...string) error {
	var tags []model.ServerTag
	for _, key := range keys {
		tags = append(tags, model.ServerTag{Key: key})
	}
	_, err := w.ecs.BatchDeleteServerTags(&model.BatchDeleteServerTagsRequest{ServerId: id, Body: &model.BatchDeleteServerTagsRequestBody{
		Action: model.GetBatchDeleteServerTagsRequestBodyActionEnum().DELETE, Tags: tags}})
	return err
}

func TestTagsAreAddedOverwrittenAndRemoved(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	id := w.Add(huaweisim.Machine{Tags: map[string]string{"rotate": "yes"}})
	wantCode(t, w.tag(id, "relock", "2-down-1", "other", ""), "")
	wantCode(t, w.tag(id, "relock", "2-ok-1"), "")
	wantCode(t, w.tag(id, "relock", "2-ok-1"), "")
	wantCode(t, w.untag(id, "other", "absent"), "")
	want := map[string]string{"rotate": "yes", "relock": "2-ok-1"}
	if got := w.machine(t, id).Tags; !maps.Equal(got, want) {
		t.Errorf("tags %v; want %v", got, want)
	}
	resp, err := w.ecs.ShowServerTags(&model.ShowServerTagsRequest{ServerId: id})
	if err != nil || len(*resp.Tags) != 2 || (*resp.Tags)[0].Key != "relock" || *(*resp.Tags)[0].Value != "2-ok-1" {
		t.Errorf("ShowServerTags = %v, %v", resp, err)
	}
}

func TestTagsHaveLimits(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	id := w.Add(huaweisim.Machine{})
	for _, tc := range []struct{ key, value, code string }{
		{strings.Repeat("k", 36), strings.Repeat("v", 43), ""}, {strings.Repeat("k", 37), "", "Ecs.0005"}, {"k", strings.Repeat("v", 44), "Ecs.0005"},
		{"", "v", "Ecs.0005"}, {"a.b", "v", "Ecs.0005"}, {"a b", "v", "Ecs.0005"}, {"k", "a b", "Ecs.0005"}, {"k", "a=b", "Ecs.0005"},
		{"A_z-9", "A_z-9.0", ""}, {"键", "值", ""},
	} {
		wantCode(t, w.tag(id, tc.key, tc.value), tc.code)
	}
	wantCode(t, w.tag(id, "twice", "1", "twice", "2"), "Ecs.0005")
	wantCode(t, w.tag("00000000-0000-4000-8000-000000000000", "k", "v"), "Ecs.0114")

	strict := open(t, huaweisim.Config{Answers: huaweisim.Answers{TagValuesWithoutDots: true}})
	id = strict.Add(huaweisim.Machine{})
	wantCode(t, strict.tag(id, "k", "2.ok"), "Ecs.0005")
	wantCode(t, strict.tag(id, "k", "2-ok"), "")
}

func TestAMachineHasTenTags(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	id := w.Add(huaweisim.Machine{})
	for i := range 10 {
		wantCode(t, w.tag(id, fmt.Sprint("k", i), "v"), "")
	}
	wantCode(t, w.tag(id, "one-too-many", "v"), "Ecs.0026")
	wantCode(t, w.tag(id, "k3", "changed"), "")
	if m := w.machine(t, id); len(m.Tags) != 10 || m.Tags["k3"] != "changed" {
		t.Errorf("tags %v", m.Tags)
	}
}

func TestTagsMayBeVisibleLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, huaweisim.Config{Scale: 1, Visible: time.Second, Answers: huaweisim.Answers{TagsVisibleLate: true}})
		id := w.Add(huaweisim.Machine{})
		wantCode(t, w.tag(id, "k", "v"), "")
		if s := w.listed(t, id); len(*s.Tags) != 0 || w.machine(t, id).Tags["k"] != "v" {
			t.Errorf("at once: %q", *s.Tags)
		}
		wait(2 * time.Second)
		if s := w.listed(t, id); len(*s.Tags) != 1 {
			t.Errorf("later: %q", *s.Tags)
		}
	})
}
