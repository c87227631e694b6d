package aws

import (
	"context"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/wire"
)

// The actions, and how many requests a second each takes per region and account. Reads share a quota of 10,000, writes one
// of 50: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html.
var (
	describeSecret = wire.API{Name: "secretsmanager DescribeSecret", PerSecond: 500, Burst: 100}
	getSecret      = wire.API{Name: "secretsmanager GetSecretValue", PerSecond: 500, Burst: 100}
	putSecret      = wire.API{Name: "secretsmanager PutSecretValue", PerSecond: 10, Burst: 10}
	moveStage      = wire.API{Name: "secretsmanager UpdateSecretVersionStage", PerSecond: 20, Burst: 10}
)

// client makes requests in one region. It may be used by several goroutines.
type client struct {
	api   *secretsmanager.Client
	clock rotation.Clock
	*wire.Line
}

func newClient(cfg Config, region string) (*client, error) {
	if err := cfg.check(region); err != nil {
		return nil, err
	}
	var base *string
	if cfg.Endpoint != "" {
		scheme, host, err := wire.Endpoint(cfg.Endpoint)
		if err != nil {
			return nil, err
		}
		base = sdk.String(scheme + "://" + host)
	}
	return &client{
		clock: cfg.clock(),
		Line:  wire.NewLine(cfg.Calls, cfg.Timeout, codes, read, describeSecret, getSecret, putSecret, moveStage),
		api: secretsmanager.New(secretsmanager.Options{
			Region: region, Credentials: cfg.provider(), BaseEndpoint: base,
			HTTPClient: &http.Client{Transport: wire.Transport(cfg.Transport)},
			// The SDK's own retries know nothing of what a write may have done.
			Retryer: sdk.NopRetryer{},
		}),
	}, nil
}

// A state is what a secret's description says.
type state struct {
	arn, name string
	labels    map[string]string // label -> id of the version that it is on
	stages    map[string][]string
	enabled   bool // Secrets Manager rotates it by itself
	deleted   bool
	syncing   bool // a replica is being brought up to date
}

func (c *client) describe(ctx context.Context, secret string) (*state, error) {
	if err := checkName(secret); err != nil {
		return nil, err
	}
	var out *secretsmanager.DescribeSecretOutput
	err := c.Send(ctx, describeSecret, nil, func(ctx context.Context) (err error) {
		if out, err = c.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret}); err != nil {
			return err
		}
		return wire.Answered(out)
	})
	if err != nil {
		return nil, err
	}
	s := &state{
		arn: sdk.ToString(out.ARN), name: sdk.ToString(out.Name), labels: map[string]string{}, stages: out.VersionIdsToStages,
		enabled: sdk.ToBool(out.RotationEnabled), deleted: out.DeletedDate != nil,
	}
	for id, stages := range out.VersionIdsToStages {
		for _, label := range stages {
			s.labels[label] = id
		}
	}
	for _, r := range out.ReplicationStatus {
		s.syncing = s.syncing || r.Status == "InProgress"
	}
	return s, nil
}

// A version is one that was read.
type version struct {
	id    string
	value []byte
}

// get returns the version that a label is on, or, without a label, the one of that id. A version without a value is
// rotation.ErrNotFound.
func (c *client) get(ctx context.Context, secret, label, id string) (version, error) {
	if err := checkName(secret); err != nil {
		return version{}, err
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: &secret}
	if label != "" {
		in.VersionStage = &label
	} else {
		in.VersionId = &id
	}
	var out *secretsmanager.GetSecretValueOutput
	err := c.Send(ctx, getSecret, nil, func(ctx context.Context) (err error) {
		if out, err = c.api.GetSecretValue(ctx, in); err != nil {
			return err
		}
		return wire.Answered(out)
	})
	if err != nil {
		return version{}, err
	}
	return version{sdk.ToString(out.VersionId), []byte(sdk.ToString(out.SecretString))}, nil
}

// put stores a value as the version of that id, with one label, which moves. Nothing else happens to any label: without
// one, the service would make the version current.
func (c *client) put(ctx context.Context, secret, id, label string, value []byte, rotationToken rotation.Password) error {
	text := string(value)
	in := &secretsmanager.PutSecretValueInput{
		SecretId: &secret, ClientRequestToken: &id, SecretString: &text, VersionStages: []string{label},
	}
	hidden := wire.For(text)
	if !rotationToken.IsZero() {
		token := rotationToken.Reveal()
		in.RotationToken = &token
		hidden = hidden.Over(wire.For(token))
	}
	return c.Send(ctx, putSecret, hidden, func(ctx context.Context) error {
		out, err := c.api.PutSecretValue(ctx, in)
		if err != nil {
			return err
		}
		return wire.Answered(out)
	})
}

// move puts a label on the version to, which takes it off the version from. Where either is empty there is none; the
// service refuses when the label is on another version than from.
func (c *client) move(ctx context.Context, secret, label, to, from string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &secret, VersionStage: &label}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	return c.Send(ctx, moveStage, nil, func(ctx context.Context) error {
		out, err := c.api.UpdateSecretVersionStage(ctx, in)
		if err != nil {
			return err
		}
		return wire.Answered(out)
	})
}
