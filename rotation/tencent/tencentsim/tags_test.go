package tencentsim_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func (w *world) attach(key, value string, ids ...string) error {
	r := tag.NewAttachResourcesTagRequest()
	r.ServiceType, r.ResourcePrefix, r.ResourceRegion = ptr("cvm"), ptr("instance"), ptr(region)
	r.TagKey, r.TagValue, r.ResourceIds = &key, &value, common.StringPtrs(ids)
	_, err := w.tag.AttachResourcesTag(r)
	return err
}

func (w *world) modify(key, value string, ids ...string) error {
	r := tag.NewModifyResourcesTagValueRequest()
	r.ServiceType, r.ResourcePrefix, r.ResourceRegion = ptr("cvm"), ptr("instance"), ptr(region)
	r.TagKey, r.TagValue, r.ResourceIds = &key, &value, common.StringPtrs(ids)
	_, err := w.tag.ModifyResourcesTagValue(r)
	return err
}

func (w *world) detach(key string, ids ...string) error {
	r := tag.NewDetachResourcesTagRequest()
	r.ServiceType, r.ResourcePrefix, r.ResourceRegion = ptr("cvm"), ptr("instance"), ptr(region)
	r.TagKey, r.ResourceIds = &key, common.StringPtrs(ids)
	_, err := w.tag.DetachResourcesTag(r)
	return err
}

func (w *world) createTag(key, value string) error {
	r := tag.NewCreateTagRequest()
	r.TagKey, r.TagValue = &key, &value
	_, err := w.tag.CreateTag(r)
	return err
}

func TestTagsAreAttachedModifiedAndDetached(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	a, b := w.Add(tencentsim.Machine{}), w.Add(tencentsim.Machine{Tags: map[string]string{"env": "prod"}})
	wantCode(t, w.attach("relock", "7.ok", a, b), "")
	wantCode(t, w.attach("relock", "7.ok", a), "")
	wantCode(t, w.attach("relock", "8.ok", a), "ResourceInUse.TagKeyAttached")
	wantCode(t, w.modify("relock", "8.ok", a, b), "")
	wantCode(t, w.modify("colour", "red", a), "ResourceNotFound.AttachedTagKeyNotFound")
	wantCode(t, w.detach("relock", a), "")
	wantCode(t, w.detach("relock", a), "ResourceNotFound.AttachedTagKeyNotFound")
	if got := w.machine(t, a).Tags; len(got) != 0 {
		t.Errorf("tags of a = %v; want none", got)
	}
	want := map[string]string{"env": "prod", "relock": "8.ok"}
	if got := w.machine(t, b).Tags; !maps.Equal(got, want) {
		t.Errorf("tags of b = %v; want %v", got, want)
	}
	if got, err := w.filtered(by("tag:relock", "8.ok")); err != nil || len(got) != 1 || got[0] != b {
		t.Errorf("filter finds %v, %v; want %s", got, err, b)
	}
}

func TestTagAnswersSwitch(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Answers: tencentsim.Answers{
		AttachReplaces: true, AttachEqualFails: true, ModifyAttaches: true, TagsCheckMachines: true}})
	a := w.Add(tencentsim.Machine{Tags: map[string]string{"k": "1"}})
	wantCode(t, w.attach("k", "2", a), "")
	wantCode(t, w.modify("l", "1", a), "")
	wantCode(t, w.attach("l", "1", "ins-00000000"), "InvalidParameterValue.ResourceIdInvalid")
	if got := w.machine(t, a).Tags; !maps.Equal(got, map[string]string{"k": "2", "l": "1"}) {
		t.Errorf("tags = %v", got)
	}
	strict := open(t, tencentsim.Config{Answers: tencentsim.Answers{AttachEqualFails: true, TagsMustExist: true}})
	b := strict.Add(tencentsim.Machine{Tags: map[string]string{"k": "1"}})
	wantCode(t, strict.attach("k", "1", b), "ResourceInUse.TagKeyAttached")
	wantCode(t, strict.modify("k", "2", b), "ResourceNotFound.TagNonExist")
}

func TestTagsOfUnknownMachinesVanish(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	elsewhere := w.Add(tencentsim.Machine{Region: "ap-shanghai"})
	wantCode(t, w.attach("k", "v", "ins-00000000", elsewhere), "")
	if got := w.machine(t, elsewhere).Tags; len(got) != 0 {
		t.Errorf("a machine of another region than ResourceRegion got tags %v", got)
	}
}

func TestRefusedTagsChangeNothingOrAPart(t *testing.T) {
	t.Parallel()
	for _, partial := range []bool{false, true} {
		w := open(t, tencentsim.Config{Answers: tencentsim.Answers{PartialAcceptance: partial}})
		a, b, c := w.Add(tencentsim.Machine{}), w.Add(tencentsim.Machine{Tags: map[string]string{"k": "old"}}), w.Add(tencentsim.Machine{})
		wantCode(t, w.attach("k", "new", a, b, c), "ResourceInUse.TagKeyAttached")
		if _, done := w.machine(t, a).Tags["k"]; done != partial {
			t.Errorf("partial acceptance %v: the first machine was tagged: %v", partial, done)
		}
		if _, done := w.machine(t, c).Tags["k"]; done {
			t.Errorf("partial acceptance %v: the machine after the bad one was tagged", partial)
		}
	}
}

func TestTagsShowLateWhenSwitched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, tencentsim.Config{Scale: 1, Answers: tencentsim.Answers{TagsVisibleLate: true}})
		id := w.Add(tencentsim.Machine{})
		wantCode(t, w.attach("k", "v", id), "")
		if got := w.shown(t, id).Tags; len(got) != 0 || len(w.machine(t, id).Tags) != 1 {
			t.Errorf("the tag shows at once: %v", got)
		}
		wait(301 * time.Millisecond)
		if got := w.shown(t, id).Tags; len(got) != 1 {
			t.Errorf("the tag does not show later: %v", got)
		}
	})
}

func TestTagParametersAreValidated(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("ins-%08d", i)
	}
	for _, tc := range []struct{ key, value, want string }{
		{strings.Repeat("k", 127), "v", ""},
		{strings.Repeat("k", 128), "v", "InvalidParameterValue.TagKeyLengthExceeded"},
		{"", "v", "InvalidParameterValue.TagKeyEmpty"},
		{"qcs:x", "v", "InvalidParameter.ReservedTagKey"},
		{"project:x", "v", "InvalidParameter.ReservedTagKey"},
		{"tencent", "v", "InvalidParameter.ReservedTagKey"},
		{"a|b", "v", "InvalidParameterValue.TagKeyCharacterIllegal"},
		{"键", "值 +-=._:/@()[],;><", ""},
		{"k2", strings.Repeat("v", 255), ""},
		{"k3", strings.Repeat("v", 256), "InvalidParameterValue.TagValueLengthExceeded"},
		{"k4", "", "InvalidParameterValue.TagValueEmpty"},
		{"k5", "a|b", "InvalidParameterValue.TagValueCharacterIllegal"},
		{"k6", "{}", "InvalidParameterValue.TagValueCharacterIllegal"},
	} {
		if err := w.attach(tc.key, tc.value, id); code(t, err) != tc.want {
			t.Errorf("attach %.12q=%.12q: %v; want %q", tc.key, tc.value, err, tc.want)
		}
	}
	wantCode(t, w.modify("k", "v", many...), "LimitExceeded.ResourceNumPerRequest")
	wantCode(t, w.modify("k", "v"), "MissingParameter")
	for want, edit := range map[string]func(*tag.DetachResourcesTagRequest){
		"InvalidParameterValue.ServiceTypeInvalid":    func(r *tag.DetachResourcesTagRequest) { r.ServiceType = ptr("cbs") },
		"InvalidParameterValue.ResourcePrefixInvalid": func(r *tag.DetachResourcesTagRequest) { r.ResourcePrefix = ptr("image") },
		"InvalidParameterValue.RegionInvalid":         func(r *tag.DetachResourcesTagRequest) { r.ResourceRegion = nil },
	} {
		r := tag.NewDetachResourcesTagRequest()
		r.ServiceType, r.ResourcePrefix, r.ResourceRegion = ptr("cvm"), ptr("instance"), ptr(region)
		r.TagKey, r.ResourceIds = ptr("k"), []*string{&id}
		edit(r)
		_, err := w.tag.DetachResourcesTag(r)
		wantCode(t, err, want)
	}
}

func TestAKeyHasAThousandValuesEver(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 1000})
	id := w.Add(tencentsim.Machine{Tags: map[string]string{"k": "0"}})
	for i := 1; i < 1000; i++ {
		wantCode(t, w.modify("k", fmt.Sprint(i), id), "")
	}
	wantCode(t, w.modify("k", "1000", id), "LimitExceeded.Quota")
	wantCode(t, w.modify("k", "17", id), "")
}

func TestATagIsCreatedOnce(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 1000, Answers: tencentsim.Answers{TagsMustExist: true}})
	id := w.Add(tencentsim.Machine{})
	wantCode(t, w.attach("k", "0", id), "ResourceNotFound.TagNonExist")
	wantCode(t, w.createTag("k", "0"), "")
	wantCode(t, w.createTag("k", "0"), "ResourceInUse.TagDuplicate")
	wantCode(t, w.attach("k", "0", id), "")
	wantCode(t, w.createTag("qcs:k", "0"), "InvalidParameter.ReservedTagKey")
	wantCode(t, w.createTag("k", ""), "InvalidParameterValue.TagValueEmpty")
	for i := 1; i < 1000; i++ {
		wantCode(t, w.createTag("k", fmt.Sprint(i)), "")
	}
	wantCode(t, w.createTag("k", "1000"), "LimitExceeded.Quota")
	if got := w.machine(t, id).Tags; !maps.Equal(got, map[string]string{"k": "0"}) {
		t.Errorf("tags = %v; want the one that was attached", got)
	}
}

func TestAMachineHasFiftyTags(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Rates: 1000})
	id := w.Add(tencentsim.Machine{})
	for i := range 50 {
		wantCode(t, w.attach(fmt.Sprint("k", i), "v", id), "")
	}
	wantCode(t, w.attach("k50", "v", id), "LimitExceeded.ResourceAttachedTags")
}

func TestTagServiceNeedsNoRegion(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	id := w.Add(tencentsim.Machine{})
	everywhere := connect(t, w.Cloud, w.Transport(), "x.example", "",
		common.NewCredential(tencentsim.DemoSecretID, tencentsim.DemoSecretKey))
	wantCode(t, everywhere.attach("k", "v", id), "")
	_, err := everywhere.cvm.DescribeInstances(cvm.NewDescribeInstancesRequest())
	wantCode(t, err, "MissingParameter")
}
