package e2e_test

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/relock-project/relock"

// A listed is what go list says of a package.
type listed struct {
	ImportPath           string
	Imports, TestImports []string
	XTestImports         []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// root is the module's folder, seen from this package's.
const root = "../.."

// TestDependenciesGoOneWay holds the map of ARCHITECTURE.md: what each package may import of ours and of others.
func TestDependenciesGoOneWay(t *testing.T) {
	driver := []string{module + "/rotation", module + "/rotation/wire", "golang.org/x/sync"}
	rules := []struct {
		pkg     string // under the module
		allowed []string
	}{
		{"/rotation", nil},
		{"/rotation/rotationtest", []string{module + "/rotation"}},
		{"/rotation/sshlogin", []string{module + "/rotation", "golang.org/x/crypto"}},
		{"/rotation/wire", []string{module + "/rotation", "golang.org/x/time", "golang.org/x/sync"}},
		{"/rotation/tencent", append([]string{"github.com/tencentcloud/tencentcloud-sdk-go"}, driver...)},
		{"/rotation/huawei", append([]string{"github.com/huaweicloud/huaweicloud-sdk-go-v3"}, driver...)},
		{"/rotation/simcloud", []string{"golang.org/x/crypto"}},
		{"/rotation/tencent/tencentsim", []string{module + "/rotation/simcloud"}},
		{"/rotation/huawei/huaweisim", []string{module + "/rotation/simcloud"}},
		{"/rotation/aws", append([]string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}, driver...)},
		{"/rotation/aws/awssim", []string{module + "/rotation/simcloud"}},
		{"/events", []string{module + "/rotation"}},
	}
	found := 0
	for _, p := range packages(t) {
		for _, rule := range rules {
			if p.ImportPath != module+rule.pkg {
				continue
			}
			found++
			for _, imported := range p.Imports {
				first, _, _ := strings.Cut(imported, "/")
				if !strings.Contains(first, ".") {
					continue // the standard library
				}
				// A driver may import the core, not what is below it.
				if imported == module+"/rotation" && slices.Contains(rule.allowed, imported) {
					continue
				}
				if !slices.ContainsFunc(rule.allowed, func(a string) bool { return a != module+"/rotation" && strings.HasPrefix(imported, a) }) {
					t.Errorf("%s imports %s", p.ImportPath, imported)
				}
			}
		}
	}
	if found != len(rules) {
		t.Errorf("%d of the %d packages of the map exist", found, len(rules))
	}
}

// files calls f for each Go file of the module, with its path from the root and its text. What is test data is none of it.
func files(t *testing.T, f func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && (name == ".git" || name == ".ci" || name == "dist" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		f(filepath.ToSlash(name), string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	environment = regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ|ExpandEnv)\(`)
	reveal      = regexp.MustCompile(`\.Reveal\(`)
)

// TestTheEnvironmentIsReadInOnePlace: functions/internal/config is the only reader.
func TestTheEnvironmentIsReadInOnePlace(t *testing.T) {
	files(t, func(path, text string) {
		if !strings.HasSuffix(path, "_test.go") && environment.MatchString(text) && !strings.HasPrefix(path, "functions/internal/config/") {
			t.Errorf("%s reads the environment", path)
		}
	})
}

// TestPasswordsAreRevealedInFewPlaces lists the files that may turn a Password into text.
func TestPasswordsAreRevealedInFewPlaces(t *testing.T) {
	allowed := []string{
		"rotation/password.go", "rotation/version.go", // the type and the codec
		"rotation/tencent/reset.go", "rotation/huawei/reset.go", // the request
		"rotation/huawei/preflight.go",                              // a password that is thrown away
		"rotation/sshlogin/login.go",                                // the login
		"rotation/aws/client.go",                                    // what Secrets Manager gave a step along
		"functions/relock/lookup.go", "functions/relock/recover.go", // --reveal
	}
	files(t, func(path, text string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "rotation/rotationtest/") {
			return
		}
		if reveal.MatchString(text) && !slices.Contains(allowed, path) {
			t.Errorf("%s reveals a password", path)
		}
	})
}

// TestFilesHoldOneIdea: under 400 lines each, and an entrypoint at most 40.
func TestFilesHoldOneIdea(t *testing.T) {
	files(t, func(path, text string) {
		lines := 0
		for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
			lines++
		}
		most := 400
		if strings.HasSuffix(path, "/main.go") {
			most = 40
		}
		if lines > most {
			t.Errorf("%s has %d lines; at most %d", path, lines, most)
		}
	})
}

// TestNoTableHasARowTwice: a row of a test's table that says the same as another tests nothing.
func TestNoTableHasARowTwice(t *testing.T) {
	files(t, func(path, text string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		source := func(n ast.Node) string { return text[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset] }
		ast.Inspect(file, func(n ast.Node) bool {
			table, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			rows := map[string]bool{}
			for _, row := range table.Elts {
				if lit, ok := row.(*ast.CompositeLit); !ok || len(lit.Elts) < 2 {
					continue
				}
				if rows[source(row)] {
					t.Errorf("%s: the row is there twice: %s", fset.Position(row.Pos()), source(row))
				}
				rows[source(row)] = true
			}
			return true
		})
	})
}

// TestTheTopLevelIsAsPrescribed: no folder beside these.
func TestTheTopLevelIsAsPrescribed(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{"functions", "rotation", "deploy", "events", ".git", ".ci", "dist"}, e.Name()) {
			t.Errorf("the folder %s is at the top", e.Name())
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "serverless.yml", "Makefile", "README.md", "ARCHITECTURE.md", "LICENSE"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("%s is missing", name)
		}
	}
}
