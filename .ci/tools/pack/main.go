// Command pack builds functions and writes what is deployed of them.
//
//	pack [-root DIR] [-out DIR] [-with FILE,...] NAME/ARCH/BINARY...
//
// functions/NAME is built for linux and ARCH, twice: here, and from a copy of the sources in another folder. The two zips
// have to be the same bytes. For each function there are then, in the out folder,
//
//	NAME-ARCH/BINARY                 the binary, and beside it the files of -with
//	relock-NAME-ARCH.zip             the same as a zip, and under a name that holds its checksum
//	relock-NAME-ARCH.cdx.json        what the binary is made of (CycloneDX)
//	SHA256SUMS                       of all functions' files, as sha256sum -c reads it
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	var p packer
	with := ""
	flag.StringVar(&p.root, "root", ".", "the module's `DIR`")
	flag.StringVar(&p.out, "out", "dist", "the `DIR` to write to")
	flag.StringVar(&with, "with", "", "`FILE`s to put beside the binary: host keys, long lists")
	flag.Parse()
	p.with = strings.FieldsFunc(with, func(r rune) bool { return r == ',' || r == ' ' })
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := p.pack(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// mostUnzipped is how large a function's binary may be: 20 MiB.
const mostUnzipped = 20 << 20

// A packer writes the packages of one module to one folder.
type packer struct {
	root, out string
	with      []string
}

// A target is one package.
type target struct{ name, arch, binary string }

func parse(text string) (t target, err error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return t, fmt.Errorf("%q: want NAME/ARCH/BINARY, such as scf/amd64/main", text)
	}
	return target{parts[0], parts[1], parts[2]}, nil
}

func (t target) folder() string { return t.name + "-" + t.arch }

func (p packer) pack(specs []string) error {
	elsewhere, remove, err := copyOf(p.root)
	if err != nil {
		return err
	}
	defer remove()
	var sums []string
	for _, spec := range specs {
		t, err := parse(spec)
		if err != nil {
			return err
		}
		written, err := p.one(t, elsewhere)
		if err != nil {
			return fmt.Errorf("%s: %w", spec, err)
		}
		for _, name := range written {
			data, err := os.ReadFile(filepath.Join(p.out, name))
			if err != nil {
				return err
			}
			sums = append(sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name))
		}
	}
	return os.WriteFile(filepath.Join(p.out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644)
}

// one writes a package and returns the names of its files.
func (p packer) one(t target, elsewhere string) ([]string, error) {
	folder := filepath.Join(p.out, t.folder())
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	binary := filepath.Join(folder, t.binary)
	first, err := p.zipped(p.root, t, binary)
	if err != nil {
		return nil, err
	}
	second, err := p.zipped(elsewhere, t, filepath.Join(elsewhere, "dist", t.binary))
	if err != nil {
		return nil, err
	}
	zip := "relock-" + t.folder() + ".zip"
	report(zip, "first build ", first)
	report(zip, "second build", second)
	size, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%s  unzipped      %9d bytes\n", zip, size.Size())
	if size.Size() > mostUnzipped {
		return nil, fmt.Errorf("the binary has %d bytes: at most %d are wanted, so that a function starts fast", size.Size(), mostUnzipped)
	}
	if slices.Compare(first, second) != 0 {
		return nil, fmt.Errorf("two builds of the same sources differ")
	}
	bom, err := bill("relock-"+t.folder(), binary)
	if err != nil {
		return nil, err
	}
	// The copy that a deployment names: its name changes exactly when its contents do.
	sum := fmt.Sprintf("%x", sha256.Sum256(first))
	copied := strings.TrimSuffix(zip, ".zip") + "-" + sum[:12] + ".zip"
	old, err := filepath.Glob(filepath.Join(p.out, strings.TrimSuffix(zip, ".zip")+"-????????????.zip"))
	if err != nil {
		return nil, err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	sbom := "relock-" + t.folder() + ".cdx.json"
	for name, data := range map[string][]byte{zip: first, copied: first, sbom: bom} {
		if err := os.WriteFile(filepath.Join(p.out, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	return []string{zip, sbom}, nil
}

func report(name, which string, data []byte) {
	fmt.Printf("%s  %s  %9d bytes  sha256 %x\n", name, which, len(data), sha256.Sum256(data))
}
