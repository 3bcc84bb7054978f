package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netab/cmd/netab/formats"
	"netab/test/need"
)

// TestDocsFormats: the lines of docs/formats.md do what they say, and every schema is
// named there.
func TestDocsFormats(t *testing.T) {
	need.Program(t, "jq")
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range formats.Names() {
		if !strings.Contains(string(text), "`netab schema "+name+"`") {
			t.Errorf("docs/formats.md does not name netab schema %s", name)
		}
	}
	store, err := filepath.Abs("../../test/testdata/store")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := filepath.Glob(store + "/*/run.jsonl")
	if err != nil || len(runs) == 0 {
		t.Fatalf("%v, %v", runs, err)
	}
	id := filepath.Base(filepath.Dir(runs[0]))
	ran := 0
	for _, block := range blocksOf(t, "formats.md") {
		dir := t.TempDir()
		line := strings.NewReplacer("RUN", id, "STORE", store, "netab results", "netab --store "+store+" results").Replace(block)
		if strings.HasPrefix(block, "import pandas") {
			if exec.Command("python3", "-c", "import pandas").Run() != nil {
				continue // it is a large thing to ask for
			}
			line = "netab --store " + store + " results export " + id + " --format csv >slices.csv\npython3 - <<'X'\n" + block + "X\n"
		}
		code, out := shell(t, dir, line)
		if code != exitFine || strings.Contains(out, "null") || out == "" && !strings.Contains(line, "warnings") && !strings.Contains(line, "netab.prom") {
			t.Errorf("status %d\n%s\n%s", code, line, out)
		}
		if strings.Contains(line, "netab.prom") {
			if prom, err := os.ReadFile(dir + "/netab.prom"); err != nil || !strings.HasSuffix(string(prom), "# EOF\n") {
				t.Errorf("netab.prom: %v: %s", err, prom)
			}
		}
		ran++
	}
	if ran < 4 {
		t.Errorf("only %d blocks were run", ran)
	}
}
