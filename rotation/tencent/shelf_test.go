package tencent_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

const secret = "cvm-admin-test"

// names are what is on the shelf.
func (w *world) names() []string {
	w.t.Helper()
	slots, err := w.shelf.List(w.t.Context(), secret)
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, s := range slots {
		if s != (rotation.Slot{Name: s.Name}) {
			w.t.Errorf("slot %+v; want a name alone", s)
		}
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

func TestASecretWithoutVersionsIsEmpty(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, nil)
	if names := w.names(); len(names) != 0 {
		t.Errorf("List = %v; want none", names)
	}
	for _, name := range []string{"current", "previous", "g00000001"} {
		if _, _, err := w.shelf.Read(t.Context(), secret, name); !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("Read(%s) = %v; want ErrNotFound", name, err)
		}
	}
}

func TestASecretThatDoesNotExistIsNotFound(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	_, listErr := w.shelf.List(t.Context(), secret)
	_, _, readErr := w.shelf.Read(t.Context(), secret, "current")
	for what, err := range map[string]error{
		"List": listErr, "Read": readErr,
		"Create": w.shelf.Create(t.Context(), secret, "g00000001", []byte(value)),
		"Point":  w.shelf.Point(t.Context(), secret, "g00000001", rotation.Slot{}, []byte(value)),
	} {
		if !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("%s = %v; want ErrNotFound", what, err)
		}
	}
	if err := w.shelf.Remove(t.Context(), secret, "g00000001"); err != nil {
		t.Errorf("Remove = %v; want nil: it is not there", err)
	}
}

func TestNamesThatNoSecretCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	for _, name := range []string{"", "a/b", "-a", "a b", "a.b", strings.Repeat("a", 129)} {
		_, listErr := w.shelf.List(t.Context(), name)
		_, _, readErr := w.shelf.Read(t.Context(), name, "current")
		for what, err := range map[string]error{
			"List": listErr, "Read": readErr,
			"Create": w.shelf.Create(t.Context(), name, "g00000001", []byte(value)),
			"Point":  w.shelf.Point(t.Context(), name, "g00000001", rotation.Slot{}, []byte(value)),
			"Remove": w.shelf.Remove(t.Context(), name, "g00000001"),
		} {
			if !errors.Is(err, rotation.ErrConfig) {
				t.Errorf("%s of %q = %v; want ErrConfig", what, name, err)
			}
		}
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestWhatIsCreatedIsReadBackAndNeverOverwritten(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, nil)
	odd := `{"password":"<&>\"'\\ü` + canary + `"}`
	if err := w.shelf.Create(t.Context(), secret, "g00000001", []byte(odd)); err != nil {
		t.Fatal(err)
	}
	if err := w.shelf.Create(t.Context(), secret, "g00000001", []byte(value)); !errors.Is(err, rotation.ErrExists) {
		t.Errorf("Create of what is there = %v; want ErrExists", err)
	}
	slot, got, err := w.shelf.Read(t.Context(), secret, "g00000001")
	if err != nil || slot.Name != "g00000001" || string(got) != odd {
		t.Errorf("Read = %+v, %q, %v; want what was created first", slot, got, err)
	}
}

func TestAnEleventhVersionIsRefusedAsFull(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, nil)
	for i := range 10 {
		if err := w.shelf.Create(t.Context(), secret, fmt.Sprintf("g%08d", i+1), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.shelf.Create(t.Context(), secret, "g00000011", []byte(value)); !errors.Is(err, rotation.ErrFull) {
		t.Errorf("Create = %v; want ErrFull", err)
	}
	if err := w.shelf.Remove(t.Context(), secret, "g00000003"); err != nil {
		t.Fatal(err)
	}
	if err := w.shelf.Remove(t.Context(), secret, "g00000003"); err != nil {
		t.Errorf("Remove again = %v; want nil", err)
	}
	if names := w.names(); len(names) != 9 || slices.Contains(names, "g00000003") {
		t.Errorf("List = %v; want 9 without g00000003", names)
	}
}

func TestCurrentIsACopyThatIsNeverAbsent(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, nil)
	for i, v := range []string{value, `{"password":"next"}`} {
		if err := w.shelf.Point(t.Context(), secret, "g00000009", rotation.Slot{Name: "current"}, []byte(v)); err != nil {
			t.Fatal(err)
		}
		slot, got, err := w.shelf.Read(t.Context(), secret, "current")
		if err != nil || slot.Name != "current" || string(got) != v {
			t.Errorf("%d: Read(current) = %+v, %q, %v; want %q", i, slot, got, err, v)
		}
	}
	if err := w.shelf.Remove(t.Context(), secret, "current"); !errors.Is(err, rotation.ErrConflict) {
		t.Errorf("Remove(current) = %v; want ErrConflict", err)
	}
	if names := w.names(); !slices.Equal(names, []string{"current"}) {
		t.Errorf("List = %v; want current alone", names)
	}
	for _, r := range w.Requests() {
		if r.Action == "DeleteSecretVersion" {
			t.Error("the pointer was deleted")
		}
	}
}

func TestASecretThatCannotBeReadSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, map[string]string{"current": value})
	for status, remedy := range map[string]string{
		tencentsim.SecretDisabled: "enable it", tencentsim.SecretPendingDelete: "restore it",
	} {
		w.SetSecretStatus(secret, status)
		_, _, err := w.shelf.Read(t.Context(), secret, "current")
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v; want ErrConfig and %q", status, err, remedy)
		}
	}
	for code, remedy := range map[string]string{
		"ResourceUnavailable.NotPurchased":          "activate Secrets Manager",
		"ResourceUnavailable.ResourceUninitialized": "not initialized",
		"OperationDenied.AutoRotatedResource":       "a product secret rotated by Tencent Cloud",
	} {
		_, shelf := stubbed(t, failing(code, "No."))
		err := shelf.Create(t.Context(), secret, "g00000001", []byte(value))
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v; want ErrConfig and %q", code, err, remedy)
		}
	}
}

func TestAVersionWithoutTextShowsWhatToStore(t *testing.T) {
	t.Parallel()
	for _, fields := range []string{`"SecretBinary":"YWJj"`, `"SecretString":"","SecretBinary":""`, `"SecretName":"s"`} {
		_, shelf := stubbed(t, func(string, string) (int, string) { return 200, `{"Response":{` + fields + `,"RequestId":"r"}}` })
		_, _, err := shelf.Read(t.Context(), secret, "current")
		if !errors.Is(err, rotation.ErrConfig) || !strings.Contains(err.Error(), rotation.Example) {
			t.Errorf("%s: Read = %v; want ErrConfig and what to store", fields, err)
		}
	}
}

func TestALostReplyOfAWriteIsAmbiguous(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	w.PutSecret(secret, map[string]string{"current": value})
	for i, fault := range []string{"lost-reply", "bad-gateway-applied", "internal-error-applied", "cut"} {
		w.FailNext("PutSecretValue", 1, fault)
		name := fmt.Sprintf("g%08d", i+1)
		wantAmbiguous(t, w.shelf.Create(t.Context(), secret, name, []byte(value)))
		if _, _, err := w.shelf.Read(t.Context(), secret, name); (err == nil) != (fault != "cut") {
			t.Errorf("%s: Read = %v", fault, err)
		}
		w.FailNext("UpdateSecret", 1, fault)
		wantAmbiguous(t, w.shelf.Point(t.Context(), secret, name, rotation.Slot{}, []byte(value)))
	}
}

// TestAStoreKeepsEveryGeneration rotates a secret far beyond what its ten versions can hold.
func TestAStoreKeepsEveryGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, _, cloud := inProcess(t, tencentsim.Config{})
		cloud.PutSecret(secret, map[string]string{"current": `{"username":"","password":"Baseline.2024-Ab","owner":"me"}`})
		store, err := tencent.NewStore(configOf(cloud), region)
		if err != nil {
			t.Fatal(err)
		}
		const generations = 25
		for n := 2; n <= generations; n++ {
			v := rotation.Version{Generation: n, Token: fmt.Sprint("t", n), Password: rotation.NewPassword(fmt.Sprintf("Generation.%04d-Ab", n))}
			got, err := store.Propose(t.Context(), secret, v)
			if err != nil || !got.SamePassword(v) {
				t.Fatalf("Propose(%d) = %+v, %v", n, got, err)
			}
			if err := store.Promote(t.Context(), secret, got); err != nil {
				t.Fatalf("Promote(%d) = %v", n, err)
			}
			if used := len(cloud.Secret(secret)); used > 9 {
				t.Fatalf("after generation %d the secret has %d versions: no room is left", n, used)
			}
		}
		wantGenerations(t, store, generations)
		for name, v := range cloud.Secret(secret) {
			if len(v) > 4096 {
				t.Errorf("version %s has %d bytes", name, len(v))
			}
		}
		for _, r := range cloud.Requests() {
			if r.Code == "RequestLimitExceeded" || r.Code == "InvalidParameterValue" {
				t.Errorf("%s: %s", r.Action, r.Code)
			}
		}
	})
}

// wantGenerations fails unless the store tells of all generations up to n, which is current.
func wantGenerations(t *testing.T, store rotation.Store, n int) {
	t.Helper()
	history, err := store.History(t.Context(), secret)
	if err != nil || len(history) != n {
		t.Errorf("History = %d versions, %v; want %d", len(history), err, n)
	}
	for stage, want := range map[rotation.Stage]int{rotation.Current: n, rotation.Previous: n - 1} {
		v, err := store.Get(t.Context(), secret, stage)
		if err != nil || v.Generation != want {
			t.Errorf("Get(%s) = generation %d, %v; want %d", stage, v.Generation, err, want)
		}
	}
	if _, err := store.Get(t.Context(), secret, rotation.Pending); !errors.Is(err, rotation.ErrNotFound) {
		t.Errorf("Get(pending) = %v; want ErrNotFound", err)
	}
}
