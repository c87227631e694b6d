package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// object is a JSON object's values by the exact names of its fields. Go's own decoding into a struct would take
// "Action" for "action", and with both there the later one.
type object map[string]json.RawMessage

// toObject reads one JSON object from what wellFormed returned.
func toObject(raw []byte) (object, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil || o == nil {
		return nil, errors.New("not a JSON object")
	}
	return o, nil
}

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// names are the fields of o, sorted, so that an error's text does not change from run to run.
func (o object) names() []string { return slices.Sorted(maps.Keys(o)) }

// decode sets the fields of the struct that to points at from the fields of o of exactly the name in their tag. A null
// is a field that is not there. What the struct has no place for is left alone: vendors add fields.
func (o object) decode(to any) error {
	v := reflect.ValueOf(to).Elem()
	for i, name := range fieldNames(to) {
		raw, ok := o[name]
		if !ok || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, v.Field(i).Addr().Interface()); err != nil {
			// The cause would speak of Go's types.
			return fmt.Errorf("%s: of the wrong type: write %s", name, wanted(v.Field(i).Kind()))
		}
	}
	return nil
}

// fieldNames are the JSON names of the fields of the struct that to points at, in order.
func fieldNames(to any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(to).Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	default:
		return "a list of strings"
	}
}

// text reports what is wrong with the name s in field, which is going to be stored, compared and printed: it must be
// there, no longer than most bytes, without white space around it, and all of it must print.
func text(field, s string, most int) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	switch {
	case s == "":
		return fmt.Errorf("%s: empty or not there: write 1 to %d characters", field, most)
	case len(s) > most:
		return fmt.Errorf("%s: %d bytes long: write at most %d", field, len(s), most)
	case strings.ContainsFunc(s, unprintable):
		return fmt.Errorf("%s: %s has characters that do not print: take them away", field, short(s))
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%s: %s has white space around it: take it away", field, short(s))
	}
	return nil
}

// short quotes the beginning of s.
func short(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(s)
}
