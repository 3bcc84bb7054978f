// Command keep compares runs whose trials had fresh processes with runs whose
// processes were kept: do trials scatter alike, are levels alike, and what is
// saved. bench/keep.sh makes the runs.
package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"netab/analysis"
	"netab/results"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: keep FRESH KEPT (stores of runs)")
		os.Exit(2)
	}
	if err := compare(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "keep:", err)
		os.Exit(1)
	}
}

// A series is what one run says of one quantity: a value for each trial.
type series []float64

// A side is the runs of one way.
type side struct {
	runs                     int
	levels, effects          map[string][]series // by arm
	setups, counted, invalid []float64
}

func read(store, processes string) (*side, error) {
	files, err := filepath.Glob(filepath.Join(store, "*", "run.jsonl"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s: no runs: %v", store, err)
	}
	s := &side{levels: map[string][]series{}, effects: map[string][]series{}}
	for _, file := range files {
		run, err := results.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if run.Header.Plan.Processes != processes {
			return nil, fmt.Errorf("%s: its processes were %q, want %q", file, run.Header.Plan.Processes, processes)
		}
		s.add(run)
	}
	return s, nil
}

func (s *side) add(run *results.Run) {
	s.runs++
	summary := analysis.Summarize(run)
	headline := summary.Metrics[0]
	for _, a := range run.Header.Design.Arms {
		var logs series
		for _, l := range analysis.LevelsByTrial(run, headline, a.Name) {
			if l.Value > 0 {
				logs = append(logs, math.Log(l.Value))
			}
		}
		s.levels[a.Name] = append(s.levels[a.Name], logs)
	}
	for _, c := range summary.Comparisons {
		if c.Metric != headline {
			continue
		}
		var logs series
		for _, e := range c.TrialEffects {
			if e.Change > -1 {
				logs = append(logs, math.Log1p(e.Change))
			}
		}
		s.effects[c.Arm] = append(s.effects[c.Arm], logs)
	}
	for i := range run.Trials {
		t := &run.Trials[i]
		if t.Invalid != "" {
			s.invalid = append(s.invalid, 1)
			continue
		}
		s.invalid = append(s.invalid, 0)
		s.setups = append(s.setups, float64(t.SetupNS)/1e6)
	}
	if summary.DurationS > 0 {
		s.counted = append(s.counted, summary.MeasuredS/summary.DurationS)
	}
}

func compare(fresh, kept string) error {
	a, err := read(fresh, "")
	if err != nil {
		return err
	}
	b, err := read(kept, "kept")
	if err != nil {
		return err
	}
	fmt.Printf("%d runs fresh, %d kept; ratios are kept to fresh, with 95 %% intervals by bootstrap over runs\n\n", a.runs, b.runs)
	fmt.Printf("set-up of a trial: %.1f ms fresh, %.1f ms kept (medians); counted share %.1f %% and %.1f %%; trials not valid %.1f %% and %.1f %%\n\n",
		median(a.setups), median(b.setups), 100*mean(a.counted), 100*mean(b.counted), 100*mean(a.invalid), 100*mean(b.invalid))
	fmt.Println("what                arm           fresh     kept    ratio  interval")
	rng := rand.New(rand.NewPCG(1, 2))
	for _, q := range []struct {
		name string
		of   func(*side) map[string][]series
	}{
		{"scatter of levels", func(s *side) map[string][]series { return s.levels }},
		{"scatter of effects", func(s *side) map[string][]series { return s.effects }},
	} {
		for _, arm := range sorted(q.of(a)) {
			x, y := q.of(a)[arm], q.of(b)[arm]
			r, lo, hi := ratio(x, y, scatter, rng)
			fmt.Printf("%-20s%-12s%6.2f %%  %6.2f %%  %6.3f  %.3f to %.3f\n", q.name, arm, 100*scatter(x), 100*scatter(y), r, lo, hi)
		}
	}
	for _, arm := range sorted(a.levels) {
		r, lo, hi := ratio(a.levels[arm], b.levels[arm], level, rng)
		fmt.Printf("%-20s%-12s%8s  %8s  %6.3f  %.3f to %.3f\n", "level", arm, "", "", r, lo, hi)
	}
	return nil
}

// scatter is the standard deviation of trials about their own run's mean.
func scatter(runs []series) float64 {
	var ss, df float64
	for _, run := range runs {
		if len(run) < 2 {
			continue
		}
		m := mean(run)
		for _, x := range run {
			ss += (x - m) * (x - m)
		}
		df += float64(len(run) - 1)
	}
	return math.Sqrt(ss / df)
}

// level is the geometric mean over runs.
func level(runs []series) float64 {
	var means []float64
	for _, run := range runs {
		if len(run) > 0 {
			means = append(means, mean(run))
		}
	}
	return math.Exp(mean(means))
}

// ratio is that of a figure of two sides, with its interval.
func ratio(a, b []series, of func([]series) float64, rng *rand.Rand) (r, lo, hi float64) {
	const draws = 4000
	draw := func(runs []series) []series {
		out := make([]series, len(runs))
		for i := range out {
			out[i] = runs[rng.IntN(len(runs))]
		}
		return out
	}
	var rs []float64
	for range draws {
		if x := of(draw(b)) / of(draw(a)); !math.IsNaN(x) && !math.IsInf(x, 0) {
			rs = append(rs, x)
		}
	}
	r = of(b) / of(a)
	if len(rs) == 0 {
		return r, math.NaN(), math.NaN()
	}
	slices.Sort(rs)
	return r, rs[len(rs)*25/1000], rs[len(rs)*975/1000]
}

func sorted(m map[string][]series) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}
