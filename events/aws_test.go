package events_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/rotation"
)

const (
	token = "11111111-1111-4111-8111-111111111111"
	proof = "example-rotation-token-0000000000000000"
	arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin/fleet-1-a1B2c3"
)

func awsStep(t *testing.T, step string) string {
	t.Helper()
	raw, err := json.Marshal(events.AWSRotation{Step: step, SecretID: arn, ClientRequestToken: token, RotationToken: proof})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestStepsOfARotationComeInTwoSpellings(t *testing.T) {
	t.Parallel()
	for step, names := range map[rotation.Step][2]string{
		rotation.StepCreate: {"createSecret", "create_secret"}, rotation.StepSet: {"setSecret", "set_secret"},
		rotation.StepTest: {"testSecret", "test_secret"}, rotation.StepFinish: {"finishSecret", "finish_secret"},
	} {
		for _, name := range names {
			wantRequest(t, awsStep(t, name), rotation.Request{
				Action: rotation.Rotate, Step: step, Secret: arn, Token: token, Proof: rotation.NewPassword(proof),
			})
		}
	}
	wantRequest(t, string(accepted(t)["aws_rotation_snake.json"]), rotation.Request{
		Action: rotation.Rotate, Step: rotation.StepFinish, Token: token,
		Secret: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:admin/fleet-1-a1B2c3",
	})
}

func TestStepThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	for raw, piece := range map[string]string{
		`{"Step":"createSecret"}`:                                         "SecretId: empty or not there",
		`{"SecretId":"x","ClientRequestToken":"y"}`:                       `field Step: ""`,
		awsStep(t, "deleteSecret"):                                        `field Step: "deleteSecret"`,
		awsStep(t, "CreateSecret"):                                        `field Step: "CreateSecret"`,
		`{"Step":"setSecret","SecretId":"x"}`:                             "ClientRequestToken: empty or not there",
		strings.Replace(awsStep(t, "setSecret"), token, "short", 1):       "ClientRequestToken: 5 characters long",
		strings.Replace(awsStep(t, "setSecret"), proof, "short-proof", 1): "RotationToken: 11 characters long",
		`{"Step":"setSecret","action":"rotate"}`:                          "send one of them",
	} {
		wantRefused(t, raw, piece)
	}
}

// A rotation token is secret: no error shows it.
func TestRotationTokenIsNotShown(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		strings.Replace(awsStep(t, "setSecret"), proof, strings.Repeat(proof, 7), 1),
		strings.Replace(awsStep(t, "setSecret"), `"`+proof+`"`, `["`+proof+`"]`, 1),
	} {
		_, err := events.Parse([]byte(raw))
		if err == nil || strings.Contains(err.Error(), proof[:20]) {
			t.Errorf("Parse = %v; want an error without the token", err)
		}
	}
}

func TestScheduleRotatesOncePerDelivery(t *testing.T) {
	t.Parallel()
	wantRequest(t, string(accepted(t)["aws_schedule_rule.json"]), rotation.Request{
		Action: rotation.Rotate, Token: "eventbridge:53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", Time: due,
	})
	wantRequest(t, string(accepted(t)["aws_schedule_scheduler.json"]), rotation.Request{
		Action: rotation.Rotate, Token: "eventbridge:d4c6eb8f-6a1c-4f2f-9a39-0c8b2d1e5f60", Time: due,
	})
	for raw, piece := range map[string]string{
		`{"detail-type":"Scheduled Event","source":"aws.events"}`:                          "id: empty or not there",
		`{"detail-type":"Scheduled Event","source":"aws.events","id":"a"}`:                 "is no time",
		`{"detail-type":"Scheduled Event","source":"mine","id":"a"}`:                       "another function's event",
		`{"detail-type":"AWS Service Event via CloudTrail","source":"aws.secretsmanager"}`: "another function's event",
		`{"detail-type":["Scheduled Event"],"source":"aws.events"}`:                        "detail-type: of the wrong type",
	} {
		wantRefused(t, raw, piece)
	}
}
