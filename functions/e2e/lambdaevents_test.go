package e2e_test

import (
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws/awssim"
)

// Where Secrets Manager only keeps the secret, a schedule rotates, once for each of its deliveries.
func TestScheduleRotatesASecretThatTheServiceOnlyKeeps(t *testing.T) {
	t.Parallel()
	s := managed(t, awssim.Answers{})
	event := fixture(t, "aws_schedule_rule.json")
	if r := s.own(s.newDoor(), event, patience).do(t); r.ok() || !strings.Contains(r.err, "rotate-secret") {
		t.Errorf("while the service rotates the secret: %s; want it refused, with the remedy", r)
	}
	s.wantStops(t, 0, 0)
	s.sim.CancelRotation(awsSecret)
	for _, want := range []rotation.Outcome{rotation.Rotated, rotation.Nothing} {
		if r := s.own(s.newDoor(), event, patience).do(t); !r.ok() || r.Outcome != want {
			t.Errorf("the schedule's event: %s; want %s", r, want)
		}
	}
	s.ended(1)
	if pending := s.sim.Labels(awsSecret)["AWSPENDING"]; pending != "" {
		t.Errorf("AWSPENDING is on %s; want it left alone", pending)
	}
}

// When rotation is configured but not begun, the service tries the step test alone: that is a plan, and changes nothing.
func TestStepTestAloneIsAPlan(t *testing.T) {
	t.Parallel()
	for name, filled := range map[string]bool{"a version without a value": false, "a copy of current": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const token = "99999999-0000-4000-8000-000000000000"
			s := managed(t, awssim.Answers{})
			s.sim.BeginTest(awsSecret, token, filled)
			before := len(s.sim.Values(awsSecret))
			if r := s.step(s.newDoor(), "testSecret", token, patience).do(t); !r.ok() || r.Outcome != rotation.Planned || r.Counts.Scope != 6 {
				t.Errorf("testSecret: %s; want a plan for 6 machines", r)
			}
			s.cloud.wantUntouched(t)
			if n := len(s.sim.Values(awsSecret)); n != before {
				t.Errorf("%d versions; want %d", n, before)
			}
			s.sim.EndTest(awsSecret, token)
			s.retry(s.begin())
			s.ended(1)
		})
	}
}
