package rotationtest

import (
	"context"
	"fmt"
	"time"

	"github.com/relock-project/relock/rotation"
)

// event is what a schedule or a person does; nil is a person who edits current.
type event *rotation.Request

// events are rotations, each followed by others of its token: the same event once more, what schedules add, and what a
// forger sends. Some come in another order.
func (p *play) events(generations int) []event {
	var out []event
	for i := range generations {
		token := fmt.Sprintf("t%d", i)
		out = append(out, &rotation.Request{Action: rotation.Rotate, Token: token, NewCandidate: p.c.Choose(6) == 0})
		for range p.c.Choose(3) {
			action := []rotation.Action{rotation.Resume, rotation.Reconcile, rotation.Verify, rotation.Rotate}[p.c.Choose(4)]
			out = append(out, &rotation.Request{Action: action, Token: token, Only: p.only()})
		}
		if p.c.Choose(8) == 0 {
			out = append(out, nil)
		}
		if p.c.Choose(8) == 0 {
			out = append(out, &rotation.Request{Action: rotation.Rotate, Token: "t0"}) // replayed
		}
	}
	if at := p.c.Choose(len(out)); p.c.Choose(4) == 0 && at > 0 {
		out[at-1], out[at] = out[at], out[at-1]
	}
	return out
}

// only narrows an event now and then, or tries to widen it.
func (p *play) only() []string {
	switch p.c.Choose(8) {
	case 0:
		return []string{p.Machines[p.c.Choose(len(p.Machines))].ID} // which may be outside the scope
	case 1:
		return []string{"m0", "m99"}
	}
	return nil
}

func (p *play) begin(e event) {
	if e == nil {
		p.Human(fmt.Sprintf("Human-Pass-%04d", p.started))
		return
	}
	r := p.Rotator()
	p.change(r)
	r.Rand = &counter{n: byte(p.started * 31)}
	req := *e
	if p.c.Choose(3) == 0 {
		req.Time = p.now.Add(-time.Duration(p.c.Choose(3)) * time.Hour)
	}
	var left time.Duration
	if p.c.Choose(4) == 0 {
		left = time.Duration(9+p.c.Choose(30)) * time.Minute
	}
	p.tasks = append(p.tasks, p.start(r, req, left, p.skew()))
	p.overlap = max(p.overlap, len(p.tasks)+p.unseen())
}

// unseen is how many invocations ended so short a time ago that their marks may not be seen: they count as still at work,
// since what follows cannot know of them. Nothing is sooner than that in deploy/.
func (p *play) unseen() (n int) {
	if !p.answers.MarksLate {
		return 0
	}
	for _, at := range p.ended {
		if p.now.Before(at.Add(marksLate)) {
			n++
		}
	}
	return n
}

// skew is how far an invocation's clock is ahead: in most of them not at all.
func (p *play) skew() time.Duration {
	switch p.c.Choose(24) {
	case 0:
		return time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC).Sub(p.now)
	case 1:
		return 365 * 24 * time.Hour
	case 2:
		return time.Minute - time.Duration(p.c.Choose(10))*time.Minute
	}
	return 0
}

// until is a context whose deadline is in the world's time.
type until struct {
	context.Context
	at time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.at, true }
