package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a function's machine may have no time zones
	"unicode/utf8"

	"github.com/relock-project/relock/rotation"
)

// A Number is a decimal number. envconfig's own numbers take 010 for eight.
type Number int

// Decode implements envconfig.Decoder.
func (n *Number) Decode(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s is no whole number", quote(text))
	}
	*n = Number(value)
	return nil
}

// A Duration is written with its unit.
type Duration struct{ time.Duration }

// Decode implements envconfig.Decoder.
func (d *Duration) Decode(text string) error {
	if n, err := strconv.Atoi(text); err == nil {
		return fmt.Errorf("%s has no unit: write %dm or %ds", quote(text), n, n)
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%s is no duration: write one such as 90s, 5m or 1h30m", quote(text))
	}
	d.Duration = value
	return nil
}

// A Share is a number of machines or a percentage.
type Share struct{ rotation.Share }

// Decode implements envconfig.Decoder.
func (s *Share) Decode(text string) (err error) {
	s.Share, err = rotation.ParseShare(text)
	return err
}

// A Window is a time of day.
type Window struct{ rotation.Window }

// Decode implements envconfig.Decoder.
func (w *Window) Decode(text string) (err error) {
	w.Window, err = rotation.ParseWindow(text)
	return err
}

// A List is "a,b", or "@FILE" until that is read. Spaces around items, empty items and repetitions are dropped.
type List []string

// Decode implements envconfig.Decoder.
func (l *List) Decode(text string) error {
	all := items(text)
	if isFile(text) {
		all = List{text}
	}
	if len(all) == 0 {
		return errors.New("nothing is listed")
	}
	*l = all
	return nil
}

// items splits at commas.
func items(text string) List {
	var all List
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

// Tags are "key=value1|value2,key=*", or "@FILE" until that is read: * is any value, which is the empty list. A word
// alone is refused: whoever writes env:prod would exclude nothing.
type Tags map[string][]string

// The longest key and value: https://www.tencentcloud.com/document/product/651/13354.
const (
	longestKey   = 127
	longestValue = 255
)

// Decode implements envconfig.Decoder.
func (t *Tags) Decode(text string) error {
	if isFile(text) {
		*t = Tags{text: nil}
		return nil
	}
	all := Tags{}
	for _, item := range items(text) {
		key, values, err := parseTag(item)
		if err != nil {
			return err
		}
		if _, twice := all[key]; twice {
			return fmt.Errorf("the key %s is there twice: list all of its values in one place: %s=a|b", quote(key), key)
		}
		all[key] = values
	}
	if len(all) == 0 {
		return errors.New("nothing is listed")
	}
	*t = all
	return nil
}

// parseTag reads "key=value1|value2".
func parseTag(item string) (key string, values []string, err error) {
	key, list, ok := strings.Cut(item, "=")
	key = strings.TrimSpace(key)
	switch {
	case !ok || key == "":
		return "", nil, fmt.Errorf("%s is not key=value: write env=prod, env=prod|staging, or env=* for any value", quote(item))
	case utf8.RuneCountInString(key) > longestKey:
		return "", nil, fmt.Errorf("the key %s is longer than %d characters", quote(key), longestKey)
	case key == rotation.MarkTag || key == rotation.SecretTag:
		return "", nil, fmt.Errorf("the tag %s is relock's own and changes at every rotation: select by another", key)
	}
	if strings.TrimSpace(list) == "*" {
		return key, nil, nil
	}
	for value := range strings.SplitSeq(list, "|") {
		value = strings.TrimSpace(value)
		switch {
		case value == "" || value == "*":
			return "", nil, fmt.Errorf("%s: an empty value or * among others: write %s=a|b, or %s=* for any value", quote(item), key, key)
		case utf8.RuneCountInString(value) > longestValue:
			return "", nil, fmt.Errorf("a value of the key %s is longer than %d characters", quote(key), longestValue)
		}
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return key, values, nil
}

// quote shows a value in a fault, or its beginning.
func quote(text string) string {
	const longest = 40
	if runes := []rune(text); len(runes) > longest {
		return strconv.Quote(string(runes[:longest])) + "…"
	}
	return strconv.Quote(text)
}
