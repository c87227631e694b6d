// Command functiongraph is relock as a function of Huawei Cloud FunctionGraph, the bootstrap of a custom runtime: an event
// in, a Report out.
package main

import (
	"context"
	"log"

	"github.com/relock-project/relock/events"
	"github.com/relock-project/relock/functions/internal/config"
	"github.com/relock-project/relock/rotation"
)

// mostMachines bounds the result: FunctionGraph takes 6 MB
// (https://support.huaweicloud.com/intl/en-us/productdesc-functiongraph/functiongraph_01_0150.html). The log has all.
const mostMachines = 2000

func main() {
	address, limit, err := config.CustomRuntime()
	if err != nil {
		log.Fatal(err)
	}
	serve(context.Background(), address, limit, func(ctx context.Context, in invocation) (*rotation.Report, error) {
		req, err := events.Parse(in.event)
		if err != nil {
			return nil, err
		}
		r, err := config.OpenWith(ctx, config.FunctionGraph, in.keys) // per invocation: credentials are short-lived
		if err != nil {
			return nil, err
		}
		report, err := r.Do(ctx, req)
		report.Trim(mostMachines)
		return report, err
	})
}
