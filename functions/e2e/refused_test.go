package e2e_test

import (
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

// What is not for this function is refused before anybody is asked anything.
func TestEventsForAnotherFunctionAskNobody(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 4})
	p := w.function(t)
	files, err := os.ReadDir(filepath.Join("..", "..", "events", "testdata", "refused"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d events that are refused, %v; want some", len(files), err)
	}
	events := []string{
		`{}`, `null`, `[]`, `"rotate"`, `not JSON`,
		`{"action":"rotate","secret":"another-secret"}`,
		`{"action":"forget"}`,
		`{"action":"rotate","dry-run":true}`,
		`{"action":"rotate","only":[]}`,
		timer(t, "monthly", time.Now(), "please rotate"),
		timer(t, "monthly", time.Now(), `{"action":"rotate","secret":"another-secret"}`),
		fixture(t, "tencent_timer_payload.json"), // it names a secret, and not this one
	}
	for _, f := range files {
		events = append(events, fixture(t, filepath.Join("refused", f.Name())))
	}
	for _, event := range events {
		wantError(t, p.invoke(t, event, c.inSCF(), time.Minute))
	}
	if n := len(c.Requests()); n != 0 {
		t.Errorf("%d requests were made; want none", n)
	}
	c.wantUntouched(t)
}

// A refusal is a rotation that must not begin: what is wrong with the cloud or the configuration, and what to say of it.
type refusal struct {
	name  string
	cloud tencentsim.Config
	wrong func(*cloud) map[string]string // breaks something, and returns variables to change
	event string                         // empty is a timer's
	says  []string
}

func refusals() []refusal {
	two := tencentsim.Config{Instances: 6}
	value := func(c *cloud, text string) map[string]string {
		c.PutSecret(tencentsim.DemoSecret, map[string]string{tencentsim.DemoVersion: text})
		return nil
	}
	return []refusal{
		{"an id outside the scope", two, nil, `{"action":"rotate","only":["ins-00000000"]}`, []string{"ins-00000000", "not in the configured scope"}},
		{"a configured id that does not exist", two, func(c *cloud) map[string]string {
			ids := slices.Sorted(maps.Keys(c.byID()))
			return map[string]string{"RELOCK_TAGS": "", "RELOCK_INSTANCES": ids[0] + ",ins-00000000"}
		}, "", []string{"RELOCK_INSTANCES", "ins-00000000"}},
		{"a secret that does not exist", two, func(*cloud) map[string]string {
			return map[string]string{"RELOCK_SECRET": "no-such-secret"}
		}, "", []string{"no-such-secret", "does not exist"}},
		{"a secret that is disabled", two, func(c *cloud) map[string]string {
			c.SetSecretStatus(tencentsim.DemoSecret, tencentsim.SecretDisabled)
			return nil
		}, "", []string{tencentsim.DemoSecret}},
		{"a secret that is a bare password", two, func(c *cloud) map[string]string { return value(c, "Bare-Password.2024") }, "",
			[]string{"no JSON object", rotation.Example}},
		{"a secret with a field of the wrong type", two, func(c *cloud) map[string]string {
			return value(c, `{"username":"","password":["Listed-Password.2024"]}`)
		}, "", []string{`"password"`, rotation.Example}},
		{"a store that is full", two, func(c *cloud) map[string]string {
			all := maps.Clone(c.secret)
			for i := range 9 {
				all["theirs-"+strconv.Itoa(i)] = `{"password":"Theirs-Password.2024"}`
			}
			c.PutSecret(tencentsim.DemoSecret, all)
			return nil
		}, "", []string{"10 of 10", "relock forget"}},
		{"a machine that another secret claims", two, func(c *cloud) map[string]string {
			c.Add(tencentsim.Machine{ID: "ins-claimed0", Tags: map[string]string{
				tencentsim.FleetTagKey: tencentsim.FleetTagValue, rotation.SecretTag: "0123456789ab", rotation.MarkTag: "3.ok",
			}})
			return map[string]string{"RELOCK_MAX_EXCEPTIONS": "5"} // it is not ours to leave behind
		}, "", []string{"ins-claimed0", "0123456789ab", "--take-over"}},
		{"machines that policy holds back", two, func(*cloud) map[string]string {
			return map[string]string{"RELOCK_RESTART": "never"}
		}, "", []string{"RELOCK_MAX_EXCEPTIONS", "RELOCK_RESTART=graceful"}},
	}
}

func TestRefusedRotationSendsNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range refusals() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWitness(t)
			c := w.serve(t, row.cloud)
			vars := c.inSCF()
			if row.wrong != nil {
				maps.Copy(vars, row.wrong(c))
			}
			c.remember()
			event := row.event
			if event == "" {
				event = timer(t, "monthly", time.Now(), "")
			}
			wantError(t, w.function(t).invoke(t, event, vars, time.Minute), row.says...)
			c.wantUntouched(t)
		})
	}
}

// gone are the ways in which a region does not answer.
func gone() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"it hangs up":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"its gateway is alone": gatewayAlone,
		"it fails": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"Response":{"Error":{"Code":"InternalServerError","Message":"An internal error has occurred. Retry your request."},"RequestId":"gone"}}`)
		},
	}
}

func TestRegionThatDoesNotAnswerStopsTheRotationBeforeItBegins(t *testing.T) {
	t.Parallel()
	for name, answer := range gone() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWitness(t)
			c := w.serve(t, tencentsim.Config{Instances: 9, Regions: []string{"ap-guangzhou", "ap-shanghai", "ap-beijing"}})
			p := w.function(t)
			c.outage.Store(&outage{"ap-shanghai", answer})
			event := timer(t, "monthly", time.Now(), "")
			resp := p.invoke(t, event, c.inSCF(), time.Minute)
			wantError(t, resp, "ap-shanghai")
			if strings.Contains(resp.Error.Message, "ap-beijing") {
				t.Errorf("error %q; want the region that does not answer, alone", resp.Error.Message)
			}
			c.wantUntouched(t)

			c.outage.Store(nil) // the same event, as the platform delivers it again
			wantReport(t, p.invoke(t, event, c.inSCF(), time.Minute), rotation.Rotated)
			c.wantRotated(t, 2)
			c.wantStops(t, 1, 1)
		})
	}
}

// An operator's word releases a machine that another secret claims; an event cannot.
func TestOnlyTheCommandTakesAClaimedMachineOver(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := w.serve(t, tencentsim.Config{Instances: 3})
	c.Add(tencentsim.Machine{ID: "ins-claimed0", Tags: map[string]string{
		tencentsim.FleetTagKey: tencentsim.FleetTagValue, rotation.SecretTag: "0123456789ab", rotation.MarkTag: "3.ok",
	}})
	c.remember()
	wantError(t, w.function(t).invoke(t, `{"action":"rotate","take_over":["ins-claimed0"]}`, c.inSCF(), time.Minute), "take_over")
	w.relock(t, c.inCommand(), "rotate").want(t, 2, "ins-claimed0", "--take-over")
	c.wantUntouched(t)
	w.relock(t, c.inCommand(), "rotate", "--take-over", "ins-claimed0").want(t, 0)
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 1)
	if tags := c.byID()["ins-claimed0"].Tags; tags[rotation.SecretTag] == "0123456789ab" {
		t.Errorf("tags %v; want the mark of this secret", tags)
	}
}

// A machine that is owed a start gets it although another region does not answer, and nothing else happens.
func TestMachineLeftDownIsStartedAlthoughARegionDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := killable(t, w)
	victim := prepareCommand(t, w, c.through(c.door), "rotate", patience)
	c.door.meets(killing(victim.process, true), func(c call) bool { return c.action == "StopInstances" })
	victim.do()
	vars := inCommand(c.through(c.door))
	var left string
	for _, m := range c.Machines() {
		if m.Stops > 0 {
			left = m.ID
		}
	}
	away := c.regions[0]
	if c.machines[left].Region == away {
		away = c.regions[1]
	}
	c.outage.Store(&outage{away, gone()["it fails"]})
	c.heard = len(c.Requests())
	w.relock(t, vars, "resume").want(t, 1, away)
	c.wantPower(t)
	for _, r := range c.sent() {
		if r.Action != "StartInstances" && !strings.Contains(r.Action, "ResourcesTag") {
			t.Errorf("sent %s; want the start alone, and its mark", r.Action)
		}
	}
	c.outage.Store(nil)
	w.relock(t, vars, "resume").want(t, 0)
	c.wantRotated(t, 2)
	c.wantStops(t, 1, 2)
}
