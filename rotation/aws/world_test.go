package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
	"github.com/relock-project/relock/rotation/aws/awssim"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// A lived is a world whose secret is in the simulated service, behind the real driver: each of its requests is a call that
// may fail, kill the process, or be overtaken.
type lived struct {
	*rotationtest.World
	sim *awssim.Cloud
}

// live makes a world of a few machines.
func live(a awssim.Answers) *lived {
	l := &lived{sim: awssim.New(awssim.Config{Answers: a})}
	l.sim.PutSecret(rotationtest.Secret, value)
	l.sim.EnableRotation(rotationtest.Secret)
	l.World = rotationtest.NewWorldOver(rotationtest.Vault{
		Labels: l.labels, Open: l.open, Human: func(value string) { l.sim.Edit(rotationtest.Secret, value) },
	})
	l.Add(rotation.Linux, rotation.Running)
	l.Add(rotation.Windows, rotation.Running)
	l.Meanwhile(func() { l.Over(rotation.Request{Action: rotation.Resume}, nil) })
	return l
}

// labels are the values with a label, under the names that the driver gives them.
func (l *lived) labels() map[string]string {
	out := map[string]string{}
	values := l.sim.Values(rotationtest.Secret)
	for label, id := range l.sim.Labels(rotationtest.Secret) {
		name := strings.TrimPrefix(strings.ToLower(label), "aws")
		if values[id] != "" {
			out[name] = values[id]
		}
	}
	return out
}

func (l *lived) open() rotation.Store {
	p := &passage{lived: l}
	store, err := aws.NewStore(aws.Config{
		Credentials: aws.Static(awssim.DemoAccessKey, awssim.DemoSecretKey, ""), Endpoint: "http://127.0.0.1:1", Transport: p, Clock: instant{},
	}, region)
	if err != nil {
		panic(err)
	}
	return &mortal{store, p}
}

// A passage takes the requests of one invocation to the service.
type passage struct {
	*lived
	dead bool
}

var errDead = errors.New("the process is dead")

func (p *passage) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if p.dead {
		return nil, errDead
	}
	defer func() {
		// The driver recovers from panics of the SDK: the process dies when the driver returns, and asks nothing until then.
		if died := recover(); died != nil {
			if _, ok := died.(rotationtest.Killed); !ok {
				panic(died)
			}
			p.dead, resp, err = true, nil, errDead
		}
	}()
	action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	lost := p.Boundary("aws-"+action, func() error {
		resp, err = p.sim.Transport().RoundTrip(r)
		if err == nil && action == "GetSecretValue" {
			body, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(body))
			var answer struct{ SecretString string }
			_ = json.Unmarshal(body, &answer)
			p.GaveBack(answer.SecretString)
		}
		return err
	})
	if lost != nil {
		return nil, lost
	}
	return resp, err
}

// mortal is a store whose process dies with a request.
type mortal struct {
	*aws.Store
	*passage
}

func (m *mortal) die() {
	if m.dead {
		panic(rotationtest.Killed{})
	}
}

func (m *mortal) Admit(ctx context.Context, secret string, req rotation.Request) (rotation.Admission, error) {
	defer m.die()
	return m.Store.Admit(ctx, secret, req)
}

func (m *mortal) Fill(ctx context.Context, secret string, v rotation.Version) error {
	defer m.die()
	return m.Store.Fill(ctx, secret, v)
}

func (m *mortal) Get(ctx context.Context, secret string, stage rotation.Stage) (rotation.Version, error) {
	defer m.die()
	return m.Store.Get(ctx, secret, stage)
}

func (m *mortal) Propose(ctx context.Context, secret string, v rotation.Version) (rotation.Version, error) {
	defer m.die()
	return m.Store.Propose(ctx, secret, v)
}

func (m *mortal) Promote(ctx context.Context, secret string, v rotation.Version) error {
	defer m.die()
	return m.Store.Promote(ctx, secret, v)
}

func (m *mortal) History(ctx context.Context, secret string) ([]rotation.Version, error) {
	defer m.die()
	return m.Store.History(ctx, secret)
}

// rotates is a rotation that the service runs until it succeeds, with a schedule's resume between its attempts when they
// fail twice.
func (l *lived) rotates(token string, at map[int]rotationtest.Fault) error {
	if err := l.sim.BeginRotation(rotationtest.Secret, token); err != nil {
		return err
	}
	for attempt := range 6 {
		if l.Steps(token, at) {
			break
		}
		l.Advance(5 * time.Minute)
		if attempt > 0 {
			l.Over(rotation.Request{Action: rotation.Resume}, at)
		}
	}
	l.Advance(time.Hour)
	l.Land()
	return l.sim.EndRotation(rotationtest.Secret, token)
}

// history is two rotations with faults at the numbered calls, and what a schedule does after them.
func history(a awssim.Answers, at map[int]rotationtest.Fault) *lived {
	l := live(a)
	for _, token := range []string{first, second} {
		if err := l.rotates(token, at); err != nil {
			l.Violations = append(l.Violations, "L1: "+err.Error())
			break
		}
	}
	for range 2 {
		l.Over(rotation.Request{Action: rotation.Reconcile}, nil)
		l.Advance(time.Hour)
	}
	l.CheckEnd()
	return l
}

// every is how many points of the fault loop there are to one that is visited; make sim visits all.
var every = flag.Int("every", 40, "visit one of so many single faults")

// TestNoSingleFaultBreaksARotationOfTheServices: the engine, the real driver and the service's own rules, with one fault of
// every kind at every call.
func TestNoSingleFaultBreaksARotationOfTheServices(t *testing.T) {
	everywhere(t, func(t *testing.T, a awssim.Answers) {
		clean := history(a, nil)
		wantNoViolation(t, clean, "nothing")
		calls, histories := clean.Calls(), 1
		for n := 1; n <= calls; n++ {
			for i, f := range rotationtest.Faults() {
				if (n*len(rotationtest.Faults())+i)%*every != 0 {
					continue
				}
				l := history(a, map[int]rotationtest.Fault{n: f})
				histories++
				wantNoViolation(t, l, fmt.Sprintf("%s at call %d", f, n))
				if t.Failed() {
					return
				}
			}
		}
		fmt.Fprintf(os.Stderr, "four steps, single faults: %d calls, %d histories, 0 violations\n", calls, histories)
	})
}

func wantNoViolation(t *testing.T, l *lived, what string) {
	t.Helper()
	if len(l.Violations) > 0 {
		t.Errorf("%s: %s\n%s", what, strings.Join(l.Violations[:min(4, len(l.Violations))], "\n"), strings.Join(l.Trace, "\n"))
	}
}
