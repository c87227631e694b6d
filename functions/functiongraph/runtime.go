package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// An invocation is one event and what the platform sends with it.
type invocation struct {
	id    string
	event []byte
	keys  config.Keys
}

// The runtime's interface: https://support.huaweicloud.com/intl/en-us/usermanual-functiongraph/functiongraph_01_0406.html.
const (
	requestPath  = "/v1/runtime/invocation/request"
	responsePath = "/v1/runtime/invocation/response/"
	errorPath    = "/v1/runtime/invocation/error/"
)

// largestEvent is the most that the platform delivers.
const largestEvent = 6 << 20

// A platform is FunctionGraph as a custom runtime sees it.
type platform struct {
	base   string
	client *http.Client
}

// serve handles one event after the other until ctx ends; the platform ends the process. limit is how long each may take;
// zero is a platform that does not say.
func serve(ctx context.Context, address string, limit time.Duration, handle func(context.Context, invocation) (*rotation.Report, error)) {
	// No time limit for a whole request: the platform answers when there is an event.
	p := platform{"http://" + address, &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
	}}}
	for ctx.Err() == nil {
		in, err := p.next(ctx)
		if err != nil {
			return // ctx has ended
		}
		report, err := within(ctx, limit, in, handle)
		if err := p.answer(ctx, in.id, report, err); err != nil {
			log.Print(err)
		}
	}
}

// margin is what is left of an invocation for its answer.
const margin = time.Second

// within handles an event in the time that it has, counted from its arrival: the platform names no deadline.
func within(ctx context.Context, limit time.Duration, in invocation, handle func(context.Context, invocation) (*rotation.Report, error)) (*rotation.Report, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(limit-margin, limit/2))
		defer cancel()
	}
	return handle(ctx, in)
}

// next waits for an event. Whatever else the platform answers means that there is none yet: whether it holds the request
// until there is one is not documented.
func (p platform) next(ctx context.Context) (invocation, error) {
	pause := 50 * time.Millisecond
	for {
		in, err := p.poll(ctx)
		if err == nil {
			return in, nil
		}
		if err := (rotation.SystemClock{}).Wait(ctx, pause); err != nil {
			return invocation{}, err
		}
		pause = min(2*pause, time.Second)
	}
}

func (p platform) poll(ctx context.Context) (invocation, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+requestPath, nil)
	if err != nil {
		return invocation{}, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return invocation{}, err
	}
	defer resp.Body.Close()
	event, err := io.ReadAll(io.LimitReader(resp.Body, largestEvent+1))
	in := invocation{id: resp.Header.Get("X-Cff-Request-Id"), event: event, keys: keysIn(resp.Header)}
	if err == nil && (resp.StatusCode != http.StatusOK || in.id == "") {
		err = errors.New("no event")
	}
	return in, err
}

// keysIn reads the agency's credentials. Newer platforms may spell them as the runtimes of other languages do.
func keysIn(h http.Header) config.Keys {
	first := func(names ...string) string {
		for _, name := range names {
			if value := h.Get(name); value != "" {
				return value
			}
		}
		return ""
	}
	return config.Keys{
		ID:    first("X-Cff-Security-Access-Key", "X-Cff-Access-Key"),
		Key:   first("X-Cff-Security-Secret-Key", "X-Cff-Secret-Key"),
		Token: first("X-Cff-Security-Token"),
	}
}

// A failure is an error as the platform takes it.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// answer sends what came of an event, a few times if need be: a second one changes nothing.
func (p platform) answer(ctx context.Context, id string, report *rotation.Report, failed error) error {
	path, body := responsePath, any(report)
	if failed != nil {
		path, body = errorPath, failure{"relock", failed.Error()}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	for try := 1; ; try++ {
		if err = p.post(ctx, path+url.PathEscape(id), raw); err == nil || try == 5 {
			break
		}
		if err := (rotation.SystemClock{}).Wait(ctx, 100*time.Millisecond<<try); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("answer the platform: %w", err)
	}
	return nil
}

func (p platform) post(ctx context.Context, path string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
