package tencent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	"golang.org/x/sync/errgroup"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Observe implements rotation.Fleet: one DescribeInstances for every 100 machines, whatever the operations. Beside an
// error, which is about some of the machines, stand the results of the others.
func (f *Fleet) Observe(ctx context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	seen, err := f.look(ctx, ops)
	hide := f.veil()
	var results []rotation.Result
	for _, op := range ops {
		for _, id := range op.Instances {
			if s, ok := seen[id]; ok {
				results = append(results, s.result(op, id, hide))
			}
		}
	}
	return results, err
}

// look describes all machines of the operations.
func (f *Fleet) look(ctx context.Context, ops []rotation.Operation) (map[string]sighting, error) {
	var ids []string
	for _, op := range ops {
		ids = append(ids, op.Instances...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)

	var mu sync.Mutex
	seen := make(map[string]sighting, len(ids))
	var errs []error
	visit := func(raw *cvm.Instance) {
		if raw == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		seen[wire.Deref(raw.InstanceId)] = sightingOf(raw)
	}
	var group errgroup.Group
	group.SetLimit(wire.AtOnce)
	for chunk := range slices.Chunk(ids, maxBatch) {
		group.Go(func() error {
			if err := f.listByID(ctx, chunk, visit); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
			return nil
		})
	}
	return seen, errors.Join(group.Wait(), firstOf(errs))
}

// firstOf is one error for many of the same kind.
func firstOf(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return fmt.Errorf("%d requests failed, one of them: %w", len(errs), errs[0])
}

// A sighting is what DescribeInstances says of a machine and its latest operation.
type sighting struct {
	state     string
	operation string // empty when there was none
	outcome   string
	requestID string
	message   string
}

func sightingOf(raw *cvm.Instance) sighting {
	return sighting{
		state: wire.Deref(raw.InstanceState), operation: wire.Deref(raw.LatestOperation), outcome: wire.Deref(raw.LatestOperationState),
		requestID: wire.Deref(raw.LatestOperationRequestId), message: wire.Deref(raw.LatestOperationErrorMsg),
	}
}

// operations are the provider's names of what was asked for.
var operations = map[rotation.OpKind]string{
	rotation.OpReset:   "ResetInstancesPassword",
	rotation.OpStop:    "StopInstances",
	rotation.OpStart:   "StartInstances",
	rotation.OpRestart: "RebootInstances",
}

// result is how far op is on the machine.
func (s sighting) result(op rotation.Operation, id string, hide wire.Veil) rotation.Result {
	r := rotation.Result{
		Instance: id, Kind: op.Kind, RequestID: op.RequestID, State: s.progress(op),
		Power: powerOf(s.state), Busy: s.outcome == operating,
	}
	if r.State == rotation.Failed {
		if r.Detail = hide.People(s.message); r.Detail == "" {
			r.Detail = "the provider gives no reason"
		}
	}
	return r
}

// progress reads the record of the latest operation if it is op's, and the state of the machine. The record appears
// some seconds late, when an older operation still stands in it, and a later operation overwrites it: only the request's
// own id tells them apart.
func (s sighting) progress(op rotation.Operation) rotation.OpState {
	if op.Kind == rotation.OpLook {
		return rotation.Done
	}
	ours := op.RequestID != "" && s.requestID == op.RequestID && s.operation == operations[op.Kind]
	switch {
	case s.reached(op.Kind):
		return rotation.Done
	case ours && s.outcome == failed:
		return rotation.Failed
	case ours && s.outcome == succeeded && (op.Kind == rotation.OpReset || op.Kind == rotation.OpRestart):
		return rotation.Done
	case ours && s.outcome == operating, s.moving(op.Kind):
		return rotation.InProgress
	}
	return rotation.Unseen
}

// reached reports whether the machine is where the operation leads to, whoever brought it there.
func (s sighting) reached(kind rotation.OpKind) bool {
	return kind == rotation.OpStop && s.state == "STOPPED" || kind == rotation.OpStart && s.state == "RUNNING"
}

// moving reports whether the machine is on its way there, whoever sent it.
func (s sighting) moving(kind rotation.OpKind) bool {
	switch kind {
	case rotation.OpStop:
		return s.state == "STOPPING"
	case rotation.OpStart:
		return s.state == "STARTING"
	case rotation.OpRestart:
		return s.state == "REBOOTING"
	}
	return false
}
