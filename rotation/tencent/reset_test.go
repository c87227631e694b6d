package tencent_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
	"github.com/relock-project/relock/rotation/tencent/tencentsim"
)

func TestAResetSetsThePasswordAndItsRecordIsFound(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	batch := w.stopped(3)
	before := time.Now()
	op, err := w.fleet.Reset(t.Context(), batch, credential(canary))
	if err != nil || op.Kind != rotation.OpReset || op.RequestID == "" || len(op.Instances) != 3 || op.Sent.Before(before) {
		t.Fatalf("Reset = %+v, %v", op, err)
	}
	for _, inst := range batch {
		one := op
		one.Instances = []string{inst.ID}
		r := w.observe(one)
		if r.State != rotation.Done || r.RequestID != op.RequestID || r.Power != rotation.Stopped || r.Busy {
			t.Errorf("%s: %+v; want done, stopped", inst.ID, r)
		}
		if m := w.machine(inst.ID); m.Password != canary || m.Stops != 0 {
			t.Errorf("%s: it does not have the password, or was stopped %d times", inst.ID, m.Stops)
		}
	}
	if sent, _ := w.calls.Counts(); sent["cvm ResetInstancesPassword"] != 1 {
		t.Errorf("calls: %v; want one reset", sent)
	}
}

func TestAResetNeverStopsARunningMachine(t *testing.T) {
	t.Parallel()
	for _, answers := range []tencentsim.Answers{{}, {MessagesOmitIDs: true}} {
		w := open(t, tencentsim.Config{Answers: answers})
		running := w.Add(tencentsim.Machine{})
		batch := append(w.stopped(2), w.describe(running)...)
		_, err := w.fleet.Reset(t.Context(), batch, credential(canary))
		var refused *rotation.RefusedError
		if !errors.As(err, &refused) || refused.Refusal.Kind != rotation.RefusedState {
			t.Fatalf("Reset = %v; want a refusal for the power state", err)
		}
		if _, named := refused.Machines[running]; named == answers.MessagesOmitIDs || len(refused.Machines) > 1 {
			t.Errorf("%+v: refused %v; want %s alone, if the provider says so", answers, refused.Machines, running)
		}
		if m := w.machine(running); m.State != "RUNNING" || m.Stops != 0 {
			t.Errorf("%s is %s and was stopped %d times", running, m.State, m.Stops)
		}
	}
}

func TestAnOlderRecordIsNotTakenForOurs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fleet, _, cloud := inProcess(t, tencentsim.Config{Scale: 1})
		look := func(op rotation.Operation) rotation.OpState {
			results, err := fleet.Observe(t.Context(), []rotation.Operation{op})
			if err != nil || len(results) != 1 {
				t.Fatalf("Observe(%+v) = %+v, %v", op, results, err)
			}
			return results[0].State
		}
		id := cloud.Add(tencentsim.Machine{State: "STOPPED", Operation: "ResetInstancesPassword", OperationState: "SUCCESS", OperationRequestID: "last-month"})
		cloud.FailNext("ResetInstancesPassword", 1, "stale-describe") // for half a minute
		op, err := fleet.Reset(t.Context(), machines(id), credential(canary))
		if err != nil {
			t.Fatal(err)
		}
		nameless := rotation.Operation{Kind: rotation.OpReset, Instances: op.Instances}
		for range 2 {
			for _, op := range []rotation.Operation{op, nameless} {
				if state := look(op); state != rotation.Unseen {
					t.Errorf("Observe(%+v) = %s; want unseen: the record is last month's", op, state)
				}
			}
			time.Sleep(29 * time.Second)
		}
		if state := look(op); state != rotation.Done {
			t.Errorf("Observe(%+v) = %s; want done: the record is ours by now", op, state)
		}
		nameless.Instances = []string{cloud.Add(tencentsim.Machine{State: "STOPPED", Operation: "ResetInstancesPassword", OperationState: "SUCCESS"})}
		if state := look(nameless); state != rotation.Unseen {
			t.Errorf("Observe of a request without an id = %s; want unseen: a record without one is not its", state)
		}
	})
}

func TestRequestIDsThatDifferProveNothing(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Answers: tencentsim.Answers{RequestIDsDiffer: true}, Visible: -1})
	batch := w.stopped(1)
	op, err := w.fleet.Reset(t.Context(), batch, credential(canary))
	if err != nil {
		t.Fatal(err)
	}
	for w.machine(batch[0].ID).OperationState != "SUCCESS" {
	}
	results, err := w.fleet.Observe(t.Context(), []rotation.Operation{op})
	if err != nil || results[0].State != rotation.Unseen {
		t.Errorf("Observe = %+v, %v; want unseen", results, err)
	}
}

func TestALostReplyIsAmbiguousAndTheOperationIsWhole(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"lost-reply", "cut", "bad-gateway", "bad-gateway-applied", "internal-error"} {
		w := open(t, tencentsim.Config{})
		batch := w.stopped(2)
		w.FailNext("ResetInstancesPassword", 1, fault)
		op, err := w.fleet.Reset(t.Context(), batch, credential(canary))
		wantAmbiguous(t, err)
		if op.Kind != rotation.OpReset || len(op.Instances) != 2 || op.Sent.IsZero() {
			t.Errorf("%s: operation %+v; want what may have been taken", fault, op)
		}
		if text := err.Error(); strings.Contains(text, "<html>") || strings.Contains(text, "center") || strings.Contains(text, canary) {
			t.Errorf("%s: %v; want nothing of the page or the password in it", fault, err)
		}
	}
}

func TestAnEffectBehindAnErrorIsFoundByTheRequestsID(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	batch := w.stopped(1)
	w.FailNext("ResetInstancesPassword", 1, "internal-error-applied")
	op, err := w.fleet.Reset(t.Context(), batch, credential(canary))
	wantAmbiguous(t, err)
	if r := w.observe(op); r.State != rotation.Done {
		t.Errorf("Observe = %+v; want done", r)
	}
}

func TestAResetThatFailsLaterSaysWhy(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	batch := w.stopped(1)
	w.FailNext("ResetInstancesPassword", 1, "reset-fails")
	op, err := w.fleet.Reset(t.Context(), batch, credential(canary))
	if err != nil {
		t.Fatal(err)
	}
	if r := w.observe(op); r.State != rotation.Failed || !strings.Contains(r.Detail, "Failed to reset the password") {
		t.Errorf("Observe = %+v; want failed, with the provider's reason", r)
	}
}

func TestAPasswordThatBreaksTheRulesIsSaidToBe(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	old := w.describe(w.Add(tencentsim.Machine{State: "STOPPED", Rules2018: true}))
	for _, c := range []struct {
		batch    []rotation.Instance
		password string
	}{{w.stopped(1), "short1A"}, {old, canary}} {
		_, err := w.fleet.Reset(t.Context(), c.batch, credential(c.password))
		if !errors.Is(err, rotation.ErrPasswordRefused) || !errors.Is(err, rotation.ErrNotApplied) || strings.Contains(err.Error(), c.password) {
			t.Errorf("Reset = %v; want ErrPasswordRefused and ErrNotApplied, without the password", err)
		}
	}
}

func TestAUserNameIsSentOnlyWhenThereIsOne(t *testing.T) {
	t.Parallel()
	var sent map[string]any
	fleet, _ := stubbed(t, func(_, body string) (int, string) {
		sent = nil
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			t.Error(err)
		}
		return 200, `{"Response":{"RequestId":"r"}}`
	})
	for _, name := range []string{"", "operator"} {
		c := credential(canary)
		c.Username = name
		if _, err := fleet.Reset(t.Context(), machines("ins-00000001"), c); err != nil {
			t.Fatal(err)
		}
		got, there := sent["UserName"]
		if there != (name != "") || there && got != name {
			t.Errorf("user name %q: sent %v", name, got)
		}
		if sent["Password"] != canary || sent["ForceStop"] != false {
			t.Errorf("user name %q: the password is not the one given, or the machine would be stopped: %v", name, sent["ForceStop"])
		}
	}
}

func TestWhatCannotBeSentIsNotApplied(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{})
	long := credential(canary)
	long.Username = strings.Repeat("u", 65)
	for name, c := range map[string]struct {
		batch []rotation.Instance
		what  rotation.Credential
	}{
		"no machines":        {nil, credential(canary)},
		"too many machines":  {make([]rotation.Instance, 101), credential(canary)},
		"no password":        {machines("ins-00000001"), rotation.Credential{}},
		"too long user name": {machines("ins-00000001"), long},
	} {
		if _, err := w.fleet.Reset(t.Context(), c.batch, c.what); !errors.Is(err, rotation.ErrNotApplied) {
			t.Errorf("%s: %v; want ErrNotApplied", name, err)
		}
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// calls are one of each kind of request.
func calls(f *tencent.Fleet, s *tencent.Shelf) map[string]func(context.Context) error {
	batch := machines("ins-00000001")
	return map[string]func(context.Context) error{
		"Describe": func(ctx context.Context) error { return second(f.Describe(ctx, everything)) },
		"Reset":    func(ctx context.Context) error { return second(f.Reset(ctx, batch, credential(canary))) },
		"Stop":     func(ctx context.Context) error { return second(f.Stop(ctx, batch, rotation.Soft)) },
		"Start":    func(ctx context.Context) error { return second(f.Start(ctx, batch)) },
		"Restart":  func(ctx context.Context) error { return second(f.Restart(ctx, batch, rotation.Hard)) },
		"Mark":     func(ctx context.Context) error { return f.Mark(ctx, batch, mark(rotation.MarkDown, 1)) },
		"Observe": func(ctx context.Context) error {
			return second(f.Observe(ctx, []rotation.Operation{{Kind: rotation.OpLook, Instances: []string{"ins-00000001"}}}))
		},
		"List":   func(ctx context.Context) error { return second(s.List(ctx, "s")) },
		"Read":   func(ctx context.Context) error { _, _, err := s.Read(ctx, "s", "current"); return err },
		"Create": func(ctx context.Context) error { return s.Create(ctx, "s", "g00000001", []byte(value)) },
		"Point":  func(ctx context.Context) error { return s.Point(ctx, "s", "g00000001", rotation.Slot{}, []byte(value)) },
		"Remove": func(ctx context.Context) error { return s.Remove(ctx, "s", "g00000001") },
	}
}

func TestACancelledRequestEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Scale: 100, Faults: tencentsim.Faults{"slow": 1}}) // minutes for every answer
	for name, do := range calls(w.fleet, w.shelf) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := do(gone); !errors.Is(err, context.Canceled) || !errors.Is(err, rotation.ErrNotApplied) {
			t.Errorf("%s: %v; want Canceled, and ErrNotApplied: nothing was sent", name, err)
		}
		why := errors.New("the platform says so")
		ctx, stop := context.WithCancelCause(t.Context())
		w.OnRequest(func(_ tencentsim.Request, after bool) {
			if after {
				stop(why)
			}
		})
		began := time.Now()
		err := do(ctx)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || rotation.DefinitelyNotApplied(err) {
			t.Errorf("%s: %v; want Canceled and its cause, ambiguous: it was sent", name, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		stop(nil)
	}
	if n := len(w.Requests()); n != len(calls(nil, nil)) {
		t.Errorf("%d requests were sent; want one of each kind", n)
	}
}

func TestAListingThatIsCancelledBetweenTwoTriesEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Faults: tencentsim.Faults{"internal-error": 1}})
	ctx, cancel := context.WithCancel(t.Context())
	w.OnRequest(func(r tencentsim.Request, after bool) {
		if after {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	})
	_, err := w.fleet.Describe(ctx, everything)
	if n := len(w.Requests()); !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("Describe = %v after %d requests; want Canceled after one", err, n)
	}
}

func TestAnAnswerThatTakesTooLongIsAmbiguous(t *testing.T) {
	t.Parallel()
	w := open(t, tencentsim.Config{Scale: 100, Faults: tencentsim.Faults{"slow": 1}})
	w.cfg.Timeout = 20 * time.Millisecond
	w.connect()
	for name, do := range calls(w.fleet, w.shelf) {
		err := do(t.Context())
		wantAmbiguous(t, err)
		if err == nil || !strings.Contains(err.Error(), "no answer within 20ms") || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want how long it waited, and not the run's deadline", name, err)
		}
	}
}

func TestAnUnreachableHostIsAmbiguous(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	fleet, _ := drivers(t, tencent.Config{Credentials: tencent.Static("id", "key", ""), Endpoint: closed.URL})
	_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
	wantAmbiguous(t, err)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v; want why", err)
	}
}
