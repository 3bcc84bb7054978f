// Package sources is for tests that hold what the compiler does not: which package
// may do what.
package sources

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root is the module's directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		} else if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above")
		}
	}
}

// Files are the Go files of the module by their paths from its root. What only tests
// use may do as it likes, and is not among them.
func Files(t testing.TB) []string {
	t.Helper()
	root := Root(t)
	var out []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
		case entry.IsDir():
			if name == "test" || entry.Name() == "testdata" || entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && name != "." {
				return filepath.SkipDir
			}
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			out = append(out, name)
		}
		return err
	})
	if err != nil || len(out) < 300 {
		t.Fatalf("%d files: %v", len(out), err)
	}
	return out
}

// Parse parses one of them.
func Parse(t testing.TB, name string, mode parser.Mode) (*token.FileSet, *ast.File) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, filepath.Join(Root(t), name), nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return set, file
}
