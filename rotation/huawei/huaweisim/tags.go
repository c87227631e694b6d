package huaweisim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxTags is how many tags a server has, and how many one request names. The page in Chinese says 20 by now.
const maxTags = 10

type tagsRequest struct {
	Action string `json:"action"`
	Tags   []tag  `json:"tags"`
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// batchServerTags adds or removes tags of one server. "This API is idempotent", and "a new tag overwrites the original one
// if their keys are the same": https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1002.html and ecs_02_1003.html.
func batchServerTags(c *Cloud, k *call, r *tagsRequest) (any, error) {
	m := c.in(k, k.path["server_id"])
	if m == nil {
		return nil, noServer(k.path["server_id"])
	}
	if len(r.Tags) == 0 || len(r.Tags) > maxTags {
		return nil, invalid(serviceECS, "the number of tags is not within 1 and %d.", maxTags)
	}
	tags := maps.Clone(m.Tags)
	for i, t := range r.Tags {
		if slices.ContainsFunc(r.Tags[:i], func(o tag) bool { return o.Key == t.Key }) {
			return nil, invalid(serviceECS, "the tag key %s is duplicated.", t.Key)
		}
		if r.Action == "delete" { // "the character set of tags is not checked during deletion"
			delete(tags, t.Key)
			continue
		}
		if err := c.checkTag(t); err != nil {
			return nil, err
		}
		tags[t.Key] = t.Value
	}
	if len(tags) > maxTags && r.Action == "create" {
		return nil, refuse(http.StatusBadRequest, "Ecs.0026", "The number of tags exceeds the limit of %d.", maxTags)
	}
	c.retag(k.now, m, tags)
	return nil, nil
}

// checkTag: "key: up to 36 characters; value: up to 43", of letters, digits, hyphens, underscores and Chinese characters.
func (c *Cloud) checkTag(t tag) *apiError {
	marks := "-_."
	if c.cfg.Answers.TagValuesWithoutDots {
		marks = "-_"
	}
	switch {
	case t.Key == "" || len([]rune(t.Key)) > 36 || strings.ContainsFunc(t.Key, notInTags("-_")):
		return invalid(serviceECS, "the tag key is not valid.")
	case len([]rune(t.Value)) > 43 || strings.ContainsFunc(t.Value, notInTags(marks)):
		return invalid(serviceECS, "the tag value is not valid.")
	}
	return nil
}

func notInTags(marks string) func(rune) bool {
	return func(r rune) bool {
		return !strings.ContainsRune(lower+upper+digits+marks, r) && (r < '\u4e00' || r > '\u9fff')
	}
}

// retag gives a machine its tags, and lets lists see them at once or later.
func (c *Cloud) retag(now time.Time, m *machine, tags map[string]string) {
	m.Tags = tags
	if !c.cfg.Answers.TagsVisibleLate {
		m.shownTags = tags
		return
	}
	m.Schedule(now.Add(c.scaled(c.cfg.Visible)), func(time.Time) { m.shownTags = tags })
}

// showServerTags: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_1001.html.
func showServerTags(c *Cloud, k *call) (any, error) {
	m := c.in(k, k.path["server_id"])
	if m == nil {
		return nil, noServer(k.path["server_id"])
	}
	tags := []tag{}
	for _, key := range slices.Sorted(maps.Keys(m.shownTags)) {
		tags = append(tags, tag{key, m.shownTags[key]})
	}
	return map[string]any{"tags": tags}, nil
}
