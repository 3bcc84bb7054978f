// Package layers holds the direction of imports that docs/design.md draws.
package layers

import (
	"go/ast"
	"go/parser"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netab/test/sources"
)

const module = "netab/"

// imports are ours, by package.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, name := range sources.Files(t) {
		dir := path.Dir(name)
		if below(dir, "bench") {
			continue // sees all sides
		}
		_, file := sources.Parse(t, name, parser.ImportsOnly)
		out[dir] = append(out[dir], "")
		for _, spec := range file.Imports {
			if p, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(p, module) {
				out[dir] = append(out[dir], strings.TrimPrefix(p, module))
			}
		}
	}
	if len(out) < 30 {
		t.Fatalf("only %d packages were found", len(out))
	}
	return out
}

func below(pkg, top string) bool { return pkg == top || strings.HasPrefix(pkg, top+"/") }

// TestImportDirection: measuring never imports judging, and what both share
// imports neither.
func TestImportDirection(t *testing.T) {
	leaf := func(pkg string) bool { return strings.HasPrefix(pkg, "results/") }
	// Numbers that know of arms, or words that know of verdicts, would be back where
	// they were.
	alone := []string{"analysis/stat", "analysis/prose"}
	for pkg, of := range imports(t) {
		for _, dep := range of {
			bad := false
			switch {
			case dep == "":
			case slices.Contains(alone, pkg):
				bad = true
			case pkg == "analysis/confounder": // would else look at figures
				bad = !below(dep, "results") && dep != "analysis/prose"
			case below(pkg, "results"), below(pkg, "scenarios"):
				bad = !leaf(dep)
			case below(pkg, "runner"):
				bad = below(dep, "analysis") || below(dep, "cmd")
			case below(pkg, "analysis"):
				bad = below(dep, "runner") || below(dep, "scenarios") || below(dep, "cmd")
			}
			if bad {
				t.Errorf("%s imports %s, against the direction of docs/design.md", pkg, dep)
			}
		}
	}
}

// TestDesignNamesPackages: a package that the drawing does not have is one that its
// readers do not find.
func TestDesignNamesPackages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sources.Root(t), "docs", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z]+`).FindAllString(string(text), -1)
	for pkg := range imports(t) {
		if !slices.Contains(words, path.Base(pkg)) {
			t.Errorf("docs/design.md does not name the package %s", pkg)
		}
	}
}

// TestDesignNamesFiles: the files that a change is said to be made in are there.
func TestDesignNamesFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sources.Root(t), "docs", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("`((?:analysis|cmd|results|runner|scenarios|test)/[a-z0-9/_]+\\.go)`").FindAllSubmatch(text, -1)
	if len(files) < 10 {
		t.Fatalf("only %d files are named", len(files))
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(sources.Root(t), string(f[1]))); err != nil {
			t.Errorf("docs/design.md: %v", err)
		}
	}
}

// TestRaceDetector: of what keeps and judges, the race detector sees the packages that
// have goroutines. Without any there is nothing that it could find.
func TestRaceDetector(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(sources.Root(t), "test.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(script), "tests -race ")
	list, _, _ = strings.Cut(strings.ReplaceAll(list, "\\\n", ""), "\n")
	raced := strings.Fields(list)
	found := false
	for _, name := range sources.Files(t) {
		dir := path.Dir(name)
		if !below(dir, "results") && !below(dir, "scenarios") && !below(dir, "analysis") || dir == "analysis/proof" || dir == "analysis/trend" { // minutes: of bench/soak.sh
			continue
		}
		_, file := sources.Parse(t, name, parser.SkipObjectResolution)
		concurrent := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"netab/results/crew"` })
		ast.Inspect(file, func(n ast.Node) bool {
			_, starts := n.(*ast.GoStmt)
			concurrent = concurrent || starts
			return true
		})
		if !concurrent {
			continue
		}
		found = true
		if !slices.Contains(raced, "./"+dir) {
			t.Errorf("%s has goroutines: add ./%s to what test.sh runs under the race detector", name, dir)
		}
	}
	if !found {
		t.Error("no package with goroutines was found")
	}
}
