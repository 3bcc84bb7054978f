package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
)

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := export.Markdown(&b, Summary(sample.Troubled()), export.Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "troubled.md", b.String())
}

func TestMarkdownOfRequests(t *testing.T) {
	var b bytes.Buffer
	if err := export.Markdown(&b, Summary(analysis.Summarize(sample.Requests())), export.Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "rr.md", b.String())
}

func TestMarkdownEscapesNames(t *testing.T) {
	s := sample.SummaryOf(sample.TCPWorld())
	s.Arms[1].Name, s.Comparisons[0].Arm = "a|b<script>*x*\n", "a|b<script>*x*\n"
	var b bytes.Buffer
	if err := export.Markdown(&b, Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `| a\|b&lt;script&gt;\*x\* |`) {
		t.Errorf("the name is not escaped:\n%s", b.String())
	}
	heads := 0
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(line, "|") {
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if heads == 0 {
				heads = cells
			}
			if cells != heads {
				t.Errorf("%d bars where the heading has %d: %s", cells, heads, line)
			}
		}
	}
}

func TestJSONHasNoNullLists(t *testing.T) {
	var b bytes.Buffer
	if err := export.JSON(&b, Summary(analysis.Summary{Question: "a < b & c?"}), export.Options{}); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc["schema"] != analysis.SchemaSummary {
		t.Errorf("schema is %v", doc["schema"])
	}
	for _, name := range []string{"arms", "comparisons", "warnings", "confounders"} {
		if list, ok := doc[name].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v, want an empty list", name, doc[name])
		}
	}
	if !strings.Contains(b.String(), "a < b & c?") {
		t.Error("text is escaped as if it were for a web page")
	}
}
