package analysis

import (
	"maps"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

func goodput(t *testing.T) Metric {
	t.Helper()
	m, ok := LookupMetric("goodput")
	if !ok {
		t.Fatal("no goodput")
	}
	return m
}

func slice(block, arm int, bytes int64) results.Slice {
	return results.Slice{Block: block, Arm: arm, CountedNS: 1e9, Counts: results.Counts{RxBytes: bytes}}
}

var twoArms = results.Design{Arms: make([]results.Arm, 2)}

func TestTrialEffects(t *testing.T) {
	bad := slice(1, 1, 1<<40)
	bad.Invalid = "stalled"
	for _, tt := range []struct {
		name   string
		slices []results.Slice
		want   float64 // ratio; 0 = no effect
	}{
		{"totals, not a mean of ratios", []results.Slice{slice(0, 0, 100), slice(0, 1, 100), slice(1, 0, 100), slice(1, 1, 300)}, 2},
		{"order in the block is free", []results.Slice{slice(0, 1, 300), slice(0, 0, 100)}, 3},
		{"an empty slice does no harm", []results.Slice{slice(0, 0, 100), slice(0, 1, 0), slice(1, 0, 100), slice(1, 1, 400)}, 2},
		{"half a block is left out", []results.Slice{slice(0, 0, 100), slice(0, 1, 200), slice(1, 0, 900)}, 2},
		{"so is one with an invalid slice", []results.Slice{slice(0, 0, 100), slice(0, 1, 200), slice(1, 0, 900), bad}, 2},
		{"other arms do not matter", []results.Slice{slice(0, 0, 100), slice(0, 1, 200), slice(0, 2, 7)}, 2},
		{"no block with both", []results.Slice{slice(0, 0, 100), slice(1, 1, 200)}, 0},
		{"nothing received", []results.Slice{slice(0, 0, 100), slice(0, 1, 0)}, 0},
	} {
		got := trialEffects(record.Of(twoArms, []results.Trial{{Slices: tt.slices}}), goodput(t), 0, 1)
		switch {
		case tt.want == 0:
			if len(got) != 0 {
				t.Errorf("%s: %v, want no effect", tt.name, got)
			}
		case len(got) != 1:
			t.Errorf("%s: %d effects", tt.name, len(got))
		default:
			near(t, tt.name, got[0].x, math.Log(tt.want), 1e-12)
		}
	}
}

func TestInvalidTrialsAreSkipped(t *testing.T) {
	ok := results.Trial{Index: 3, Slices: []results.Slice{slice(0, 0, 1), slice(0, 1, 2)}}
	bad := ok
	bad.Invalid = "agent died"
	got := trialEffects(record.Of(twoArms, []results.Trial{bad, ok}), goodput(t), 0, 1)
	if len(got) != 1 || got[0].trial != 3 || got[0].at != 1 {
		t.Errorf("effects %+v, want that of trial 3 alone", got)
	}
}

func TestMetricLevels(t *testing.T) {
	s := results.Slice{
		CountedNS: 5e8, Switches: &results.Switches{SourceVoluntary: 30, SourceInvoluntary: 10, SinkVoluntary: 5}, Counters: &results.Counters{OverNS: 6e8, Softnet: &results.Softnet{Processed: 40, Dropped: 6, TimeSqueeze: 3, ReceivedRPS: 20},
			Softirqs: &results.Softirqs{NetRX: 10}, Totals: &results.Totals{Interrupts: 60, ContextSwitches: 120}}, Beside: map[string]results.Counts{"rpc": {RxBytes: 500, TxBytes: 1000, RxMsgs: 5, TxMsgs: 10, Transactions: 4, SourceCPU: 1e8, SinkCPU: 2e8}},
		Counts: results.Counts{RxBytes: 1000, RxMsgs: 10, TxBytes: 2000, TxMsgs: 20, Transactions: 8, SourceCPU: 4e8, SinkCPU: 25e7, SourceWait: 1e8, SinkWait: 0},
	}
	hist := &results.Histogram{}
	for i := range int64(100) {
		hist.Add(i + 1)
	}
	bound := 0.0
	arms := []results.Arm{
		{Protocol: "udp", Beside: map[string]vocab.Kind{"rpc": "rr"}, BesideProtocols: map[string]vocab.Protocol{"rpc": "udp"}},
		{Protocol: "tcp", Kind: "rr"},
		{Protocol: "tcp", Kind: "conn"},
		{Protocol: "udp", Kind: "multicast", Flows: 3},
		{Protocol: "unix-dgram", Kind: "flood"},
		{Protocol: "udp", Kind: "flood", LossFree: &bound},
	}
	common := map[string]float64{"goodput": 16000, "tx_rate": 32000, "goodput_per_sink_cpu": 32000,
		"cpu_source": 0.8, "cpu_sink": 0.5, "wait_source": 0.2, "wait_sink": 0, "switches_source": 2, "switches_sink": 0.5, "migrations": 14,
		"time_squeeze": 5, "softnet_drops": 10, "rps_interrupts": 0.5, "net_rx_softirqs": 0.25, "interrupts": 100, "machine_switches": 200}
	bytes := map[string]float64{"ns_per_byte_source": 4e5, "ns_per_byte_sink": 25e4}
	packets := map[string]float64{"packet_rate": 20, "loss": 0.5, "ns_per_packet_source": 4e7, "ns_per_packet_sink": 25e6}
	latencies := map[string]float64{"latency_p50": 0.05, "latency_p90": 0.09, "latency_p99": 0.099, "latency_p999": 0.1, "latency_max": 0.1}
	rr := map[string]float64{"transaction_rate": 16, "ns_per_transaction_source": 5e7, "ns_per_transaction_sink": 3125e4}
	beside := map[string]float64{"rpc.goodput": 8000, "rpc.tx_rate": 16000, "rpc.transaction_rate": 8, "rpc.cpu_source": 0.2, "rpc.cpu_sink": 0.4,
		"rpc.packet_rate": 10, "rpc.loss": 0.5, "rpc.ns_per_transaction_source": 25e6, "rpc.ns_per_transaction_sink": 5e7,
		"rpc.latency_p50": 0.05, "rpc.latency_p90": 0.09, "rpc.latency_p99": 0.099, "rpc.latency_p999": 0.1, "rpc.latency_max": 0.1}
	for i, want := range []map[string]float64{
		merged(common, bytes, packets, beside),
		merged(common, rr, latencies),
		merged(common, map[string]float64{"transaction_rate": 20, "ns_per_transaction_source": 4e7, "ns_per_transaction_sink": 25e6}),
		merged(common, bytes, packets, map[string]float64{"loss": 50.0 / 60}),
		merged(common, bytes, packets),
		{"loss_free_rate": 40},
	} {
		s.Arm, s.Rate = i, 50
		trial := results.Trial{Slices: []results.Slice{s}, Arms: []results.ArmTrial{{Arm: i, Source: results.RoleDelta{Migrations: 7}, Latency: hist, Beside: map[string]results.Beside{"rpc": {Latency: hist}}}}}
		design := results.Design{Arms: arms}
		r := record.Of(design, []results.Trial{trial})
		got := map[string]float64{}
		for _, m := range metricsOf(design) {
			if m.AppliesTo(arms[i]) {
				got[m.Name] = m.value(viewOf(r, &r.Trials[0], m, i))
			}
			if found, ok := LookupMetric(m.Name); !ok || found.Title != m.Title {
				t.Errorf("metric %s is looked up as %+v", m.Name, found)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			t.Errorf("%s over %s (-want +got):\n%s", arms[i].Kind, arms[i].Protocol, diff)
		}
	}
	old := results.Arm{Protocol: "udp", Beside: map[string]vocab.Kind{"rpc": "rr"}} // before protocols were recorded
	if m, _ := LookupMetric("rpc.loss"); m.AppliesTo(old) || !m.AppliesTo(arms[0]) {
		t.Error("loss beside is of datagrams that are known to be some")
	}
	for _, name := range []string{"", ".", "rpc.", "rpc.ns_per_byte_sink", ".goodput", "speed"} {
		if m, ok := LookupMetric(name); ok {
			t.Errorf("%q is taken for %s", name, m.Name)
		}
	}
}

func merged(ms ...map[string]float64) map[string]float64 {
	all := map[string]float64{}
	for _, m := range ms {
		maps.Copy(all, m)
	}
	return all
}
