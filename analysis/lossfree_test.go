package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

func ratingsOf(values ...float64) []stat.Point { // rate, exceeds, ...
	var rs []stat.Point
	for i := 0; i < len(values); i += 2 {
		rs = append(rs, stat.Point{X: math.Log(values[i]), Y: values[i+1], Weight: 1})
	}
	return rs
}

func TestThreshold(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []stat.Point
		want float64
		at   edge
	}{
		{"between two rates, on the log scale", ratingsOf(100, 0, 400, 1), 200, inside},
		{"where half exceed", ratingsOf(100, 0, 400, 1, 400, 0, 900, 1), 400, inside},
		{"never", ratingsOf(100, 0, 400, 0), 400, above},
		{"always", ratingsOf(100, 1, 400, 1), 100, below},
		{"one rate", ratingsOf(100, 0), 100, above},
	} {
		got, at := threshold(tt.in)
		near(t, tt.name, got, tt.want, 1e-9*tt.want)
		if at != tt.at {
			t.Errorf("%s: edge %v, want %v", tt.name, at, tt.at)
		}
	}
	if got, _ := threshold(nil); !math.IsNaN(got) {
		t.Errorf("no slices have the rate %v", got)
	}
}

func TestLostOf(t *testing.T) {
	udp, cast := results.Arm{Protocol: "udp"}, results.Arm{Protocol: "udp", Kind: "multicast", Flows: 3}
	for _, tt := range []struct {
		name string
		arm  results.Arm
		s    results.Slice
		want float64
	}{
		{"all there", udp, results.Slice{Counts: results.Counts{TxMsgs: 100_000, RxMsgs: 100_000}}, 0},
		{"under way at the edge", udp, results.Slice{Counts: results.Counts{TxMsgs: 100_000, RxMsgs: 99_920}}, 0},
		{"a drop at the socket counts, however few", udp, results.Slice{Counts: results.Counts{TxMsgs: 100_000, RxMsgs: 99_999, Drops: 1}}, 1},
		{"lost before the socket", udp, results.Slice{Counts: results.Counts{TxMsgs: 100_000, RxMsgs: 99_000}}, 1000},
		{"more than sent", udp, results.Slice{Counts: results.Counts{TxMsgs: 100, RxMsgs: 5000}}, 0},
		{"every sink of a group", cast, results.Slice{Counts: results.Counts{TxMsgs: 1000, RxMsgs: 3000}}, 0},
		{"one sink of three has nothing", cast, results.Slice{Counts: results.Counts{TxMsgs: 1000, RxMsgs: 2000}}, 1000},
	} {
		if got := lostOf(&tt.arm, &tt.s); got != tt.want {
			t.Errorf("%s: %v lost, want %v", tt.name, got, tt.want)
		}
	}
}

// searchRun makes slices at rates drawn about a limit that wanders from trial
// to trial, with loss that sets in by chance near it.
func searchRun(seed uint64, trials int, limits ...float64) *results.Run {
	rng := rand.New(rand.NewPCG(seed, 77))
	bound := 0.0
	run := &results.Run{Header: results.Header{ID: "search", Seed: seed, Design: results.Design{Name: "search", Confidence: 0.95, Resolution: 0.05, Width: 0.05}}}
	for i := range limits {
		run.Header.Design.Arms = append(run.Header.Design.Arms, results.Arm{Name: string(rune('a' + i)), Kind: "flood", Protocol: "udp", Topology: "veth", Flows: 1, LossFree: &bound})
	}
	for i := range trials {
		t := results.Trial{Index: i}
		for arm, limit := range limits {
			at := math.Log(limit) + 0.02*rng.NormFloat64()
			for block := range 40 {
				rate := math.Exp(at + 0.4*(rng.Float64()-0.5))
				s := results.Slice{Block: block, Arm: arm, CountedNS: 8e7, Rate: rate, Counts: results.Counts{TxMsgs: int64(rate * 0.08)}}
				if math.Log(rate)+0.03*rng.NormFloat64() > at {
					s.Drops = 5
				}
				s.RxMsgs = s.TxMsgs - s.Drops
				t.Slices = append(t.Slices, s)
			}
		}
		run.Trials = append(run.Trials, t)
	}
	run.End = &results.End{Reason: "max-time"}
	return run
}

// TestLossFreeRateCovers: the interval over trials holds the true limit, and
// the effect its true ratio.
func TestLossFreeRateCovers(t *testing.T) {
	const runs = 200
	level, ratio := 0, 0
	for seed := range uint64(runs) {
		run := searchRun(seed, 10, 600e3, 660e3)
		m := lookup(t, "loss_free_rate")
		l, _ := levelOf(record.Of(run.Header.Design, run.Trials), m, 0, 0.05)
		if l.Lo > 600e3 || l.Hi < 600e3 {
			level++
		}
		j := judging{design: run.Header.Design, rec: record.Of(run.Header.Design, run.Trials), alpha: 0.05, looks: 1}
		if c := j.progress()[0]; c.Metric != m.Name || c.Lo > 0.1 || c.Hi < 0.1 {
			ratio++
		}
	}
	t.Logf("%d levels and %d ratios missed of %d", level, ratio, runs)
	if most := within(0.07, runs); level > most || ratio > most {
		t.Errorf("%d levels and %d ratios of %d intervals miss the truth, at most %d are allowed", level, ratio, runs, most)
	}
}

func TestLossFreeSummary(t *testing.T) {
	s := Summarize(searchRun(3, 10, 600e3, 900e3))
	if len(s.Comparisons) != 1 || s.Comparisons[0].Verdict != Improvement || !s.Comparisons[0].Judged {
		t.Errorf("comparisons are %+v, want one improvement", s.Comparisons)
	}
	if len(s.Arms[0].Metrics) != 1 || s.Arms[0].Limit != nil {
		t.Errorf("sums over slices of different rates are shown: %v", s.Arms[0].Metrics)
	}
	for _, want := range []string{" k messages/s), UDP loss-free rate over veth is ", "higher with b"} {
		if !strings.Contains(s.Answer, want) {
			t.Errorf("answer lacks %q: %s", want, s.Answer)
		}
	}
	if hasCode(s, "loss-free-edge") {
		t.Error("an edge is warned of that was not reached")
	}
	one := Summarize(searchRun(3, 10, 600e3))
	if !one.Converged || !strings.Contains(one.Answer, "UDP loss-free rate over veth is 599 k messages/s (") {
		t.Errorf("converged %v: %s", one.Converged, one.Answer)
	}
}

// TestLossFreeEdges: rates that do not enclose the limit are a bound only, and
// a source that cannot send what it is asked to has not tried it.
func TestLossFreeEdges(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(s *results.Slice)
		want   string
		most   float64
	}{
		{"no loss at any rate", func(s *results.Slice) { s.Drops, s.RxMsgs = 0, s.TxMsgs }, "raise loss_free.to", 800e3},
		{"loss at every rate", func(s *results.Slice) { s.Drops = 3 }, "lower loss_free.from", 550e3},
		{"a source at its limit", func(s *results.Slice) {
			s.Drops, s.TxMsgs = 0, min(s.TxMsgs, 40_000)
			s.RxMsgs = s.TxMsgs
		}, "this is its limit", 500e3},
	} {
		run := searchRun(5, 6, 600e3)
		for i := range run.Trials {
			for k := range run.Trials[i].Slices {
				tt.change(&run.Trials[i].Slices[k])
			}
		}
		s := Summarize(run)
		found := false
		for _, w := range s.Warnings {
			found = found || w.Code == "loss-free-edge" && strings.Contains(w.Text, tt.want)
		}
		if !found {
			t.Errorf("%s: no warning with %q among %v", tt.name, tt.want, s.Warnings)
		}
		if got := s.Arms[0].Metrics["loss_free_rate"].Mean; !(got <= tt.most) {
			t.Errorf("%s: loss-free rate %v, want at most %v", tt.name, got, tt.most)
		}
	}
}

// The runner asks trial by trial, of one arm among several.
func TestLossFreeRate(t *testing.T) {
	trial := &results.Trial{}
	for i, rate := range []float64{100e3, 200e3, 400e3, 800e3} {
		sent := int64(rate / 10)
		lossy := results.Slice{Block: i, Arm: 1, Rate: rate, CountedNS: 1e8, Counts: results.Counts{TxMsgs: sent, RxMsgs: sent}}
		if rate > 300e3 {
			lossy.RxMsgs, lossy.Drops = sent/2, sent/2
		}
		trial.Slices = append(trial.Slices, lossy, results.Slice{Block: i, Arm: 0, CountedNS: 1e8, Counts: results.Counts{TxMsgs: 5, RxMsgs: 1, Drops: 4}})
	}
	arms := []results.Arm{{Name: "other", Protocol: "udp"}, {Name: "searched", Protocol: "udp", LossFree: new(float64)}}
	rate, edge := LossFreeRate(arms, trial, 1)
	if want := math.Sqrt(200e3 * 400e3); math.Abs(rate/want-1) > 1e-9 || edge != 0 {
		t.Errorf("got %v, edge %d, want %v inside", rate, edge, want)
	}
	trial.Slices = trial.Slices[4:]
	if rate, edge := LossFreeRate(arms, trial, 1); math.Abs(rate/400e3-1) > 1e-9 || edge != -1 {
		t.Errorf("lossy throughout: got %v, edge %d", rate, edge)
	}
	trial.Slices = nil
	if rate, _ := LossFreeRate(arms, trial, 1); !math.IsNaN(rate) {
		t.Errorf("no slices: got %v", rate)
	}
}
