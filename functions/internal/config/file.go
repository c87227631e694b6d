package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/relock-project/relock/rotation/sshlogin"
)

// isFile reports whether a value names a file that holds the list.
func isFile(text string) bool { return strings.HasPrefix(text, "@") }

// folderOf returns where relative files are: beside a function's binary, beside an environment file, or where the
// command was started.
func folderOf(p Platform, file string) (string, error) {
	switch {
	case file != "":
		return filepath.Dir(file), nil
	case p == Command:
		return ".", nil
	}
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the function's folder: %w", err)
	}
	return filepath.Dir(program), nil
}

func (c *Config) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.folder, name)
}

// readLists replaces every "@FILE" by what the file holds.
func (c *Config) readLists() {
	for _, list := range []struct {
		name string
		into interface{ Decode(string) error }
		file string
	}{
		{"RELOCK_REGIONS", &c.Regions, c.Regions.file()},
		{"RELOCK_INSTANCES", &c.Instances, c.Instances.file()},
		{"RELOCK_TAGS", &c.Tags, c.Tags.file()},
		{"RELOCK_EXCLUDE_TAGS", &c.ExcludeTags, c.ExcludeTags.file()},
	} {
		if list.file == "" {
			continue
		}
		text, err := readFile(c.path(list.file))
		if err == nil {
			err = decodeLines(list.into, text)
		}
		if err != nil {
			c.fault(list.name, "@%s: %v", list.file, err)
		}
	}
}

// file returns the name of the file that holds the list; empty when none does.
func (l List) file() string {
	if len(l) == 1 && isFile(l[0]) {
		return l[0][1:]
	}
	return ""
}

// file returns the name of the file that holds the tags; empty when none does.
func (t Tags) file() string {
	for key := range t {
		if isFile(key) && len(t) == 1 && t[key] == nil {
			return key[1:]
		}
	}
	return ""
}

// decodeLines decodes a list written over several lines, with # comments.
func decodeLines(into interface{ Decode(string) error }, text string) error {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		lines = append(lines, line[:comment(line)])
	}
	text = strings.TrimSpace(strings.Join(lines, ","))
	if isFile(strings.TrimLeft(text, ", ")) {
		return fmt.Errorf("a file that names a file")
	}
	return into.Decode(text)
}

// readHostKeys reads RELOCK_SSH_KNOWN_HOSTS: lines have spaces, a file's name has none.
func (c *Config) readHostKeys() {
	const name = "RELOCK_SSH_KNOWN_HOSTS"
	text := c.SSHKnownHosts
	if text == "" {
		return
	}
	if !strings.ContainsAny(text, " \t\n") {
		var err error
		if text, err = readFile(c.path(strings.TrimPrefix(text, "@"))); err != nil {
			c.fault(name, "%v", err)
			return
		}
	}
	keys, err := sshlogin.ParseKnownHosts(text)
	if err != nil {
		c.fault(name, "%v", err)
		return
	}
	c.hostKeys = keys
}
