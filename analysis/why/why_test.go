package why

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// A world is how much CPU time each arm's roles need per KiB, by context.
type world struct {
	source, sink [2]map[string]float64 // ns per KiB of the arms
	busy         [2]float64            // share of its time that the source works
	trials       int
	noise        float64 // of each trial's figures, relative
	drift        float64 // of each trial's blocks without the accounting, by arm, relative
	cost         float64 // of the accounting, of a source's time, ns per event
	kind         vocab.Kind
	seed         uint64
}

const slice = 20e6 // ns

// run makes a run of it: the source sets the rate, if it is busy.
func (w world) run() *results.Run {
	rng := rand.New(rand.NewPCG(w.seed+1, 7))
	r := &results.Run{Header: results.Header{Design: results.Design{Baseline: "off", Confidence: 0.95,
		Arms: []results.Arm{{Name: "off", Kind: w.kind, Protocol: vocab.TCP}, {Name: "sink", Kind: w.kind, Protocol: vocab.TCP}}}}}
	for i := range w.trials {
		x := results.Explain{Index: i, Instrument: vocab.Accounting}
		var noise [2]map[string]float64
		drift := [2]float64{1, 1}
		for a := range 2 {
			noise[a] = map[string]float64{}
			if w.drift > 0 {
				drift[a] += w.drift * rng.NormFloat64()
			}
			for _, context := range slices.Sorted(maps.Keys(w.source[a])) {
				noise[a][context] = 1 + w.noise*rng.NormFloat64()
			}
		}
		for block := range 18 {
			for a := range 2 {
				on := block < 11
				events := map[string]int64{}
				var need float64
				for context, ns := range w.source[a] {
					need += ns * noise[a][context]
				}
				const eventsPerKiB = 0.1
				if on {
					need += w.cost * eventsPerKiB
				} else {
					need *= drift[a]
				}
				cpu := slice * w.busy[a]
				kib := cpu / need
				s := results.ExplainSlice{Block: block, Arm: a, CountedNS: slice, Between: block == 11}
				s.RxBytes, s.SourceCPU, s.Transactions = int64(kib*1024), int64(cpu), int64(kib)
				if on {
					s.Source, s.Sink = &results.RoleTime{NS: map[string]int64{}}, &results.RoleTime{NS: map[string]int64{}}
					for context, ns := range w.source[a] {
						s.Source.NS[context] = int64(ns * noise[a][context] * kib)
					}
					s.Source.NS["task"] += int64(w.cost * eventsPerKiB * kib)
					events["task"] = int64(eventsPerKiB * kib)
					s.Source.Events = events
					for context, ns := range w.sink[a] {
						s.Sink.NS[context] = int64(ns * kib)
					}
				}
				x.Slices = append(x.Slices, s)
			}
		}
		r.Explains = append(r.Explains, x)
	}
	return r
}

func steered() world {
	return world{source: [2]map[string]float64{{"task": 87.5, "net_rx": 62.8, "irq": 1}, {"task": 81.7, "net_rx": 42.2, "irq": 0.6}},
		sink: [2]map[string]float64{{"task": 40, "net_rx": 10}, {"task": 42, "net_rx": 30}},
		busy: [2]float64{0.97, 0.97}, trials: 6, noise: 0.005}
}

func one(t *testing.T, r *results.Run) Explanation {
	t.Helper()
	all := Of(r)
	if len(all) != 1 {
		t.Fatalf("%d explanations", len(all))
	}
	return all[0]
}

// TestCause: what left the source is named, and foretells the difference.
func TestCause(t *testing.T) {
	e := one(t, steered().run())
	if e.Role != vocab.SourceTime || e.BaselineRole != vocab.SourceTime || e.Unit != "ns/KiB" || e.Trials != 6 {
		t.Fatalf("%+v", e)
	}
	truth := (87.5+62.8+1)/(81.7+42.2+0.6) - 1
	if e.Predicted == nil || math.Abs(*e.Predicted-truth) > 0.01 || math.Abs(*e.Measured-truth) > 0.01 || !e.Closes {
		t.Errorf("predicted %v, measured %v, truth %v, closes %v", *e.Predicted, *e.Measured, truth, e.Closes)
	}
	for _, want := range []string{"sink is 21.", " % faster because the source needs 2", " ns/KiB less (net_rx softirq on its back -2", ", its own calls -", "); that predicts +21.", " %, measured +21."} {
		if !strings.Contains(e.Text, want) {
			t.Errorf("%s\nwant %q in it", e.Text, want)
		}
	}
	for _, p := range e.Parts {
		if p.Lo > p.Delta || p.Hi < p.Delta || math.Abs(p.To-p.From-p.Delta) > 1e-9 {
			t.Errorf("%+v", p)
		}
	}
}

// TestGap: the interval of predicted less measured holds what is true as often as it
// says, and is no wider for what the blocks with and without the accounting differ by in
// each trial, as the cost that they teach is the same in both.
func TestGap(t *testing.T) {
	for name, busy := range map[string][2]float64{"closes": {0.97, 0.97}, "does not": {0.97, 0.9}} {
		t.Run(name, func(t *testing.T) {
			w := steered()
			w.busy, w.trials, w.drift, w.cost = busy, 16, 0.05, 150
			truth := busy[0]/busy[1] - 1
			const worlds = 200
			held, half := 0, 0.0
			for seed := range uint64(worlds) {
				w.seed = seed
				e := one(t, w.run())
				if *e.GapLo <= truth && truth <= *e.GapHi {
					held++
				}
				half += (*e.GapHi - *e.GapLo) / 2 / worlds
			}
			if held < worlds*90/100 {
				t.Errorf("%d of %d intervals hold the truth", held, worlds)
			}
			// By the scatter of the trials' own gaps it would be 0.05 x sqrt(2/16) x 2.13.
			if half > 0.01 {
				t.Errorf("half of an interval is %.4f", half)
			}
		})
	}
}

// TestPartsAddUp: the contexts of a role are all of its time.
func TestPartsAddUp(t *testing.T) {
	w := steered()
	w.cost = 150
	e := one(t, w.run())
	var from, to float64
	for _, p := range e.Parts {
		if p.Role == vocab.SourceTime {
			from, to = from+p.From, to+p.To
		}
	}
	// With the accounting, which is a part too.
	if math.Abs(from-(151.3+15)) > 0.02*166 || math.Abs(to-(124.5+15)) > 0.02*139 {
		t.Errorf("the parts of the source come to %.1f and %.1f", from, to)
	}
}

// TestInstrument: what the accounting takes is known from blocks without it, and
// taken out of the contexts in which it was.
func TestInstrument(t *testing.T) {
	w := steered()
	w.noise, w.cost = 0, 150
	e := one(t, w.run())
	if e.Instrument == nil || math.Abs(*e.Instrument-(-0.097)) > 0.02 {
		t.Errorf("instrument %v", e.Instrument)
	}
	for _, p := range e.Parts {
		if p.Role == vocab.SourceTime && p.Context == Measuring && math.Abs(p.From-15) > 1 {
			t.Errorf("the accounting took %.1f ns/KiB, want 15", p.From)
		}
		if p.Role == vocab.SourceTime && p.Context == "task" && math.Abs(p.From-87.5) > 1 {
			t.Errorf("task is %.1f ns/KiB, want 87.5", p.From)
		}
	}
}

// TestSame: of two that are the same, nothing is named.
func TestSame(t *testing.T) {
	const runs = 400
	named := 0
	for seed := range uint64(runs) {
		w := steered()
		w.source[1], w.sink[1], w.noise, w.seed = w.source[0], w.sink[0], 0.03, seed
		e := one(t, w.run())
		if strings.Contains(e.Text, "because") {
			named++
		}
		if !strings.Contains(e.Text, "nothing to explain") && !strings.Contains(e.Text, "because") {
			t.Errorf("seed %d: %s", seed, e.Text)
		}
	}
	if named > 33 { // 5 % are 20, with a standard error of 4.4
		t.Errorf("a cause was named in %d of %d runs of the same", named, runs)
	}
}

func TestNothingClaimed(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world)
		want   string
	}{
		{"nobody is busy", func(w *world) { w.busy = [2]float64{0.5, 0.6} }, "no role was busy all the time in both arms (source busy 50 % and 60 %"},
		{"it waits for its CPU", func(w *world) { // as busy as before, and a neighbour takes the rest
			w.source[1] = w.source[0]
			w.busy = [2]float64{0.99, 0.86}
		}, "does not explain it"},
		{"the arm has no limit", func(w *world) { w.busy = [2]float64{0.97, 0.5} }, "the source was the limit with off, where with sink no role is (source busy 97 % and 50 %"},
		{"the baseline has none", func(w *world) { w.busy = [2]float64{0.5, 0.97} }, "the source is the limit with sink, where with off no role was (source busy 50 % and 97 %"},
		{"roles take turns", func(w *world) { w.kind = vocab.RR }, "its roles take turns"},
		{"few trials", func(w *world) { w.trials = 2 }, "in 2 explain trials: too few"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := steered()
			test.change(&w)
			e := one(t, w.run())
			if !strings.Contains(e.Text, test.want) || strings.Contains(e.Text, "because") {
				t.Errorf("%s\nwant %s", e.Text, test.want)
			}
		})
	}
}

// TestLimitMoves: where the sink becomes the limit, that is what is said.
func TestLimitMoves(t *testing.T) {
	w := steered()
	w.source[1] = map[string]float64{"task": 60, "net_rx": 10}
	w.sink[1] = map[string]float64{"task": 50, "net_rx": 50}
	w.busy = [2]float64{0.97, 0.68} // so that the sink has 97 %
	e := one(t, w.run())
	if e.Role != vocab.SinkTime || !strings.Contains(e.Text, "the limit moved from the source, whose need went from 151 to 69.9 ns/KiB, to the sink (from 50.0 to 100)") {
		t.Errorf("%s: %s", e.Role, e.Text)
	}
}

func TestOf(t *testing.T) {
	if all := Of(&results.Run{}); all != nil {
		t.Errorf("a run without explain trials: %v", all)
	}
	r := steered().run()
	r.Explains = []results.Explain{{Invalid: "not explained: it takes root"}}
	if e := one(t, r); e.Text != "not explained: it takes root" {
		t.Errorf("%+v", e)
	}
	// A record is not trusted.
	r = steered().run()
	r.Explains[0].Slices[0].Arm = 77
	r.Explains[1].Slices[0].CountedNS = 0
	r.Explains[2].Slices[1].Source = nil
	one(t, r)
	for i := range r.Explains {
		for j := range r.Explains[i].Slices {
			r.Explains[i].Slices[j].RxBytes = 0
		}
	}
	if e := one(t, r); !strings.Contains(e.Text, "not explained") {
		t.Errorf("%s", e.Text)
	}
	// One arm has levels, and no differences.
	r = steered().run()
	for i := range r.Explains {
		for j := range r.Explains[i].Slices {
			r.Explains[i].Slices[j].Arm = 0
		}
	}
	if e := one(t, r); !strings.HasPrefix(e.Text, "The source is the limit") {
		t.Errorf("%s", e.Text)
	}
}

// TestUnclosed: where the limit had a CPU for less of the time in one arm, the sentence
// says that its CPU time does not explain the difference, and why.
func TestUnclosed(t *testing.T) {
	w := steered()
	w.busy = [2]float64{0.88, 0.99}
	w.source[1] = w.source[0]
	r := w.run()
	for i := range r.Explains {
		for j := range r.Explains[i].Slices {
			if s := &r.Explains[i].Slices[j]; s.Arm == 0 {
				s.SourceWait = s.CountedNS / 10 // of 12 % that it had no CPU
			}
		}
	}
	e := one(t, r)
	for _, want := range []string{"does not explain it", "the source had a CPU for 88 % of the time in off and for 99 % in sink (it waited for one for 10 % and 0 %, and slept until the other side was ready for 2 % and 1 %), which makes +12.5 %."} {
		if e.Closes || !strings.Contains(e.Text, want) {
			t.Errorf("%s\nwant %q in it", e.Text, want)
		}
	}
}
