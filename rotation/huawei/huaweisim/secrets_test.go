package huaweisim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

const demo = huaweisim.DemoSecret

// create adds a version and returns its id; no stages is the default.
func (w *world) create(value string, stages ...string) (string, error) {
	body := &model.CreateSecretVersionRequestBody{SecretString: &value}
	if stages != nil {
		body.VersionStages = &stages
	}
	resp, err := w.csms.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: demo, Body: body})
	if err != nil {
		return "", err
	}
	return *resp.VersionMetadata.Id, nil
}

func (w *world) point(stage, version string) error {
	_, err := w.csms.UpdateSecretStage(&model.UpdateSecretStageRequest{SecretName: demo, StageName: stage,
		Body: &model.UpdateSecretStageRequestBody{VersionId: version}})
	return err
}

func (w *world) unpoint(stage string) error {
	_, err := w.csms.DeleteSecretStage(&model.DeleteSecretStageRequest{SecretName: demo, StageName: stage})
	return err
}

func (w *world) value(version string) (string, error) {
	resp, err := w.csms.ShowSecretVersion(&model.ShowSecretVersionRequest{SecretName: demo, VersionId: version})
	if err != nil {
		return "", err
	}
	return *resp.Version.SecretString, nil
}

func wantStages(t *testing.T, w *world, want map[string]string) {
	t.Helper()
	if got := w.Stages(demo); !maps.Equal(got, want) {
		t.Errorf("stages %v; want %v", got, want)
	}
}

func TestVersionsAreNumberedAndReadBack(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	wantStages(t, w, map[string]string{"SYSCURRENT": "v1"})
	id, err := w.create("two")
	if wantCode(t, err, ""); id != "v2" {
		t.Errorf("the second version is %s", id)
	}
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1"})
	id, err = w.create("three", "own", "PENDING")
	if wantCode(t, err, ""); id != "v3" {
		t.Errorf("the third version is %s", id)
	}
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1", "own": "v3", "PENDING": "v3"})
	if got, err := w.value("v3"); err != nil || got != "three" {
		t.Errorf("value = %q, %v", got, err)
	}
	resp, err := w.csms.ListSecretVersions(&model.ListSecretVersionsRequest{SecretName: demo})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, v := range *resp.VersionMetadatas {
		listed = append(listed, *v.Id+" "+strings.Join(*v.VersionStages, " "))
	}
	if want := []string{"v3 PENDING own", "v2 SYSCURRENT", "v1 SYSPREVIOUS"}; !slices.Equal(listed, want) {
		t.Errorf("listed %q; want %q", listed, want)
	}
	if strings.Contains(string(w.last.body), "three") {
		t.Error("a list shows values")
	}
}

func TestStagesMoveBlindly(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	w.create("two", "own")
	wantCode(t, w.point("SYSCURRENT", "v2"), "")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "own": "v2"}) // SYSPREVIOUS does not follow
	wantCode(t, w.point("SYSPREVIOUS", "v1"), "")
	wantCode(t, w.point("own", "v1"), "")
	wantCode(t, w.point("own", "v1"), "")
	w.create("three", "own")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1", "own": "v3"})
	resp, err := w.csms.ShowSecretStage(&model.ShowSecretStageRequest{SecretName: demo, StageName: "own"})
	if err != nil || *resp.Stage.VersionId != "v3" || *resp.Stage.Name != "own" {
		t.Errorf("ShowSecretStage = %v, %v", resp, err)
	}
	wantCode(t, w.unpoint("own"), "")
	wantCode(t, w.unpoint("own"), "CSMS.0005")
	wantCode(t, w.unpoint("SYSCURRENT"), "CSMS.0105")
	wantCode(t, w.unpoint("SYSPREVIOUS"), "CSMS.0105")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1"})
}

func TestPreviousMayFollow(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Answers: huaweisim.Answers{PreviousFollows: true}})
	w.create("two", "own")
	wantCode(t, w.point("SYSCURRENT", "v2"), "")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1", "own": "v2"})
	wantCode(t, w.point("SYSCURRENT", "v2"), "")
	wantStages(t, w, map[string]string{"SYSCURRENT": "v2", "SYSPREVIOUS": "v1", "own": "v2"})
}

func TestVersionsWithoutAStageGoWhenRoomIsNeeded(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	for i := 2; i <= 20; i++ {
		w.create(fmt.Sprint(i), "moving")
	}
	if got := w.Secret(demo); len(got) != 20 || got["v1"] == "" || got["v2"] == "" {
		t.Fatalf("%d versions of 20", len(got))
	}
	w.create("21", "moving")
	got := w.Secret(demo)
	if _, oldest := got["v2"]; len(got) != 20 || oldest || got["v1"] == "" || got["v3"] == "" {
		t.Errorf("%d versions; the oldest without a stage is there: %v", len(got), oldest)
	}
	if _, err := w.value("v2"); code(err) != "CSMS.0005" {
		t.Errorf("a deleted version: %v", err)
	}
}

func TestVersionsWithoutAStageMayGoAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Answers: huaweisim.Answers{UnlabelledVanish: true}})
	w.create("two", "own")
	w.create("three", "own")
	if got := w.Secret(demo); len(got) != 2 || got["v2"] != "" {
		t.Errorf("versions %v", slices.Sorted(maps.Keys(got)))
	}
	wantCode(t, w.unpoint("own"), "")
	wantCode(t, w.point("SYSPREVIOUS", "v3"), "CSMS.0005")
	id, err := w.create("four")
	if wantCode(t, err, ""); id != "v4" || len(w.Secret(demo)) != 2 {
		t.Errorf("%s among %v: numbers are used again", id, w.Stages(demo))
	}
}

func TestASecretHasTwelveStages(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	w.create("two")
	for i := range 10 {
		_, err := w.create("x", fmt.Sprint("own", i))
		wantCode(t, err, "")
	}
	_, err := w.create("x", "one-too-many")
	wantCode(t, err, "CSMS.0203")
	wantCode(t, w.point("one-too-many", "v2"), "CSMS.0203")
	wantCode(t, w.point("own3", "v2"), "")
	_, err = w.create("x", "own4")
	wantCode(t, err, "")
	if got := len(w.Stages(demo)); got != 12 {
		t.Errorf("%d stages", got)
	}
}

func TestMalformedVersionsAreRefused(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	long := strings.Repeat("x", 65)
	for _, stages := range [][]string{{}, {""}, {"a b"}, {"a.b"}, {long}, slices.Repeat([]string{"s"}, 13)} {
		_, err := w.create("x", stages...)
		wantCode(t, err, "CSMS.0002")
	}
	_, err := w.create("", "own")
	wantCode(t, err, "CSMS.0002")
	_, err = w.create(strings.Repeat("x", 32<<10+1), "own")
	wantCode(t, err, "CSMS.0002")
	_, err = w.create(strings.Repeat("x", 32<<10), "own")
	wantCode(t, err, "")
	body := &model.CreateSecretVersionRequestBody{SecretString: ptr("a"), SecretBinary: ptr("YQ==")}
	_, err = w.csms.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: demo, Body: body})
	wantCode(t, err, "CSMS.0002")
	for _, version := range []string{"v0", "v01", "latest", "2", "v"} {
		wantCode(t, w.point("own", version), "CSMS.0002")
	}
	if got := len(w.Secret(demo)); got != 2 {
		t.Errorf("%d versions", got)
	}
}

func TestWhatIsMissingHasACode(t *testing.T) {
	t.Parallel()
	for _, answers := range []huaweisim.Answers{{}, {MissingIs404: true}} {
		w := open(t, huaweisim.Config{Answers: answers})
		status := 400
		if answers.MissingIs404 {
			status = 404
		}
		_, err := w.csms.ShowSecret(&model.ShowSecretRequest{SecretName: "absent"})
		if wantCode(t, err, "CSMS.0106"); w.last.status != status {
			t.Errorf("HTTP %d; want %d", w.last.status, status)
		}
		_, err = w.csms.ShowSecretStage(&model.ShowSecretStageRequest{SecretName: demo, StageName: "absent"})
		if wantCode(t, err, "CSMS.0005"); w.last.status != status {
			t.Errorf("HTTP %d; want %d", w.last.status, status)
		}
		_, err = w.value("v9")
		wantCode(t, err, "CSMS.0005")
		wantCode(t, w.point("own", "v9"), "CSMS.0005")
	}
}

func TestSecretsThatAreNotEnabledCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	for state, want := range map[string]string{huaweisim.SecretDisabled: "CSMS.0109", huaweisim.SecretFrozen: "CSMS.0109",
		huaweisim.SecretPendingDelete: "CSMS.0103", huaweisim.SecretEnabled: ""} {
		w.SetSecretState(demo, state)
		_, err := w.value("v1")
		wantCode(t, err, want)
		_, err = w.create("x", "own")
		wantCode(t, err, want)
		wantCode(t, w.point("own", "v1"), want)
		resp, err := w.csms.ShowSecret(&model.ShowSecretRequest{SecretName: demo})
		if err != nil || *resp.Secret.State != state {
			t.Errorf("%s: ShowSecret = %v, %v", state, resp, err)
		}
	}
}

func TestSecretsAreCreatedWithTheirFirstVersion(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{})
	make := func(name string) error {
		_, err := w.csms.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: name, SecretString: ptr("one")}})
		return err
	}
	wantCode(t, make("mine"), "")
	wantCode(t, make("mine"), "CSMS.0002")
	wantCode(t, make("not/mine"), "CSMS.0002")
	if got := w.Secret("mine"); !maps.Equal(got, map[string]string{"v1": "one"}) || w.Stages("mine")["SYSCURRENT"] != "v1" {
		t.Errorf("%v at %v", got, w.Stages("mine"))
	}
	resp, err := w.csms.ListSecrets(&model.ListSecretsRequest{Limit: ptr("1"), Marker: ptr(demo)})
	if err != nil || len(*resp.Secrets) != 1 || *(*resp.Secrets)[0].Name != "mine" || resp.PageInfo.NextMarker != nil {
		t.Errorf("ListSecrets = %v, %v", resp, err)
	}
	if w.Secret("absent") != nil || w.Stages("absent") != nil {
		t.Error("a secret that is not there")
	}
}

func TestVersionsArePaged(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{Rates: 100})
	for range 6 {
		w.create("x", "moving")
	}
	var all []string
	var marker *string
	for range 10 {
		resp, err := w.csms.ListSecretVersions(&model.ListSecretVersionsRequest{SecretName: demo, Limit: ptr[int32](3), Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range *resp.VersionMetadatas {
			all = append(all, *v.Id)
		}
		if marker = resp.PageInfo.NextMarker; marker == nil {
			break
		}
	}
	if want := []string{"v7", "v6", "v5", "v4", "v3", "v2", "v1"}; !slices.Equal(all, want) {
		t.Errorf("pages %q; want %q", all, want)
	}
}
