package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAllIsPrintedHere: whoever prints past print.go prints texts of others as
// they are. The packages below print nothing: they are given a printer.
func TestAllIsPrintedHere(t *testing.T) {
	past := map[string]string{
		"fmt.Fprint": "writef", "fmt.Fprintf": "writef", "fmt.Fprintln": "writeln", "fmt.Print": "writef", "fmt.Printf": "writef", "fmt.Println": "writeln",
		"io.WriteString": "writeWhole", "json.NewEncoder": "writeJSON",
	}
	files := token.NewFileSet()
	names, _ := filepath.Glob("*.go")
	below, _ := filepath.Glob("*/*.go")
	if len(names) < 20 || len(below) < 5 {
		t.Fatalf("%d files and %d below", len(names), len(below))
	}
	for _, name := range slices.Concat(names, below) {
		if strings.HasSuffix(name, "_test.go") || name == "print.go" {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := s.X.(*ast.Ident); ok && past[pkg.Name+"."+s.Sel.Name] != "" {
				t.Errorf("%v: %s.%s prints texts of others as they are: use %s of print.go", files.Position(s.Pos()), pkg.Name, s.Sel.Name, past[pkg.Name+"."+s.Sel.Name])
			}
			if receiver, ok := s.X.(*ast.Ident); s.Sel.Name == "Write" && !(ok && (receiver.Name == "disk" || receiver.Name == "dir")) { // files have writers of their own
				t.Errorf("%v: Write prints texts of others as they are: use writeWhole of print.go", files.Position(s.Pos()))
			}
			return true
		})
	}
}

// TestPrinted: an argument keeps to its line, whatever it is.
func TestPrinted(t *testing.T) {
	type state string
	var b bytes.Buffer
	writef(&b, "%s|%v|%-8s|%q|%d|%5.1f|%v|%v|%v\n", "a\nb\x1b[2J", state("x\r\u202ey"), "ö\t", "q\n\x1b", 7, 2.5, 3*time.Second, []string{"l\n1"}, true)
	writeln(&b, "netab:", errors.Join(errors.New("first\x07"), errors.New("::error::second\n")))
	want := "a b[U+001B][2J|x [U+202E]y|ö       |\"q\\n\\x1b\"|7|  2.5|3s|[l 1]|true\n" +
		"netab: first[U+0007]\n    ::error::second\n" // what begins with :: is the stream's business
	if b.String() != want {
		t.Errorf("printed\n%q\nwant\n%q", b.String(), want)
	}
}
