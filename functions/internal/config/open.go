package config

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// A Platform is where the program runs: it decides where credentials are and what has a default.
type Platform string

const (
	SCF           Platform = "scf"           // Tencent Cloud's functions
	FunctionGraph Platform = "functiongraph" // Huawei Cloud's functions
	Lambda        Platform = "lambda"        // AWS's functions
	Command       Platform = "command"       // an operator's terminal
)

// Keys are credentials that a platform gives with each event. The zero Keys are none.
type Keys struct{ ID, Key, Token string }

// String hides the keys.
func (Keys) String() string { return "(keys)" }

// GoString hides the keys.
func (Keys) GoString() string { return "config.Keys{}" }

// Open reads the environment and returns what it describes. It is for each invocation anew, since credentials are
// short-lived. Its error matches rotation.ErrConfig when the configuration is wrong.
func Open(ctx context.Context, p Platform) (*rotation.Rotator, error) {
	return OpenWith(ctx, p, Keys{})
}

// given are the keys as credentials; nil when they are not whole.
func (k Keys) given() credentials {
	if k.ID == "" || k.Key == "" {
		return nil
	}
	return func() (string, string, string) { return k.ID, k.Key, k.Token }
}

// OpenWith is Open on a platform that gives the function its credentials with each event.
func OpenWith(ctx context.Context, p Platform, k Keys) (*rotation.Rotator, error) {
	c, _ := Load(p, "") // its faults come from c.Open, with those of the credentials
	c.given = k.given()
	return c.Open(ctx)
}

// Open returns the Rotator that c describes, with the credentials that are in force now, or all that is wrong with c and
// them. A function's Rotator logs to stderr as JSON; for the command the fields that a person's terminal decides (Log,
// Progress, Interrupt) are left unset.
func (c *Config) Open(ctx context.Context) (*rotation.Rotator, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("no time is left before anything was begun: the function's timeout is too short, or the platform gave no deadline: %w", context.Cause(ctx))
	}
	calls := &rotation.Calls{}
	clouds, err := c.connect(ctx, calls)
	if err != nil {
		return nil, err
	}
	r := &rotation.Rotator{
		Secret:    c.Secret,
		StoreName: providers()[c.Store].secrets + ", " + c.StoreRegion,
		Home:      [2]string{c.Store, c.StoreRegion},
		Scope:     c.scope(),
		Policy:    c.policy(),
		Recipe:    c.recipe(),
		Username:  c.Username,
		DryRun:    c.DryRun,
		Calls:     calls,
		Log:       c.logger(),
	}
	if c.hostKeys != nil {
		r.Verifier = &sshlogin.Verifier{HostKeys: c.hostKeys, AllowLoopback: c.SSHAllowLoopback}
	}
	if r.Store, err = clouds[c.Store].store(c.StoreRegion); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	for _, region := range c.Regions {
		fleet, err := clouds[c.Fleet].fleet(region)
		if err != nil {
			return nil, fmt.Errorf("open the fleet in %s: %w", region, err)
		}
		r.Fleets = append(r.Fleets, fleet)
	}
	return r, nil
}

// connect prepares the clouds of the store and of the fleet, by name, with all the keys that they need.
func (c *Config) connect(ctx context.Context, calls *rotation.Calls) (map[string]cloud, error) {
	clouds := map[string]cloud{}
	bad := c.faults
	if len(bad) == 0 { // nobody is asked while something is wrong
		if err := c.readKeys(ctx, calls); err != nil {
			return nil, err
		}
	}
	for _, name := range c.clouds() {
		if len(c.faults) > 0 && c.set(credentialsSecret) && c.platform != Command && name != c.home() {
			continue // its keys are not read
		}
		cloud, err := providers()[name].connect(c, calls)
		if err != nil {
			text := err.Error()
			if c.platform != Command && name != c.home() && c.CredentialsSecret == "" {
				text += "; or keep the keys in a secret and name that in " + credentialsSecret
			}
			bad = append(bad[:len(bad):len(bad)], fault{text: text})
		}
		clouds[name] = cloud
	}
	return clouds, bad.err()
}

// logger returns a function's log, and nil for the command. Warnings are its first lines.
func (c *Config) logger() *slog.Logger {
	if c.platform == Command {
		return nil
	}
	options := &slog.HandlerOptions{Level: c.Level(), ReplaceAttr: flat}
	log := slog.New(slog.NewJSONHandler(os.Stderr, options))
	if c.platform == Lambda {
		options.ReplaceAttr = nil
		log = slog.New(embedded{slog.NewJSONHandler(os.Stderr, options)})
	}
	for _, w := range c.warnings {
		log.Warn("relock.config", "warning", w)
	}
	return log
}

// flat writes what is neither text nor a number as JSON text. SCF makes a field of each value at the first level of a JSON
// line that is text or a number, and ignores the others: https://cloud.tencent.com/document/product/583/18032.
func flat(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch a.Value.Any().(type) {
	case error, slog.Level:
		return a
	}
	if text, err := json.Marshal(a.Value.Any()); err == nil {
		return slog.String(a.Key, string(text))
	}
	return a
}

func (c *Config) recipe() rotation.Recipe { return rotation.Recipe{Length: int(c.PasswordLength)} }
