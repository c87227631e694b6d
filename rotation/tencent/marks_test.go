package tencent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

const secretMark = "0123456789ab"

func mark(state rotation.MarkState, tries int) rotation.Mark {
	return rotation.Mark{Secret: secretMark, Generation: 42, State: state, Tries: tries}
}

// wantTags fails unless every machine truly has the mark, and its other tags.
func (w *world) wantTags(batch []rotation.Instance, want rotation.Mark) {
	w.t.Helper()
	for _, inst := range batch {
		tags := w.machine(inst.ID).Tags
		if got := rotation.ParseMark(tags); got != want {
			w.t.Errorf("%s has the mark %+v; want %+v", inst.ID, got, want)
		}
		for key, value := range inst.Tags {
			if key != rotation.MarkTag && key != rotation.SecretTag && tags[key] != value {
				w.t.Errorf("%s: tag %s is %q; want %q as before", inst.ID, key, tags[key], value)
			}
		}
	}
}

func TestMarksAreWrittenWhateverTheMachinesHad(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]tencentsim.Answers{
		"the evidence's answers": {},
		"attach replaces":        {AttachReplaces: true},
		"attach refuses equals":  {AttachEqualFails: true},
		"modify attaches":        {ModifyAttaches: true},
		"half is applied":        {PartialAcceptance: true},
		"half, equals refused":   {PartialAcceptance: true, AttachEqualFails: true},
		"tags must exist":        {TagsMustExist: true},
		"seen late":              {TagsVisibleLate: true},
		"nobody named":           {MessagesOmitIDs: true, TagsCheckMachines: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, tencentsim.Config{Answers: answers})
			var ids []string
			for i, tags := range []map[string]string{
				nil, {"env": "prod"}, {"relock": "41.ok"}, {"relock-secret": secretMark}, {"relock-secret": "ffffffffffff", "relock": "7.up.1"},
				{"relock-secret": secretMark, "relock": "41.ok", "env": "dev"},
			} {
				for range 11 + i {
					ids = append(ids, w.Add(tencentsim.Machine{Tags: maps.Clone(tags)}))
				}
			}
			batch := w.describe(ids...)
			for _, m := range []rotation.Mark{mark(rotation.MarkDown, 1), mark(rotation.MarkUp, 1), mark(rotation.MarkOK, 0)} {
				// The batch is as it was described: its tags are older with every mark.
				if err := w.fleet.Mark(t.Context(), batch, m); err != nil {
					t.Fatalf("Mark(%s) = %v", m.Value(), err)
				}
				w.wantTags(batch, m)
			}
		})
	}
}

func TestMarksOfManyMachinesTakeFewRequests(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	batch := w.stopped(100)
	for _, c := range []struct {
		mark rotation.Mark
		want map[string]int
	}{
		{mark(rotation.MarkDown, 1), map[string]int{"tag AttachResourcesTag": 4}},                                 // both tags, 50 at a time
		{mark(rotation.MarkUp, 1), map[string]int{"tag AttachResourcesTag": 4, "tag ModifyResourcesTagValue": 2}}, // the secret's name does not change
	} {
		if err := w.fleet.Mark(t.Context(), batch, c.mark); err != nil {
			t.Fatal(err)
		}
		sent, _ := w.calls.Counts()
		delete(sent, "cvm DescribeInstances")
		if !maps.Equal(sent, c.want) {
			t.Errorf("after %s: %v; want %v", c.mark.Value(), sent, c.want)
		}
	}
	w.wantTags(batch, mark(rotation.MarkUp, 1))
}

func TestTheSecretsNameIsWrittenFirst(t *testing.T) {
	t.Parallel()
	var keys []string
	fleet, _ := stubbed(t, func(_, body string) (int, string) {
		var tag struct{ TagKey, TagValue, ServiceType, ResourcePrefix, ResourceRegion string }
		if err := json.Unmarshal([]byte(body), &tag); err != nil {
			t.Error(err)
		}
		keys = append(keys, fmt.Sprintf("%s=%s %s %s %s", tag.TagKey, tag.TagValue, tag.ServiceType, tag.ResourcePrefix, tag.ResourceRegion))
		return 200, `{"Response":{"RequestId":"r"}}`
	})
	if err := fleet.Mark(t.Context(), machines("ins-00000001"), mark(rotation.MarkDown, 1)); err != nil {
		t.Fatal(err)
	}
	want := "relock-secret=0123456789ab cvm instance ap-guangzhou,relock=42.down.1 cvm instance ap-guangzhou"
	if got := strings.Join(keys, ","); got != want {
		t.Errorf("sent %s; want %s", got, want)
	}
}

func TestAMarkThatNamesTheSecretAlreadyIsBelieved(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	batch := w.describe(w.Add(tencentsim.Machine{Tags: map[string]string{"relock-secret": "ffffffffffff", "relock": "3.down.1"}}))
	batch[0].Mark.Secret = secretMark // the engine does so when it cannot tell whose mark it is
	if err := w.fleet.Mark(t.Context(), batch, mark(rotation.MarkUp, 1)); err != nil {
		t.Fatal(err)
	}
	tags := w.machine(batch[0].ID).Tags
	if tags["relock-secret"] != "ffffffffffff" || tags["relock"] != "42.up.1" {
		t.Errorf("tags %v; want the secret's name left alone", tags)
	}
}

func TestAMarkThatFailsIsAnErrorAndMayBeRepeated(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"internal-error", "lost-reply", "throttle", "bad-gateway-applied"} {
		w := open(t, tencentsim.Config{})
		batch := w.stopped(60)
		w.FailNext("AttachResourcesTag", 4, fault)
		if err := w.fleet.Mark(t.Context(), batch, mark(rotation.MarkDown, 1)); err == nil {
			t.Errorf("%s: Mark = nil; want an error: 10 machines may not have it", fault)
		}
		if err := w.fleet.Mark(t.Context(), batch, mark(rotation.MarkDown, 1)); err != nil {
			t.Errorf("%s: again: %v", fault, err)
		}
		w.wantTags(batch, mark(rotation.MarkDown, 1))
	}
	fleet, _ := stubbed(t, failing("UnauthorizedOperation", "You may not (tag:AttachResourcesTag)."))
	if err := fleet.Mark(t.Context(), machines("ins-00000001"), mark(rotation.MarkDown, 1)); !errors.Is(err, rotation.ErrUnauthorized) {
		t.Errorf("Mark = %v; want ErrUnauthorized", err)
	}
}

func TestATagServiceThatContradictsItselfIsAnError(t *testing.T) {
	t.Parallel()
	requests := 0
	fleet, _ := stubbed(t, func(action, _ string) (int, string) {
		requests++
		if action == "AttachResourcesTag" {
			return 200, failure("ResourceInUse.TagKeyAttached", "Attached.")
		}
		return 200, failure("ResourceNotFound.AttachedTagKeyNotFound", "Not attached.")
	})
	err := fleet.Mark(t.Context(), machines("ins-00000001", "ins-00000002"), mark(rotation.MarkDown, 1))
	if err == nil || requests > 8 {
		t.Errorf("Mark = %v after %d requests; want an error soon", err, requests)
	}
}
