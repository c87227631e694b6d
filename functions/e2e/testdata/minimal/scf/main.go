// Command scf is the least that a function on Tencent SCF can be: what relock's cold start is compared with.
package main

import (
	"encoding/json"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
)

func main() {
	cloudfunction.Start(func(event json.RawMessage) (json.RawMessage, error) { return event, nil })
}
