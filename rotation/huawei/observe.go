package huawei

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"golang.org/x/sync/errgroup"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// Observe implements rotation.Fleet: one request for every 100 machines and one for every job. Beside an error, which is
// about some of the machines or jobs, stand the results of the others. Of a reset nothing can be seen: nobody reports it.
func (f *Fleet) Observe(ctx context.Context, ops []rotation.Operation) ([]rotation.Result, error) {
	jobs, jobErrs := f.jobs(ctx, ops)
	var ids []string
	for _, op := range ops {
		ids = append(ids, op.Instances...)
	}
	var mu sync.Mutex
	seen := map[string]*model.ServerDetail{}
	errs := f.listByID(ctx, ids, func(raw *model.ServerDetail) {
		mu.Lock()
		defer mu.Unlock()
		seen[raw.Id] = raw
	})
	var results []rotation.Result
	for _, op := range ops {
		for _, id := range op.Instances {
			if raw, ok := seen[id]; ok {
				results = append(results, result(op, raw, jobs[op.Job]))
			}
		}
	}
	return results, firstOf(append(jobErrs, errs...))
}

// firstOf is one error for many of the same kind.
func firstOf(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	return fmt.Errorf("%d requests failed, one of them: %w", len(errs), errs[0])
}

// jobID keeps what is no job's id out of paths.
var jobID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// jobs reads the jobs of the operations, each once, by id.
func (f *Fleet) jobs(ctx context.Context, ops []rotation.Operation) (map[string]*model.ShowJobResponse, []error) {
	var mu sync.Mutex
	found := map[string]*model.ShowJobResponse{}
	var errs []error
	var group errgroup.Group
	group.SetLimit(wire.AtOnce)
	asked := map[string]bool{}
	for _, op := range ops {
		if asked[op.Job] || !jobID.MatchString(op.Job) {
			continue
		}
		asked[op.Job] = true
		group.Go(func() error {
			job, err := f.job(ctx, op.Job)
			mu.Lock()
			defer mu.Unlock()
			found[op.Job] = job
			if err != nil {
				errs = append(errs, err)
			}
			return nil
		})
	}
	_ = group.Wait() // it returns none
	return found, errs
}

func (f *Fleet) job(ctx context.Context, id string) (job *model.ShowJobResponse, err error) {
	err = f.client.Send(ctx, showJob, nil, func(ctx context.Context) error {
		sdk, _, err := f.client.ecs(ctx)
		if err != nil {
			return err
		}
		if job, err = sdk.ShowJob(&model.ShowJobRequest{JobId: id}); err != nil {
			return err
		}
		return wire.Answered(job.Status)
	})
	if err != nil {
		return nil, err
	}
	return job, nil
}

// result is how far op is on the machine.
func result(op rotation.Operation, raw *model.ServerDetail, job *model.ShowJobResponse) rotation.Result {
	r := rotation.Result{
		Instance: raw.Id, Kind: op.Kind, RequestID: op.RequestID, State: rotation.Unseen,
		Power: powerOf(raw), Busy: raw.OSEXTSTStaskState != "",
	}
	switch op.Kind {
	case rotation.OpLook:
		r.State = rotation.Done
		return r
	case rotation.OpReset:
		return r
	}
	part := partOf(job, raw.Id)
	switch {
	case op.Kind == rotation.OpStop && r.Power == rotation.Stopped, op.Kind == rotation.OpStart && r.Power == rotation.Running:
		r.State = rotation.Done // whoever brought it there
	case part.status == "FAIL":
		r.State, r.Detail = rotation.Failed, part.why()
	case part.status == "SUCCESS" && op.Kind == rotation.OpRestart && r.Power == rotation.Running:
		r.State = rotation.Done
	case part.status != "", r.Power == rotation.Changing:
		r.State = rotation.InProgress
	}
	return r
}

// A part is what a job says of one machine.
type part struct{ status, code, reason string }

// why is the provider's reason for a failure.
func (p part) why() string {
	var hide wire.Veil // nothing of a power operation is secret
	switch reason := hide.People(p.reason); {
	case reason == "" && p.code == "":
		return "the provider gives no reason"
	case reason == "":
		return hide.Word(p.code, codes)
	case p.code == "":
		return reason
	default:
		return reason + " (" + hide.Word(p.code, codes) + ")"
	}
}

// partOf finds a machine's part in a job. A job without parts speaks of its one machine; a job that succeeded did so on all of
// them. Of a machine that a failed job does not name, nothing is known.
func partOf(job *model.ShowJobResponse, id string) part {
	if job == nil || job.Status == nil {
		return part{}
	}
	whole := part{job.Status.Value(), wire.Deref(job.ErrorCode), wire.Deref(job.FailReason)}
	entities := wire.Deref(job.Entities)
	parts := wire.Deref(entities.SubJobs)
	for _, s := range parts {
		if its := wire.Deref(s.Entities); wire.Deref(its.ServerId) == id && s.Status != nil {
			reason := wire.Deref(s.FailReason)
			if reason == "" {
				reason = wire.Deref(its.ErrorcodeMessage)
			}
			return part{s.Status.Value(), wire.Deref(s.ErrorCode), reason}
		}
	}
	if whole.status == "FAIL" && (len(parts) > 0 || wire.Deref(entities.ServerId) != id && entities.ServerId != nil) {
		return part{}
	}
	return whole
}
