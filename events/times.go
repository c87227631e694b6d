package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// rfc3339 reads a time such as 2019-08-17T05:26:00Z.
func rfc3339(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %s is no time: write it as 2019-08-17T05:26:00Z", field, short(s))
	}
	return plausible(field, t)
}

// rfc3339OrMillis also reads milliseconds since 1970, as a number or in a string.
func rfc3339OrMillis(field string, raw json.RawMessage) (time.Time, error) {
	s := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			return time.Time{}, fmt.Errorf("%s: of the wrong type: write a string", field)
		}
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return plausible(field, time.UnixMilli(ms))
	}
	return rfc3339(field, s)
}

// plausible returns t in UTC. Seconds taken for milliseconds would be a time in 1970, long before every generation, and
// the event would be passed over as an old one for ever.
func plausible(field string, t time.Time) (time.Time, error) {
	t = t.UTC()
	if y := t.Year(); y < 2000 || y >= 2100 {
		return time.Time{}, fmt.Errorf("%s: in the year %d: write it as 2019-08-17T05:26:00Z or in milliseconds since 1970", field, y)
	}
	return t, nil
}
