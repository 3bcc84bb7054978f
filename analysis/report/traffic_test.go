package report

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"netab/analysis"
	"netab/results"
	"netab/results/vocab"
)

func judgedInput(run *results.Run) Input {
	return Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{analysis.Summarize(run)}}
}

// rrRun is requests and responses with long streams beside them: busy polling
// makes them a third faster, and now and then one takes a hundred times as long.
func rrRun() *results.Run { return rrRunOf(tcpWorld().seed) }

func rrRunOf(seed uint64) *results.Run {
	w := tcpWorld()
	w.seed, w.trials = seed, 12
	w.design.Name, w.design.Question = "rr-busy-poll", "Does busy polling make short requests faster beside a long stream?"
	w.design.Arms, w.design.Metrics = w.design.Arms[:2], []string{transactionRate, latencyP99}
	w.design.Arms[1].Name = "poll"
	for i := range w.design.Arms {
		w.design.Arms[i].Kind, w.design.Arms[i].Message, w.design.Arms[i].Beside = "rr", 1, map[string]vocab.Kind{"bulk": "stream"}
	}
	w.rate = 52e3 * 8 // one byte each
	w.effects = []float64{0, 0.33}
	run := w.run()
	rng := rand.New(rand.NewPCG(3, 1))
	for i := range run.Trials {
		t := &run.Trials[i]
		for k := range t.Slices {
			s := &t.Slices[k]
			s.Transactions = s.RxMsgs
			s.SourceCPU, s.SinkCPU = 41e6, 38e6
			s.Beside = map[string]results.Counts{"bulk": {RxBytes: int64(2e8 * (1 - 0.1*float64(s.Arm)) * math.Exp(0.01*rng.NormFloat64())), RxMsgs: 4000}}
		}
		for arm := range t.Arms {
			h := &results.Histogram{}
			for range 3000 {
				ns := 19e3 * (1 - 0.25*float64(arm)) * math.Exp(0.15*rng.NormFloat64())
				if rng.IntN(300) == 0 {
					ns *= 20 + 100*rng.Float64()
				}
				h.Add(int64(ns))
			}
			at := &t.Arms[arm]
			at.Latency = h
			at.Source.Events, at.Sink.Events = map[string]int64{"retries": 3}, nil
			at.Beside = map[string]results.Beside{"bulk": {Source: results.RoleDelta{Events: map[string]int64{"zerocopy copied": 4000}}}}
		}
	}
	return run
}

// ladderRun offers rising rates to a sink that takes 400 k messages a second.
func ladderRun() *results.Run {
	w := udpWorld()
	w.design.Name, w.design.Question = "rate-ladder", "From which rate on are datagrams lost?"
	w.design.Metrics, w.design.Arms, w.trials, w.blocks = []string{packetRate}, nil, 8, 5
	w.effects, w.lottery = nil, nil
	levels := []string{"100k", "200k", "300k", "400k", "500k", "600k"}
	w.design.Factors = []results.Factor{{Name: "traffic.rate", Levels: levels}}
	for i, l := range levels {
		w.design.Arms = append(w.design.Arms, results.Arm{Name: "rate=" + l, Kind: "flood", Protocol: "udp", Message: 64, Flows: 1, Topology: "loopback",
			Rate: float64(i+1) * 100e3, Levels: []results.Level{{Factor: "traffic.rate", Value: l}}})
		w.effects, w.lottery = append(w.effects, 0), append(w.lottery, false)
	}
	w.design.Baseline = w.design.Arms[0].Name
	run := w.run()
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			s.TxMsgs = int64(w.design.Arms[s.Arm].Rate*0.08) + rng.Int64N(9) - 4
			s.RxMsgs = min(s.TxMsgs, 32_000+rng.Int64N(200))
			s.TxBytes, s.RxBytes, s.Drops = 64*s.TxMsgs, 64*s.RxMsgs, s.TxMsgs-s.RxMsgs
		}
		for arm := range run.Trials[i].Arms {
			run.Trials[i].Arms[arm].Ledger = results.Ledger{}
		}
	}
	return run
}

// searchRun looks for the loss-free rate of two arms.
func searchRun() *results.Run {
	w := udpWorld()
	bound := 0.0
	w.design.Name, w.design.Question = "loss-free", "How many datagrams a second can a sink take without loss?"
	w.design.Metrics, w.trials = []string{lossFreeRate}, 10
	for i := range w.design.Arms {
		w.design.Arms[i].Kind, w.design.Arms[i].Message, w.design.Arms[i].LossFree = "flood", 64, &bound
	}
	run := w.run()
	rng := rand.New(rand.NewPCG(8, 8))
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			limit := 400e3 * (1 + 0.5*float64(s.Arm)) * math.Exp(0.02*rng.NormFloat64())
			s.Rate = limit * math.Exp(0.6*(rng.Float64()-0.5))
			s.TxMsgs = int64(s.Rate * 0.08)
			s.RxMsgs = min(s.TxMsgs, int64(limit*0.08))
			s.Drops = s.TxMsgs - s.RxMsgs
			s.TxBytes, s.RxBytes = 64*s.TxMsgs, 64*s.RxMsgs
		}
		for arm := range run.Trials[i].Arms {
			run.Trials[i].Arms[arm].Ledger = results.Ledger{}
		}
	}
	return run
}

func TestPercentile(t *testing.T) {
	for q, want := range map[float64]string{0: "0", 0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.99937: "99.937", 0.9999999: "99.99999", 1: "100"} {
		if got := percentile(q); got != want {
			t.Errorf("%v is p%s, want p%s", q, got, want)
		}
	}
}

// TestLatencyRows: percentiles rise with rarity, and the line ends at the longest.
func TestLatencyRows(t *testing.T) {
	h := &results.Histogram{}
	for i := range int64(1000) {
		h.Add(1000 * (i + 1))
	}
	rows := latencyRows("a", h)
	last := row{0.0, 0.0}
	for _, r := range rows {
		if r[0].(float64) <= last[0].(float64) || r[1].(float64) < last[1].(float64) {
			t.Errorf("%v stands after %v", r, last)
		}
		last = r
	}
	if last[0] != 1000.0 || math.Abs(last[1].(float64)-1000) > 8 || !strings.Contains(last[2].(string), "largest of 1\u202f000: 10") {
		t.Errorf("the line ends at %v", last)
	}
	// One in 1000/ln(40) is as rare as a thousand can show.
	if n := len(rows); rows[n-2][0].(float64) > 272 || rows[n-2][0].(float64) < 200 {
		t.Errorf("before the longest of a thousand stands one in %v", rows[n-2][0])
	}
	if one := latencyRows("a", func() *results.Histogram { h := &results.Histogram{}; h.Add(0); return h }()); len(one) != 1 || one[0][1].(float64) <= 0 {
		t.Errorf("one transaction without time gives %v", one)
	}
}

func TestLadder(t *testing.T) {
	run := ladderRun()
	ls := ladders(readRun(run, packetRate))
	if len(ls) != 1 || len(ls[0].steps) != 6 {
		t.Fatalf("ladders are %+v", ls)
	}
	for i, s := range ls[0].steps {
		want := min(s.offered, 400e3)
		if s.offered != float64(i+1)*100e3 || math.Abs(s.achieved-want) > 0.01*want || math.Abs(s.missed-(1-want/s.offered)) > 0.01 {
			t.Errorf("step %+v, want %v achieved", s, want)
		}
	}
	run.Header.Design.Arms = run.Header.Design.Arms[:2]
	if ls := ladders(readRun(run, packetRate)); ls != nil {
		t.Errorf("two rates make the ladder %+v", ls)
	}
}

// TestTrafficPages: what a kind of traffic is about stands on its page.
func TestTrafficPages(t *testing.T) {
	for _, c := range []struct {
		name string
		run  *results.Run
		want []string
		not  []string
	}{
		{"rr", rrRun(), []string{`data-chart="r1-percentiles"`, "Traffic beside", "k/s", "p99 latency", "What else happened", "zerocopy copied", "they wait for each other"}, []string{`data-chart="r1-achieved"`, "kpps"}},
		{"ladder", ladderRun(), []string{`data-chart="r1-achieved"`, `data-chart="r1-ladder-loss"`, "the offered rate was the limit: achieved 100 k of 100 k messages/s"}, []string{`data-chart="r1-percentiles"`}},
		{"search", searchRun(), []string{`data-chart="r1-search"`, "Loss-free rate", "UDP loss-free rate over loopback is"}, []string{`data-chart="r1-slices"`}},
	} {
		text := pageText(t, judgedInput(c.run))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not on the page", c.name, want)
			}
		}
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if ids[m[1]]++; ids[m[1]] > 1 {
				t.Errorf("%s: two elements are called %s", c.name, m[1])
			}
		}
		for _, not := range append(c.not, "NaN", "%!") {
			if strings.Contains(text, not) {
				t.Errorf("%s: %q is on the page", c.name, not)
			}
		}
	}
}
