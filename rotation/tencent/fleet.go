package tencent

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation"
)

const (
	maxBatch = 100 // machines of one request: https://www.tencentcloud.com/document/product/213/33240
	atOnce   = 10  // requests of one listing that are under way at once
)

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
	veil     veil
}

// remember keeps the veil of a password, for messages that come with a later look.
func (f *Fleet) remember(p rotation.Password, v veil) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.ContainsFunc(f.sent, func(s sent) bool { return s.password.Equal(p) }) {
		f.sent = append(f.sent, sent{p, v})
	}
}

// veil hides every password that was sent.
func (f *Fleet) veil() veil {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all veil
	for _, s := range f.sent {
		all = all.over(s.veil)
	}
	return all
}

// begin is the operation that a request on the batch is, or why the request cannot be made.
func begin(kind rotation.OpKind, batch []rotation.Instance) (rotation.Operation, error) {
	op := rotation.Operation{Kind: kind, Instances: make([]string, len(batch)), Sent: time.Now()}
	for i, inst := range batch {
		op.Instances[i] = inst.ID
	}
	if len(batch) == 0 || len(batch) > maxBatch {
		return op, fmt.Errorf("%s %d machines: one request takes 1 to %d: %w", kind, len(batch), maxBatch, rotation.ErrNotApplied)
	}
	return op, nil
}

// finish is the result of a request on a batch. The operation is whole beside an error too: the request may have been
// taken.
func finish(a api, op rotation.Operation, requestID *string, err error) (rotation.Operation, error) {
	if err == nil {
		op.RequestID = deref(requestID)
		return op, nil
	}
	op.RequestID = requestIDOf(err)
	return op, fmt.Errorf("%s %d machines: %w", op.Kind, len(op.Instances), refusal(a, op.Instances, err))
}

// deref returns the zero value for nil: the API leaves out or nulls what it has no value for.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
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
		if s := deref(p); s != "" {
			out = append(out, s)
		}
	}
	return out
}
