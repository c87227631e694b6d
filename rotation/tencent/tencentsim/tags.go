package tencentsim

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// tagRequest is the parameters of the actions that name machines; DetachResourcesTag has no TagValue.
type tagRequest struct {
	ServiceType    string   `json:"ServiceType"`
	ResourceIds    []string `json:"ResourceIds"`
	TagKey         *string  `json:"TagKey"`
	TagValue       *string  `json:"TagValue"`
	ResourceRegion string   `json:"ResourceRegion"`
	ResourcePrefix string   `json:"ResourcePrefix"`
}

type detachRequest struct {
	ServiceType    string   `json:"ServiceType"`
	ResourceIds    []string `json:"ResourceIds"`
	TagKey         *string  `json:"TagKey"`
	ResourceRegion string   `json:"ResourceRegion"`
	ResourcePrefix string   `json:"ResourcePrefix"`
}

type createTagRequest struct {
	TagKey   *string `json:"TagKey"`
	TagValue *string `json:"TagValue"`
}

// createTag: https://www.tencentcloud.com/document/product/651/33015.
func createTag(c *Cloud, _ *call, r *createTagRequest) (any, error) {
	if r.TagKey == nil {
		return nil, missing("TagKey")
	}
	if err := checkTagKey(*r.TagKey); err != nil {
		return nil, err
	}
	if err := checkTagValue(r.TagValue); err != nil {
		return nil, err
	}
	if c.tagValues[*r.TagKey][*r.TagValue] {
		return nil, refuse("ResourceInUse.TagDuplicate", "The tag already exists.")
	}
	if err := c.room(*r.TagKey, *r.TagValue); err != nil {
		return nil, err
	}
	c.noteTag(*r.TagKey, *r.TagValue)
	return nil, nil
}

// attachResourcesTag: https://www.tencentcloud.com/document/product/651/37825.
func attachResourcesTag(c *Cloud, k *call, r *tagRequest) (any, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := checkTagValue(r.TagValue); err != nil {
		return nil, err
	}
	if err := c.usable(*r.TagKey, *r.TagValue); err != nil {
		return nil, err
	}
	return nil, c.tagEach(k, r, func(m *machine) *apiError {
		now, attached := m.Tags[*r.TagKey]
		switch {
		case attached && now == *r.TagValue && !c.cfg.Answers.AttachEqualFails:
			return nil
		case attached && !c.cfg.Answers.AttachReplaces:
			return refuse("ResourceInUse.TagKeyAttached", "The tag key is already associated with the resource%s.", c.naming([]string{m.ID}))
		case !attached && len(m.Tags) >= 50:
			return refuse("LimitExceeded.ResourceAttachedTags", "The number of tags of the resource%s exceeds the limit of 50.", c.naming([]string{m.ID}))
		}
		return nil
	}, func(tags map[string]string) { tags[*r.TagKey] = *r.TagValue })
}

// modifyResourcesTagValue: https://www.tencentcloud.com/document/product/651/37823.
func modifyResourcesTagValue(c *Cloud, k *call, r *tagRequest) (any, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := checkTagValue(r.TagValue); err != nil {
		return nil, err
	}
	if err := c.usable(*r.TagKey, *r.TagValue); err != nil {
		return nil, err
	}
	return nil, c.tagEach(k, r, func(m *machine) *apiError {
		if _, attached := m.Tags[*r.TagKey]; !attached && !c.cfg.Answers.ModifyAttaches {
			return c.notAttached(m)
		}
		return nil
	}, func(tags map[string]string) { tags[*r.TagKey] = *r.TagValue })
}

// detachResourcesTag: the SDK's comments on DetachResourcesTag.
func detachResourcesTag(c *Cloud, k *call, d *detachRequest) (any, error) {
	r := &tagRequest{ServiceType: d.ServiceType, ResourceIds: d.ResourceIds, TagKey: d.TagKey,
		ResourceRegion: d.ResourceRegion, ResourcePrefix: d.ResourcePrefix}
	if err := r.check(); err != nil {
		return nil, err
	}
	return nil, c.tagEach(k, r, func(m *machine) *apiError {
		if _, attached := m.Tags[*r.TagKey]; !attached {
			return c.notAttached(m)
		}
		return nil
	}, func(tags map[string]string) { delete(tags, *r.TagKey) })
}

func (c *Cloud) notAttached(m *machine) *apiError {
	return refuse("ResourceNotFound.AttachedTagKeyNotFound", "The tag key is not associated with the resource%s.", c.naming([]string{m.ID}))
}

// check validates everything but the value. "ResourceRegion: required for resources that have a region".
func (r *tagRequest) check() error {
	switch {
	case r.ServiceType == "":
		return missing("ServiceType")
	case r.TagKey == nil:
		return missing("TagKey")
	case len(r.ResourceIds) == 0:
		return missing("ResourceIds")
	case r.ServiceType != "cvm":
		return refuse("InvalidParameterValue.ServiceTypeInvalid", "The service type `%s` is invalid.", r.ServiceType)
	case r.ResourcePrefix != "instance":
		return refuse("InvalidParameterValue.ResourcePrefixInvalid", "The resource prefix `%s` is invalid.", r.ResourcePrefix)
	case r.ResourceRegion == "":
		return refuse("InvalidParameterValue.RegionInvalid", "The region is invalid.")
	case len(r.ResourceIds) > 50:
		return refuse("LimitExceeded.ResourceNumPerRequest", "The number of resources is %d, which exceeds the limit of 50.", len(r.ResourceIds))
	}
	return checkTagKey(*r.TagKey)
}

// checkTagKey: https://www.tencentcloud.com/document/product/651/13354.
func checkTagKey(key string) error {
	switch {
	case key == "":
		return refuse("InvalidParameterValue.TagKeyEmpty", "The tag key cannot be empty.")
	case utf8.RuneCountInString(key) > 127:
		return refuse("InvalidParameterValue.TagKeyLengthExceeded", "The tag key is longer than 127 characters.")
	case strings.HasPrefix(key, "qcs:"), strings.HasPrefix(key, "project:"), key == "qcloud", key == "tencent", key == "project":
		return refuse("InvalidParameter.ReservedTagKey", "The tag key is reserved.")
	case strings.ContainsFunc(key, notInTags):
		return refuse("InvalidParameterValue.TagKeyCharacterIllegal", "The tag key contains an illegal character.")
	}
	return nil
}

func checkTagValue(value *string) error {
	switch {
	case value == nil:
		return missing("TagValue")
	case *value == "":
		return refuse("InvalidParameterValue.TagValueEmpty", "The tag value cannot be empty.")
	case utf8.RuneCountInString(*value) > 255:
		return refuse("InvalidParameterValue.TagValueLengthExceeded", "The tag value is longer than 255 characters.")
	case strings.ContainsFunc(*value, notInTags):
		return refuse("InvalidParameterValue.TagValueCharacterIllegal", "The tag value contains an illegal character.")
	}
	return nil
}

// notInTags: "letters, digits, spaces and + - = . _ : / @ ( ) [ ] , ; > <".
func notInTags(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" +-=._:/@()[],;><", r)
}

// usable refuses a tag that does not exist, or that cannot come to exist by being used.
func (c *Cloud) usable(key, value string) error {
	if c.cfg.Answers.TagsMustExist && !c.tagValues[key][value] {
		return refuse("ResourceNotFound.TagNonExist", "The tag does not exist.")
	}
	return c.room(key, value)
}

// room refuses a tag that would be one too many for the account: 1,000 keys, and 1,000 values of one key. Values that
// no resource has any more still count, since a tag lives until it is deleted.
func (c *Cloud) room(key, value string) error {
	values, known := c.tagValues[key]
	switch {
	case values[value]:
		return nil
	case !known && len(c.tagValues) >= 1000:
		return refuse("LimitExceeded.Quota", "The number of tag keys exceeds the limit of 1000.")
	case len(values) >= 1000:
		return refuse("LimitExceeded.Quota", "The number of values of the tag key exceeds the limit of 1000.")
	}
	return nil
}

// noteTag records that a tag exists. The caller holds c.mu.
func (c *Cloud) noteTag(key, value string) {
	if c.tagValues[key] == nil {
		c.tagValues[key] = make(map[string]bool)
	}
	c.tagValues[key][value] = true
}

// tagEach edits the tags of every machine named, unless one of them is refused.
func (c *Cloud) tagEach(k *call, r *tagRequest, refused func(*machine) *apiError, edit func(map[string]string)) error {
	var machines []*machine
	var refusal *apiError
	for _, id := range r.ResourceIds {
		m := c.byID[id]
		if m == nil || m.Region != r.ResourceRegion {
			if c.cfg.Answers.TagsCheckMachines {
				refusal = refuse("InvalidParameterValue.ResourceIdInvalid", "The resource%s is invalid.", c.naming([]string{id}))
				break
			}
			continue
		}
		if refusal = refused(m); refusal != nil {
			break
		}
		machines = append(machines, m)
	}
	if refusal != nil && !c.cfg.Answers.PartialAcceptance {
		return refusal
	}
	if r.TagValue != nil && len(machines) > 0 {
		c.noteTag(*r.TagKey, *r.TagValue)
	}
	for _, m := range machines {
		m.Settle(k.now)
		tags := maps.Clone(m.Tags)
		if tags == nil {
			tags = make(map[string]string)
		}
		edit(tags)
		c.retag(k.now, m, tags)
	}
	if refusal != nil {
		return refusal
	}
	return nil
}

// retag gives a machine its tags, and lets DescribeInstances see them at once or later.
func (c *Cloud) retag(now time.Time, m *machine, tags map[string]string) {
	m.Tags = tags
	if !c.cfg.Answers.TagsVisibleLate {
		m.shownTags = tags
		return
	}
	m.Schedule(now.Add(c.scaled(c.cfg.Visible)), func(time.Time) { m.shownTags = tags })
}

// sortedTags returns tags in the order of their keys.
func sortedTags(tags map[string]string) []tag {
	sorted := make([]tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		sorted = append(sorted, tag{key, tags[key]})
	}
	return sorted
}
