package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// keys are those of the Tencent component that are documented, by where they stand:
// https://github.com/serverless-components/tencent-scf/blob/master/docs/configure.md, read in November 2026.
func keys() map[string][]string {
	return map[string][]string{
		"": {"org", "app", "stage", "component", "name", "inputs"},
		"inputs": {
			"name", "namespace", "role", "enableRoleAuth", "src", "handler", "runtime", "region", "description", "memorySize", "timeout",
			"initTimeout", "environment", "publicAccess", "vpcConfig", "cfs", "deadLetter", "layers", "cls", "eip", "asyncRunEnable",
			"tags", "events",
		},
		"inputs.environment":             {"variables"},
		"inputs.vpcConfig":               {"vpcId", "subnetId"},
		"inputs.cls":                     {"logsetId", "topicId"},
		"inputs.events":                  {"timer"},
		"inputs.events.timer":            {"parameters"},
		"inputs.events.timer.parameters": {"name", "qualifier", "cronExpression", "enable", "argument"},
	}
}

// A manifest is the part of serverless.yml that is checked for more than its keys.
type manifest struct {
	Component string
	Inputs    struct {
		Runtime     string
		Timeout     int
		Role        string
		Environment struct{ Variables map[string]string }
		Events      []struct {
			Timer struct {
				Parameters struct {
					Name           string
					CronExpression string `yaml:"cronExpression"`
					Enable         bool
					Argument       string
				}
			}
		}
	}
}

// serverless checks the manifest; readme lists the variables.
func serverless(path, readme string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	var m manifest
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := root.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	known, err := variables(readme)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, f := range slices.Concat(undocumented(&root, ""), m.wrong(), m.strange(known)) {
		faults = append(faults, path+": "+f)
	}
	return faults, nil
}

// undocumented returns the keys below node that no document lists.
func undocumented(node *yaml.Node, at string) []string {
	var faults []string
	switch node.Kind {
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, child := range node.Content {
			faults = append(faults, undocumented(child, at)...)
		}
	case yaml.MappingNode:
		allowed, checked := keys()[at]
		for i := 0; checked && i < len(node.Content); i += 2 {
			key := node.Content[i]
			if !slices.Contains(allowed, key.Value) {
				faults = append(faults, fmt.Sprintf("line %d: %s is not documented", key.Line, join(at, key.Value)))
			}
			faults = append(faults, undocumented(node.Content[i+1], join(at, key.Value))...)
		}
	}
	return faults
}

var cron = regexp.MustCompile(`^\S+( \S+){6}$`)

// wrong returns what has a documented key and no value that relock can run with.
func (m manifest) wrong() []string {
	var faults []string
	in := m.Inputs
	if m.Component != "scf" || in.Runtime != "Go1" {
		faults = append(faults, fmt.Sprintf("component %s with runtime %s: want scf with Go1", m.Component, in.Runtime))
	}
	if in.Timeout != 900 {
		faults = append(faults, fmt.Sprintf("timeout %d: want 900, the longest", in.Timeout))
	}
	if in.Role == "" {
		faults = append(faults, "role: not set")
	}
	timers := map[string]bool{}
	for _, e := range in.Events {
		t := e.Timer.Parameters
		var payload struct{ Action string }
		if err := json.Unmarshal([]byte(t.Argument), &payload); err != nil || payload.Action != t.Name || !t.Enable || !cron.MatchString(t.CronExpression) {
			faults = append(faults, fmt.Sprintf("timer %s: want an argument with this action, seven fields of time, and that it is enabled", t.Name))
		}
		timers[t.Name] = true
	}
	if !timers["rotate"] || !timers["resume"] {
		faults = append(faults, "events: want the timers rotate and resume")
	}
	return faults
}

// strange returns the environment's variables that do not exist, or do not come from the fleet's env file.
func (m manifest) strange(known []string) []string {
	var faults []string
	for name, value := range m.Inputs.Environment.Variables {
		if !slices.Contains(known, name) {
			faults = append(faults, fmt.Sprintf("environment: there is no variable %s", name))
		}
		if value != "${env."+name+"}" {
			faults = append(faults, fmt.Sprintf("environment: %s: want the value of the fleet's env file, ${env.%s}", name, name))
		}
	}
	slices.Sort(faults)
	return faults
}

var row = regexp.MustCompile("(?m)^\\| `(RELOCK_[A-Z0-9_]+)` \\|")

// variables are those of the README's table, which a test compares with the configuration.
func variables(readme string) ([]string, error) {
	text, err := os.ReadFile(readme)
	if err != nil {
		return nil, err
	}
	_, table, _ := strings.Cut(string(text), "<!-- variables -->")
	var all []string
	for _, match := range row.FindAllStringSubmatch(table, -1) {
		all = append(all, match[1])
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: has no table of variables", readme)
	}
	return all, nil
}
