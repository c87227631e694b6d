package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// A bom is the part of a CycloneDX 1.5 document that is used: https://cyclonedx.org/docs/1.5/json/. It has no time and no
// random number: the same binary has the same bill.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// bill says what a binary is made of, from what the Go linker wrote into it: what `go version -m` prints.
func bill(name, binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	program := component{Type: "application", Ref: name, Name: info.Path, Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sum)}}}
	for _, s := range info.Settings {
		program.Properties = append(program.Properties, property{"go:build:" + s.Key, s.Value})
	}
	b := bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1, SerialNumber: fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]),
		Metadata: metadata{program},
	}
	version := strings.TrimPrefix(info.GoVersion, "go")
	all := []component{{Type: "library", Name: "stdlib", Version: version, PURL: "pkg:golang/stdlib@" + version}}
	for _, m := range info.Deps {
		all = append(all, library(m))
	}
	top := dependency{Ref: name}
	for _, c := range all {
		c.Ref = c.PURL
		b.Components, top.On = append(b.Components, c), append(top.On, c.Ref)
	}
	b.Dependencies = []dependency{top}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err = e.Encode(b)
	return out.Bytes(), err
}

// library is a module. What replaces it is what was linked.
func library(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
	if m.Sum != "" {
		c.Properties = []property{{"go:sum", m.Sum}} // of the module's files, as go.sum has it; no hash of one file
	}
	return c
}
