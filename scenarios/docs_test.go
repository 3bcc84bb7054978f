package scenarios

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs parses every example of docs/traffic.md, and the left column of its
// table of other tools, so that neither can rot.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/traffic.md")
	if err != nil {
		t.Fatal(err)
	}
	var srcs []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		srcs = append(srcs, m[1])
	}
	_, table, _ := strings.Cut(string(text), "| netab, under `traffic:` |")
	for _, line := range strings.Split(table, "\n") {
		left, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(left, -1) {
			switch src := m[1]; {
			case src == "reuseport-cpu": // short for the one before
			case strings.Contains(src, "..."):
			default:
				srcs = append(srcs, "topology: loopback\ntraffic: "+src)
			}
		}
	}
	if len(srcs) < 35 {
		t.Fatalf("%d examples found, want 35 or more", len(srcs))
	}
	_, schema := loadSchema(t)
	for _, src := range srcs {
		if err := schema.Validate(asJSON(t, []byte(src))); err != nil {
			t.Errorf("%s\nschema: %v", src, err)
		}
		mustExpand(t, twoCPUs, src)
	}
	// What the page says is there, is there.
	for name := range sourceCalls() {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("source path %s is not in the page", name)
		}
	}
	for name := range sinkCalls() {
		if !strings.Contains(string(text), "`"+name+"`") && !strings.Contains(string(text), "`sink: "+name+"`") {
			t.Errorf("sink path %s is not in the page", name)
		}
	}
}
