package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The man pages are written by a build of their own (man.go).
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if out, err := exec.Command("go", "run", "-tags", "man", ".", "man", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "netab-man.1")); err == nil {
		t.Error("there is a page of what only this build has")
	}
	for _, page := range []string{"netab.1", "netab-run.1", "netab-results-export.1"} {
		text, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil {
			t.Error(err)
		}
		if page == "netab-run.1" && !strings.Contains(string(text), "max-time") {
			t.Errorf("%s does not know --max-time", page)
		}
	}
}
