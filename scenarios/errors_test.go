package scenarios

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected outputs anew")

// faultsIn are those that an error brings, which must be Errors.
func faultsIn(t testing.TB, err error) Errors {
	t.Helper()
	faults, ok := errors.AsType[Errors](err)
	if !ok {
		t.Fatalf("%v, want Errors", err)
	}
	return faults
}

// TestBadFiles holds what is said of each file in testdata/bad against the
// .txt beside it. After a change: go test -update, and read the diff.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d bad files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(file), src)
			faults := faultsIn(t, err)
			got := faults.Render()
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			lines := strings.Split(string(src), "\n")
			for _, fault := range faults {
				if n := fault.Pos.Line; n < 1 || n > len(lines) || fault.Pos.Column < 1 || fault.Pos.Column > len(lines[n-1])+1 {
					t.Errorf("%v is not a place in the file", fault.Pos)
				}
				if fault.Hint == "" {
					t.Errorf("no hint in: %v", fault)
				}
				if strings.Contains(fault.Error(), "\n") {
					t.Errorf("more than one line: %q", fault.Error())
				}
			}
		})
	}
}
