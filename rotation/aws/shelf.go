package aws

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// The service's own labels.
const (
	labelCurrent  = "AWSCURRENT"
	labelPrevious = "AWSPREVIOUS"
	labelPending  = "AWSPENDING"
)

// labelNew is on the version that was put last. Every PutSecretValue needs a label, and moves it: this one says nothing, so
// that nobody loses by its going. A version counts from the moment that it has a label of its own.
const labelNew = "relock-new"

// Limits of a secret: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html. It has 20 labels,
// of which the service's three and labelNew take no room of ours; from 14 in use on, room is made.
const (
	slots     = 20 - 4
	compactAt = 14 - 4
	maxBytes  = 65536
)

// A Shelf is the secrets of one region of Secrets Manager. A slot is a label of ours on a version: putting a label where it
// is nowhere is the service's create-if-absent, whatever the version's id. Errors name the request. It may be used by
// several goroutines.
type Shelf struct {
	*client
	// token is the id of the version that a rotation of the service's own fills; empty outside its four steps. proof goes
	// with what is put under it; it may be zero.
	token string
	proof rotation.Password
}

var (
	_ rotation.Shelf   = (*Shelf)(nil)
	_ rotation.Labeler = (*Shelf)(nil)
)

// NewShelf returns the secrets of a region, or everything that is wrong with cfg, matching rotation.ErrConfig. It sends
// nothing.
func NewShelf(cfg Config, region string) (*Shelf, error) {
	c, err := newClient(cfg, region)
	if err != nil {
		return nil, err
	}
	return &Shelf{client: c}, nil
}

var secretName = regexp.MustCompile(`^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[0-9A-Za-z/_+=.@-]{1,512}$`)

// checkName refuses what can be no secret: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html.
func checkName(secret string) error {
	if secretName.MatchString(secret) {
		return nil
	}
	return fmt.Errorf("%w: secret %q: AWS takes names of 1 to 512 letters, digits and /_+=.@-, or an ARN", rotation.ErrConfig, secret)
}

// look is describe of a secret that can be used.
func (s *Shelf) look(ctx context.Context, secret string) (*state, error) {
	st, err := s.describe(ctx, secret)
	if err == nil && st.deleted {
		return nil, fmt.Errorf("%w: the secret %q is marked for deletion: restore it", rotation.ErrConfig, secret)
	}
	return st, err
}

// List implements rotation.Shelf. Labels of others take room as well; the service's own do not.
func (s *Shelf) List(ctx context.Context, secret string) ([]rotation.Slot, error) {
	st, err := s.look(ctx, secret)
	if err != nil {
		return nil, err
	}
	var all []rotation.Slot
	for label, id := range st.labels {
		if !strings.HasPrefix(label, "AWS") && label != labelNew {
			all = append(all, rotation.Slot{Name: label, Version: id})
		}
	}
	return all, nil
}

// stageLabel is the label behind a slot's name.
func stageLabel(name string) string {
	switch name {
	case string(rotation.Current):
		return labelCurrent
	case string(rotation.Previous):
		return labelPrevious
	}
	return name
}

// Read implements rotation.Shelf. What the secret's description lists and the value's read does not find is not seen
// everywhere yet: it is read again.
func (s *Shelf) Read(ctx context.Context, secret, name string) (rotation.Slot, []byte, error) {
	var found version
	err := s.until(ctx, func() (bool, error) {
		v, err := s.get(ctx, secret, stageLabel(name), "")
		if !errors.Is(err, rotation.ErrNotFound) {
			found = v
			return true, err
		}
		st, lookErr := s.look(ctx, secret)
		if lookErr != nil {
			return false, lookErr
		}
		if st.labels[stageLabel(name)] == "" {
			return false, err
		}
		return false, nil
	})
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	if len(found.value) == 0 {
		return rotation.Slot{}, nil, fmt.Errorf("%w: version %s of secret %q holds no text: store %s", rotation.ErrConfig, name, secret, rotation.Example)
	}
	return rotation.Slot{Name: name, Version: found.id}, found.value, nil
}

// Create implements rotation.Shelf. It puts the value first and then the label, where that is nowhere: what is put and
// gets no label is nobody's, and was never sent. A candidate of a rotation of the service's own is the version that its
// token names.
func (s *Shelf) Create(ctx context.Context, secret, name string, value []byte) error {
	st, err := s.look(ctx, secret)
	if err != nil {
		return err
	}
	if st.labels[labelCurrent] == "" {
		// The service makes the first version of a secret current by itself, and this one is not on any machine yet.
		return fmt.Errorf("%w: the secret %q has no value: store %s first, as aws secretsmanager put-secret-value does", rotation.ErrConfig, secret, rotation.Example)
	}
	if st.labels[name] != "" {
		return fmt.Errorf("label %s: %w", name, rotation.ErrExists)
	}
	id := s.token
	if id == "" || !strings.HasPrefix(name, "g") {
		if id, err = newID(); err != nil {
			return err
		}
	}
	err = s.putFresh(ctx, secret, id, value)
	// The token's version may have its value already, from a step that did not get as far as the label: then that value
	// is the candidate.
	if err != nil && !(id == s.token && errors.Is(err, rotation.ErrExists)) {
		return err
	}
	return s.attach(ctx, secret, name, id)
}

// putFresh stores a value as the version of that id, without a label that anybody relies on.
func (s *Shelf) putFresh(ctx context.Context, secret, id string, value []byte) error {
	proof := rotation.Password{}
	if id == s.token {
		proof = s.proof
	}
	return s.put(ctx, secret, id, labelNew, value, proof)
}

// newID returns an id for a version: 32 to 64 characters.
func newID() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a version's id: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// Label implements rotation.Labeler. A label that is on another version stays there: that is rotation.ErrExists.
func (s *Shelf) Label(ctx context.Context, secret string, slot rotation.Slot, name string) error {
	return s.attach(ctx, secret, name, slot.Version)
}

// attach puts a label on a version, unless it is on another one, and returns when that is seen.
func (s *Shelf) attach(ctx context.Context, secret, label, id string) error {
	err := s.until(ctx, func() (bool, error) {
		err := s.moved(ctx, secret, label, id, "")
		if errors.Is(err, rotation.ErrNotFound) {
			return false, nil // the version is not seen everywhere yet
		}
		return true, err
	})
	if err != nil {
		// The answer to a label that is elsewhere is the one to a request that is wrong: look which it is.
		if st, lookErr := s.look(ctx, secret); lookErr == nil && st.labels[label] != "" && st.labels[label] != id {
			return fmt.Errorf("label %s: %w", label, rotation.ErrExists)
		}
		return err
	}
	return s.seen(ctx, secret, label, id)
}

// Point implements rotation.Shelf. Where AWSPENDING is on another version with the same value, that one becomes current:
// it is the one that a rotation of the service's own waits for.
func (s *Shelf) Point(ctx context.Context, secret, to string, from rotation.Slot, _ []byte) error {
	st, err := s.look(ctx, secret)
	if err != nil {
		return err
	}
	id := st.labels[to]
	if id == "" {
		return fmt.Errorf("label %s: %w", to, rotation.ErrNotFound)
	}
	if p := st.labels[labelPending]; p != "" && p != id {
		same, err := s.equal(ctx, secret, p, id)
		if err != nil {
			return err
		}
		if same {
			id = p
		}
	}
	return s.makeCurrent(ctx, secret, id, from.Version)
}

// makeCurrent moves AWSCURRENT from one version to another; the service takes AWSPREVIOUS along. It is refused when
// AWSCURRENT is elsewhere by then.
func (s *Shelf) makeCurrent(ctx context.Context, secret, id, from string) error {
	if id == from {
		return nil
	}
	if err := s.moved(ctx, secret, labelCurrent, id, from); err != nil {
		return err
	}
	return s.seen(ctx, secret, labelCurrent, id)
}

// equal reports whether two versions have the same bytes. One without a value equals none.
func (s *Shelf) equal(ctx context.Context, secret, a, b string) (bool, error) {
	x, err := s.get(ctx, secret, "", a)
	if err == nil {
		var y version
		y, err = s.get(ctx, secret, "", b)
		return err == nil && bytes.Equal(x.value, y.value), err
	}
	if errors.Is(err, rotation.ErrNotFound) {
		return false, nil
	}
	return false, err
}

// Remove implements rotation.Shelf. It refuses the service's own labels.
func (s *Shelf) Remove(ctx context.Context, secret, name string) error {
	if strings.HasPrefix(stageLabel(name), "AWS") {
		return fmt.Errorf("remove label %s of secret %q: consumers read it: %w", name, secret, rotation.ErrConflict)
	}
	st, err := s.look(ctx, secret)
	if err != nil {
		return err
	}
	id := st.labels[name]
	if id == "" {
		return nil
	}
	if err := s.moved(ctx, secret, name, "", id); err != nil {
		return err
	}
	return s.seen(ctx, secret, name, "")
}

// moved is move, when no replica is behind: two moves in a row can leave one behind for ever
// (https://github.com/square/password-rotation-lambda/pull/12).
func (s *Shelf) moved(ctx context.Context, secret, label, to, from string) error {
	err := s.until(ctx, func() (bool, error) {
		st, err := s.look(ctx, secret)
		return err == nil && !st.syncing, err
	})
	if errors.Is(err, errUnseen) {
		return fmt.Errorf("secret %q: its replicas are not in sync: %w", secret, rotation.ErrThrottled)
	}
	if err != nil {
		return err
	}
	return s.move(ctx, secret, label, to, from)
}

// seen waits until a label is seen on a version, or nowhere when id is empty.
func (s *Shelf) seen(ctx context.Context, secret, label, id string) error {
	err := s.until(ctx, func() (bool, error) {
		st, err := s.look(ctx, secret)
		if err != nil || st.labels[label] != id || id == "" {
			return err == nil && st.labels[label] == id, err
		}
		v, err := s.get(ctx, secret, label, "")
		if errors.Is(err, rotation.ErrNotFound) {
			return false, nil
		}
		return v.id == id, err
	})
	if err != nil {
		return fmt.Errorf("look for what was written to %q: %w", secret, err)
	}
	return nil
}

// errUnseen is a change that does not show in time.
var errUnseen = errors.New("not seen yet: Secrets Manager is slow to show what was written")

// until asks again, with growing pauses, until what was written is seen: some seconds in all.
// https://github.com/aws/aws-sdk-js-v3/issues/7701 tells of a version that could not be read just after it was made.
func (s *Shelf) until(ctx context.Context, done func() (bool, error)) error {
	const tries = 8
	pause := 50 * time.Millisecond
	for try := 1; ; try++ {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if try == tries {
			return errUnseen
		}
		if err := s.clock.Wait(ctx, pause); err != nil {
			return fmt.Errorf("%w: %w", wire.Ended(ctx), errUnseen)
		}
		pause *= 2
	}
}
