// Command pack writes a zip that depends on nothing but its contents: the same files give the same bytes.
//
//	pack OUT.zip FILE...
//
// Each file is stored under its base name, executable. The zip's SHA-256 and size are printed.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: pack OUT.zip FILE...")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(out string, files []string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{
			Name: filepath.Base(name), Method: zip.Deflate,
			Modified: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		fmt.Printf("%-24s %9d bytes\n", name, len(data))
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Printf("%-24s %9d bytes\nsha256 %x\n", out, b.Len(), sha256.Sum256(b.Bytes()))
	return nil
}
