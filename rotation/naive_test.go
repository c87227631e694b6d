package rotation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
)

// naiveTries is how often a naive script tries a request again before it goes on with the next machines.
const naiveTries = 30

// oneAtATime is the loop that people write first: each machine is stopped, reset and started, with a poll after each. It
// keeps no password and proves none; it is here for its time and its calls.
func oneAtATime(tb *testing.T, c *quotaCloud) (ticks, live int) {
	c.paced = false
	for _, m := range c.order {
		c.naively(tb.Context(), []string{m.ID}, m.Power)
	}
	return 0, 0
}

// allBatchesAtOnce is what people write next: requests for a hundred machines, all at once, without a limiter, and again
// after an error.
func allBatchesAtOnce(tb *testing.T, c *quotaCloud) (ticks, live int) {
	c.paced = false
	var wg sync.WaitGroup
	for at := 0; at < len(c.order); at += perRequest {
		var ids []string
		for _, m := range c.order[at:min(at+perRequest, len(c.order))] {
			ids = append(ids, m.ID)
		}
		wg.Go(func() { c.naively(tb.Context(), ids, c.machines[ids[0]].Power) })
	}
	wg.Wait()
	return 0, 0
}

// naively brings machines through. What still fails after some tries is left as it is.
func (c *quotaCloud) naively(ctx context.Context, ids []string, found rotation.PowerState) {
	steps := []struct {
		kind  rotation.OpKind
		from  rotation.PowerState
		takes time.Duration
	}{{rotation.OpStop, rotation.Running, stopTakes}, {rotation.OpReset, rotation.Stopped, resetTakes}, {rotation.OpStart, rotation.Stopped, startTakes}}
	if found == rotation.Stopped {
		steps = steps[1:2]
	}
	for _, s := range steps {
		op, err := c.begin(ctx, s.kind, s.from, s.takes, ids, "Naive-Pass-0001")
		for try := 0; err != nil && try < naiveTries; try++ {
			time.Sleep(time.Second)
			op, err = c.begin(ctx, s.kind, s.from, s.takes, ids, "Naive-Pass-0001")
		}
		if err != nil {
			continue
		}
		for ended := false; !ended; {
			time.Sleep(poll)
			results, err := c.Observe(ctx, []rotation.Operation{op})
			ended = err == nil
			for _, r := range results {
				ended = ended && !r.Busy && r.Power != rotation.Changing
			}
		}
	}
}
