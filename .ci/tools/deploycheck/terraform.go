package main

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// terraform parses the files below folder and returns what is wrong with them.
func terraform(folder string) ([]string, error) {
	var faults []string
	parser, modules := hclparse.NewParser(), map[string][]*hclsyntax.Body{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == ".terraform" {
			return skip(err)
		}
		if filepath.Ext(path) != ".tf" {
			return nil
		}
		file, diagnostics := parser.ParseHCLFile(path)
		for _, diagnostic := range diagnostics {
			faults = append(faults, diagnostic.Error())
		}
		if body, ok := bodyOf(file); ok {
			faults = append(faults, blocks(body)...)
			modules[filepath.Dir(path)] = append(modules[filepath.Dir(path)], body)
		}
		return nil
	})
	if err == nil && len(modules) == 0 {
		err = fmt.Errorf("%s: there is no Terraform file", folder)
	}
	return append(faults, references(modules)...), err
}

// references checks the files of every folder against what the folder declares, and against the modules that it calls.
func references(modules map[string][]*hclsyntax.Body) []string {
	declared := map[string]names{}
	for folder, files := range modules {
		declared[folder] = names{}
		for _, body := range files {
			declared[folder].declare(body)
		}
	}
	var faults []string
	for _, folder := range slices.Sorted(maps.Keys(modules)) {
		for _, body := range modules[folder] {
			for _, block := range body.Blocks {
				if block.Type != "module" || block.Body.Attributes["source"] == nil {
					continue
				}
				source, diagnostics := block.Body.Attributes["source"].Expr.Value(nil)
				if diagnostics.HasErrors() {
					faults = append(faults, diagnostics.Error())
					continue
				}
				module := declared[filepath.Join(folder, source.AsString())]
				faults = append(faults, calls(block, module)...)
				for name := range module {
					if output, ok := strings.CutPrefix(name, "output."); ok {
						declared[folder]["module."+block.Labels[0]+"."+output] = true
					}
				}
			}
		}
		for _, body := range modules[folder] {
			faults = append(faults, declared[folder].unresolved(body, nil)...)
		}
	}
	return faults
}

func skip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

func bodyOf(file *hcl.File) (*hclsyntax.Body, bool) {
	if file == nil {
		return nil, false
	}
	body, ok := file.Body.(*hclsyntax.Body)
	return body, ok
}

// blocks checks the resources and providers of a file.
func blocks(body *hclsyntax.Body) []string {
	var faults []string
	known := resources()
	for _, block := range body.Blocks {
		switch {
		case block.Type == "provider":
			faults = append(faults, inside("provider "+block.Labels[0], providerArguments(), "", block.Body)...)
		case block.Type == "resource":
			d, ok := known[block.Labels[0]]
			if !ok {
				faults = append(faults, fmt.Sprintf("%s: %s is not among the resources that were looked up", block.TypeRange, block.Labels[0]))
				continue
			}
			faults = append(faults, inside(block.Labels[0], d, "", block.Body)...)
		case block.Type == "data":
			faults = append(faults, fmt.Sprintf("%s: data sources were not looked up", block.TypeRange))
		}
	}
	return faults
}

// meta are Terraform's own: https://developer.hashicorp.com/terraform/language/resources/syntax#meta-arguments.
var meta = []string{"for_each", "count", "depends_on", "lifecycle", "provider"}

// inside checks a block's body, which stands at path within the resource.
func inside(name string, d documented, path string, body *hclsyntax.Body) []string {
	var faults []string
	required, all := d.names(path)
	here := map[string]bool{}
	use := func(argument string, at hcl.Range) bool {
		if path == "" && slices.Contains(meta, argument) {
			return false
		}
		here[argument] = true
		if !all[argument] {
			faults = append(faults, fmt.Sprintf("%s: %s has no documented %s", at, name, join(path, argument)))
		}
		return all[argument]
	}
	for _, a := range body.Attributes {
		use(a.Name, a.NameRange)
	}
	for _, b := range body.Blocks {
		kind, of := b.Type, b.Body
		if kind == "dynamic" {
			kind, of = b.Labels[0], content(b)
		}
		if use(kind, b.TypeRange) && of != nil {
			faults = append(faults, inside(name, d, join(path, kind), of)...)
		}
	}
	for argument := range required {
		if !here[argument] {
			faults = append(faults, fmt.Sprintf("%s: %s needs %s", body.SrcRange, name, join(path, argument)))
		}
	}
	slices.Sort(faults)
	return faults
}

// content is what a dynamic block repeats.
func content(b *hclsyntax.Block) *hclsyntax.Body {
	for _, inner := range b.Body.Blocks {
		if inner.Type == "content" {
			return inner.Body
		}
	}
	return nil
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
