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

// TestWatched: what trials of events tell has tables below the explanations, and a run
// without them has none.
func TestWatched(t *testing.T) {
	run := sample.TCPWorld().Run()
	s := analysis.Summarize(run)
	in := Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}}
	if page := pageOf(t, in); strings.Contains(page, "How the roles came to run") || strings.Contains(page, "how the roles came to run") {
		t.Error("a run without trials of events has tables of them")
	}
	p50, p99, often, change := 9300.0, 41000.0, 0.02, -0.01
	s.Drops = []why.Drop{{Arm: "off", Reason: "SOCKET_RCVBUFF", Place: "udp_queue_rcv_one_skb", Namespace: "sink", Packets: 12345, Ledger: "receive-buffer"}, {Arm: "sink", Place: "somewhere<b>", Packets: 7}}
	s.Scheduling = []why.Scheduling{{Arm: "off", Role: vocab.SinkTime, Unit: "message", Wakeups: 0.21, LatencyP50: &p50, LatencyP99: &p99, PreemptedBy: []why.Preempter{{By: "kworker", PerS: 3}},
		Interrupts: []why.Interrupt{{From: "net_rps_send_ipi", PerUnit: 0.5}}}}
	s.Locks = []why.Lock{{Arm: "off", Role: vocab.SourceTime, Kind: "spinlock", Caller: "udp_rmem_release", NS: 31, PerUnit: &often, Share: 0.02}, {Arm: "off", Role: vocab.SourceTime, Kind: "mutex", Caller: "x", NS: 1, Sampled: true}}
	s.Watching = &why.Watching{Trials: 4, Change: &change, ChangeLo: &change, ChangeHi: &change, Overflow: 5, Texts: []string{"Not told: reasons: no BTF."}}
	in.Summaries[0] = s
	page := pageOf(t, in)
	for _, want := range []string{"SOCKET_RCVBUFF", "somewhere&lt;b&gt;", "at no place of it", "receive-buffer", "9.3</td>", "41.0</td>", "kworker 3.0", "net_rps_send_ipi", "it wakes the CPU",
		"udp_rmem_release", "in an object", "by samples", "Not told: reasons: no BTF.", "of their own; watching changed the rate by −1.0", "5 events found no room"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}
