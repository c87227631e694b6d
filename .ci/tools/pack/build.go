package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// zipped builds a target from the module at root into binary, and returns the zip of it and of the files beside it. The
// zip depends on nothing but their contents.
func (p packer) zipped(root string, t target, binary string) ([]byte, error) {
	absolute, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", absolute, "./functions/"+t.name)
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+t.arch)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := add(z, binary, 0o755); err != nil {
		return nil, err
	}
	for _, file := range p.with {
		if err := add(z, file, 0o644); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(binary), filepath.Base(file)), data, 0o644); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return b.Bytes(), err
}

// add stores a file under its base name.
func add(z *zip.Writer, path string, mode fs.FileMode) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: filepath.Base(path), Method: zip.Deflate, Modified: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// copyOf copies a module's sources to another folder, which remove removes.
func copyOf(root string) (folder string, remove func(), err error) {
	if folder, err = os.MkdirTemp("", "relock-pack-"); err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || name == "dist" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(folder, name), 0o755)
		case !d.Type().IsRegular() || !source(d.Name()):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name), data, 0o644)
	})
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("copy the sources: %w", err)
	}
	return folder, remove, nil
}

// source reports whether a build reads a file of this name. Nothing is embedded.
func source(name string) bool {
	return filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") || name == "go.mod" || name == "go.sum"
}
