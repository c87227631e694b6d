package tencent

import (
	"slices"
	"sync"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

const maxBatch = 100 // machines of one request: https://www.tencentcloud.com/document/product/213/33240

// A Fleet is the CVM instances of one region. It may be used by several goroutines.
type Fleet struct {
	client   *client
	username string
	old      bool // the password rules of 2018

	mu    sync.Mutex
	rules map[ruleKey]*rotation.Rules
	sent  []sent
	tags  map[tagKey]string // what this Fleet tagged
}

var (
	_ rotation.Fleet  = (*Fleet)(nil)
	_ rotation.Power  = (*Fleet)(nil)
	_ rotation.Marker = (*Fleet)(nil)
)

// NewFleet returns the machines of a region, or everything that is wrong with cfg, matching rotation.ErrConfig. It sends
// nothing.
func NewFleet(cfg Config, region string) (*Fleet, error) {
	c, err := newClient(cfg, region)
	if err != nil {
		return nil, err
	}
	return &Fleet{
		client: c, username: cfg.Username, old: cfg.Rules == Rules2018,
		rules: map[ruleKey]*rotation.Rules{}, tags: map[tagKey]string{},
	}, nil
}

// Region implements rotation.Fleet.
func (f *Fleet) Region() string { return f.client.region }

// ruleKey is what machines with the same password rules have in common.
type ruleKey struct {
	os    rotation.OS
	login string
}

// rulesFor returns the rules for passwords of machines with that system and account; of all such machines the same
// value, so that a hundred thousand machines have a handful of rules.
func (f *Fleet) rulesFor(os rotation.OS, login string) *rotation.Rules {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := ruleKey{os, login}
	if r, ok := f.rules[key]; ok {
		return r
	}
	var r *rotation.Rules
	switch {
	case os == rotation.Windows && f.old:
		r = rotation.TencentWindows2018()
	case os == rotation.Windows:
		r = rotation.TencentWindows()
	case f.old:
		r = rotation.TencentLinux2018()
	default:
		r = rotation.TencentLinux()
	}
	names := slices.DeleteFunc([]string{login, f.username}, func(name string) bool { return name == "" })
	r = r.WithUsers(slices.Compact(names)...)
	f.rules[key] = r
	return r
}

// sent is a password that was sent, and what hides it.
type sent struct {
	password rotation.Password
	veil     wire.Veil
}

// remember keeps the veil of a password, for messages that come with a later look.
func (f *Fleet) remember(p rotation.Password, v wire.Veil) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.ContainsFunc(f.sent, func(s sent) bool { return s.password.Equal(p) }) {
		f.sent = append(f.sent, sent{p, v})
	}
}

// veil hides every password that was sent.
func (f *Fleet) veil() wire.Veil {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all wire.Veil
	for _, s := range f.sent {
		all = all.Over(s.veil)
	}
	return all
}

func pointers(all []string) []*string {
	out := make([]*string, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

func values(all []*string) []string {
	var out []string
	for _, p := range all {
		if s := wire.Deref(p); s != "" {
			out = append(out, s)
		}
	}
	return out
}
