package stat

import (
	"go/build"
	"strings"
	"testing"
)

// The package is a leaf: whoever wants to know more than it is told belongs elsewhere.
func TestLeaf(t *testing.T) {
	of, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range of.Imports {
		if strings.HasPrefix(path, "netab/") {
			t.Errorf("it imports %s", path)
		}
	}
}
