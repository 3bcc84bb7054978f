// Package sample has runs, summaries, gates and histories that the tests of package
// report and of its formats show. Everything follows from seeds.
package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"netab/analysis"
	"netab/analysis/record"
	"netab/analysis/report/figure"
	"netab/results"
)

// A World makes runs that look like measured ones: a rate that wanders by
// 10 %, arms that take turns in it, trials that draw what a flow freezes.
// Everything follows from the seed.
type World struct {
	Design  results.Design
	udp     bool
	Trials  int
	Blocks  int
	Rate    float64   // bit/s of the baseline
	effects []float64 // of each arm, relative
	lottery []bool    // arms whose sign is drawn once a trial
	Seed    uint64
}

var worldStart = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// TCPWorld is three arms over TCP, of which one draws its mode anew each trial.
func TCPWorld() World {
	return World{
		Design: results.Design{
			Name: "loopback-rps", Question: "Does receive packet steering on loopback make one TCP flow faster?",
			Arms: []results.Arm{
				{Name: "off", Protocol: "tcp", Message: 131072, Flows: 1, Topology: "loopback", Knobs: []string{"lo rps_cpus=none"}},
				{Name: "sink", Protocol: "tcp", Message: 131072, Flows: 1, Topology: "loopback", Knobs: []string{"lo rps_cpus={sink}"}},
				{Name: "all", Protocol: "tcp", Message: 131072, Flows: 1, Topology: "loopback", Knobs: []string{"lo rps_cpus=all"}},
			},
			Baseline: "off", Metrics: []string{figure.Goodput}, Confidence: 0.95, Resolution: 0.01, Width: 0.05, MaxTimeS: 60,
		},
		Trials: 20, Blocks: 10, Rate: 42e9, effects: []float64{0, 0.073, 0.081}, lottery: []bool{false, false, true}, Seed: 7,
	}
}

// UDPWorld is two arms over UDP that lose datagrams.
func UDPWorld() World {
	w := TCPWorld()
	w.udp, w.Rate, w.Seed = true, 6.4e9, 11
	w.Design.Name, w.Design.Question = "loopback-rps-udp", "Does receive packet steering on loopback make UDP faster?"
	w.Design.Arms = w.Design.Arms[:2]
	for i := range w.Design.Arms {
		w.Design.Arms[i].Protocol, w.Design.Arms[i].Message = "udp", 1472
	}
	w.effects, w.lottery = []float64{0, -0.034}, []bool{false, false}
	return w
}

// MatrixWorld is a matrix of two factors, one of them of numbers.
func MatrixWorld() World {
	w := TCPWorld()
	w.Seed, w.Trials, w.Blocks = 23, 12, 6
	w.Design.Name, w.Design.Question = "message-size", "From which message size on does receive packet steering pay?"
	w.Design.Factors = []results.Factor{
		{Name: "message", Levels: []string{"64", "512", "4K", "32K", "128K"}}, {Name: "rps", Levels: []string{"off", "sink"}},
	}
	w.Design.Arms, w.effects, w.lottery = nil, nil, nil
	sizes := []int{64, 512, 4096, 32768, 131072}
	for i, m := range w.Design.Factors[0].Levels {
		for j, r := range w.Design.Factors[1].Levels {
			w.Design.Arms = append(w.Design.Arms, results.Arm{
				Name: "message=" + m + ",rps=" + r, Protocol: "tcp", Message: sizes[i], Flows: 1, Topology: "loopback",
				Levels: []results.FactorLevel{{Factor: "message", Value: m}, {Factor: "rps", Value: r}},
			})
			w.effects = append(w.effects, math.Pow(4, float64(i))/256*(1+float64(j)*(0.12-0.01*float64(i)))-1)
			w.lottery = append(w.lottery, false)
		}
	}
	w.Design.Baseline = w.Design.Arms[0].Name
	return w
}

// Run makes the record.
func (w World) Run() *results.Run {
	rng := rand.New(rand.NewPCG(w.Seed, 1))
	run := &results.Run{Header: w.header()}
	start, drift := worldStart.Add(2*time.Second), 0.0
	for i := range w.Trials {
		t := w.trial(rng, i, start, &drift)
		start = start.Add(time.Duration(t.SetupNS + t.RunNS + t.TeardownNS))
		run.Trials = append(run.Trials, t)
	}
	run.Trials[w.Trials/2].Slices[3].Invalid = "source thread did not run for the whole slice"
	run.End = &results.End{Type: "end", Ended: start, Reason: "decided", Looks: []results.Look{
		{Trials: 8, ElapsedS: 25, Fraction: 0.4, Alpha: 0.004}, {Trials: w.Trials, ElapsedS: 60, Fraction: 1, Alpha: 0.046, Decided: true},
	}}
	return run
}

func (w World) header() results.Header {
	scenario, err := json.Marshal(map[string]any{"name": w.Design.Name, "question": w.Design.Question,
		"topology": map[string]any{"kind": "loopback", "family": "ipv4"}, "measure": map[string]any{"seed": w.Seed}})
	if err != nil {
		panic(err)
	}
	return results.Header{
		Type: "header", Schema: results.SchemaRun, ID: worldStart.Format("20060102T150405") + "-" + w.Design.Name,
		Scenario: scenario, Source: "builtin:" + w.Design.Name, Design: w.Design, Seed: w.Seed,
		Plan:    results.Plan{Grain: "slice", Reason: "every knob is of a namespace", SliceNS: 1e8, SettleNS: 2e7, BlocksPerTrial: w.Blocks},
		Netab:   results.Build{Version: "v0.2.0", Revision: "1a2b3c4d", Go: "go1.26"},
		Command: []string{"netab", "run", w.Design.Name, "--seed", strconv.FormatUint(w.Seed, 10), "--set", "topology.kind=loopback net"},
		Started: worldStart,
		Machine: results.Machine{
			Hostname: "bench-1", BootID: "6c4e1f6e-8a5c-4f1a-9d0e-2f7b8a1c3d4e", Kernel: "6.18.2", KernelBuild: "#1 SMP PREEMPT_DYNAMIC",
			KernelCmdline: "console=ttyS0 root=/dev/vda", Arch: "x86_64", CPUModel: "Example CPU 8000 @ 2.60GHz", CPUs: 2, CPUsOnline: "0-1",
			ThreadsPerCore: 2, Sockets: 1, NUMANodes: 1, MemoryBytes: 8 << 30, Clocksource: "tsc", Virtualization: "kvm", IRQTime: "no",
			Mitigations: map[string]string{"spectre_v2": "Mitigation: Enhanced IBRS", "meltdown": "Not affected"},
			Sysctls:     map[string]string{"net/core/rmem_max": "212992", "net/ipv4/tcp_congestion_control": "bbr"},
			Offloads:    map[string]string{"lo.gro": "on", "lo.tso": "on"}, Qdiscs: map[string]string{"lo": "noqueue"},
		},
		Warnings: []results.Warning{{Code: "virtual-machine", Text: "this is a virtual machine: neighbours may take CPU time; see steal in the report"}},
	}
}

func (w World) trial(rng *rand.Rand, index int, start time.Time, drift *float64) results.Trial {
	n := len(w.Design.Arms)
	t := results.Trial{Type: "trial", Index: index, Started: start, SetupNS: 48e6, TeardownNS: 21e6, Order: rng.Perm(n)}
	effect, onSink := make([]float64, n), make([]bool, n)
	for a := range n {
		e := w.effects[a]
		onSink[a] = rng.IntN(2) == 1
		if w.lottery[a] && !onSink[a] {
			e = -0.074
		}
		effect[a] = (1+e)*(1+0.012*rng.NormFloat64()) - 1
	}
	var at int64
	for b := range w.Blocks {
		for _, a := range rng.Perm(n) {
			*drift = 0.97**drift + 0.02*rng.NormFloat64()
			rate := w.Rate * math.Exp(*drift+0.015*rng.NormFloat64()) * (1 + effect[a])
			t.Slices = append(t.Slices, w.slice(b, a, at, rate))
			at += 100_000_000
		}
	}
	t.RunNS = at
	for a := range n {
		t.Arms = append(t.Arms, w.armTrial(rng, t, a, onSink[a]))
	}
	t.Host = hostDelta(at, int64(index))
	return t
}

func (w World) slice(block, arm int, at int64, rate float64) results.Slice {
	const counted = 80_000_000
	msg := w.Design.Arms[arm].Message
	rx := int64(rate / 8 * counted / 1e9)
	rx -= rx % int64(msg)
	s := results.Slice{
		Block: block, Arm: arm, StartNS: at, CountedNS: counted,
		Counts: results.Counts{RxBytes: rx, RxMsgs: rx / int64(msg), TxBytes: rx, TxMsgs: rx / int64(msg), SourceCPU: 79_400_000, SinkCPU: 52_000_000 + int64(arm%3)*4_000_000, SourceWait: 40_000, SinkWait: 90_000},
	}
	if w.udp {
		s.Drops = s.RxMsgs / 400
		s.TxMsgs += s.Drops
		s.TxBytes += s.Drops * int64(msg)
	}
	return s
}

func (w World) armTrial(rng *rand.Rand, t results.Trial, arm int, onSink bool) results.ArmTrial {
	sum := totals(w.Design, t, arm)
	cpu := 0
	if onSink {
		cpu = 1
	}
	at := results.ArmTrial{Arm: arm,
		Source: results.RoleDelta{Threads: 1, CPUNS: sum.SourceCPU, WaitNS: sum.SourceWait, Voluntary: 120, Involunt: 14, CPUs: map[int]int{0: w.Blocks}, Pinned: []int{0}},
		Sink:   results.RoleDelta{Threads: 1, CPUNS: sum.SinkCPU, WaitNS: sum.SinkWait, Voluntary: 5400, Involunt: 9, CPUs: map[int]int{1: w.Blocks}, Pinned: []int{1}},
		Flows: []results.Flow{{SourcePort: 32768 + rng.IntN(28000), SinkPort: 32768 + rng.IntN(28000), RxBytes: sum.RxBytes,
			SoftirqCPU: map[int]int{cpu: w.Blocks}, Congestion: "cubic"}},
		Knobs: []results.Setting{{Knob: "lo rx-0 rps_cpus", Scope: "netns", Before: "0", Asked: []string{"0", "2", "3"}[arm%3], After: []string{"0", "2", "3"}[arm%3]}},
	}
	if w.udp {
		dropped := map[string]int64{"socket buffer": sum.Drops}
		if arm == 1 {
			dropped["softnet backlog"] = sum.Drops / 3
		}
		l := results.Ledger{Valid: true, Received: sum.RxMsgs, Dropped: dropped, Unexplained: int64(arm)}
		l.Sent = l.Received + l.Unexplained
		for _, d := range dropped {
			l.Sent += d
		}
		at.Ledger = l
	}
	return at
}

func hostDelta(run, index int64) results.HostDelta {
	return results.HostDelta{OwnNS: 4e6, ForeignNS: 12e6, CPUs: []results.CPUDelta{
		{CPU: 0, BusyNS: run * 98 / 100, UserNS: run * 3 / 100, SystemNS: run * 61 / 100, SoftirqNS: run * 34 / 100, StealNS: run / 200,
			Softirqs: map[string]int64{"NET_RX": 210000 + index, "TIMER": 260, "SCHED": 120}, Processed: 1_250_000, ReceivedRPS: 4100, TimeSqueeze: 3},
		{CPU: 1, BusyNS: run * 74 / 100, UserNS: run * 2 / 100, SystemNS: run * 40 / 100, SoftirqNS: run * 32 / 100,
			Softirqs: map[string]int64{"NET_RX": 190000, "TIMER": 255}, Processed: 980_000, ReceivedRPS: 880_000},
	}}
}

// summary judges a synthetic run as simply as can be: means and t intervals
// over trials. It stands in for package analysis so that the tests of this
// package fail only for reasons of their own.
func (w World) summary(run *results.Run) analysis.Summary {
	d := run.Header.Design
	s := analysis.Summary{Schema: analysis.SchemaSummary, Scenario: d.Name, Question: d.Question, Run: run.Header.ID, Seed: run.Header.Seed,
		Kernel: run.Header.Machine.Kernel, DurationS: run.End.Ended.Sub(run.Trials[0].Started).Seconds(), Grain: "slice", Trials: len(run.Trials),
		Converged: true, Confidence: d.Confidence, Resolution: d.Resolution, Ended: run.End.Reason, Warnings: run.Header.Warnings}
	for arm, a := range d.Arms {
		s.Arms = append(s.Arms, analysis.ArmSummary{Name: a.Name, Levels: a.Levels, Metrics: w.metrics(run, arm)})
		if a.Name == d.Baseline {
			continue
		}
		s.Comparisons = append(s.Comparisons, w.comparison(run, arm))
	}
	for _, t := range run.Trials {
		for _, sl := range t.Slices {
			s.MeasuredS += float64(sl.CountedNS) / 1e9
		}
	}
	c := s.Comparisons[0]
	s.Answer = fmt.Sprintf("%s against %s: goodput %+.1f %% (%+.1f to %+.1f %%, 95 %% confidence).", c.Arm, c.Baseline, 100*c.Change, 100*c.Lo, 100*c.Hi)
	return s
}

func (w World) metrics(run *results.Run, arm int) map[string]analysis.Level {
	m := map[string]analysis.Level{}
	add := func(name, unit string, f func(record.Totals) float64) {
		var xs []float64
		for _, t := range run.Trials {
			xs = append(xs, f(totals(w.Design, t, arm)))
		}
		mean, half := meanInterval(xs)
		m[name] = analysis.Level{Unit: unit, Mean: mean, Lo: mean - half, Hi: mean + half, N: len(xs), CV: 0.08, Converged: true}
	}
	add(figure.Goodput, "bit/s", func(t record.Totals) float64 { return 8e9 * float64(t.RxBytes) / float64(t.CountedNS) })
	add(figure.PacketRate, "packets/s", func(t record.Totals) float64 { return 1e9 * float64(t.RxMsgs) / float64(t.CountedNS) })
	add(figure.CPUSource, "cpu", func(t record.Totals) float64 { return float64(t.SourceCPU) / float64(t.CountedNS) })
	add(figure.CPUSink, "cpu", func(t record.Totals) float64 { return float64(t.SinkCPU) / float64(t.CountedNS) })
	add(figure.NSByteSource, "ns/byte", func(t record.Totals) float64 { return float64(t.SourceCPU) / float64(t.RxBytes) })
	add(figure.NSByteSink, "ns/byte", func(t record.Totals) float64 { return float64(t.SinkCPU) / float64(t.RxBytes) })
	add(figure.NSPacketSource, "ns/packet", func(t record.Totals) float64 { return float64(t.SourceCPU) / float64(t.RxMsgs) })
	add(figure.NSPacketSink, "ns/packet", func(t record.Totals) float64 { return float64(t.SinkCPU) / float64(t.RxMsgs) })
	if w.udp {
		add(figure.Loss, "fraction", func(t record.Totals) float64 { return float64(t.TxMsgs-t.RxMsgs) / float64(t.TxMsgs) })
		add(figure.TxRate, "bit/s", func(t record.Totals) float64 { return 8e9 * float64(t.TxBytes) / float64(t.CountedNS) })
	}
	return m
}

func (w World) comparison(run *results.Run, arm int) analysis.Comparison {
	c := analysis.Comparison{Baseline: w.Design.Baseline, Arm: w.Design.Arms[arm].Name, Metric: figure.Goodput, Judged: true, N: len(run.Trials),
		DF: float64(len(run.Trials) - 1), Alpha: 0.046, Looks: 2}
	var xs []float64
	groups := []analysis.Mode{{Label: "CPU 0"}, {Label: "CPU 1"}}
	for _, t := range run.Trials {
		x := math.Log(float64(totals(w.Design, t, arm).RxBytes) / float64(totals(w.Design, t, 0).RxBytes))
		xs = append(xs, x)
		c.TrialEffects = append(c.TrialEffects, analysis.TrialEffect{Trial: t.Index, Change: math.Expm1(x), SE: 0.006})
		for cpu := range t.Arms[arm].Flows[0].SoftirqCPU {
			groups[cpu].Trials = append(groups[cpu].Trials, t.Index)
			groups[cpu].Change += math.Expm1(x)
		}
	}
	mean, half := meanInterval(xs)
	c.Change, c.Lo, c.Hi = math.Expm1(mean), math.Expm1(mean-half), math.Expm1(mean+half)
	c.Verdict = verdictOf(mean-half, mean+half, math.Log1p(w.Design.Resolution))
	p, detect := 0.00012, 0.021
	c.P, c.PSign, c.SmallestDetectable = &p, &p, &detect
	if w.lottery[arm] {
		for i, g := range groups {
			groups[i].Share = float64(len(g.Trials)) / float64(len(xs))
			groups[i].Change = g.Change / float64(len(g.Trials))
		}
		c.Modes = &analysis.Modes{Groups: groups, Covariate: "softirq CPU of the sink's socket", Text: fmt.Sprintf(
			"trials fall into two modes: softirq on CPU 0 (the source's): %+.1f %% (%d of %d trials); softirq on CPU 1 (the sink's): %+.1f %% (%d of %d trials)",
			100*groups[0].Change, len(groups[0].Trials), len(xs), 100*groups[1].Change, len(groups[1].Trials), len(xs))}
	}
	return c
}

func verdictOf(lo, hi, r float64) analysis.Verdict {
	switch {
	case lo > -r && hi < r:
		return analysis.Equivalent
	case lo > 0:
		return analysis.Improvement
	case hi < 0:
		return analysis.Regression
	}
	return analysis.Inconclusive
}

// meanInterval is a t interval at 95 % for about 20 values.
func meanInterval(xs []float64) (mean, half float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	ss := 0.0
	for _, x := range xs {
		ss += (x - mean) * (x - mean)
	}
	return mean, 2.1 * math.Sqrt(ss/float64(len(xs)-1)/float64(len(xs)))
}

// totals are those of an arm in one trial.
func totals(d results.Design, t results.Trial, arm int) record.Totals {
	r := record.Of(d, []results.Trial{t})
	return r.Trials[0].Arm(arm).Totals()
}
