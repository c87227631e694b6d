package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Load reads the configuration of one fleet from file, as if nothing else were set, or, when file is empty, from the
// environment. Its error matches rotation.ErrConfig and joins all faults; the Config beside it is good for its Table alone.
// Load must not be called concurrently: envconfig reads the process's variables, which are changed for the time being.
func Load(p Platform, file string) (*Config, error) {
	c := &Config{platform: p, settled: map[string]origin{}}
	var err error
	if c.source, c.faults, err = read(p, file); err == nil {
		c.folder, err = folderOf(p, file)
	}
	if err != nil {
		c.faults = faults{{text: err.Error()}}
		return c, c.faults.err()
	}
	c.process()
	c.readLists()
	c.readHostKeys()
	c.settle()
	c.check()
	return c, c.faults.err()
}

// process decodes the variables. envconfig stops at the first fault, so it gets one field at a time.
func (c *Config) process() {
	restore := c.source.install()
	defer restore()
	into := reflect.ValueOf(c).Elem()
	for _, v := range Variables() {
		if text := c.source.values[v.Name].text; v.unfit(text) != "" {
			c.fault(v.Name, "%s", v.unfit(text))
			continue
		}
		one := reflect.New(reflect.StructOf([]reflect.StructField{v.field}))
		if err := envconfig.Process(prefix, one.Interface()); err != nil {
			c.fault(v.Name, "%s", cause(err, v.field.Type))
			continue
		}
		into.FieldByIndex(v.field.Index).Set(one.Elem().Field(0))
		if _, ok := c.source.values[v.Name]; ok {
			c.bound(v, one.Elem().Field(0))
		}
	}
	c.unknown()
}

// cause is what is wrong with a value, without envconfig's words around it.
func cause(err error, t reflect.Type) string {
	var parse *envconfig.ParseError
	if !errors.As(err, &parse) {
		return err.Error()
	}
	if t.Kind() == reflect.Bool {
		return quote(parse.Value) + ": use true or false"
	}
	return parse.Err.Error()
}

// unknown notes the variables that there are none of. envconfig.CheckDisallowed names only the first.
func (c *Config) unknown() {
	known := names()
	for _, name := range slices.Sorted(maps.Keys(c.source.values)) {
		if slices.Contains(known, name) {
			continue
		}
		remedy := "relock config --help lists them"
		if meant := nearest(strings.ToUpper(name), known); meant != "" {
			remedy = fmt.Sprintf("did you mean %s?", meant)
		}
		c.fault(name, "there is no such variable: %s", remedy)
	}
}

// set reports whether a variable has a value, right or wrong.
func (c *Config) set(name string) bool {
	_, ok := c.source.values[name]
	return ok || !c.sound(name)
}

// sound reports whether nothing is wrong with a variable so far.
func (c *Config) sound(name string) bool { return c.faults.of(name) == "" }
