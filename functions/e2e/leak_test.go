package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// A mock is a test whose failures another test looks at.
type mock struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (m *mock) Cleanup(f func())          { m.cleanups = append(m.cleanups, f) }
func (m *mock) Error(args ...any)         { m.failures = append(m.failures, fmt.Sprint(args...)) }
func (m *mock) Errorf(f string, a ...any) { m.failures = append(m.failures, fmt.Sprintf(f, a...)) }

// end ends the trial and returns its failures.
func (m *mock) end() []string {
	for _, f := range slices.Backward(m.cleanups) {
		f()
	}
	return m.failures
}

// leaks are the places where a text of a program can appear, by name: each makes it appear there.
func leaks() map[string]func(t testing.TB, w *witness, text string) {
	shell := func(script string) func(testing.TB, *witness, string) {
		return func(t testing.TB, w *witness, text string) {
			p := w.prepare(t, "/bin/sh", map[string]string{"TEXT": text}, "-c", script)
			p.start(t)
			p.wait(t)
		}
	}
	request := func(make func(url, text string) (*http.Request, error)) func(testing.TB, *witness, string) {
		return func(t testing.TB, w *witness, text string) {
			nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			r, err := make(w.opening(t, nothing).url, text)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
	}
	body := func(action, format string) func(testing.TB, *witness, string) {
		return request(func(url, text string) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(fmt.Sprintf(format, text)))
			if err == nil {
				r.Header.Set("X-TC-Action", action)
			}
			return r, err
		})
	}
	return map[string]func(testing.TB, *witness, string){
		"standard output": shell(`printf %s "before $TEXT after"`),
		"standard error":  shell(`printf %s "before $TEXT after" >&2`),
		"a file":          shell(`printf %s "before $TEXT after" >report`),
		"the arguments": func(t testing.TB, w *witness, text string) {
			p := w.prepare(t, "/bin/sh", nil, "-c", "read wait", text)
			p.start(t)
			p.wait(t)
		},
		"the function's answer": func(_ testing.TB, w *witness, text string) {
			platform{witness: w}.heardAnswer("rotate", messages.InvokeResponse{Payload: []byte(text)})
		},
		"the function's answer: its error": func(_ testing.TB, w *witness, text string) {
			failed := messages.InvokeResponse{Error: &messages.InvokeResponse_Error{Message: "before " + text}}
			platform{witness: w}.heardAnswer("rotate", failed)
		},
		"the tags": func(t testing.TB, w *witness, text string) {
			w.serve(t, tencentsim.Config{}).Add(tencentsim.Machine{Tags: map[string]string{"relock": text}})
		},
		"the requests: a header": request(func(url, text string) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, url, nil)
			if err == nil {
				r.Header.Set("X-Note", text)
			}
			return r, err
		}),
		"the requests: a body":                body("AttachResourcesTag", `{"TagValue":"%s"}`),
		"the requests: beside the password":   body("StopInstances", `{"Password":"%s"}`),
		"the requests: beside a stored value": body("UpdateSecret", `{"SecretString":"no object","Description":"%s"}`),
		"the requests: twice in a reset":      body("ResetInstancesPassword", `{"Password":"not it","UserName":"%s"}`),
	}
}

// A witness that finds nothing proves nothing: in every place, every form of a password has to be found.
func TestALeakIsFoundWhereverItIsAndInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = `Ab!@%-_=+[]:.?&xyz0129`
	for place, leak := range leaks() {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(place, ":")
			all := forms(secret)
			all["not at all"] = "Ab!@%-_=+[]:.?"
			for form, text := range all {
				trial := &mock{TB: t}
				w := newWitness(trial)
				w.knows(secret)
				_, _ = io.WriteString(w.hear("something"), "nothing of it")
				leak(trial, w, text)
				found := slices.ContainsFunc(trial.end(), func(failure string) bool {
					return strings.HasPrefix(failure, name) && strings.HasSuffix(failure, form)
				})
				if want := form != "not at all"; found != want {
					t.Errorf("%s, %s: found: %t; want %t\n%s", place, form, found, want, strings.Join(trial.failures, "\n"))
				}
			}
		})
	}
}

// What a process writes when it dies is heard as well: the stacks of all its goroutines, while it holds passwords.
func TestStacksOfADyingProcessShowNoPassword(t *testing.T) {
	t.Parallel()
	for _, p := range programs() {
		for _, action := range []string{"PutSecretValue", "ResetInstancesPassword", "UpdateSecret"} {
			t.Run(p.name+" "+action, func(t *testing.T) {
				t.Parallel()
				w := newWitness(t)
				c := killable(t, w)
				d := c.ownDoor(t, w)
				victim := p.prepare(t, w, c.through(d), "rotate", patience)
				dies := trouble{name: "SIGQUIT", spoil: hangUp, first: func() {
					_ = victim.cmd.Process.Signal(syscall.SIGQUIT) // Go's own handler writes the stacks and exits
					<-victim.done
				}}
				came := d.meets(dies, func(c call) bool { return c.action == action })
				victim.do()
				if _, ok := came(); !ok || !strings.Contains(victim.stderr.String(), "goroutine ") {
					t.Errorf("%s came: %t, and it wrote\n%s\nwant the stacks", action, ok, victim.stderr)
				}
				h := history{p, w, c}
				(&tally{}).ends(t, h, h.again(t), 2)
			})
		}
	}
}

// The door hears a password that goes to a machine although the store has not given it back.
func TestAPasswordThatWasNotReadBackIsNoticed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		read    string
		noticed bool
	}{{"Sent-Password.77", false}, {"Another-Secret.77", true}} {
		trial := &mock{TB: t}
		store := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"Response":{"SecretString":"{\"password\":\"%s\"}"}}`, row.read)
		})
		d := newWitness(trial).opening(trial, store)
		for _, action := range []string{"GetSecretValue", "ResetInstancesPassword"} {
			r, err := http.NewRequest(http.MethodPost, d.url, strings.NewReader(`{"Password":"Sent-Password.77"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-TC-Action", action)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		noticed := slices.ContainsFunc(trial.end(), func(failure string) bool { return strings.Contains(failure, "had not given back") })
		if noticed != row.noticed {
			t.Errorf("read back %s: noticed: %t; want %t\n%s", row.read, noticed, row.noticed, strings.Join(trial.failures, "\n"))
		}
	}
}
