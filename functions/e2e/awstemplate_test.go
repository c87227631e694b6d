package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws/awssim"
)

func awsTemplate(t *testing.T) string { return shipped(t, "deploy", "aws", "template.yaml") }

// The role may do with the secret what is done with it, and nothing besides. Everything is done here: rotations by
// Secrets Manager until the secret is compacted, one whose AWSPENDING has to be put back, and what the schedules ask for.
func TestTemplatesRoleGrantsExactlyTheActionsThatAreCalled(t *testing.T) {
	t.Parallel()
	s := managed(t, awssim.Answers{PutTakesPending: true, FinishTakesPending: true})
	called := func() []string {
		all := map[string]bool{}
		for _, r := range s.sim.Requests() {
			all["secretsmanager:"+r.Action] = true
		}
		return slices.Sorted(maps.Keys(all))
	}
	archived := func() bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(s.sim.Labels(awsSecret))), func(label string) bool { return strings.HasPrefix(label, "a0") })
	}
	for n := 0; !archived(); n++ {
		if n > 14 {
			t.Fatalf("after %d rotations nothing was compacted", n)
		}
		s.retry(s.begin())
	}
	s.cloud.remember()
	for _, input := range templateInputs(t) {
		if r := s.own(s.newDoor(), input, patience).do(t); !r.ok() || r.Outcome != rotation.Nothing {
			t.Errorf("%s: %s", input, r)
		}
	}
	role := awsTemplate(t)
	role = role[strings.Index(role, "- Sid: Secret"):strings.Index(role, "- Sid: Keys")]
	if got, want := called(), firsts(`- (secretsmanager:[A-Za-z]+)`, role); !slices.Equal(got, want) {
		t.Errorf("called   %s\ngranted  %s\nwant the same", strings.Join(got, " "), strings.Join(want, " "))
	}
}

func templateInputs(t *testing.T) []string { return firsts(`Input: '(.*)'`, awsTemplate(t)) }

// The schedules ask for what the function understands, and none of them begins a rotation: Secrets Manager does.
func TestTemplatesSchedulesAskForResumeAndReconcile(t *testing.T) {
	var actions []rotation.Action
	for _, input := range templateInputs(t) {
		req, err := events.Parse([]byte(input))
		if err != nil {
			t.Errorf("Parse(%s) = %v", input, err)
		}
		actions = append(actions, req.Action)
	}
	if want := []rotation.Action{rotation.Reconcile, rotation.Resume}; !slices.Equal(actions, want) {
		t.Errorf("the schedules ask to %q; want %q", actions, want)
	}
}

// Only Secrets Manager of this account may call the function, and the role names no resource by a star.
func TestTemplateGrantsNoMoreThanItSays(t *testing.T) {
	text := awsTemplate(t)
	for _, want := range []string{"Principal: secretsmanager.amazonaws.com", "SourceAccount: !Ref AWS::AccountId", "ReservedConcurrentExecutions: 1", "Resource: !Ref SecretArn"} {
		if !strings.Contains(text, want) {
			t.Errorf("the template lacks %q", want)
		}
	}
	if strings.Contains(text, "Resource: '*'") || strings.Contains(text, `Resource: "*"`) || strings.Contains(text, ":*\n") {
		t.Error("the template grants something on everything")
	}
	var known []string
	for _, v := range config.Variables() {
		known = append(known, v.Name)
	}
	for _, name := range firsts(`(?m)^ +(RELOCK_[A-Z_]+):`, text) {
		if !slices.Contains(known, name) {
			t.Errorf("the template sets %s, which there is not", name)
		}
	}
}

// Alarms look for metrics that the report's line declares, and for a line that is logged.
func TestTemplatesAlarmsLookForWhatTheFunctionLogs(t *testing.T) {
	t.Parallel()
	s := managed(t, awssim.Answers{})
	run := s.own(s.newDoor(), `{"action":"resume"}`, patience)
	run.do(t)
	reports := logged(t, run.stderr.String(), "relock.report")
	if len(reports) != 1 {
		t.Fatalf("%d report lines; want 1", len(reports))
	}
	declared, _ := json.Marshal(reports[0]["_aws"])
	for _, metric := range firsts(`Namespace: relock\n +MetricName: ([a-zA-Z]+)\n`, awsTemplate(t)) {
		if _, ok := reports[0][metric].(float64); !ok || !strings.Contains(string(declared), `"Name":"`+metric+`"`) {
			t.Errorf("an alarm looks for %s, which the line does not declare: %s", metric, declared)
		}
	}
	if !strings.Contains(awsTemplate(t), `FilterPattern: '{ $.msg = "relock.drift" }'`) {
		t.Error("nothing looks for relock.drift")
	}
}
