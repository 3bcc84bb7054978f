package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"netab/results/disk"
)

// A history is what a nightly job sees: many series of one store, each arm's level
// one, with the gate asked every night from from on.
type history struct {
	name         string
	from, nights int
	levels       func(rng *rand.Rand, n int) []float64 // of one series, logarithms
	becameWorse  bool                                  // and so its gate should fail on some night
}

// runSD is the scatter of runs in histories.
const runSD = 0.02

func histories() []history {
	shifted := func(shift func(night int) float64) func(*rand.Rand, int) []float64 {
		return func(rng *rand.Rand, n int) []float64 {
			xs := normal(runSD)(rng, n)
			for i := range xs {
				xs[i] += shift(i)
			}
			return xs
		}
	}
	return []history{
		{"nothing changes", 10, 120, normal(runSD), false},
		{"AR(1) 0.6 from night to night", 10, 120, autoregressive(0.6, runSD), false},
		{"a step of 3 % down after 60 nights", 60, 120, shifted(func(i int) float64 {
			if i < 60 {
				return 0
			}
			return math.Log1p(-0.03)
		}), true},
		{"0.1 % down a night for 90 nights", 30, 120, shifted(func(i int) float64 { return -0.001 * float64(max(0, i-30)) }), true},
	}
}

// draw makes the runs of all nights, one series an arm.
func (h *history) draw(seed uint64, series int) []*run {
	rng := rand.New(rand.NewPCG(seed, 0x7472656e64))
	levels := [][]float64{normal(runSD)(rng, h.nights)}
	for range series {
		levels = append(levels, h.levels(rng, h.nights))
	}
	none := func(int, int, time.Duration) float64 { return 0 }
	var runs []*run
	for night := range h.nights {
		started := began.AddDate(0, 0, night)
		runs = append(runs, &run{
			id: fmt.Sprintf("%s-audit-%04x", started.Format("20060102-150405"), night), seed: rng.Uint64() >> 12, started: started,
			arms: series + 1, trials: 2, blocks: 1, resolution: 0.01, metric: "goodput", order: rng.Perm, lost: none,
			log: func(_, arm int, _ time.Duration) float64 { return levels[arm][night] },
		})
	}
	return runs
}

// A fate is what became of the gates of a history's series.
type fate struct {
	history
	series, failed   int // series whose gate failed on any night
	gates, undecided int // nights of all series
}

// follow asks netab night by night, each time with that night's run in the store.
func (j judge) follow(h history, seed uint64, series int) (fate, error) {
	f := fate{history: h, series: series}
	store := filepath.Join(j.dir, "runs")
	failed := map[string]bool{}
	for night, r := range h.draw(seed, series) {
		if err := j.keep(store, r); err != nil {
			return f, err
		}
		if night < h.from {
			continue
		}
		outcomes, err := j.trend(store)
		if err != nil {
			return f, err
		}
		delete(outcomes, r.armName(0))
		if len(outcomes) != series {
			return f, fmt.Errorf("%s: netab trend judges %d series, want %d", h.name, len(outcomes), series)
		}
		for arm, outcome := range outcomes {
			f.gates++
			switch outcome {
			case "regression":
				failed[arm] = true
			case "inconclusive":
				f.undecided++
			}
		}
	}
	f.failed = len(failed)
	return f, os.RemoveAll(store)
}

func (j judge) keep(store string, r *run) error {
	dir, err := disk.MakeDir(filepath.Join(store, r.id))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Write("run.jsonl", r.write)
}

// trend is the outcome of each arm's series.
func (j judge) trend(store string) (map[string]string, error) {
	var said struct {
		Series []struct{ Arm, Outcome string }
	}
	if err := j.decode(&said, "trend", "--gate", "--json", "--store", store); err != nil {
		return nil, err
	}
	outcomes := map[string]string{}
	for _, s := range said.Series {
		outcomes[s.Arm] = s.Outcome
	}
	return outcomes, nil
}

// A history holds as a world does: of all series at most alpha may fail, or most
// of those that became worse.
func (f *fate) tally() (t tally, event int) {
	t = tally{world: &world{comparisons: 1, power: f.becameWorse}, n: f.series}
	if event = missed; f.becameWorse {
		event = found
	}
	t.seen[event] = f.failed
	return t, event
}

func (f *fate) holds() bool { t, _ := f.tally(); return t.whole() }

func (f *fate) row() string {
	t, event := f.tally()
	bound, _ := t.bound(event)
	promised := "at most "
	if f.becameWorse {
		promised = "at least "
	}
	return line([]string{f.name, fmt.Sprint(f.series), fmt.Sprint(f.nights - f.from), t.cell(event), promised + percent(bound),
		percent(float64(f.undecided) / float64(f.gates)), yes(t.whole())})
}

// followAll prints the table of histories and reports whether all of them hold.
func followAll(o options, j judge, hs []history, out io.Writer) (whole bool, err error) {
	whole = true
	text := "\n" + heading("history", "series", "nights", "gate fails on any", "promised", "gates undecided", "holds")
	for _, h := range hs {
		if _, err := io.WriteString(out, text); err != nil {
			return false, err
		}
		f, err := j.follow(h, o.seed, o.series)
		if err != nil {
			return false, err
		}
		text, whole = f.row(), whole && f.holds()
	}
	_, err = io.WriteString(out, text)
	return whole, err
}
