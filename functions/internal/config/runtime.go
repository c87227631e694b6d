package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// CustomRuntime returns where a custom runtime of FunctionGraph asks for events, and how long one may take; zero when the
// platform does not say. https://support.huaweicloud.com/intl/en-us/usermanual-functiongraph/functiongraph_01_0406.html.
func CustomRuntime() (address string, limit time.Duration, err error) {
	const where, long = "RUNTIME_API_ADDR", "RUNTIME_TIMEOUT"
	if address = strings.TrimSpace(os.Getenv(where)); address == "" {
		return "", 0, fmt.Errorf("%s: not set: this binary is started by FunctionGraph, as the bootstrap of a custom runtime; on a terminal use relock", where)
	}
	text := strings.TrimSpace(os.Getenv(long))
	if text == "" {
		return address, 0, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds <= 0 {
		return "", 0, fmt.Errorf("%s: %s is no number of seconds", long, quote(text))
	}
	return address, time.Duration(seconds) * time.Second, nil
}
