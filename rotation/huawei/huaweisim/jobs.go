package huaweisim

import (
	"net/http"
	"time"
)

// Job states. https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0901.html
const (
	jobInit    = "INIT"
	jobRunning = "RUNNING"
	jobSuccess = "SUCCESS"
	jobFail    = "FAIL"
)

// initTakes is how long, at scale 1, a job is INIT.
const initTakes = 200 * time.Millisecond

// A job is one accepted batch action.
type job struct {
	id, kind, region string
	begun            time.Time
	inits            time.Duration
	subs             []*subJob
}

// A subJob is what a job does with one machine.
type subJob struct {
	id, kind      string
	machine       *machine
	status        string
	code, message string
	ended         time.Time
}

// finish ends the machine's action; an empty code is success.
func (m *machine) finish(at time.Time, code, message string) {
	m.doing.end(at, code, message)
	m.doing = nil
}

func (s *subJob) end(at time.Time, code, message string) {
	s.status, s.ended, s.code, s.message = jobSuccess, at, code, message
	if code != "" {
		s.status = jobFail
	}
}

// settled is the whole job's status at now, and when it ended: SUCCESS when every sub-job succeeded, FAIL when one failed.
func (j *job) settled(now time.Time) (status string, ended time.Time) {
	if now.Before(j.begun.Add(j.inits)) {
		return jobInit, ended
	}
	status = jobSuccess
	for _, s := range j.subs {
		s.machine.Settle(now)
		switch {
		case s.status == jobRunning:
			return jobRunning, time.Time{}
		case s.status == jobFail:
			status = jobFail
		}
		if s.ended.After(ended) {
			ended = s.ended
		}
	}
	return status, ended
}

// jobFields is what a job and a sub-job have in common. Pointers are the fields that may be null.
type jobFields struct {
	Status     string  `json:"status"`
	JobID      string  `json:"job_id"`
	JobType    string  `json:"job_type"`
	BeginTime  string  `json:"begin_time"`
	EndTime    *string `json:"end_time"`
	ErrorCode  *string `json:"error_code"`
	FailReason *string `json:"fail_reason"`
	Entities   any     `json:"entities"`
}

func (f *jobFields) fill(ended time.Time, code, message string) {
	if !ended.IsZero() {
		f.EndTime = pointer(stamp(ended))
	}
	if f.Status == jobFail {
		f.ErrorCode, f.FailReason = &code, &message
	}
}

func pointer[T any](v T) *T { return &v }

// stamp: "2016-01-01T04:09:20.124Z".
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// showJob: https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0901.html. An error of the query itself has code and
// message at the top.
func showJob(c *Cloud, k *call) (any, error) {
	j := c.jobs[k.path["job_id"]]
	if j == nil || j.region != k.Region {
		e := refuse(http.StatusBadRequest, "Ecs.0005", "Invalid request parameters: the job does not exist.")
		e.Flat = true
		return nil, e
	}
	out := jobFields{JobID: j.id, JobType: j.kind, BeginTime: stamp(j.begun)}
	var ended time.Time
	out.Status, ended = j.settled(k.now)
	out.fill(ended, "Ecs.0611", "Batch operation failed: some servers failed.")
	subs := []jobFields{}
	for _, s := range j.subs {
		f := jobFields{Status: s.status, JobID: s.id, JobType: s.kind, BeginTime: stamp(j.begun)}
		if out.Status == jobInit {
			f.Status = jobInit
		}
		entities := map[string]string{"server_id": s.machine.ID}
		if f.Status == jobFail {
			entities["errorcode_message"] = s.message
		}
		if f.Status != jobInit {
			f.fill(s.ended, s.code, s.message)
		}
		f.Entities = entities
		subs = append(subs, f)
	}
	out.Entities = map[string]any{"sub_jobs_total": len(subs), "sub_jobs": subs}
	return out, nil
}
