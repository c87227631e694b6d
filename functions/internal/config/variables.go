package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kelseyhightower/envconfig"
)

// A Variable is what there is to know about one variable.
type Variable struct {
	Name        string
	Default     string // in words where it is no constant; never empty
	Constant    bool   // Default is a value
	Allowed     string // the values that it may have, or their bounds; empty when Description says it
	Description string

	field reflect.StructField
}

// Variables lists the variables in the order of the documentation.
func Variables() []Variable {
	t := reflect.TypeFor[Config]()
	var all []Variable
	for _, name := range names() {
		v := Variable{Name: name, field: t.Field(len(all))}
		tag := v.field.Tag
		v.Default, v.Constant = tag.Lookup("default")
		if !v.Constant {
			v.Default = tag.Get("absent")
		}
		v.Description = tag.Get("desc")
		v.Allowed = strings.ReplaceAll(tag.Get("oneof"), "|", ", ")
		low, high := tag.Get("min"), tag.Get("max")
		if low != "" && high != "" {
			v.Allowed = low + " to " + high
		}
		all = append(all, v)
	}
	return all
}

// names are those of the variables, in the order of Config's fields, which come before its unexported ones. envconfig
// makes them.
func names() []string {
	var out bytes.Buffer
	if err := envconfig.Usagef(prefix, &Config{}, &out, "{{range .}}{{usage_key .}} {{end}}"); err != nil {
		panic("config: list the variables: " + err.Error()) // the template is a constant
	}
	return strings.Fields(out.String())
}

// The longest texts, in characters, where the field says nothing else.
const (
	longestText = 64
	longestList = 4096 // all variables of a function have 4 KB together; a longer list is a file
)

// unfit says why a text cannot be a value of the variable; empty when it can. It does not show the text.
func (v Variable) unfit(text string) string {
	longest := longestText
	switch {
	case v.field.Type == reflect.TypeFor[List]() || v.field.Type == reflect.TypeFor[Tags]() || v.field.Type == reflect.TypeFor[Projects]():
		longest = longestList
	case v.field.Type.Kind() == reflect.String && v.field.Tag.Get("max") != "":
		fmt.Sscan(v.field.Tag.Get("max"), &longest)
	}
	if n := utf8.RuneCountInString(text); n > longest {
		remedy := "shorten it"
		if longest == longestList {
			remedy = "put it into a file and name that"
		}
		return fmt.Sprintf("has %d characters, at most %d fit: %s", n, longest, remedy)
	}
	strange := func(r rune) bool {
		return unicode.IsControl(r) && (r != '\n' && r != '\t' || v.field.Name != "SSHKnownHosts")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, strange) {
		return "has a control character or is not UTF-8: write it again"
	}
	return ""
}

// bound notes a value that is not among those allowed.
func (c *Config) bound(v Variable, value reflect.Value) {
	tag := v.field.Tag
	switch got := value.Interface().(type) {
	case Number:
		low, high := limits[Number](tag)
		if tag.Get("max") != "" && (got < low || got > high) {
			c.fault(v.Name, "%d: use %s", got, v.Allowed)
		}
	case Duration:
		low, high := limits[Duration](tag)
		if got.Duration < low.Duration || got.Duration > high.Duration {
			c.fault(v.Name, "%s: use %s", got, v.Allowed)
		}
	case string:
		c.choice(v.Name, got, tag.Get("oneof"))
	}
}

// limits reads the tags min and max.
func limits[T any, P interface {
	*T
	Decode(string) error
}](tag reflect.StructTag) (low, high T) {
	for text, into := range map[string]P{tag.Get("min"): &low, tag.Get("max"): &high} {
		if text == "" {
			continue
		}
		if err := into.Decode(text); err != nil {
			panic("config: a field's tag: " + err.Error()) // the tags are constants
		}
	}
	return low, high
}
