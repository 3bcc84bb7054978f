package sample

import (
	"math"
	"math/rand/v2"

	"netab/analysis/report/figure"
	"netab/results"
	"netab/results/vocab"
)

// Requests is requests and responses with long streams beside them: busy polling
// makes them a third faster, and now and then one takes a hundred times as long.
func Requests() *results.Run { return RequestsOf(TCPWorld().Seed) }

// RequestsOf is another such run.
func RequestsOf(seed uint64) *results.Run {
	w := TCPWorld()
	w.Seed, w.Trials = seed, 12
	w.Design.Name, w.Design.Question = "rr-busy-poll", "Does busy polling make short requests faster beside a long stream?"
	w.Design.Arms, w.Design.Metrics = w.Design.Arms[:2], []string{figure.TransactionRate, figure.LatencyP99}
	w.Design.Arms[1].Name = "poll"
	for i := range w.Design.Arms {
		w.Design.Arms[i].Kind, w.Design.Arms[i].Message, w.Design.Arms[i].Beside = "rr", 1, map[string]vocab.Kind{"bulk": "stream"}
	}
	w.Rate = 52e3 * 8 // one byte each
	w.effects = []float64{0, 0.33}
	run := w.Run()
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

// Ladder offers rising rates to a sink that takes 400 k messages a second.
func Ladder() *results.Run {
	w := UDPWorld()
	w.Design.Name, w.Design.Question = "rate-ladder", "From which rate on are datagrams lost?"
	w.Design.Metrics, w.Design.Arms, w.Trials, w.Blocks = []string{figure.PacketRate}, nil, 8, 5
	w.effects, w.lottery = nil, nil
	levels := []string{"100k", "200k", "300k", "400k", "500k", "600k"}
	w.Design.Factors = []results.Factor{{Name: "traffic.rate", Levels: levels}}
	for i, l := range levels {
		w.Design.Arms = append(w.Design.Arms, results.Arm{Name: "rate=" + l, Kind: "flood", Protocol: "udp", Message: 64, Flows: 1, Topology: "loopback",
			Rate: float64(i+1) * 100e3, Levels: []results.FactorLevel{{Factor: "traffic.rate", Value: l}}})
		w.effects, w.lottery = append(w.effects, 0), append(w.lottery, false)
	}
	w.Design.Baseline = w.Design.Arms[0].Name
	run := w.Run()
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			s.TxMsgs = int64(w.Design.Arms[s.Arm].Rate*0.08) + rng.Int64N(9) - 4
			s.RxMsgs = min(s.TxMsgs, 32_000+rng.Int64N(200))
			s.TxBytes, s.RxBytes, s.Drops = 64*s.TxMsgs, 64*s.RxMsgs, s.TxMsgs-s.RxMsgs
		}
		for arm := range run.Trials[i].Arms {
			run.Trials[i].Arms[arm].Ledger = results.Ledger{}
		}
	}
	return run
}

// Search looks for the loss-free rate of two arms.
func Search() *results.Run {
	w := UDPWorld()
	bound := 0.0
	w.Design.Name, w.Design.Question = "loss-free", "How many datagrams a second can a sink take without loss?"
	w.Design.Metrics, w.Trials = []string{figure.LossFreeRate}, 10
	for i := range w.Design.Arms {
		w.Design.Arms[i].Kind, w.Design.Arms[i].Message, w.Design.Arms[i].LossFree = "flood", 64, &bound
	}
	run := w.Run()
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
