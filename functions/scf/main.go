// Command scf is relock as a function of Tencent Cloud SCF, runtime Go1: an event in, a Report out.
package main

import (
	"context"
	"encoding/json"

	"github.com/tencentyun/scf-go-lib/cloudfunction"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// mostMachines bounds the result: SCF takes 6 MB (https://cloud.tencent.com/document/product/583/11637). The log has all.
const mostMachines = 2000

func main() {
	cloudfunction.Start(func(ctx context.Context, raw json.RawMessage) (*rotation.Report, error) {
		req, err := events.Parse(raw)
		if err != nil {
			return nil, err
		}
		r, err := config.Open(ctx, config.SCF) // per invocation: credentials are short-lived
		if err != nil {
			return nil, err
		}
		report, err := r.Do(ctx, req)
		report.Trim(mostMachines)
		return report, err
	})
}
