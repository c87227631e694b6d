package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module with one function to a folder.
func module(t *testing.T, text string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "functions/f/main.go": text} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const hello = "package main\n\nfunc main() { println(`hello`) }\n"

func TestAPackageIsTheSameWhereverItIsBuilt(t *testing.T) {
	hosts := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(hosts, []byte("a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var outs []string
	for range 2 {
		p := packer{root: module(t, hello), out: t.TempDir(), with: []string{hosts}}
		if err := p.pack([]string{"f/amd64/main", "f/arm64/bootstrap"}); err != nil {
			t.Fatal(err)
		}
		outs = append(outs, p.out)
	}
	for _, name := range []string{"relock-f-amd64.zip", "relock-f-amd64.cdx.json", "relock-f-arm64.zip", "SHA256SUMS"} {
		if !bytes.Equal(read(t, outs[0], name), read(t, outs[1], name)) {
			t.Errorf("%s differs between two folders", name)
		}
	}
	z, err := zip.OpenReader(filepath.Join(outs[0], "relock-f-arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 2 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 || z.File[1].Name != "known_hosts" || z.File[1].Mode() != 0o644 {
		t.Errorf("the zip holds %v; want an executable bootstrap and known_hosts", z.File)
	}
	sums := string(read(t, outs[0], "SHA256SUMS"))
	copies, _ := filepath.Glob(filepath.Join(outs[0], "relock-f-amd64-*.zip"))
	if len(copies) != 1 || !strings.HasPrefix(sums, strings.TrimSuffix(filepath.Base(copies[0])[len("relock-f-amd64-"):], ".zip")) {
		t.Errorf("the copies are %q; want one that is named after the first of\n%s", copies, sums)
	}
}

// A package whose two builds differ is not written.
func TestABuildThatDiffersIsRefused(t *testing.T) {
	root := module(t, hello)
	p := packer{root: root, out: t.TempDir()}
	elsewhere := module(t, strings.Replace(hello, "hello", "other", 1))
	if _, err := p.one(target{"f", "amd64", "main"}, elsewhere); err == nil || !strings.Contains(err.Error(), "differ") {
		t.Errorf("one() = %v; want that the builds differ", err)
	}
	if _, err := os.Stat(filepath.Join(p.out, "relock-f-amd64.zip")); err == nil {
		t.Error("a zip was written all the same")
	}
}

func TestTheBillNamesTheStandardLibraryAndTheBinary(t *testing.T) {
	p := packer{root: module(t, hello), out: t.TempDir()}
	if err := p.pack([]string{"f/amd64/main"}); err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(read(t, p.out, "relock-f-amd64.cdx.json"), &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Name != "example.com/m/functions/f" || len(b.Components) != 1 || b.Components[0].Name != "stdlib" {
		t.Errorf("the bill is %+v", b)
	}
}

func TestASpecHasThreeParts(t *testing.T) {
	for _, text := range []string{"", "f", "f/amd64", "f//main", "f/amd64/main/x"} {
		if _, err := parse(text); err == nil {
			t.Errorf("parse(%q) = nil; want an error", text)
		}
	}
}
