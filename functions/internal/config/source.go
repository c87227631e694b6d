package config

import (
	"os"
	"strings"
)

// A source is where the variables come from: the environment, or one file and nothing else.
type source struct {
	file   string            // empty for the environment
	values map[string]origin // by variable; blank ones are left out: consoles set unset variables to ""
}

// where says where a variable's value is, for a fault; empty for the environment.
func (s source) where(name string) string {
	if v, ok := s.values[name]; ok && s.file != "" {
		return v.from
	}
	return s.file
}

// read reads the file, or the environment when there is none. The faults are lines, an error the whole file.
func read(file string) (source, faults, error) {
	if file == "" {
		return environment(), nil, nil
	}
	return dotenv(file)
}

// environment reads the variables of the process.
func environment() source {
	s := source{values: map[string]origin{}}
	for name, text := range ambient() {
		if text = strings.TrimSpace(text); text != "" {
			s.values[name] = origin{text, "environment"}
		}
	}
	return s
}

// ambient returns the process's variables with our prefix.
func ambient() map[string]string {
	all := map[string]string{}
	for _, entry := range os.Environ() {
		if name, text, _ := strings.Cut(entry, "="); strings.HasPrefix(name, prefix+"_") {
			all[name] = text
		}
	}
	return all
}

// install makes the process's variables with our prefix exactly those of s, since envconfig reads nothing else, and
// returns the way back.
func (s source) install() (restore func()) {
	before := ambient()
	after := map[string]string{}
	for name, v := range s.values {
		after[name] = v.text
	}
	replace(before, after)
	return func() { replace(after, before) }
}

func replace(old, all map[string]string) {
	for name := range old {
		if _, kept := all[name]; !kept {
			os.Unsetenv(name)
		}
	}
	for name, text := range all {
		if was, ok := old[name]; !ok || was != text {
			os.Setenv(name, text)
		}
	}
}
