package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// steered are the scenarios whose explanations are held against what was measured.
var steered = []string{"loopback-rps", "loopback-rps-udp", "veth-rps"}

// mostHalf is the most that the half of a gap's interval may be.
const mostHalf = 0.03

// closes: does the interval of predicted minus measured hold zero, and is it narrow?
func (o options) closes(ctx context.Context, out io.Writer) error {
	good, all, named := 0, 0, 0
	for _, scenario := range steered {
		runs, err := o.steeredRuns(ctx, scenario)
		if err != nil {
			return err
		}
		var texts []string
		for _, s := range summaries(runs) {
			for _, e := range s.Explanations {
				if e.Arm != "sink" {
					continue
				}
				all++
				ok, half := holds(e)
				if ok {
					good++
				}
				if left := leftSource(e); left != "" {
					named++
				} else {
					fmt.Fprintf(os.Stderr, "nothing left the source: %s, run %s: %s\n", scenario, s.Run, e.Text)
				}
				texts = append(texts, gapText(e, half))
			}
		}
		line(out, fmt.Sprintf("`netab run %s --explain=on --explain-time %v`, arm *sink*: predicted and measured", scenario, o.time), strings.Join(texts, "; "))
	}
	line(out, "the gap holds zero, and half of its interval is 3 points or less", fmt.Sprintf("%d of %d; what left the source is named in %d", good, all, named))
	return nil
}

func (o options) steeredRuns(ctx context.Context, scenario string) ([]*results.Run, error) {
	return o.measured(ctx, kind{scenario, scenario, o.time, nil}, o.runs)
}

// holds says whether the gap is none beyond chance, and known well.
func holds(e why.Explanation) (ok bool, half float64) {
	if e.Gap == nil || e.GapLo == nil || e.GapHi == nil {
		return false, math.NaN()
	}
	half = (*e.GapHi - *e.GapLo) / 2
	return *e.GapLo <= 0 && *e.GapHi >= 0 && half <= mostHalf, half
}

func gapText(e why.Explanation, half float64) string {
	if e.Predicted == nil || e.Gap == nil {
		return "nothing predicted: " + e.Text
	}
	closed := "closes"
	if !e.Closes {
		closed = "does not close"
	}
	return fmt.Sprintf("%s and %s, gap %s (± %.1f), %s", prose.Change(*e.Predicted, false), prose.Change(*e.Measured, false), prose.Change(*e.Gap, false), 100*half, closed)
}

// leftSource is what is said to have left the source: softirqs of its back.
func leftSource(e why.Explanation) string {
	if e.Role != vocab.SourceTime && e.BaselineRole != vocab.SourceTime {
		return ""
	}
	for _, p := range e.Parts {
		if p.Role == vocab.SourceTime && p.Delta < 0 && p.Significant && p.Function == "" && (p.Context == "net_rx" || p.Context == "task" || p.Context == "") {
			return p.Context
		}
	}
	return ""
}

// cost: what the instruments cost in the runs of closes, and whether the accounts are
// right.
func (o options) cost(ctx context.Context, out io.Writer) error {
	for _, scenario := range steered {
		runs, err := o.steeredRuns(ctx, scenario)
		if err != nil {
			return err
		}
		var accounting []string
		for _, s := range summaries(runs) {
			for _, e := range s.Explanations {
				if e.Arm == "sink" && e.Instrument != nil {
					accounting = append(accounting, fmt.Sprintf("%s (%s)", prose.Change(*e.Instrument, false), prose.Interval(*e.InstrumentLo, *e.InstrumentHi, false)))
				}
			}
		}
		c := costsOf(runs)
		line(out, fmt.Sprintf("what the instruments cost, and whether accounts are right, in the same runs of %s", scenario), fmt.Sprintf(
			"the accounting changes the rate by %s, sampling besides by %s; parts of a CPU differ from its wall time by %.4f %% at most; the source has %s, the sink %s of what schedstat says; the share of a category of the source known to ±%.1f %% after 12 s an arm",
			strings.Join(accounting, ", "), c.sampling, 100*c.wall, c.against[0], c.against[1], 100*c.share))
	}
	return nil
}

type costs struct {
	sampling string
	wall     float64
	against  [2]string
	share    float64
}

func costsOf(runs []*results.Run) (c costs) {
	var rates []difference
	var against [2][]float64
	for _, run := range runs {
		byInstrument := map[vocab.Instrument][]float64{}
		for i := range run.Explains {
			x := &run.Explains[i]
			if x.Invalid != "" || x.Instrument == vocab.Events {
				continue
			}
			for _, cpu := range x.CPUs {
				c.wall = max(c.wall, offBy(cpu))
			}
			if rate := rateOf(x); rate != 0 {
				byInstrument[x.Instrument] = append(byInstrument[x.Instrument], rate)
			}
			for r := range against {
				if share := againstSchedstat(x, r); share > 0 {
					against[r] = append(against[r], share)
				}
			}
		}
		rates = append(rates, difference{byInstrument[vocab.Accounting], byInstrument[vocab.Sampling]})
		c.share = max(c.share, shareKnown(run))
	}
	c.sampling = pooled(rates)
	for r := range against {
		s := stat.NewSample(against[r])
		if s.N < 2 {
			continue
		}
		in := s.Interval(0.05)
		c.against[r] = fmt.Sprintf("%.2f %% (%.2f to %.2f)", 100*s.Mean, 100*in.Lo, 100*in.Hi)
	}
	return c
}

// offBy is how far the parts of a CPU are from its wall time.
func offBy(c results.ExplainCPU) float64 {
	var sum int64
	for _, of := range c.NS {
		for _, ns := range of {
			sum += ns
		}
	}
	return math.Abs(float64(sum)/float64(c.CountedNS) - 1)
}

// rateOf is what the instruments of a trial changed the rates of its arms by, as a
// logarithm: of slices with the accounting (and no system calls told) against those
// without; 0 = it has none.
func rateOf(x *results.Explain) float64 {
	var bytes, ns [2]map[int]float64 // without, and with
	for i := range bytes {
		bytes[i], ns[i] = map[int]float64{}, map[int]float64{}
	}
	for i := range x.Slices {
		s := &x.Slices[i]
		if s.Invalid != "" || s.Between || s.Source != nil && s.Source.UserNS != nil {
			continue
		}
		with := 0
		if s.Source != nil {
			with = 1
		}
		bytes[with][s.Arm] += float64(s.RxBytes)
		ns[with][s.Arm] += float64(s.CountedNS)
	}
	sum, n := 0.0, 0.0
	for arm := range ns[1] {
		if bytes[0][arm] > 0 && bytes[1][arm] > 0 {
			sum += math.Log(bytes[1][arm]/ns[1][arm]) - math.Log(bytes[0][arm]/ns[0][arm])
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// A difference is of rates with the accounting alone, and sampled.
type difference struct{ plain, sampled []float64 }

// pooled is the change over runs, each trial against the mean of its run.
func pooled(all []difference) string {
	var plain, sampled []float64
	for _, d := range all {
		if len(d.plain) == 0 {
			continue
		}
		mean := stat.NewSample(d.plain).Mean
		for _, x := range d.plain {
			plain = append(plain, x-mean)
		}
		for _, x := range d.sampled {
			sampled = append(sampled, x-mean)
		}
	}
	w := stat.Welch(stat.NewSample(plain), stat.NewSample(sampled))
	if !w.OK {
		return "unknown"
	}
	in := w.Interval(0.05)
	return fmt.Sprintf("%s (%s)", prose.Change(math.Expm1(w.Mean), false), prose.Interval(math.Expm1(in.Lo), math.Expm1(in.Hi), false))
}

// againstSchedstat is what the accounting says that a role had, of what schedstat says.
func againstSchedstat(x *results.Explain, role int) float64 {
	var ns, cpu float64
	for i := range x.Slices {
		s := &x.Slices[i]
		if s.Source == nil || s.Sink == nil || s.Invalid != "" {
			continue
		}
		of := []*results.RoleTime{s.Source, s.Sink}[role]
		for _, n := range of.NS {
			ns += float64(n)
		}
		cpu += float64([]int64{s.SourceCPU, s.SinkCPU}[role])
	}
	if cpu <= 0 {
		return 0
	}
	return ns / cpu
}

// shareKnown is half of the interval of the share of a category of the source in the
// samples of an arm, the widest, after 12 s of samples.
func shareKnown(run *results.Run) (widest float64) {
	shares := map[int]map[string][]float64{} // by arm
	seconds := map[int][]float64{}
	for i := range run.Explains {
		x := &run.Explains[i]
		if x.Invalid != "" || x.Samples == nil || x.Samples.Role != vocab.SourceTime {
			continue
		}
		total, of := map[int]float64{}, map[int]map[string]float64{}
		for _, s := range x.Samples.Stacks {
			var stack []string
			for _, f := range s.Frames {
				stack = append(stack, x.Samples.Functions[f])
			}
			if of[s.Arm] == nil {
				of[s.Arm] = map[string]float64{}
			}
			of[s.Arm][why.Category(stack)] += float64(s.N)
			total[s.Arm] += float64(s.N)
		}
		for arm, n := range total {
			if shares[arm] == nil {
				shares[arm] = map[string][]float64{}
			}
			for category, k := range of[arm] {
				shares[arm][category] = append(shares[arm][category], k/n)
			}
			ns := 0.0
			for j := range x.Slices {
				if s := &x.Slices[j]; s.Arm == arm && s.Source != nil {
					ns += float64(s.CountedNS)
				}
			}
			seconds[arm] = append(seconds[arm], ns/1e9)
		}
	}
	for arm, of := range shares {
		n := len(seconds[arm])
		for _, xs := range of {
			if len(xs) != n || n < 3 {
				continue // seen in some trials only: a rare one
			}
			s := stat.NewSample(xs)
			in := s.Interval(0.05)
			sum := 0.0
			for _, x := range seconds[arm] {
				sum += x
			}
			widest = max(widest, (in.Hi-in.Lo)/2*math.Sqrt(sum/12))
		}
	}
	return widest
}
