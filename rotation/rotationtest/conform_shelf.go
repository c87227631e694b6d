package rotationtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// A ShelfHarness opens the shelf under test.
type ShelfHarness struct {
	// Open returns a shelf and a secret that exists and holds no version.
	Open func(t *testing.T) (shelf rotation.Shelf, secret string)
	// CreatesIfAbsent reports that Create refuses a name that is taken.
	CreatesIfAbsent bool
	// Seeded reports that a secret has to have a current value before anything is created: Open's has one.
	Seeded bool
}

// TestShelf holds the contract of rotation.Shelf, which every driver of a secrets manager must pass.
func TestShelf(t *testing.T, h ShelfHarness) {
	const name, second = "g00000001", "g00000002"
	one, two := []byte(`{"password":"one <&> é"}`), []byte(`{"password":"two"}`)
	ctx := context.Background()

	t.Run("a secret without versions is empty", func(t *testing.T) {
		shelf, secret := h.Open(t)
		slots, err := shelf.List(ctx, secret)
		if err != nil || len(slots) != 0 {
			t.Errorf("List = %v, %v; want nothing", slots, err)
		}
		if _, _, err := shelf.Read(ctx, secret, string(rotation.Current)); !h.Seeded && !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("Read(current) = %v; want ErrNotFound", err)
		}
	})
	t.Run("what was created reads back byte for byte", func(t *testing.T) {
		shelf, secret := h.Open(t)
		mustCreate(t, shelf, secret, name, one)
		slot, value, err := shelf.Read(ctx, secret, name)
		if err != nil || !bytes.Equal(value, one) || slot.Name != name {
			t.Errorf("Read = %v, %d bytes, %v; want the slot %s and its %d bytes", slot, len(value), err, name, len(one))
		}
		if slots, err := shelf.List(ctx, secret); err != nil || len(slots) != 1 || slots[0].Name != name {
			t.Errorf("List = %v, %v; want %s", slots, err, name)
		}
		_, value, err = shelf.Read(ctx, secret, string(rotation.Current))
		if found := err == nil; found != h.Seeded || bytes.Equal(value, one) || !found && !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("Read(current) = %v; a created version is not current", err)
		}
	})
	t.Run("a name that is taken is refused and keeps its value", func(t *testing.T) {
		if !h.CreatesIfAbsent {
			return // this store moves its labels blindly: the Ledger's names are unique there
		}
		shelf, secret := h.Open(t)
		mustCreate(t, shelf, secret, name, one)
		if err := shelf.Create(ctx, secret, name, two); !errors.Is(err, rotation.ErrExists) {
			t.Errorf("Create = %v; want ErrExists", err)
		}
		if _, value, err := shelf.Read(ctx, secret, name); err != nil || !bytes.Equal(value, one) {
			t.Errorf("Read = %d bytes, %v; want the first value", len(value), err)
		}
	})
	t.Run("point makes current, also a second time", func(t *testing.T) {
		shelf, secret := h.Open(t)
		mustCreate(t, shelf, secret, name, one)
		mustCreate(t, shelf, secret, second, two)
		from := currentSlot(t, shelf, secret, h.Seeded)
		for _, to := range []struct {
			name  string
			value []byte
		}{{name, one}, {name, one}, {second, two}} {
			if err := shelf.Point(ctx, secret, to.name, from, to.value); err != nil {
				t.Fatalf("Point(%s) = %v", to.name, err)
			}
			slot, value, err := shelf.Read(ctx, secret, string(rotation.Current))
			if err != nil || !bytes.Equal(value, to.value) {
				t.Fatalf("Read(current) = %d bytes, %v; want the value of %s", len(value), err, to.name)
			}
			from = slot
		}
	})
	t.Run("what was removed is gone, also a second time, and current stays", func(t *testing.T) {
		shelf, secret := h.Open(t)
		mustCreate(t, shelf, secret, name, one)
		if err := shelf.Point(ctx, secret, name, currentSlot(t, shelf, secret, h.Seeded), one); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := shelf.Remove(ctx, secret, name); err != nil && !errors.Is(err, rotation.ErrNotFound) {
				t.Fatalf("Remove = %v", err)
			}
		}
		if _, _, err := shelf.Read(ctx, secret, name); !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("Read = %v; want ErrNotFound", err)
		}
		if _, value, err := shelf.Read(ctx, secret, string(rotation.Current)); err != nil || !bytes.Equal(value, one) {
			t.Errorf("Read(current) = %d bytes, %v; want what was current", len(value), err)
		}
	})
	t.Run("a secret that does not exist is not found", func(t *testing.T) {
		shelf, _ := h.Open(t)
		if _, err := shelf.List(ctx, "no-such-secret"); !errors.Is(err, rotation.ErrNotFound) {
			t.Errorf("List = %v; want ErrNotFound", err)
		}
	})
	t.Run("a cancelled call writes nothing", func(t *testing.T) {
		shelf, secret := h.Open(t)
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := shelf.Create(done, secret, name, one); !errors.Is(err, context.Canceled) {
			t.Errorf("Create = %v; want context.Canceled", err)
		}
		if slots, err := shelf.List(ctx, secret); err != nil || len(slots) != 0 {
			t.Errorf("List = %v, %v; want nothing", slots, err)
		}
	})
}

// currentSlot is what is current before the first Point; zero where a secret begins without.
func currentSlot(t *testing.T, shelf rotation.Shelf, secret string, seeded bool) rotation.Slot {
	t.Helper()
	slot, _, err := shelf.Read(context.Background(), secret, string(rotation.Current))
	if seeded != (err == nil) {
		t.Fatalf("Read(current) = %v", err)
	}
	return slot
}

func mustCreate(t *testing.T, shelf rotation.Shelf, secret, name string, value []byte) {
	t.Helper()
	if err := shelf.Create(context.Background(), secret, name, value); err != nil {
		t.Fatalf("Create(%s) = %v", name, err)
	}
}

// A StoreHarness opens the store under test.
type StoreHarness struct {
	// Open returns a store and a secret whose current value a person stored: {"username":"","password":Baseline}.
	Open func(t *testing.T) (store rotation.Store, secret string)
	// Human puts a value into current as a person would.
	Human func(t *testing.T, value string)
	// Bubble runs a part of the suite, in virtual time say; nil runs it as it is.
	Bubble func(*testing.T, func(*testing.T))
}

// run runs one part.
func (h StoreHarness) run(t *testing.T, guarantee string, part func(*testing.T)) {
	t.Run(guarantee, func(t *testing.T) {
		if h.Bubble == nil {
			part(t)
			return
		}
		h.Bubble(t, part)
	})
}

// TestStore holds the contract of rotation.Store.
func TestStore(t *testing.T, h StoreHarness) {
	ctx := context.Background()
	version := func(generation int, password string) rotation.Version {
		return rotation.Version{
			Generation: generation, Token: fmt.Sprintf("token %d", generation), Password: rotation.NewPassword(password),
			Created: time.Date(2026, 11, 21, 18, 0, generation, 0, time.UTC), Birth: "birth",
		}
	}
	propose := func(t *testing.T, s rotation.Store, secret string, v rotation.Version) rotation.Version {
		t.Helper()
		got, err := s.Propose(ctx, secret, v)
		if err != nil {
			t.Fatalf("Propose(%d) = %v", v.Generation, err)
		}
		return got
	}
	get := func(t *testing.T, s rotation.Store, secret string, stage rotation.Stage) string {
		t.Helper()
		v, err := s.Get(ctx, secret, stage)
		if errors.Is(err, rotation.ErrNotFound) {
			return ""
		}
		if err != nil {
			t.Fatalf("Get(%s) = %v", stage, err)
		}
		return v.Password.Reveal()
	}

	h.run(t, "a version is pending, then current, and what was current is previous", func(t *testing.T) {
		s, secret := h.Open(t)
		v := propose(t, s, secret, version(2, "second"))
		if p, c := get(t, s, secret, rotation.Pending), get(t, s, secret, rotation.Current); p != "second" || c != Baseline {
			t.Errorf("after Propose pending is %q and current %q", p, c)
		}
		for range 2 { // it may be repeated
			if err := s.Promote(ctx, secret, v); err != nil {
				t.Fatalf("Promote = %v", err)
			}
		}
		if c, p := get(t, s, secret, rotation.Current), get(t, s, secret, rotation.Previous); c != "second" || p != Baseline {
			t.Errorf("after Promote current is %q and previous %q", c, p)
		}
		if p := get(t, s, secret, rotation.Pending); p != "" {
			t.Errorf("after Promote %q is pending", p)
		}
	})
	h.run(t, "of one generation everybody gets the same candidate", func(t *testing.T) {
		s, secret := h.Open(t)
		first := propose(t, s, secret, version(2, "mine"))
		if got := propose(t, s, secret, version(2, "yours")); !got.SamePassword(first) {
			t.Errorf("the second Propose returned another candidate")
		}
	})
	h.run(t, "a higher generation supersedes, and the old one stays readable", func(t *testing.T) {
		s, secret := h.Open(t)
		old := propose(t, s, secret, version(2, "second"))
		propose(t, s, secret, version(3, "third"))
		if err := s.Promote(ctx, secret, old); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Promote of what was superseded = %v; want ErrConflict", err)
		}
		holds(t, s, secret, Baseline, "second", "third")
	})
	h.run(t, "a generation that comes too late is a conflict", func(t *testing.T) {
		s, secret := h.Open(t)
		if err := s.Promote(ctx, secret, propose(t, s, secret, version(2, "second"))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Propose(ctx, secret, version(2, "late")); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Propose = %v; want ErrConflict", err)
		}
	})
	h.run(t, "an edit by hand is kept, and supersedes what is pending", func(t *testing.T) {
		s, secret := h.Open(t)
		v := propose(t, s, secret, version(2, "second"))
		h.Human(t, `{"username":"","password":"by hand"}`)
		if err := s.Promote(ctx, secret, v); !errors.Is(err, rotation.ErrConflict) {
			t.Errorf("Promote over an edit by hand = %v; want ErrConflict", err)
		}
		if p := get(t, s, secret, rotation.Pending); p != "" {
			t.Errorf("%q is still pending", p)
		}
		next := version(4, "fourth")
		if err := s.Promote(ctx, secret, propose(t, s, secret, next)); err != nil {
			t.Fatal(err)
		}
		holds(t, s, secret, Baseline, "second", "by hand", "fourth")
	})
	h.run(t, "sixty generations stay readable", func(t *testing.T) {
		s, secret := h.Open(t)
		all := []string{Baseline}
		for n := 2; n <= 61; n++ {
			all = append(all, fmt.Sprintf("password %d", n))
			if err := s.Promote(ctx, secret, propose(t, s, secret, version(n, all[len(all)-1]))); err != nil {
				t.Fatalf("generation %d: %v", n, err)
			}
		}
		holds(t, s, secret, all...)
	})
}

// holds fails when the history lacks one of the passwords.
func holds(t *testing.T, s rotation.Store, secret string, passwords ...string) {
	t.Helper()
	history, err := s.History(context.Background(), secret)
	if err != nil {
		t.Fatalf("History = %v", err)
	}
	have := map[string]bool{}
	for _, v := range history {
		have[v.Password.Reveal()] = true
	}
	for _, p := range passwords {
		if !have[p] {
			t.Errorf("the history of %d versions lacks %q", len(history), p)
		}
	}
}
