// Command lambda is relock as an AWS Lambda function, runtime provided.al2023: an event in, a Report out.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// mostMachines bounds the result: Lambda takes 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
// The log has more.
const mostMachines = 2000

func main() {
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (*rotation.Report, error) {
		req, err := events.Parse(raw)
		if err != nil {
			return nil, err
		}
		r, err := config.Open(ctx, config.Lambda) // per invocation: credentials are short-lived
		if err != nil {
			return nil, err
		}
		report, err := r.Do(ctx, req)
		report.Trim(mostMachines)
		return report, err
	})
}
