package huawei

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Limits of a secret: 12 labels in all, of which the two built-in ones are taken
// (https://support.huaweicloud.com/intl/en-us/api-dew/UpdateSecretStage.html), and 32 KB a value. Three own labels stay
// free: a candidate, an archive, one more.
const (
	slots     = 10
	compactAt = 7
	maxBytes  = 32 << 10
)

// The built-in labels. There is none for what is pending.
const (
	current  = "SYSCURRENT"
	previous = "SYSPREVIOUS"
)

// A Shelf is the secrets of one region of CSMS. A slot is a label, its Version what CSMS calls the version that the label is
// on, and its Order that version's number. CSMS moves labels blindly and may delete a version without one, so every slot
// keeps its label until it is removed. Errors name the request; which secret it was about is the caller's to say. It may
// be used by several goroutines.
type Shelf struct{ client *client }

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
	return &Shelf{c}, nil
}

// NewStore is NewShelf as a rotation.Store. Its names are unique, because a name that is taken would move.
func NewStore(cfg Config, region string) (*rotation.Ledger, error) {
	s, err := NewShelf(cfg, region)
	if err != nil {
		return nil, err
	}
	return &rotation.Ledger{Shelf: s, Slots: slots, CompactAt: compactAt, MaxBytes: maxBytes, Suffix: suffix}, nil
}

// suffix is the random part of a name.
func suffix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// label and version keep other things out of paths, in which the SDK escapes nothing.
var (
	secretName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	label      = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	versionID  = regexp.MustCompile(`^v([0-9]{1,18})$`)
)

// IsSecret reports whether a name can be a secret's: https://support.huaweicloud.com/intl/en-us/api-dew/CreateSecret.html.
func IsSecret(name string) bool { return secretName.MatchString(name) }

func check(secret, name string) error {
	if !IsSecret(secret) {
		return fmt.Errorf("%w: secret %q: Huawei Cloud takes names of 1 to 64 letters, digits, _ and -", rotation.ErrConfig, secret)
	}
	if !label.MatchString(name) {
		return fmt.Errorf("%w: label %q: CSMS takes 1 to 64 letters, digits, _ and -", rotation.ErrNotApplied, name)
	}
	return nil
}

// labelOf is what CSMS calls a slot.
func labelOf(name string) string {
	switch name {
	case string(rotation.Current):
		return current
	case string(rotation.Previous):
		return previous
	}
	return name
}

// send makes one request.
func (s *Shelf) send(ctx context.Context, a wire.API, v wire.Veil, do func(*csms.CsmsClient) error) error {
	return s.client.Send(ctx, a, v, func(ctx context.Context) error {
		sdk, _, err := s.client.csms(ctx)
		if err != nil {
			return err
		}
		return do(sdk)
	})
}

// read is send of a request that changes nothing, again after a passing failure: the quota of the secrets is the whole
// account's, so it may be used up by others.
func (s *Shelf) read(ctx context.Context, a wire.API, v wire.Veil, do func(*csms.CsmsClient) error) error {
	return wire.Again(ctx, func() error { return s.send(ctx, a, v, do) })
}

// List implements rotation.Shelf: every label but the built-in ones.
func (s *Shelf) List(ctx context.Context, secret string) ([]rotation.Slot, error) {
	if err := check(secret, current); err != nil {
		return nil, err
	}
	var all []rotation.Slot
	var marker *string
	for range slots { // pages; there is one
		var page *model.ListSecretVersionsResponse
		err := s.read(ctx, listVersions, nil, func(sdk *csms.CsmsClient) (err error) {
			if page, err = sdk.ListSecretVersions(&model.ListSecretVersionsRequest{SecretName: secret, Marker: marker}); err != nil {
				return err
			}
			return wire.Answered(page.VersionMetadatas)
		})
		if err != nil {
			return nil, err
		}
		for _, v := range *page.VersionMetadatas {
			for _, name := range wire.Deref(v.VersionStages) {
				if name != current && name != previous {
					all = append(all, slot(name, wire.Deref(v.Id)))
				}
			}
		}
		next := wire.Deref(wire.Deref(page.PageInfo).NextMarker)
		if next == "" || len(*page.VersionMetadatas) == 0 {
			return all, nil
		}
		marker = &next
	}
	return nil, fmt.Errorf("%s: the list of versions does not end", listVersions.Name)
}

// slot is a label on a version. CSMS numbers versions v1, v2 and so on.
func slot(name, version string) rotation.Slot {
	out := rotation.Slot{Name: name, Version: version}
	out.Order, _ = strconv.ParseInt(strings.TrimPrefix(version, "v"), 10, 64)
	return out
}

// find returns the version that a label is on.
func (s *Shelf) find(ctx context.Context, secret, name string) (string, error) {
	if err := check(secret, name); err != nil {
		return "", err
	}
	var answer *model.ShowSecretStageResponse
	err := s.read(ctx, showStage, nil, func(sdk *csms.CsmsClient) (err error) {
		if answer, err = sdk.ShowSecretStage(&model.ShowSecretStageRequest{SecretName: secret, StageName: name}); err != nil {
			return err
		}
		return wire.Answered(answer.Stage)
	})
	if err != nil {
		return "", err
	}
	id := wire.Deref(answer.Stage.VersionId)
	if id == "" {
		return "", fmt.Errorf("label %s is on no version: %w", name, rotation.ErrNotFound)
	}
	return id, checkVersion(id)
}

func checkVersion(id string) error {
	if versionID.MatchString(id) {
		return nil
	}
	return fmt.Errorf("%q is no version of CSMS: %w", id, rotation.ErrNotApplied)
}

// Read implements rotation.Shelf. A secret that is disabled or about to be deleted, and a version without text, are
// errors matching rotation.ErrConfig.
func (s *Shelf) Read(ctx context.Context, secret, name string) (rotation.Slot, []byte, error) {
	id, err := s.find(ctx, secret, labelOf(name))
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	var answer *model.ShowSecretVersionResponse
	err = s.read(ctx, showVersion, nil, func(sdk *csms.CsmsClient) (err error) {
		if answer, err = sdk.ShowSecretVersion(&model.ShowSecretVersionRequest{SecretName: secret, VersionId: id}); err != nil {
			return err
		}
		return wire.Answered(answer.Version)
	})
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	text := wire.Deref(answer.Version.SecretString)
	if text == "" {
		return rotation.Slot{}, nil, fmt.Errorf("%w: version %s of secret %q holds no text: store %s", rotation.ErrConfig, id, secret, rotation.Example)
	}
	return slot(name, id), []byte(text), nil
}

// Create implements rotation.Shelf. CSMS does not refuse a label that is taken: it moves it.
func (s *Shelf) Create(ctx context.Context, secret, name string, value []byte) error {
	if err := errors.Join(check(secret, name), own(name)); err != nil {
		return err
	}
	text := string(value)
	return s.send(ctx, createVersion, wire.For(text), func(sdk *csms.CsmsClient) error {
		answer, err := sdk.CreateSecretVersion(&model.CreateSecretVersionRequest{
			SecretName: secret,
			// With a label of its own, the version is not made current.
			Body: &model.CreateSecretVersionRequestBody{SecretString: &text, VersionStages: &[]string{name}},
		})
		if err != nil {
			return err
		}
		return wire.Answered(answer.VersionMetadata)
	})
}

// own refuses the built-in labels where they would be made or moved as if they were slots.
func own(name string) error {
	if labelOf(name) != name || strings.HasPrefix(strings.ToUpper(name), "SYS") {
		return fmt.Errorf("label %s is built in: %w", name, rotation.ErrConflict)
	}
	return nil
}

// Label implements rotation.Labeler.
func (s *Shelf) Label(ctx context.Context, secret string, version rotation.Slot, name string) error {
	if err := errors.Join(check(secret, name), own(name), checkVersion(version.Version)); err != nil {
		return err
	}
	return s.move(ctx, secret, name, version.Version)
}

// move puts a label on a version, wherever it was.
func (s *Shelf) move(ctx context.Context, secret, name, version string) error {
	return s.send(ctx, updateStage, nil, func(sdk *csms.CsmsClient) error {
		_, err := sdk.UpdateSecretStage(&model.UpdateSecretStageRequest{
			SecretName: secret, StageName: name, Body: &model.UpdateSecretStageRequestBody{VersionId: version},
		})
		return err
	})
}

// Point implements rotation.Shelf: first what is current becomes previous, because whether that follows by itself is not
// documented, then the version becomes current. Between the two they are the same one.
func (s *Shelf) Point(ctx context.Context, secret, to string, from rotation.Slot, _ []byte) error {
	id, err := s.find(ctx, secret, to)
	if err != nil {
		return err
	}
	if from.Version != "" && from.Version != id {
		if err := checkVersion(from.Version); err != nil {
			return err
		}
		if err := s.move(ctx, secret, previous, from.Version); err != nil {
			return err
		}
	}
	return s.move(ctx, secret, current, id)
}

// Remove implements rotation.Shelf: the label goes, and its version when no other label is on it and CSMS wants the room.
func (s *Shelf) Remove(ctx context.Context, secret, name string) error {
	if err := errors.Join(check(secret, name), own(name)); err != nil {
		return err
	}
	err := s.send(ctx, deleteStage, nil, func(sdk *csms.CsmsClient) error {
		_, err := sdk.DeleteSecretStage(&model.DeleteSecretStageRequest{SecretName: secret, StageName: name})
		return err
	})
	if errors.Is(err, rotation.ErrNotFound) {
		return nil
	}
	return err
}
