package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

// rrRun is a run of requests and responses whose latency is log-normal about
// a median of each arm, with a part that every trial draws anew.
func rrRun(seed uint64, trials int, medians ...float64) *results.Run {
	rng := rand.New(rand.NewPCG(seed, 9))
	run := &results.Run{Header: results.Header{ID: "rr", Seed: seed, Design: results.Design{
		Name: "rr", Baseline: "off", Metrics: []string{"latency_p99", "transaction_rate"}, Confidence: 0.95, Resolution: 0.02, Width: 0.05, MaxTimeS: 60}}}
	for i := range medians {
		run.Header.Design.Arms = append(run.Header.Design.Arms, results.Arm{Name: []string{"off", "poll", "third"}[i], Kind: "rr", Protocol: "tcp", Topology: "loopback", Message: 1, Flows: 1})
	}
	for i := range trials {
		t := results.Trial{Index: i}
		for arm, median := range medians {
			h := &results.Histogram{}
			at := median * math.Exp(0.02*rng.NormFloat64())
			for range 5000 {
				h.Add(int64(1e3 * at * math.Exp(0.3*rng.NormFloat64())))
			}
			t.Arms = append(t.Arms, results.ArmTrial{Arm: arm, Latency: h, Source: results.RoleDelta{Threads: 1}, Sink: results.RoleDelta{Threads: 1}})
			for block := range 10 {
				t.Slices = append(t.Slices, results.Slice{Block: block, Arm: arm, CountedNS: 8e7, Counts: results.Counts{Transactions: int64(8e4 / at), TxMsgs: int64(8e4 / at), SourceCPU: 4e7, SinkCPU: 3e7}})
			}
		}
		run.Trials = append(run.Trials, t)
	}
	run.End = &results.End{Reason: "max-time"}
	return run
}

// TestLatencyLevelIsOfMergedHistograms: one trial in ten is ten times as slow,
// and that is where the 99th percentile of all requests lies. A mean of the
// trials' percentiles would be far off.
func TestLatencyLevelIsOfMergedHistograms(t *testing.T) {
	run := rrRun(1, 0, 20)
	for i := range 10 {
		h := &results.Histogram{}
		ns := int64(200)
		if i == 3 {
			ns = 2000
		}
		for range 1000 {
			h.Add(ns)
		}
		run.Trials = append(run.Trials, results.Trial{Index: i, Arms: []results.ArmTrial{{Latency: h}}})
	}
	l := Summarize(run).Arms[0].Metrics
	near(t, "p50", l["latency_p50"].Mean, 0.2, 0)
	if p99 := l["latency_p99"].Mean; p99 < 2 || p99 > 2*(1+1.0/128) {
		t.Errorf("p99 is %v µs, want 2", p99)
	}
	if p := l["latency_p90"]; p.Lo > 0.2 || p.Hi < 2 {
		t.Errorf("p90 is known from %v to %v µs, though one trial decides it", p.Lo, p.Hi)
	}
}

// TestWoodruffCovers: the interval of an arm's percentile holds the truth as
// often as it says, where requests of one trial have much in common.
func TestWoodruffCovers(t *testing.T) {
	const runs, trials = 200, 12
	missed := 0
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 5))
		run := rrRun(seed, 0, 20)
		for i := range trials {
			h, at := &results.Histogram{}, math.Exp(0.1*rng.NormFloat64())
			for range 400 {
				h.Add(int64(20e3 * at * math.Exp(0.3*rng.NormFloat64())))
			}
			run.Trials = append(run.Trials, results.Trial{Index: i, Arms: []results.ArmTrial{{Latency: h}}})
		}
		l, _ := levelOf(record.Of(run.Header.Design, run.Trials), lookup(t, "latency_p90"), 0, 0.05)
		// Log-normal of both parts together: σ² = 0.1² + 0.3².
		truth := 20 * math.Exp(1.2815515655446004*math.Sqrt(0.1))
		if truth < l.Lo/(1+1.0/128) || truth > l.Hi {
			missed++
		}
	}
	t.Logf("%d of %d missed", missed, runs)
	if most := within(0.07, runs); missed > most {
		t.Errorf("%d of %d intervals miss the truth, at most %d are allowed", missed, runs, most)
	}
}

func lookup(t *testing.T, name string) Metric {
	t.Helper()
	m, ok := LookupMetric(name)
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	return m
}

func TestLatencyVerdicts(t *testing.T) {
	run := rrRun(4, 12, 20, 15, 20)
	s := Summarize(run)
	for _, c := range s.Comparisons {
		if c.Metric != "latency_p99" && c.Metric != "transaction_rate" {
			continue
		}
		want := Improvement
		if c.Arm == "third" {
			want = Inconclusive
		}
		if !c.Judged || c.Verdict != want || c.N != 12 {
			t.Errorf("%s of %s is %s (%v to %v, %d trials), want %s", c.Metric, c.Arm, c.Verdict, c.Lo, c.Hi, c.N, want)
		}
		if c.Metric == "latency_p99" && (c.Change > -0.23 || c.Change < -0.27) && c.Arm == "poll" {
			t.Errorf("p99 changes by %v, want -0.25", c.Change)
		}
	}
	for _, want := range []string{"Against off (", " µs), TCP p99 latency over loopback is ", "% lower (better) with poll"} {
		if !strings.Contains(s.Answer, want) {
			t.Errorf("answer lacks %q: %s", want, s.Answer)
		}
	}
	if l := s.Arms[0].Limit; l == nil || l.Role != "neither" || !strings.Contains(l.Text, "wait for each other") {
		t.Errorf("limit is %+v", l)
	}
	if hasCode(s, "source-not-saturated") {
		t.Error("requests and responses are said to be saturated by nothing")
	}
	run.Header.Design.Metrics = nil
	if s := Summarize(run); !strings.Contains(s.Answer, "Against off (50.0 k transactions/s), TCP transaction rate over loopback is") &&
		!strings.Contains(s.Answer, " k transactions/s), TCP transaction rate over loopback is") {
		t.Errorf("without metrics the answer is %s", s.Answer)
	}
	run.Header.Design.Arms, run.Header.Design.Metrics = run.Header.Design.Arms[:1], []string{"latency_max"}
	if s := Summarize(run); s.Converged || !strings.Contains(s.Answer, "TCP largest latency over loopback is") {
		t.Errorf("converged %v: %s", s.Converged, s.Answer)
	}
}

// TestBesideIsJudgedOnItsOwn: what runs beside is reported, and decides only
// where it is asked to.
func TestBesideIsJudgedOnItsOwn(t *testing.T) {
	run := rrRun(6, 10, 20, 20)
	for i := range run.Header.Design.Arms {
		run.Header.Design.Arms[i].Beside = map[string]vocab.Kind{"bulk": "stream"}
	}
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			s.Beside = map[string]results.Counts{"bulk": {RxBytes: 1e9 + int64(s.Arm)*1e8 + int64((i*7)%5)*1e6*int64(s.Arm)}}
		}
	}
	find := func(s Summary) *Comparison {
		for i, c := range s.Comparisons {
			if c.Metric == "bulk.goodput" {
				return &s.Comparisons[i]
			}
		}
		return nil
	}
	c := find(Summarize(run))
	if c == nil || c.Judged || c.Verdict != Improvement || c.Change < 0.09 || c.Change > 0.11 {
		t.Fatalf("traffic beside is compared as %+v, want +10 %% and not judged", c)
	}
	run.Header.Design.Metrics = []string{"bulk.goodput"}
	s := Summarize(run)
	if c := find(s); !c.Judged || !strings.Contains(s.Answer, "goodput of bulk over loopback is 10") {
		t.Errorf("judged %v: %s", c.Judged, s.Answer)
	}
	if len(s.Metrics) != 1 || s.Metrics[0] != "bulk.goodput" {
		t.Errorf("judged metrics are %v", s.Metrics)
	}
}

func ExampleLookupMetric() {
	m, ok := LookupMetric("rpc.latency_p99")
	fmt.Println(m.Title, m.Unit, ok)
	// Output: p99 latency of rpc us true
}
