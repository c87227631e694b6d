package rotationtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// A capacity is what a secrets manager is like, and the Ledger over it.
type capacity struct {
	labels                     bool // moved blindly; else create-if-absent, and current is a copy
	slots, compactAt, maxBytes int
}

func (c capacity) String() string {
	name := "create-if-absent"
	if c.labels {
		name = "blind-labels"
	}
	return fmt.Sprintf("%s of %d", name, c.slots)
}

// A cabinet is a secrets manager in memory that can be copied and compared. It knows nothing of how a Ledger stores
// things. A version that no name is on vanishes at once.
type cabinet struct {
	capacity
	names  []naming // by name
	values []int    // ids, by version number
	known  *known
}

type naming struct {
	name    string
	version int
}

// known is every value that there ever was in a cabinet and its copies.
type known struct {
	ids   map[string]int
	texts []string
	dug   [][]string // passwords
}

func newCabinet(c capacity) *cabinet {
	return &cabinet{capacity: c, known: &known{ids: map[string]int{}}}
}

func (c *cabinet) clone() *cabinet {
	out := *c
	out.names, out.values = slices.Clone(c.names), slices.Clip(c.values)
	return &out
}

// id numbers a value, and finds every password in it, however deep.
func (k *known) id(value string) int {
	if id, ok := k.ids[value]; ok {
		return id
	}
	var any any
	_ = json.Unmarshal([]byte(value), &any)
	k.ids[value] = len(k.texts)
	k.texts, k.dug = append(k.texts, value), append(k.dug, passwordsIn(any, nil))
	return len(k.texts) - 1
}

func passwordsIn(value any, out []string) []string {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			out = passwordsIn(item, out)
		}
	case map[string]any:
		for name, item := range v {
			if s, ok := item.(string); ok && name == "password" {
				out = append(out, s)
			}
			out = passwordsIn(item, out)
		}
	}
	return out
}

func isStage(name string) bool { return name == "current" || name == "previous" }

func (c *cabinet) at(name string) (int, bool) {
	return slices.BinarySearchFunc(c.names, name, func(n naming, name string) int { return strings.Compare(n.name, name) })
}

// version is the number of what is under a name; -1 when there is nothing.
func (c *cabinet) version(name string) int {
	if i, ok := c.at(name); ok {
		return c.names[i].version
	}
	return -1
}

func (c *cabinet) text(version int) string        { return c.known.texts[c.values[version]] }
func (c *cabinet) passwords(version int) []string { return c.known.dug[c.values[version]] }

// current is the password that consumers read; empty when there is none.
func (c *cabinet) current() string {
	if v := c.version("current"); v >= 0 && len(c.passwords(v)) == 1 {
		return c.passwords(v)[0]
	}
	return ""
}

// kept are the passwords under the names of generations and archives; with those of the stages it is all that a person
// with the store's credentials can read.
func (c *cabinet) kept(andStages bool) []string {
	var out []string
	for _, n := range c.names {
		if andStages || !isStage(n.name) {
			out = append(out, c.passwords(n.version)...)
		}
	}
	return out
}

// hash is equal for cabinets that cannot be told apart from now on.
func (c *cabinet) hash(h *maphash.Hash) {
	for _, n := range c.names {
		_, _ = h.WriteString(n.name)
		maphash.WriteComparable(h, c.values[n.version])
		if c.labels {
			maphash.WriteComparable(h, n.version)
		}
	}
}

func (c *cabinet) slot(n naming) rotation.Slot {
	if !c.labels {
		return rotation.Slot{Name: n.name}
	}
	return rotation.Slot{Name: n.name, Version: fmt.Sprint("v", n.version), Order: int64(n.version + 1)}
}

func (c *cabinet) list() []rotation.Slot {
	var out []rotation.Slot
	for _, n := range c.names {
		if !c.labels || !isStage(n.name) {
			out = append(out, c.slot(n))
		}
	}
	return out
}

// name puts a name on a version, whatever it was on before.
func (c *cabinet) name(name string, version int) {
	i, ok := c.at(name)
	if ok {
		c.names[i].version = version
		return
	}
	c.names = slices.Insert(c.names, i, naming{name, version})
}

// add stores a value under a name, whatever it was on before.
func (c *cabinet) add(name, value string) {
	c.values = append(c.values, c.known.id(value))
	c.name(name, len(c.values)-1)
}

// human is a person who puts a value into current.
func (c *cabinet) human(value string) {
	if v := c.version("current"); v >= 0 && c.labels {
		c.name("previous", v)
	}
	c.add("current", value)
}

// A request is one call that leaves the process, and a reply what came of it.
type request struct{ site, name, value string }

func (r request) writes() bool { return r.site != "list" && r.site != "read" }

type reply struct {
	slots []rotation.Slot
	slot  rotation.Slot
	value string
	err   error
}

func (r reply) String() string { return fmt.Sprint(r.slots, r.slot, r.value, r.err) }

// serve does what is asked.
func (c *cabinet) serve(r request) reply {
	at := c.version(r.name)
	switch r.site {
	case "list":
		return reply{slots: c.list()}
	case "read":
		if at < 0 {
			return reply{err: rotation.ErrNotFound}
		}
		return reply{slot: c.slot(naming{r.name, at}), value: c.text(at)}
	case "create":
		return reply{err: c.create(r.name, r.value)}
	case "remove":
		c.names = slices.DeleteFunc(c.names, func(n naming) bool { return n.name == r.name })
	case "label", "previous": // value is a version
		i := slices.IndexFunc(c.names, func(n naming) bool { return fmt.Sprint("v", n.version) == r.value })
		if i < 0 {
			return reply{err: rotation.ErrNotFound}
		}
		c.name(r.name, c.names[i].version)
	case "current":
		switch {
		case !c.labels:
			c.add("current", r.value)
		case at < 0:
			return reply{err: rotation.ErrNotFound}
		default:
			c.name("current", at)
		}
	case "human":
		c.human(r.value)
	}
	return reply{}
}

func (c *cabinet) create(name, value string) error {
	_, taken := c.at(name)
	switch {
	case len(value) > c.maxBytes:
		return fmt.Errorf("%w: %d bytes are too many", rotation.ErrNotApplied, len(value))
	case taken && !c.labels:
		return rotation.ErrExists
	case !taken && len(c.list()) >= c.slots:
		return rotation.ErrFull
	}
	c.add(name, value)
	return nil
}

// open is a store as an invocation opens it; every call goes through ask. name makes its names differ from others'.
func (c capacity) open(name string, ask func(request) reply) *rotation.Ledger {
	d := desk{c.labels, ask}
	l := &rotation.Ledger{Shelf: d, Slots: c.slots, CompactAt: c.compactAt, MaxBytes: c.maxBytes}
	if c.labels {
		n := 0
		l.Shelf = labelDesk{d}
		l.Suffix = func() string { n++; return fmt.Sprintf("%s%02x", name, n) }
	}
	return l
}

var errNoReply = errors.New("connection reset by peer")

// A desk is the shelf of one invocation.
type desk struct {
	labels bool
	ask    func(request) reply
}

var _ rotation.Shelf = desk{}

func (d desk) List(context.Context, string) ([]rotation.Slot, error) {
	r := d.ask(request{site: "list"})
	return r.slots, r.err
}

func (d desk) Read(_ context.Context, _, name string) (rotation.Slot, []byte, error) {
	r := d.ask(request{site: "read", name: name})
	return r.slot, []byte(r.value), r.err
}

func (d desk) Create(_ context.Context, _, name string, value []byte) error {
	return d.ask(request{"create", name, string(value)}).err
}

func (d desk) Point(_ context.Context, _, to string, from rotation.Slot, value []byte) error {
	if !d.labels {
		return d.ask(request{"current", "current", string(value)}).err
	}
	if from.Name != "" {
		if r := d.ask(request{"previous", "previous", from.Version}); r.err != nil {
			return r.err
		}
	}
	return d.ask(request{"current", to, ""}).err
}

func (d desk) Remove(_ context.Context, _, name string) error {
	return d.ask(request{site: "remove", name: name}).err
}

type labelDesk struct{ desk }

var _ rotation.Labeler = labelDesk{}

func (d labelDesk) Label(_ context.Context, _ string, version rotation.Slot, name string) error {
	return d.ask(request{"label", name, version.Version}).err
}
