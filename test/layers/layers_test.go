// Package layers holds the direction of imports that docs/design.md draws.
package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "netab/"
	root   = "../.."
)

// imports are ours, by package, tests aside.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, top := range []string{"analysis", "cmd", "results", "runner", "scenarios"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			out[dir] = append(out[dir], "")
			for _, spec := range f.Imports {
				if p, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(p, module) {
					out[dir] = append(out[dir], strings.TrimPrefix(p, module))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
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
	for pkg, of := range imports(t) {
		for _, dep := range of {
			bad := false
			switch {
			case dep == "":
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
	text, err := os.ReadFile(filepath.Join(root, "docs", "design.md"))
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
	text, err := os.ReadFile(filepath.Join(root, "docs", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("`((?:analysis|cmd|results|runner|scenarios|test)/[a-z0-9/_]+\\.go)`").FindAllSubmatch(text, -1)
	if len(files) < 10 {
		t.Fatalf("only %d files are named", len(files))
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(root, string(f[1]))); err != nil {
			t.Errorf("docs/design.md: %v", err)
		}
	}
}
