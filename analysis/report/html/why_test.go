package html

import (
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/sample"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// TestWhy: the explanation stands as tables under the verdict, and text of a record is
// no markup.
func TestWhy(t *testing.T) {
	run := sample.TCPWorld().Run()
	run.Explains = []results.Explain{{Instrument: vocab.Accounting, CPUs: []results.ExplainCPU{
		{CPU: 1, Arm: 0, CountedNS: 1e9, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {"net_rx": 321e6, "task": 5e8}, vocab.IdleTime: {"task": 1e8}}},
	}}}
	s := analysis.Summarize(run)
	s.Explanations = []why.Explanation{{Baseline: "off", Arm: "sink", Role: vocab.SourceTime, Unit: "ns/KiB", Text: "sink is faster <because>", Parts: []why.Part{
		{Role: vocab.SourceTime, Context: "net_rx", From: 62.8, To: 42.2, Delta: -20.6, Lo: -22, Hi: -19, Significant: true},
		{Role: vocab.SourceTime, Category: "TCP/IP", From: 60, To: 40, Delta: -20, Lo: -22, Hi: -18, Significant: true},
		{Role: vocab.SourceTime, Context: "net_rx", Category: "TCP/IP", Function: "tcp_ack", From: 6, To: 4, Delta: -2, Lo: -3, Hi: 1},
	}, Notes: []string{"a note"}}}
	var b strings.Builder
	if err := Runs(&b, Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}}); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"Why: sink against off", "sink is faster &lt;because&gt;", "source: net_rx softirq on its back", "<strong>−20.6</strong>", "source: TCP/IP", "tcp_ack",
		"By function", "a note", "Softirq time by CPU", ">321<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Index(page, "Why: sink") < strings.Index(page, `class="verdicts"`) {
		t.Error("it does not stand below the verdicts")
	}
}
