package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/results"
	"netab/results/vocab"
)

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := export.Markdown(&b, Summary(troubled()), export.Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "troubled.md", b.String())
}

func TestMarkdownOfRequests(t *testing.T) {
	var b bytes.Buffer
	if err := export.Markdown(&b, Summary(analysis.Summarize(rrRun())), export.Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "rr.md", b.String())
}

func TestMarkdownEscapesNames(t *testing.T) {
	s := summaryOf(tcpWorld())
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

func TestCSV(t *testing.T) {
	run := matrixWorld().run()
	run.Trials[0].Slices[0].Invalid = "stalled, \"twice\""
	run.Trials[0].Slices[1].CountedNS = 0
	run.Trials[0].Slices[2].Arm = 99
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	slices := 0
	for _, tr := range run.Trials {
		slices += len(tr.Slices)
	}
	if len(rows) != slices+1 {
		t.Errorf("%d rows, want a heading and %d slices", len(rows), slices)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for i, want := range map[int]string{1: `stalled, "twice"`, 2: "", 3: ""} {
		if got := rows[i][at["invalid"]]; got != want {
			t.Errorf("row %d: invalid is %q, want %q", i, got, want)
		}
	}
	if got := rows[2][at["goodput_bps"]]; got != "" {
		t.Errorf("a slice without time has the rate %q", got)
	}
	if got := rows[3][at["arm"]] + rows[3][at["factor_rps"]]; got != "arm 99" {
		t.Errorf("an arm that does not exist is called %q", got)
	}
	s := run.Trials[1].Slices[4]
	row := rows[1+len(run.Trials[0].Slices)+4]
	if row[at["rx_bytes"]] != strconv.FormatInt(s.RxBytes, 10) || row[at["arm"]] != run.Header.Design.Arms[s.Arm].Name {
		t.Errorf("row %v does not tell of slice %+v", row, s)
	}
	level := run.Header.Design.Arms[s.Arm].Levels[0].Value
	if row[at["factor_message"]] != level {
		t.Errorf("factor_message is %q, want %q", row[at["factor_message"]], level)
	}
}

func TestBenchfmt(t *testing.T) {
	run := tcpWorld().run()
	run.Trials[3].Invalid = "an agent died"
	run.Header.Design.Arms[1].Name = "to sink/flows-8"
	var b bytes.Buffer
	if err := Benchfmt(&b, run); err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile(`^[a-z][^:\s]*: \S`)
	result := regexp.MustCompile(`^Benchmark[A-Z]\S*-\d+\t\d+(\t\d+(\.\d+)? \S+)+$`)
	results := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		switch {
		case line == "", strings.HasPrefix(line, "# run: "), strings.HasPrefix(line, "Unit "), config.MatchString(line):
		case result.MatchString(line):
			results[strings.Fields(line)[0]]++
		default:
			t.Errorf("not a line of the format: %q", line)
		}
	}
	for _, name := range []string{"BenchmarkLoopbackRps/arm=off-2", "BenchmarkLoopbackRps/arm=to_sink_flows-8-2", "BenchmarkLoopbackRps/arm=all-2"} {
		if results[name] != len(run.Trials)-1 {
			t.Errorf("%s: %d lines, want one for each of %d valid trials (all: %v)", name, results[name], len(run.Trials)-1, results)
		}
	}
}

// TestBenchfmtCountsDatagrams: messages of a byte stream are whatever a receive
// call happened to return, and no packets.
func TestBenchfmtCountsDatagrams(t *testing.T) {
	for protocol, want := range map[vocab.Protocol]bool{"tcp": false, "unix-stream": false, "udp": true, "unix-dgram": true} {
		run := tcpWorld().run()
		for i := range run.Header.Design.Arms {
			run.Header.Design.Arms[i].Protocol = protocol
		}
		var b bytes.Buffer
		if err := Benchfmt(&b, run); err != nil {
			t.Fatal(err)
		}
		units, lines := strings.Count(b.String(), "Unit packets/s"), strings.Count(b.String(), " packets/s\t")
		if (units == 1) != want || (lines > 0) != want {
			t.Errorf("%s: packets/s has %d directions and %d lines, want any: %v", protocol, units, lines, want)
		}
	}
}

// TestBenchfmtWithholdsPercentiles that a trial's few transactions cannot show.
func TestBenchfmtWithholdsPercentiles(t *testing.T) {
	run := rrRun()
	h := &results.Histogram{}
	for i := range int64(66) {
		h.Add(1000 * i)
	}
	for i := range run.Trials {
		for arm := range run.Trials[i].Arms {
			run.Trials[i].Arms[arm].Latency = h
		}
	}
	var b bytes.Buffer
	if err := Benchfmt(&b, run); err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]bool{" p50-ns": true, " p90-ns": true, " p99-ns": false, " p99.9-ns": false, " max-ns": true} {
		if got := strings.Contains(b.String(), unit+"\t") || strings.Contains(b.String(), unit+"\n"); got != want {
			t.Errorf("66 transactions have%s: %v, want %v", unit, got, want)
		}
	}
}

// TestBenchfmtOfRequests: every unit that a line uses has its direction.
func TestBenchfmtOfRequests(t *testing.T) {
	run := rrRun()
	var b bytes.Buffer
	if err := Benchfmt(&b, run); err != nil {
		t.Fatal(err)
	}
	better := map[string]string{}
	var line []string
	for _, l := range strings.Split(b.String(), "\n") {
		if f := strings.Fields(l); len(f) == 3 && f[0] == "Unit" {
			better[f[1]] = strings.TrimPrefix(f[2], "better=")
		} else if strings.HasPrefix(l, "Benchmark") && line == nil {
			line = f[2:]
		}
	}
	got := map[string]string{}
	for i := 0; i+1 < len(line); i += 2 {
		if better[line[i+1]] == "" {
			t.Errorf("unit %s has no direction", line[i+1])
		}
		got[line[i+1]] = line[i]
	}
	sum := trialTotals(run.Trials[0], 2)[0]
	h := run.Trials[0].Arms[0].Latency
	for unit, want := range map[string]float64{"transactions/s": 1e9 * float64(sum.transactions) / float64(sum.counted), "p99-ns": h.Quantile(0.99), "max-ns": h.Quantile(1),
		"bulk.B/s": 1e9 * float64(besideTotalsOf(run.Trials[0], 0)["bulk"].rxBytes) / float64(sum.counted)} {
		if x, err := strconv.ParseFloat(got[unit], 64); err != nil || x < want*0.99999 || x > want*1.00001 {
			t.Errorf("%s is %q, want %v", unit, got[unit], want)
		}
	}
	if better["transactions/s"] != "higher" || better["p99.9-ns"] != "lower" {
		t.Errorf("directions are %v", better)
	}
}

func TestCSVOfRequests(t *testing.T) {
	run := rrRun()
	run.Header.Design.Arms[1].Rate = 12.5
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for i, s := range run.Trials[0].Slices {
		row := rows[i+1]
		offered := []string{"", "12.5"}[s.Arm]
		if row[at["transactions"]] != strconv.FormatInt(s.Transactions, 10) || row[at["offered_rate"]] != offered ||
			row[at["beside_bulk_rx_bytes"]] != strconv.FormatInt(s.Beside["bulk"].RxBytes, 10) {
			t.Fatalf("row %v does not tell of slice %+v", row, s)
		}
	}
}

func TestBenchfmtOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := Benchfmt(&b, &results.Run{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "Benchmark") {
		t.Errorf("a run without trials has results: %s", b.String())
	}
}
