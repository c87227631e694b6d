package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/relock-project/relock/rotation"
)

// checkEndpoint refuses an endpoint that passwords would travel to in the clear.
func (c *Config) checkEndpoint(name, endpoint string) {
	if endpoint == "" || !c.sound(name) {
		return
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		c.fault(name, "no address: write one such as https://gateway.example.com or http://127.0.0.1:8080")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		c.fault(name, "has more than a scheme, a host and a port: leave the rest out")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.fault(name, "plain http to another machine would show passwords on the way: use https, or a loopback address")
	}
}

// checkPace refuses what only a simulator, at the endpoint that this variable names, can keep to: ms is a slip for m or s.
func (c *Config) checkPace(endpoint string) {
	for _, t := range []struct {
		name string
		time.Duration
	}{
		{"RELOCK_POLL_INTERVAL", c.PollInterval.Duration},
		{"RELOCK_SETTLE", c.Settle.Duration},
		{"RELOCK_SOFT_STOP_TIMEOUT", c.SoftStopTimeout.Duration},
		{"RELOCK_RESET_TIMEOUT", c.ResetTimeout.Duration},
		{"RELOCK_START_TIMEOUT", c.StartTimeout.Duration},
		{"RELOCK_LOGIN_TIMEOUT", c.LoginTimeout.Duration},
	} {
		if t.Duration < time.Second && !c.set(endpoint) && c.sound(t.name) {
			c.fault(t.name, "%s is for a simulator at %s: a real cloud needs 1s or more", t.Duration, endpoint)
		}
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkPassword tries the recipe on the less strict of the rules that machines may have; a run tries the others.
func (c *Config) checkPassword(rules *rotation.Rules) {
	if !c.sound("RELOCK_PASSWORD_LENGTH") || !c.set("RELOCK_PASSWORD_LENGTH") {
		return
	}
	if c.PasswordLength <= 0 {
		c.fault("RELOCK_PASSWORD_LENGTH", "%d: use a length such as 24", c.PasswordLength)
		return
	}
	if _, err := rules.Plan(c.recipe()); err != nil {
		c.fault("RELOCK_PASSWORD_LENGTH", "%s", strings.TrimPrefix(err.Error(), rotation.ErrConfig.Error()+": "))
	}
}

// keys returns a cloud's keys from the secret that they are kept in, or else from the three variables; nil when neither the
// id nor the key is set.
func (c *Config) keys(cloud string, variables [3]string) (credentials, error) {
	if kept := c.kept[cloud]; kept != nil {
		return kept, nil
	}
	values := [3]string{}
	for i, name := range variables {
		values[i] = strings.TrimSpace(c.platform.variable(name))
	}
	switch {
	case values[0] == "" && values[1] == "":
		return nil, nil
	case values[0] == "":
		return nil, fmt.Errorf("%s: not set, but %s is: the two go together", variables[0], variables[1])
	case values[1] == "":
		return nil, fmt.Errorf("%s: not set, but %s is: the two go together", variables[1], variables[0])
	}
	return func() (string, string, string) { return values[0], values[1], values[2] }, nil
}
