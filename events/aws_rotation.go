package events

import (
	"fmt"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// AWSRotation is what AWS Secrets Manager calls a rotation function with, once for each step of a rotation. It calls again
// with the same token, from the first step on, when a step fails.
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html, which writes the steps as
// create_secret; what comes is createSecret, as in https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas.
type AWSRotation struct {
	// Step is createSecret, setSecret, testSecret or finishSecret, or one of them in the page's spelling.
	Step string `json:"Step"`
	// SecretId is the secret's ARN.
	SecretID string `json:"SecretId"`
	// ClientRequestToken names the rotation, and is the id of the version that it makes.
	ClientRequestToken string `json:"ClientRequestToken"`
	// RotationToken is given along by newer deliveries. It is secret.
	RotationToken string `json:"RotationToken,omitempty"`
}

// steps are the steps in both spellings.
func steps() map[string]rotation.Step {
	return map[string]rotation.Step{
		"createSecret": rotation.StepCreate, "create_secret": rotation.StepCreate,
		"setSecret": rotation.StepSet, "set_secret": rotation.StepSet,
		"testSecret": rotation.StepTest, "test_secret": rotation.StepTest,
		"finishSecret": rotation.StepFinish, "finish_secret": rotation.StepFinish,
	}
}

func isAWSRotation(o object) bool {
	return slices.ContainsFunc([]string{"Step", "ClientRequestToken", "SecretId"}, o.has)
}

func parseAWSRotation(o object) (rotation.Request, error) {
	// The lengths of a version's id and of a rotation token:
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html.
	const leastToken, mostToken, leastProof, mostProof = 32, 64, 36, 256
	var e AWSRotation
	if err := o.decode(&e); err != nil {
		return rotation.Request{}, err
	}
	step, ok := steps()[e.Step]
	if !ok {
		return rotation.Request{}, fmt.Errorf("field Step: %s: only createSecret, setSecret, testSecret and finishSecret are known", short(e.Step))
	}
	if err := text("SecretId", e.SecretID, maxSecret); err != nil {
		return rotation.Request{}, err
	}
	if err := text("ClientRequestToken", e.ClientRequestToken, mostToken); err != nil {
		return rotation.Request{}, err
	}
	if n := len(e.ClientRequestToken); n < leastToken {
		return rotation.Request{}, fmt.Errorf("ClientRequestToken: %d characters long: Secrets Manager sends %d to %d", n, leastToken, mostToken)
	}
	req := rotation.Request{Action: rotation.Rotate, Step: step, Secret: e.SecretID, Token: e.ClientRequestToken}
	if n := len(e.RotationToken); n > 0 {
		if n < leastProof || n > mostProof {
			return rotation.Request{}, fmt.Errorf("RotationToken: %d characters long: Secrets Manager sends %d to %d", n, leastProof, mostProof)
		}
		req.Proof = rotation.NewPassword(e.RotationToken)
	}
	return req, nil
}
