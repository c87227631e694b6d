package rotation_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/relock-project/relock/rotation"
)

// How long things take at the provider of these fleets.
const (
	stopTakes  = 21 * time.Second
	hardTakes  = 3 * time.Second // a stop that pulls the plug
	resetTakes = 12 * time.Second
	startTakes = 17 * time.Second
)

// perRequest is how many machines one request names, but marks, of which it is half. perSecond are Tencent Cloud's
// quotas: https://cloud.tencent.com/document/api/213/15689, https://www.tencentcloud.com/document/product/651/37823.
const perRequest = 100

var perSecond = map[string]int{"describe": 40, "stop": 10, "reset": 10, "start": 10, "mark": 20}

// A quotaCloud is a fleet behind request quotas, in virtual time: a client that sends faster than its quota is refused.
type quotaCloud struct {
	latency time.Duration // of a call
	// paced makes the client keep to the quotas, as the drivers do; without it the cloud refuses what is too fast.
	paced bool
	// throttled is the share of calls that are refused although they keep to the quota: somebody else's traffic.
	throttled float64

	mu       sync.Mutex
	rand     *rand.Rand
	machines map[string]*quotaMachine
	order    []*quotaMachine
	next     map[string]time.Time   // when a paced client may call next
	arrived  map[string][]time.Time // of each API in its last second
	calls    map[string]int
	tooFast  int // calls refused because of the client itself
	requests int
	down     time.Duration // of all machines
}

type quotaMachine struct {
	rotation.Instance
	live string

	kind     rotation.OpKind
	ends     time.Time // zero: nothing is under way
	password string
	request  string // of the last reset
	downAt   time.Time
	busyTill time.Time // somebody else's operation
	unable   bool      // found out at its reset only
}

func newQuotaCloud(n int, power rotation.PowerState, latency time.Duration) *quotaCloud {
	c := &quotaCloud{
		latency: latency, paced: true, rand: rand.New(rand.NewPCG(1, 2)), machines: make(map[string]*quotaMachine, n),
		next: map[string]time.Time{}, arrived: map[string][]time.Time{}, calls: map[string]int{},
	}
	rules := rotation.TencentLinux()
	tags := map[string]string{"rotate": "yes"}
	for i := range n {
		m := &quotaMachine{Instance: rotation.Instance{
			ID: fmt.Sprintf("ins-%08d", i), Region: "east", OS: rotation.Linux, Power: power, LoginUser: "root", Tags: tags,
			Terms: rotation.Terms{Rules: rules, MaxBatch: perRequest, NeedsStopped: true, Reported: true},
		}}
		c.machines[m.ID] = m
		c.order = append(c.order, m)
	}
	return c
}

// disturb lets things go wrong: of every hundred machines one is in somebody else's operation for a while, and one is
// refused at its reset; and of a hundred calls one is throttled.
func (c *quotaCloud) disturb() {
	for i, m := range c.order {
		switch i % oneOfAll {
		case 37:
			m.busyTill = time.Now().Add(busyFor)
		case 73:
			m.unable = true
		}
	}
	c.throttled = 0.01
}

// call is one request: it waits for its turn if the client paces itself, travels, and may be refused.
func (c *quotaCloud) call(ctx context.Context, api string) error {
	c.mu.Lock()
	interval := time.Second / time.Duration(perSecond[api])
	if c.paced {
		at := c.next[api]
		if now := time.Now(); at.Before(now) {
			at = now
		}
		c.next[api] = at.Add(interval)
		c.mu.Unlock()
		time.Sleep(time.Until(at))
	} else {
		c.mu.Unlock()
	}
	time.Sleep(c.latency)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[api]++
	now := time.Now()
	recent := slices.DeleteFunc(c.arrived[api], func(t time.Time) bool { return now.Sub(t) >= time.Second })
	c.arrived[api] = append(recent, now)
	switch {
	case len(recent) >= perSecond[api]:
		c.tooFast++
		return rotation.ErrThrottled
	case c.throttled > 0 && c.rand.Float64() < c.throttled:
		return rotation.ErrThrottled
	}
	return nil
}

// settle ends what has ended by now. The caller holds c.mu.
func (c *quotaCloud) settle(m *quotaMachine, now time.Time) {
	if m.ends.IsZero() || now.Before(m.ends) {
		return
	}
	switch m.kind {
	case rotation.OpStop:
		m.Power = rotation.Stopped
	case rotation.OpStart:
		m.Power = rotation.Running
		c.down += m.ends.Sub(m.downAt)
	case rotation.OpReset:
		m.live = m.password
	}
	m.ends = time.Time{}
}

// begin starts an operation on every machine of the batch, or refuses it and names those that are the reason.
func (c *quotaCloud) begin(ctx context.Context, kind rotation.OpKind, from rotation.PowerState, takes time.Duration, ids []string, password string) (rotation.Operation, error) {
	op := rotation.Operation{Kind: kind, Instances: ids, Sent: time.Now()}
	if err := c.call(ctx, string(kind)); err != nil {
		return op, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	refused := map[string]rotation.Refusal{}
	for _, id := range ids {
		m := c.machines[id]
		c.settle(m, now)
		switch {
		case !m.ends.IsZero() || now.Before(m.busyTill):
			refused[id] = rotation.Refusal{Kind: rotation.RefusedBusy, Reason: "busy"}
		case m.Power != from:
			refused[id] = rotation.Refusal{Kind: rotation.RefusedState, Reason: "state"}
		case kind == rotation.OpReset && m.unable:
			refused[id] = rotation.Refusal{Kind: rotation.RefusedUnable, Reason: "its image takes no reset"}
		}
	}
	if len(refused) > 0 {
		return op, &rotation.RefusedError{Machines: refused}
	}
	c.requests++
	op.RequestID = fmt.Sprintf("r%d", c.requests)
	for _, id := range ids {
		m := c.machines[id]
		m.kind, m.ends, m.password = kind, now.Add(takes), password
		switch kind {
		case rotation.OpReset:
			m.request = op.RequestID
		case rotation.OpStop:
			m.Power, m.downAt = rotation.Changing, now
		default:
			m.Power = rotation.Changing
		}
	}
	return op, nil
}

// pages makes the calls that a listing of n machines takes, ten at once. Like the drivers it reads a page again that was
// refused for the rate.
func (c *quotaCloud) pages(ctx context.Context, n int) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	slots := make(chan struct{}, 10)
	for range (n + perRequest - 1) / perRequest {
		slots <- struct{}{}
		wg.Go(func() {
			err := c.call(ctx, "describe")
			for try := 0; errors.Is(err, rotation.ErrThrottled) && try < 3; try++ {
				err = c.call(ctx, "describe")
			}
			mu.Lock()
			failed = cmp.Or(failed, err)
			mu.Unlock()
			<-slots
		})
	}
	wg.Wait()
	return failed
}

func (c *quotaCloud) Region() string { return "east" }

func (c *quotaCloud) Describe(ctx context.Context, _ rotation.Selector) ([]rotation.Instance, error) {
	if err := c.pages(ctx, len(c.order)); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]rotation.Instance, len(c.order))
	now := time.Now()
	for i, m := range c.order {
		c.settle(m, now)
		out[i] = m.Instance
		out[i].Busy = !m.ends.IsZero() || now.Before(m.busyTill)
	}
	return out, nil
}

func (c *quotaCloud) Observe(ctx context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	n := 0
	for _, op := range ops {
		n += len(op.Instances)
	}
	if err := c.pages(ctx, n); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]rotation.Result, 0, n)
	now := time.Now()
	for _, op := range ops {
		for _, id := range op.Instances {
			m := c.machines[id]
			c.settle(m, now)
			r := rotation.Result{Instance: id, Kind: op.Kind, State: rotation.Unseen, Power: m.Power, Busy: !m.ends.IsZero() || now.Before(m.busyTill), RequestID: op.RequestID}
			if op.Kind == rotation.OpReset && op.RequestID == m.request {
				r.State = rotation.Done
				if !m.ends.IsZero() {
					r.State = rotation.InProgress
				}
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *quotaCloud) Reset(ctx context.Context, batch []rotation.Instance, cr rotation.Credential) (rotation.Operation, error) {
	return c.begin(ctx, rotation.OpReset, rotation.Stopped, resetTakes, idsOf(batch), cr.Password.Reveal())
}

func (c *quotaCloud) Stop(ctx context.Context, batch []rotation.Instance, how rotation.Force) (rotation.Operation, error) {
	takes := stopTakes
	if how == rotation.Hard {
		takes = hardTakes
	}
	return c.begin(ctx, rotation.OpStop, rotation.Running, takes, idsOf(batch), "")
}

func (c *quotaCloud) Start(ctx context.Context, batch []rotation.Instance) (rotation.Operation, error) {
	return c.begin(ctx, rotation.OpStart, rotation.Stopped, startTakes, idsOf(batch), "")
}

func (c *quotaCloud) Restart(context.Context, []rotation.Instance, rotation.Force) (rotation.Operation, error) {
	return rotation.Operation{}, rotation.ErrNotApplied
}

// Mark takes half as many machines as other requests.
func (c *quotaCloud) Mark(ctx context.Context, batch []rotation.Instance, mark rotation.Mark) error {
	for part := range slices.Chunk(batch, perRequest/2) {
		if err := c.call(ctx, "mark"); err != nil {
			return err
		}
		c.mu.Lock()
		for _, inst := range part {
			c.machines[inst.ID].Mark = mark
		}
		c.mu.Unlock()
	}
	return nil
}

func idsOf(batch []rotation.Instance) []string {
	out := make([]string, len(batch))
	for i, inst := range batch {
		out[i] = inst.ID
	}
	return out
}
