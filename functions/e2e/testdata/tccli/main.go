// Command tccli stands in for Tencent Cloud's own command line tool, as far as the runbook uses it:
// https://www.tencentcloud.com/document/product/1080/38762. It reads parameters from a JSON file, keys from the environment
// and a service's endpoint from ~/.tccli/default.configure.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := call(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tccli:", err)
		os.Exit(255)
	}
}
