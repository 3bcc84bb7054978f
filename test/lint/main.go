// Command lint is what `make check` asks beyond go vet and staticcheck:
//
//	errorlint   errors are compared and taken apart so that wrapping them breaks nothing
//	godot       a comment of a declaration is a sentence
//	nilness     what is nil for certain is not used
//	unparam     parameters that a function does not use, results that never differ
//	unusedwrite values that are written to a copy and lost
//
// It is a program for go vet's -vettool, so that packages are loaded as go vet
// loads them, and one that has not changed since is not looked at again.
package main

import (
	"strings"

	"codeberg.org/polyfloyd/go-errorlint/errorlint"
	"github.com/tetafro/godot"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/unitchecker"
	"golang.org/x/tools/go/packages"
	"mvdan.cc/unparam/check"
)

var analyzers = []*analysis.Analyzer{errorlint.NewAnalyzer(), nilness.Analyzer, unusedwrite.Analyzer, sentences, parameters}

func main() { unitchecker.Main(analyzers...) }

// sentences is godot.
var sentences = &analysis.Analyzer{
	Name: "godot",
	Doc:  "comments of declarations end with a period",
	Run: func(pass *analysis.Pass) (any, error) {
		for _, file := range pass.Files {
			issues, err := godot.Run(file, pass.Fset, godot.Settings{Scope: godot.DeclScope, Period: true})
			if err != nil {
				return nil, err
			}
			for _, issue := range issues {
				pass.Reportf(pass.Fset.File(file.Pos()).LineStart(issue.Pos.Line), "%s", issue.Message)
			}
		}
		return nil, nil
	},
}

// parameters is unparam, a package at a time: whether a parameter is used its own
// package says. It leaves out that a parameter always receives the same, which
// is often what a helper of tests is for.
var parameters = &analysis.Analyzer{
	Name:     "unparam",
	Doc:      "parameters that are not used, results that never differ",
	Requires: []*analysis.Analyzer{buildssa.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		var checker check.Checker
		checker.Packages([]*packages.Package{{
			Name: pass.Pkg.Name(), PkgPath: pass.Pkg.Path(), Fset: pass.Fset,
			Syntax: pass.Files, Types: pass.Pkg, TypesInfo: pass.TypesInfo,
		}})
		checker.ProgramSSA(pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).Pkg.Prog)
		issues, err := checker.Check()
		if err != nil {
			return nil, err
		}
		for _, issue := range issues {
			if !strings.Contains(issue.Message(), "always receives") {
				pass.Reportf(issue.Pos(), "%s", issue.Message())
			}
		}
		return nil, nil
	},
}
