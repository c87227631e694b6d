package config

import (
	"encoding/json"
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
func read(p Platform, file string) (source, faults, error) {
	if file == "" {
		return environment(p), nil, nil
	}
	return dotenv(file)
}

// environment reads the variables of the process.
func environment(p Platform) source {
	s := source{values: map[string]origin{}}
	for name, text := range p.userData() {
		if text = strings.TrimSpace(text); text != "" && strings.HasPrefix(name, prefix+"_") {
			s.values[name] = origin{text, "user data"}
		}
	}
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

// userData are the variables that FunctionGraph gives as one JSON object of texts, too; whether a custom runtime sees each
// of them as a variable of its own the documents do not quite say:
// https://support.huaweicloud.com/intl/en-us/usermanual-functiongraph/functiongraph_01_0154.html.
func (p Platform) userData() map[string]string {
	all := map[string]string{}
	if p == FunctionGraph {
		_ = json.Unmarshal([]byte(os.Getenv("RUNTIME_USERDATA")), &all) // what is not understood is not there
	}
	return all
}

// variable is the value of a variable that is not ours; empty when it is not set.
func (p Platform) variable(name string) string {
	if text := strings.TrimSpace(os.Getenv(name)); text != "" {
		return text
	}
	return strings.TrimSpace(p.userData()[name])
}
