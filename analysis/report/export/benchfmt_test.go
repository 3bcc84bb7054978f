package export

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"netab/analysis/record"
	"netab/analysis/report/sample"
	"netab/results"
	"netab/results/vocab"
)

func TestBenchfmt(t *testing.T) {
	run := sample.TCPWorld().Run()
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
		run := sample.TCPWorld().Run()
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
	run := sample.Requests()
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
	run := sample.Requests()
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
	arm := record.Of(run.Header.Design, run.Trials).Trials[0].Arm(0)
	sum := arm.Totals()
	h := run.Trials[0].Arms[0].Latency
	for unit, want := range map[string]float64{"transactions/s": 1e9 * float64(sum.Transactions) / float64(sum.CountedNS), "p99-ns": h.Quantile(0.99), "max-ns": h.Quantile(1),
		"bulk.B/s": 1e9 * float64(arm.Beside()["bulk"].RxBytes) / float64(sum.CountedNS)} {
		if x, err := strconv.ParseFloat(got[unit], 64); err != nil || x < want*0.99999 || x > want*1.00001 {
			t.Errorf("%s is %q, want %v", unit, got[unit], want)
		}
	}
	if better["transactions/s"] != "higher" || better["p99.9-ns"] != "lower" {
		t.Errorf("directions are %v", better)
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
