package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relock-project/relock/functions/internal/config"
)

func TestTagsAreKeysWithValues(t *testing.T) {
	for text, want := range map[string]config.Tags{
		"rotate=yes":                    {"rotate": {"yes"}},
		" rotate = yes ,, ":             {"rotate": {"yes"}},
		"rotate=yes,env=prod|staging":   {"rotate": {"yes"}, "env": {"prod", "staging"}},
		"env=prod| prod|staging ":       {"env": {"prod", "staging"}},
		"env=*":                         {"env": nil},
		"tencentcloud:as:group=*":       {"tencentcloud:as:group": nil},
		"url=http://x:1/?a=b":           {"url": {"http://x:1/?a=b"}},
		"owner=张三 李四,Env=生产":            {"owner": {"张三 李四"}, "Env": {"生产"}},
		"@tags.txt":                     {"@tags.txt": nil},
		"a=1,@b=2":                      {"a": {"1"}, "@b": {"2"}},
		strings.Repeat("k", 127) + "=v": {strings.Repeat("k", 127): {"v"}},
	} {
		var got config.Tags
		err := got.Decode(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Decode(%q) = %v, (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"rotate":                        "env=* for any value",
		"env:prod":                      "is not key=value",
		"=yes":                          "is not key=value",
		"env=":                          "an empty value",
		"env=prod|":                     "an empty value",
		"env=prod|*":                    "* among others",
		"env=prod,env=staging":          "twice",
		",":                             "nothing is listed",
		"relock=7.ok":                   "relock's own",
		"relock-secret=*":               "relock's own",
		strings.Repeat("k", 128) + "=v": "longer than 127",
		"k=" + strings.Repeat("v", 256): "longer than 255",
	} {
		var got config.Tags
		if err := got.Decode(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestADurationNeedsAUnit(t *testing.T) {
	var d config.Duration
	if err := d.Decode("8"); err == nil || !strings.Contains(err.Error(), `"8" has no unit: write 8m or 8s`) {
		t.Errorf("Decode(8) = %v; want how to write it", err)
	}
	if err := d.Decode("1h30m"); err != nil || d.Duration != 90*time.Minute {
		t.Errorf("Decode(1h30m) = %v, %v; want 1h30m", d, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "8", "8m", "5%", "10", "-1", "a,b", "@f", "rotate=yes,env=prod|staging", "env=*", "=", "|", "02:00-05:00 Asia/Shanghai", "02:00-02:00",
		"cn-north-4=0123456789abcdef0123456789abcdef,cn-east-3=0123456789abcdef0123456789abcdee", "cn-north-4=x", "a/b-c=0123456789abcdef0123456789abcdef"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var tags config.Tags
		if err := tags.Decode(text); err == nil {
			checkTags(t, text, tags)
		} else if tags != nil {
			t.Errorf("Decode(%q) = %v, %v; want an error alone", text, tags, err)
		}
		var list config.List
		if err := list.Decode(text); err == nil {
			for _, item := range list {
				if strings.TrimSpace(item) == "" || !strings.Contains(text, item) {
					t.Errorf("Decode(%q) = %q", text, list)
				}
			}
		}
		var projects config.Projects
		if err := projects.Decode(text); err == nil {
			for region, id := range projects {
				if len(id) != 32 || !strings.Contains(text, region) || !strings.Contains(text, id) || strings.ContainsAny(region+id, "/.@:# ") {
					t.Errorf("Decode(%q) = %v", text, projects)
				}
			}
		}
		var n config.Number
		var d config.Duration
		if n.Decode(text) == nil && d.Decode(text) == nil {
			t.Errorf("%q is a number and a duration: %v, %v", text, n, d)
		}
		var s config.Share
		if err := s.Decode(text); err == nil && s.Of(1) < 1 {
			t.Errorf("Decode(%q) = %v: a share of no machine", text, s)
		}
		var w config.Window
		if err := w.Decode(text); err == nil && !w.IsZero() && (w.Length() <= 0 || w.Length() >= 24*time.Hour) {
			t.Errorf("Decode(%q) = %v, open for %v", text, w, w.Length())
		}
	})
}

// checkTags writes tags again and reads them again.
func checkTags(t *testing.T, text string, tags config.Tags) {
	t.Helper()
	if strings.HasPrefix(text, "@") {
		return
	}
	var items []string
	for key, values := range tags {
		if strings.TrimSpace(key) == "" {
			t.Errorf("Decode(%q) = %v: an empty key", text, tags)
		}
		for _, value := range values {
			if strings.TrimSpace(value) == "" {
				t.Errorf("Decode(%q) = %v: an empty value", text, tags)
			}
		}
		if len(values) == 0 {
			values = []string{"*"}
		}
		items = append(items, key+"="+strings.Join(values, "|"))
	}
	var again config.Tags
	err := again.Decode(" ," + strings.Join(items, ","))
	if diff := cmp.Diff(tags, again); err != nil || diff != "" {
		t.Errorf("Decode(%q) = %v; written and read again: %v\n%s", text, tags, err, diff)
	}
}
