package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

const (
	awsSecret     = "admin/fleet-1"
	rotationProof = "e2e-rotation-token-of-36-characters-or-more"
)

// stepNames are the steps of a rotation, in order.
func stepNames() []string { return []string{"createSecret", "setSecret", "testSecret", "finishSecret"} }

// A service is Secrets Manager as it runs rotations: it calls the function step by step, stops at a step that fails, and
// begins again at the first with the same token. Its secret is in the simulated Secrets Manager, which refuses what the real
// one refuses; the machines are in a simulated Tencent Cloud.
type service struct {
	*testing.T
	*witness
	*cloud
	sim      *awssim.Cloud
	tokens   atomic.Int64
	attempts int
}

// managed serves a killable fleet whose secret is at AWS.
func managed(t *testing.T, a awssim.Answers) *service {
	t.Helper()
	w := newWitness(t)
	a.Proof = rotationProof
	s := &service{T: t, witness: w, cloud: killable(t, w), sim: awssim.New(awssim.Config{
		AccessKey: "ASIAE2E0000000000000", SecretKey: "e2e-aws-secret-key-000000000000000000000", Token: keyToken, Answers: a,
	})}
	w.knows("e2e-aws-secret-key-000000000000000000000", rotationProof)
	s.sim.PutSecret(awsSecret, fmt.Sprintf(`{"username":"","password":%q,"host":"bastion"}`, tencentsim.BaselinePassword))
	s.sim.EnableRotation(awsSecret)
	w.asks(func() (all []string) {
		for _, value := range s.sim.Values(awsSecret) {
			if value != "" {
				all = append(all, passwordsIn(value)...)
			}
		}
		return all
	})
	return s
}

// ServeHTTP is both clouds.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amz-Target") != "" {
		s.sim.ServeHTTP(w, r)
		return
	}
	s.cloud.ServeHTTP(w, r)
}

// through are the function's variables behind a door to both.
func (s *service) through(d *door) map[string]string {
	return inCommand(with(s.vars(),
		"RELOCK_TENCENT_ENDPOINT", d.url, "RELOCK_AWS_ENDPOINT", d.url, "RELOCK_STORE", "aws", "RELOCK_SECRET", awsSecret,
		"RELOCK_MAX_UNAVAILABLE", "2", "AWS_REGION", awssim.DemoRegion, "AWS_ACCESS_KEY_ID", "ASIAE2E0000000000000",
		"AWS_SECRET_ACCESS_KEY", "e2e-aws-secret-key-000000000000000000000", "AWS_SESSION_TOKEN", keyToken))
}

func (s *service) newDoor() *door {
	d := s.opening(s.T, s)
	return d
}

// step is one invocation as the service makes it, on the other side of a door.
func (s *service) step(d *door, name, token string, limit time.Duration) *lambdaRun {
	s.Helper()
	event, err := json.Marshal(map[string]string{
		"Step": name, "SecretId": s.sim.ARN(awsSecret), "ClientRequestToken": token, "RotationToken": rotationProof,
	})
	if err != nil {
		s.Fatal(err)
	}
	return s.own(d, string(event), limit)
}

// own is an invocation with any event.
func (s *service) own(d *door, event string, limit time.Duration) *lambdaRun {
	s.Helper()
	vars := s.through(d)
	if limit < patience {
		vars = inShort(vars)
	}
	return s.invoking(s.T, vars, event, limit)
}

// begin is RotateSecret.
func (s *service) begin() (token string) {
	s.Helper()
	token = fmt.Sprintf("%08d-0000-4000-8000-000000000000", s.tokens.Add(1))
	if err := s.sim.BeginRotation(awsSecret, token); err != nil {
		s.Fatalf("RotateSecret: %v", err)
	}
	return token
}

// attempt calls the steps until one fails, and reports whether none did.
func (s *service) attempt(token string) (said string, ok bool) {
	s.Helper()
	s.attempts++
	for _, name := range stepNames() {
		r := s.step(s.newDoor(), name, token, patience).do(s.T)
		s.wantKept()
		if !r.ok() {
			return name + ": " + r.String(), false
		}
	}
	return "", true
}

// retry attempts the rotation until it succeeds, as the service does.
func (s *service) retry(token string) {
	s.Helper()
	said := ""
	for range 4 {
		why, ok := s.attempt(token)
		if ok {
			break
		}
		said += "\n" + why
	}
	if err := s.sim.EndRotation(awsSecret, token); err != nil {
		s.Fatalf("the service says: %v%s", err, said)
	}
}

// labelled are the passwords of all versions that have a label.
func (s *service) labelled() (all []string) {
	for _, value := range s.sim.Labelled(awsSecret) {
		all = append(all, passwordsIn(value)...)
	}
	return all
}

// wantKept fails the test unless a version with a label holds the password of every machine now, and returns how many are
// lost.
func (s *service) wantKept() (lost int) {
	s.Helper()
	machines := s.Machines() // in this order: what is set in between was stored before
	known := s.labelled()
	for _, m := range machines {
		if !slices.Contains(known, m.Password) {
			lost++
			s.Errorf("machine %s has a password that no labelled version holds", m.ID)
		}
	}
	return lost
}

// A verdict is how a history ended.
type verdict struct {
	attempts, lost, down int
	stages               string
}

// ended holds the end of a history: nothing is lost or down, and every machine has what consumers read.
func (s *service) ended(stops int) verdict {
	s.Helper()
	v := verdict{attempts: s.attempts, lost: s.wantKept(), down: s.wantPower(s.T), stages: s.stages()}
	labels := s.sim.Labels(awsSecret)
	var current stored
	if err := json.Unmarshal([]byte(s.sim.Values(awsSecret)[labels["AWSCURRENT"]]), &current); err != nil {
		s.Fatal(err)
	}
	for id, m := range s.byID() {
		if resettable(s.machines[id]) && m.Password != current.Password {
			s.Errorf("machine %s does not have the current password", id)
		}
	}
	s.wantStops(s.T, 1, stops)
	return v
}

// stages says where the service's labels are, in words.
func (s *service) stages() string {
	labels := s.sim.Labels(awsSecret)
	var generations []string
	for label := range labels {
		if strings.HasPrefix(label, "g") {
			generations = append(generations, label)
		}
	}
	name := func(id string) string {
		var names []string
		if strings.HasSuffix(id, "-0000-4000-8000-000000000000") {
			names = append(names, "token")
		}
		for _, g := range slices.Sorted(slices.Values(generations)) {
			if labels[g] == id {
				names = append(names, g)
			}
		}
		return strings.Join(names, "=")
	}
	var out []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		if strings.HasPrefix(label, "AWS") {
			out = append(out, strings.TrimPrefix(label, "AWS")+" "+name(labels[label]))
		}
	}
	return strings.Join(out, ", ")
}
