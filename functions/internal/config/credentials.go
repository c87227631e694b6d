package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// credentialsSecret is the variable that names the secret with the keys of the clouds that a function is not in.
const credentialsSecret = "RELOCK_CREDENTIALS_SECRET"

// credentials give keys to who asks. Unlike a struct of texts they show nothing, however they are printed.
type credentials = func() (id, key, token string)

// clouds are that of the secret and that of the machines, once when they are one.
func (c *Config) clouds() []string { return slices.Compact([]string{c.Store, c.Fleet}) }

// home is the cloud whose functions run on the platform; empty for the command.
func (c *Config) home() string {
	for name, p := range providers() {
		if p.platform == c.platform {
			return name
		}
	}
	return ""
}

// others are the clouds whose keys the platform does not give.
func (c *Config) others() []string {
	home := c.home()
	return slices.DeleteFunc(c.clouds(), func(name string) bool { return name == home })
}

// regionIn is the function's own region in a cloud. Where the platform does not say it, and for the command, it is that of
// the password's secret, or the first of the machines'; empty when none of them is there.
func (c *Config) regionIn(cloud string) string {
	if own := providers()[cloud].region(c); own != "" {
		return own
	}
	switch {
	case cloud == c.Store:
		return c.StoreRegion
	case cloud == c.Fleet && len(c.Regions) > 0:
		return c.Regions[0]
	}
	return ""
}

// checkCredentials notes a secret of keys that nobody needs, that can be none, or whose keys are in the environment as well:
// it would be unsaid which of the two are used, and those in the environment would stay there.
func (c *Config) checkCredentials() {
	if !c.set(credentialsSecret) || !c.sound(credentialsSecret) || !c.sound("RELOCK_STORE") || !c.sound("RELOCK_FLEET") {
		return
	}
	home := c.home()
	switch {
	case c.platform == Command:
		c.checkSecret(credentialsSecret, c.CredentialsSecret, "aws") // whose names are the widest: it does not matter here where it is
		if len(c.clouds()) == 1 {
			c.warn(credentialsSecret, "the secret and the machines are in one cloud: only a function in another one needs this")
		}
		return
	case len(c.others()) == 0:
		c.fault(credentialsSecret, "the secret and the machines are in the function's own cloud, whose keys the platform gives: leave it unset")
		return
	case home == c.Store && c.CredentialsSecret == c.Secret:
		c.fault(credentialsSecret, "is RELOCK_SECRET, which is read by those who log in: keep the keys in a secret of their own")
		return
	case c.regionIn(home) == "" && c.sound("RELOCK_REGIONS") && c.sound("RELOCK_STORE_REGION"):
		c.fault(credentialsSecret, "the platform does not say in which region the function is: on FunctionGraph list its region and project in RELOCK_HUAWEI_PROJECTS")
	}
	c.checkSecret(credentialsSecret, c.CredentialsSecret, home)
	var twice []string
	for _, name := range c.others() {
		twice = append(twice, c.setKeys(name)...)
	}
	if len(twice) > 0 {
		c.fault(credentialsSecret, "the function has keys as variables as well, %s: keep them in one place, and unset the one or the other", strings.Join(twice, ", "))
	}
}

// readKeys reads the keys that the platform does not give from RELOCK_CREDENTIALS_SECRET, which is in the function's own
// cloud. A person's own keys come first: the command reads only those that it does not find, in the one cloud that it has
// keys of. A read that fails in passing is made again, because without the keys the whole invocation is lost. No error has
// anything of a value.
func (c *Config) readKeys(ctx context.Context, calls *rotation.Calls) error {
	if c.CredentialsSecret == "" {
		return nil
	}
	home, wanted := c.home(), c.others()
	if c.platform == Command {
		home, wanted = c.keyless(calls)
	}
	if home == "" || len(wanted) == 0 {
		return nil // where keys are missing, connecting says so
	}
	cloud, err := providers()[home].connect(c, calls)
	if err != nil {
		return faults{{text: err.Error()}}.err()
	}
	region := c.regionIn(home)
	shelf, err := cloud.shelf(region)
	if err != nil {
		return fmt.Errorf("%s: open %s in %s: %w", credentialsSecret, providers()[home].secrets, region, err)
	}
	var value []byte
	err = wire.Patiently(ctx, func() (err error) {
		_, value, err = shelf.Read(ctx, c.CredentialsSecret, string(rotation.Current))
		return err
	})
	if err == nil {
		err = c.takeKeys(value, wanted)
	}
	if err != nil {
		return fmt.Errorf("%s: read %s in %s, %s: %w%s", credentialsSecret, c.CredentialsSecret, providers()[home].secrets, region, err, remedy(err, wanted))
	}
	return nil
}

// keyless finds the clouds that the environment has no keys of, and one that it has keys of; empty when there is none.
func (c *Config) keyless(calls *rotation.Calls) (home string, wanted []string) {
	for _, name := range c.clouds() {
		_, err := providers()[name].connect(c, calls)
		switch {
		case err == nil:
			home = name
		case len(c.setKeys(name)) == 0:
			wanted = append(wanted, name)
		}
	}
	return home, wanted
}

// setKeys are the variables of a cloud's keys that are set.
func (c *Config) setKeys(cloud string) (names []string) {
	for _, name := range providers()[cloud].variables {
		if c.platform.variable(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// takeKeys takes the keys of some clouds out of a secret's value, or says which fields are missing or no keys. The fields
// are called what the variables are called that they stand for, so that keys of one cloud are never shown to another.
func (c *Config) takeKeys(value []byte, clouds []string) error {
	var fields map[string]any
	if json.Unmarshal(value, &fields) != nil || fields == nil {
		return fmt.Errorf("%w: it is no JSON object", rotation.ErrConfig)
	}
	var bad []string
	c.kept = map[string]credentials{}
	for _, cloud := range clouds {
		var keys [3]string
		for i, name := range providers()[cloud].variables {
			text, isText := fields[name].(string)
			keys[i] = strings.TrimSpace(text)
			switch {
			case fields[name] != nil && !isText:
				bad = append(bad, name+" is no text")
			case keys[i] == "" && i < 2: // the token is for temporary keys
				bad = append(bad, name+" is missing or empty")
			case strings.ContainsFunc(keys[i], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
				bad = append(bad, name+" has a space within it")
			}
		}
		c.kept[cloud] = func() (string, string, string) { return keys[0], keys[1], keys[2] }
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: %s", rotation.ErrConfig, strings.Join(bad, ", "))
	}
	return nil
}

// remedy is what to do when the keys of some clouds could not be read; empty when that is to try again.
func remedy(err error, clouds []string) string {
	switch {
	case errors.Is(err, rotation.ErrUnauthorized):
		return ": let the function read it, as deploy says"
	case !errors.Is(err, rotation.ErrNotFound) && !errors.Is(err, rotation.ErrConfig):
		return ""
	}
	var fields []string
	for _, cloud := range clouds {
		names := providers()[cloud].variables
		fields = append(fields, fmt.Sprintf(`"%s":"…","%s":"…"`, names[0], names[1]))
	}
	return ": store {" + strings.Join(fields, ",") + "} as its current version"
}
