package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// largestFile bounds what is read of a file.
const largestFile = 1 << 20

// readFile returns a file's text, without a byte order mark.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > largestFile {
		return "", fmt.Errorf("%s has more than %d bytes", path, largestFile)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

// dotenv reads an environment file: lines of NAME=value with RELOCK_ names, comments and empty lines. No fault shows a
// line: it may hold a key that does not belong there.
func dotenv(path string) (source, faults, error) {
	s := source{file: path, values: map[string]origin{}}
	text, err := readFile(path)
	if err != nil {
		return s, nil, err
	}
	var bad faults
	number := 0
	for line := range strings.Lines(text) {
		number++
		where := fmt.Sprintf("%s:%d", path, number)
		name, value, err := assignment(line)
		if first, twice := s.values[name]; err == nil && twice {
			err = fmt.Errorf("is set in %s already: remove one", first.from)
		}
		if err != nil {
			bad = append(bad, fault{name, where, err.Error()})
			continue
		}
		if value = strings.TrimSpace(value); value != "" {
			s.values[name] = origin{value, where}
		}
	}
	return s, bad, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// assignment reads one line; a line without an assignment has no name.
func assignment(line string) (name, value string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", nil
	}
	if rest, ok := strings.CutPrefix(line, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
		line = strings.TrimLeft(rest, " \t")
	}
	name, rest, ok := strings.Cut(line, "=")
	name = strings.TrimRight(name, " \t")
	switch {
	case !ok || !variableName.MatchString(name):
		return "", "", errors.New("neither NAME=value nor a # comment")
	case !strings.HasPrefix(name, prefix+"_"):
		return name, "", fmt.Errorf("only %s_ variables belong here; credentials come from the environment or the provider's own file", prefix)
	}
	value, err = unquote(strings.TrimLeft(rest, " \t"))
	return name, value, err
}

// unquote reads what is right of an equals sign as a shell would, where that is the same for every reader of such files;
// the rest is refused.
func unquote(text string) (string, error) {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		// A # begins a comment after a space.
		if i := strings.IndexAny(text, "\"'`$\\"); i >= 0 && i < comment(text) {
			return "", fmt.Errorf("%c outside quotes: put the value in single quotes", text[i])
		}
		return text[:comment(text)], nil
	}
	quotation := text[:1]
	value, rest, closed := strings.Cut(text[1:], quotation)
	if !closed {
		return "", errors.New("the closing quote is missing")
	}
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return "", errors.New("text after the closing quote")
	}
	if quotation == `"` && strings.ContainsAny(value, "`$\\") {
		return "", errors.New("$, ` or \\ in double quotes: use single quotes")
	}
	return value, nil
}

// comment returns where a comment begins; the text's length without one.
func comment(text string) int {
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			return i
		}
	}
	return len(text)
}
