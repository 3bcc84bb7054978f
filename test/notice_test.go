package test

import (
	"debug/buildinfo"
	"os"
	"strings"
	"testing"
)

// TestNotice: whoever passes the binary on finds in NOTICE whatever is linked into
// it.
func TestNotice(t *testing.T) {
	info, err := buildinfo.ReadFile(os.Getenv(envBinary))
	if err != nil {
		t.Fatal(err)
	}
	notice, err := os.ReadFile("../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(notice)) {
		if f := strings.Fields(line); len(f) > 1 && strings.Contains(f[0], "/") {
			listed[f[0]] = true
		}
	}
	for _, module := range info.Deps {
		if !listed[module.Path] {
			t.Errorf("%s is linked, and NOTICE does not list it", module.Path)
		}
		delete(listed, module.Path)
	}
	for path := range listed {
		t.Errorf("NOTICE lists %s, which is not linked", path)
	}
}
