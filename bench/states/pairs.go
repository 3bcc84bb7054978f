package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netab/analysis"
	"netab/results"
)

// An estimate is the effect of the arm in one run, within a state or without
// regard to states.
type estimate struct {
	distance       float64            // ns, of the state
	canaries       map[string]float64 // all of them
	share          float64
	change, lo, hi float64
}

func (e estimate) sharesState(f estimate) bool { return analysis.SameState(e.canaries, f.canaries) }

// A table is what all runs say together.
type table struct {
	runs              int
	first, last       time.Time
	states            []stateRow
	ignored           tally
	unexplained, dull int // runs whose trials disagree and nothing recorded tells why: with states ignored, with states
}

// A stateRow is one state over all runs.
type stateRow struct {
	distance float64 // median of runs
	share    float64 // mean over all runs
	tally
}

// A tally counts pairs of runs.
type tally struct {
	estimates          []estimate
	pairs, apart, sign int // all, whose intervals exclude each other, of these of opposite sign
}

// judge needs an arm that all runs have.
func judge(runs []*results.Run, arm string) (table, error) {
	var t table
	t.runs = len(runs)
	var within []estimate
	for _, run := range runs {
		if run.Header.Design.ArmAt(arm) < 0 {
			return t, fmt.Errorf("run %s has no arm %q", run.Header.ID, arm)
		}
		if t.first.IsZero() {
			t.first = run.Header.Started
		}
		t.last = run.Header.Started
		seen, blind := analysis.Summarize(run), analysis.Summarize(withoutCanaries(run))
		if unexplained(blind) {
			t.unexplained++
		}
		if unexplained(seen) {
			t.dull++
		}
		if c := of(blind, arm); c != nil && !c.Untold() && c.N > 1 {
			t.ignored.estimates = append(t.ignored.estimates, estimate{change: c.Change, lo: c.Lo, hi: c.Hi})
		}
		within = append(within, estimates(seen, arm)...)
	}
	t.ignored.count()
	for len(within) > 0 {
		var row stateRow
		first := within[0]
		row.estimates = slices.DeleteFunc(slices.Clone(within), func(e estimate) bool { return !e.sharesState(first) })
		within = slices.DeleteFunc(within, first.sharesState)
		for _, e := range row.estimates {
			row.share += e.share / float64(len(runs))
		}
		row.distance = median(row.estimates, func(e estimate) float64 { return e.distance })
		row.count()
		t.states = append(t.states, row)
	}
	slices.SortFunc(t.states, func(a, b stateRow) int { return int(a.distance - b.distance) })
	return t, nil
}

// estimates are the arm's effects within the states of a run.
func estimates(s analysis.Summary, arm string) []estimate {
	c := of(s, arm)
	if c == nil || c.Untold() || len(s.States) == 0 || c.N < 2 {
		return nil
	}
	if c.Modes != nil && c.Modes.Kind == "state" {
		var out []estimate
		for _, g := range c.Modes.Groups {
			if d := g.Canaries["distance_ns"]; d > 0 && g.Hi > g.Lo {
				out = append(out, estimate{distance: d, canaries: g.Canaries, share: g.Share, change: g.Change, lo: g.Lo, hi: g.Hi})
			}
		}
		return out
	}
	d := s.States[0].Canaries["distance_ns"]
	if d <= 0 {
		return nil
	}
	return []estimate{{distance: d, canaries: s.States[0].Canaries, share: s.States[0].Share, change: c.Change, lo: c.Lo, hi: c.Hi}}
}

// of is the headline comparison of the arm.
func of(s analysis.Summary, arm string) *analysis.Comparison {
	for i := range s.Comparisons {
		if c := &s.Comparisons[i]; c.Arm == arm && c.Judged {
			return c
		}
	}
	return nil
}

func unexplained(s analysis.Summary) bool {
	return slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == "heterogeneous" })
}

// withoutCanaries is what a tool sees that does not measure the machine's state.
func withoutCanaries(run *results.Run) *results.Run {
	blind := *run
	blind.Trials = slices.Clone(run.Trials)
	for i := range blind.Trials {
		t := &blind.Trials[i]
		t.Edges, t.Slices = nil, slices.Clone(t.Slices)
		for k := range t.Slices {
			t.Slices[k].Canaries = nil
		}
	}
	return &blind
}

// count goes through all pairs.
func (t *tally) count() {
	for i, a := range t.estimates {
		for _, b := range t.estimates[:i] {
			t.pairs++
			if a.lo > b.hi || b.lo > a.hi {
				t.apart++
				if a.lo > 0 && b.hi < 0 || b.lo > 0 && a.hi < 0 {
					t.sign++
				}
			}
		}
	}
}

func median(es []estimate, of func(estimate) float64) float64 {
	xs := make([]float64, 0, len(es))
	for _, e := range es {
		xs = append(xs, of(e))
	}
	slices.Sort(xs)
	if len(xs) == 0 {
		return 0
	}
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

func (t tally) row(name, share string) string {
	half := median(t.estimates, func(e estimate) float64 { return (e.hi - e.lo) / 2 })
	change := median(t.estimates, func(e estimate) float64 { return e.change })
	return fmt.Sprintf("| %s | %s | %d | %+.1f %% | %.1f %% | %d | %d (%.0f %%) | %d |\n",
		name, share, len(t.estimates), 100*change, 100*half, t.pairs, t.apart, 100*float64(t.apart)/float64(max(1, t.pairs)), t.sign)
}

func (t table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs, %s to %s\n\n", t.runs, t.first.UTC().Format(time.RFC3339), t.last.UTC().Format(time.RFC3339))
	b.WriteString("| state | share | runs | median effect | median half-width | pairs | intervals exclude each other | of opposite sign |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range t.states {
		b.WriteString(s.row(fmt.Sprintf("CPUs %.0f ns apart", s.distance), fmt.Sprintf("%.0f %%", 100*s.share)))
	}
	b.WriteString(t.ignored.row("ignored", ""))
	fmt.Fprintf(&b, "\nTrials disagree and nothing recorded explains it: in %d of %d runs where states are ignored, in %d where they are known.\n", t.unexplained, t.runs, t.dull)
	return b.String()
}
