package config

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/relock-project/relock/rotation"
)

// readKeys reads RELOCK_CREDENTIALS_SECRET with the drivers of the store's cloud. Nothing of its value is in an error.
func (c *Config) readKeys(ctx context.Context, from cloud) error {
	const name = "RELOCK_CREDENTIALS_SECRET"
	if c.CredentialsSecret == "" {
		return nil
	}
	shelf, err := from.shelf(c.StoreRegion)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	_, value, err := shelf.Read(ctx, c.CredentialsSecret, string(rotation.Current))
	if err != nil {
		return fmt.Errorf("%s: read %s: %w", name, c.CredentialsSecret, err)
	}
	var k struct{ ID, Key, Token string }
	if json.Unmarshal(value, &k) != nil || k.ID == "" || k.Key == "" {
		return fmt.Errorf(`%w: %s: the value of %s is no object with an id and a key: store {"id":"…","key":"…"}`, rotation.ErrConfig, name, c.CredentialsSecret)
	}
	c.beside = Keys(k)
	return nil
}
