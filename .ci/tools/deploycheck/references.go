package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// names are what the files of one folder declare: var.env_file, local.alarms, module.settings, tencentcloud_cam_role.relock,
// output.policy.
type names map[string]bool

// declare notes what a file declares.
func (n names) declare(body *hclsyntax.Body) {
	for _, block := range body.Blocks {
		switch block.Type {
		case "variable":
			n["var."+block.Labels[0]] = true
		case "output":
			n["output."+block.Labels[0]] = true
		case "module":
			n["module."+block.Labels[0]] = true
		case "resource":
			n[block.Labels[0]+"."+block.Labels[1]] = true
		case "locals":
			for name := range block.Body.Attributes {
				n["local."+name] = true
			}
		}
	}
}

// own are the names that need no declaration: https://developer.hashicorp.com/terraform/language/expressions/references.
var own = []string{"path", "each", "count", "self", "terraform"}

// unresolved returns the references of a body to what the folder does not declare. Iterators are those of the dynamic blocks
// around it.
func (n names) unresolved(body *hclsyntax.Body, iterators []string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		for _, reference := range body.Attributes[name].Expr.Variables() {
			root := reference.RootName()
			if slices.Contains(own, root) || slices.Contains(iterators, root) || len(reference) < 2 {
				continue
			}
			step, _ := reference[1].(hcl.TraverseAttr)
			name := root + "." + step.Name
			if output, ok := attribute(reference, 2); ok && root == "module" {
				name += "." + output
			}
			if !n[name] {
				faults = append(faults, fmt.Sprintf("%s: there is no %s", reference.SourceRange(), name))
			}
		}
	}
	for _, block := range body.Blocks {
		inner := iterators
		if block.Type == "dynamic" {
			inner = append(slices.Clip(iterators), block.Labels[0])
		}
		faults = append(faults, n.unresolved(block.Body, inner)...)
	}
	return faults
}

// attribute is the name at a place of a reference.
func attribute(reference hcl.Traversal, at int) (string, bool) {
	if at >= len(reference) {
		return "", false
	}
	step, ok := reference[at].(hcl.TraverseAttr)
	return step.Name, ok
}

// calls returns what a module is given that it does not take, and what it needs and is not given. None of our modules'
// variables has a default.
func calls(block *hclsyntax.Block, module names) []string {
	var faults []string
	for name := range block.Body.Attributes {
		if name != "source" && !module["var."+name] {
			faults = append(faults, fmt.Sprintf("%s: the module has no variable %s", block.TypeRange, name))
		}
	}
	for name := range module {
		if variable, ok := strings.CutPrefix(name, "var."); ok && block.Body.Attributes[variable] == nil {
			faults = append(faults, fmt.Sprintf("%s: the module needs %s", block.TypeRange, variable))
		}
	}
	slices.Sort(faults)
	return faults
}
