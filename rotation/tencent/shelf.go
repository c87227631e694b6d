package tencent

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	secrets "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Limits of a secret. The documents of mainland China speak of 32 KB, the international ones of 4,096 bytes
// (https://www.tencentcloud.com/document/product/1078/38656). Three slots stay free: a candidate, an archive, one more.
const (
	slots     = 10
	compactAt = 7
	maxBytes  = 4096
)

// current is the version id of the copy that consumers read.
const current = string(rotation.Current)

// A Shelf is the secrets of one region of Secrets Manager. Version ids are the slots' names; current is one of them, a
// copy that is written over; there is no previous, which the copy itself tells. Errors name the request; which secret it
// was about is the caller's to say. It may be used by several goroutines.
type Shelf struct{ client *client }

var _ rotation.Shelf = (*Shelf)(nil)

// NewShelf returns the secrets of a region, or everything that is wrong with cfg, matching rotation.ErrConfig. It sends
// nothing.
func NewShelf(cfg Config, region string) (*Shelf, error) {
	c, err := newClient(cfg, region)
	if err != nil {
		return nil, err
	}
	return &Shelf{c}, nil
}

// NewStore is NewShelf as a rotation.Store.
func NewStore(cfg Config, region string) (*rotation.Ledger, error) {
	s, err := NewShelf(cfg, region)
	if err != nil {
		return nil, err
	}
	return &rotation.Ledger{Shelf: s, Slots: slots, CompactAt: compactAt, MaxBytes: maxBytes}, nil
}

var secretName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$`)

// checkName refuses what can be no secret of this store: https://www.tencentcloud.com/document/product/1078/38656.
func checkName(secret string) error {
	if secretName.MatchString(secret) {
		return nil
	}
	return fmt.Errorf("%w: secret %q: Tencent Cloud takes names of 1 to 128 letters, digits, _ and -, the first a letter or digit",
		rotation.ErrConfig, secret)
}

// List implements rotation.Shelf.
func (s *Shelf) List(ctx context.Context, secret string) ([]rotation.Slot, error) {
	if err := checkName(secret); err != nil {
		return nil, err
	}
	var resp *secrets.ListSecretVersionIdsResponse
	err := s.client.Send(ctx, listVersions, nil, func(ctx context.Context) (err error) {
		req := secrets.NewListSecretVersionIdsRequest()
		req.SetContext(ctx)
		req.SecretName = &secret
		if resp, err = s.client.secrets.ListSecretVersionIds(req); err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if err != nil {
		return nil, err
	}
	var all []rotation.Slot
	for _, v := range resp.Response.Versions {
		if v != nil && wire.Deref(v.VersionId) != "" {
			all = append(all, rotation.Slot{Name: *v.VersionId})
		}
	}
	return all, nil
}

// Read implements rotation.Shelf. A secret that is disabled or about to be deleted, and a version without text, are
// errors matching rotation.ErrConfig.
func (s *Shelf) Read(ctx context.Context, secret, name string) (rotation.Slot, []byte, error) {
	if err := checkName(secret); err != nil {
		return rotation.Slot{}, nil, err
	}
	if name == string(rotation.Previous) {
		return rotation.Slot{}, nil, fmt.Errorf("secret %q: version %s: the current one says which it is: %w", secret, name, rotation.ErrNotFound)
	}
	var resp *secrets.GetSecretValueResponse
	err := s.client.Send(ctx, getSecret, nil, func(ctx context.Context) (err error) {
		req := secrets.NewGetSecretValueRequest()
		req.SetContext(ctx)
		req.SecretName, req.VersionId = &secret, &name
		if resp, err = s.client.secrets.GetSecretValue(req); err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if err != nil {
		return rotation.Slot{}, nil, err
	}
	text := wire.Deref(resp.Response.SecretString)
	if text == "" {
		return rotation.Slot{}, nil, fmt.Errorf("%w: version %s of secret %q holds no text: store %s", rotation.ErrConfig, name, secret, rotation.Example)
	}
	return rotation.Slot{Name: name}, []byte(text), nil
}

// Create implements rotation.Shelf. PutSecretValue writes only what is absent: a name that is taken is ErrExists.
func (s *Shelf) Create(ctx context.Context, secret, name string, value []byte) error {
	if err := checkName(secret); err != nil {
		return err
	}
	text := string(value)
	return s.client.Send(ctx, putSecret, wire.For(text), func(ctx context.Context) error {
		req := secrets.NewPutSecretValueRequest()
		req.SetContext(ctx)
		req.SecretName, req.VersionId, req.SecretString = &secret, &name, &text
		resp, err := s.client.secrets.PutSecretValue(req)
		if err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
}

// Point implements rotation.Shelf: it writes value over the copy that consumers read, which to and from do not matter
// for. No reader finds no current: only one that was never there is created.
func (s *Shelf) Point(ctx context.Context, secret, _ string, _ rotation.Slot, value []byte) error {
	if err := checkName(secret); err != nil {
		return err
	}
	text, name := string(value), current
	err := s.client.Send(ctx, updateSecret, wire.For(text), func(ctx context.Context) error {
		req := secrets.NewUpdateSecretRequest()
		req.SetContext(ctx)
		req.SecretName, req.VersionId, req.SecretString = &secret, &name, &text
		resp, err := s.client.secrets.UpdateSecret(req)
		if err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if errors.Is(err, rotation.ErrNotFound) {
		return s.Create(ctx, secret, current, value)
	}
	return err
}

// Remove implements rotation.Shelf. It refuses the copy that consumers read.
func (s *Shelf) Remove(ctx context.Context, secret, name string) error {
	if err := checkName(secret); err != nil {
		return err
	}
	if name == current {
		return fmt.Errorf("remove version %s of secret %q: consumers read it: %w", name, secret, rotation.ErrConflict)
	}
	err := s.client.Send(ctx, deleteVersion, nil, func(ctx context.Context) error {
		req := secrets.NewDeleteSecretVersionRequest()
		req.SetContext(ctx)
		req.SecretName, req.VersionId = &secret, &name
		resp, err := s.client.secrets.DeleteSecretVersion(req)
		if err != nil {
			return err
		}
		return wire.Answered(resp.Response)
	})
	if errors.Is(err, rotation.ErrNotFound) {
		return nil
	}
	return err
}
