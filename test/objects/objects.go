// Package objects holds the eBPF objects in git against their sources.
package objects

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"netab/test/need"
)

// generates is the line that has an object made.
var generates = regexp.MustCompile(`(?m)^//go:generate go (run \S+/bpf2go -go-package (\w+) .*)$`)

// Check makes the object of the package in the working directory as `make bpf` does, by
// what file tells go generate, and compares. With the clang that the committed one was
// made by it is the same to the byte; another makes another, which says nothing. clang is
// a file whose first line says which it was.
func Check(t *testing.T, file, clang string) {
	t.Helper()
	need.Program(t, "clang")
	need.Program(t, "llvm-strip")
	out, err := exec.Command("clang", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	have, _, _ := strings.Cut(string(out), "\n")
	if want := strings.TrimSpace(string(read(t, clang))); have != want {
		t.Skipf("the object was made by %s; here is %s", want, have)
	}
	line := generates.FindSubmatch(read(t, file))
	if line == nil {
		t.Fatalf("%s has no go:generate line of bpf2go", file)
	}
	dir := t.TempDir()
	// The shell takes the line's quotes for what go generate does.
	generate := exec.Command("sh", "-c", "go "+strings.Replace(string(line[1]), " -go-package", " -output-dir '"+dir+"' -go-package", 1))
	generate.Env = append(os.Environ(), "GOPACKAGE="+string(line[2]))
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"programs_bpfel.o", "programs_bpfel.go"} {
		if made := read(t, filepath.Join(dir, name)); !bytes.Equal(made, read(t, name)) {
			t.Errorf("%s is not what %s makes: run make bpf", name, file)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
