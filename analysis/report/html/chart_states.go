package html

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/results"
)

// A canary is one that a strip is drawn of.
type canary struct {
	id, unit, title, note string
	of                    map[string]func(*results.Canaries) float64 // by its name in a State; 0 = not measured, or timed out
	needs                 func(*results.Canaries) bool               // there is something to measure; nil = always
	steady                float64                                    // spread (largest to smallest, but for the tails) from which it is worth a picture
}

var canaries = []canary{
	{id: "distance", unit: "ns", title: "How far the CPUs of source and sink are apart",
		note:  "The round trip of a cache line between the two CPUs, measured between slices. Levels that the machine switches between are states of it.",
		needs: func(c *results.Canaries) bool { return c.SourceCPU != c.SinkCPU },
		of: map[string]func(*results.Canaries) float64{"distance_ns": func(c *results.Canaries) float64 {
			if c.DistanceNS == nil {
				return 0
			}
			return *c.DistanceNS
		}}},
	{id: "steps", unit: "ns a step", title: "How fast the CPUs of source and sink are",
		note: "One step of a chain of dependent instructions, measured between slices: the less, the higher the frequency.",
		of: map[string]func(*results.Canaries) float64{
			"source_step_ns": func(c *results.Canaries) float64 { return c.SourceStepNS },
			"sink_step_ns":   func(c *results.Canaries) float64 { return c.SinkStepNS },
		},
		steady: 1.05},
}

// stateStrips are the machine's canaries on the clock of the slices, one strip
// for each that tells something.
func stateStrips(id func(string) string, group string, d runData, states []analysis.State) ([]chart, error) {
	var out []chart
	for _, c := range canaries {
		strip, ok, err := stateStrip(id(c.id), group, c, d, states)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, strip)
		}
	}
	return out, nil
}

// stateStrip draws one canary, a series for each state.
func stateStrip(id, group string, c canary, d runData, states []analysis.State) (chart, bool, error) {
	keys := slices.Sorted(maps.Keys(c.of))
	states = slices.DeleteFunc(slices.Clone(states), func(s analysis.State) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return s.Canaries[key] <= 0 })
	})
	names := []string{c.unit}
	if len(states) > 0 {
		names = nil
		for _, s := range states {
			names = append(names, s.Name)
		}
	}
	byState := make([][]row, len(names))
	var all []float64
	silent := 0
	points, step := d.thin()
	for _, p := range points {
		if p.canaries == nil || c.needs != nil && !c.needs(p.canaries) {
			continue
		}
		told := false
		for _, key := range keys {
			x := c.of[key](p.canaries)
			if x <= 0 {
				continue
			}
			s := stateOf(states, key, x)
			byState[s] = append(byState[s], row{round(p.at, 1e3), round(x, 1e3), p.trial, p.block})
			all, told = append(all, x), true
		}
		if !told {
			silent++
		}
	}
	if len(all) == 0 || ratioOf(all) < c.steady {
		return chart{}, false, nil
	}
	y := valueY(c.unit)
	if ratioOf(all) > 20 {
		y = logarithmicY(y)
	}
	p := newPlot(valueX("Time since the first trial (s)"), y)
	p.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item", Formatter: "@slice"}))
	for i, rows := range byState {
		p.series(points2D(names[i], i, rows))
	}
	if len(names) > 1 {
		p.legend(names)
	}
	note := c.note
	if silent > 0 {
		note += fmt.Sprintf(" In %s no answer came in time.", prose.Counted(silent, "slice"))
	}
	built, err := p.finish(chart{ID: id, Title: c.title, Height: 180, Wide: true, Group: group, Note: note + thinNote(step),
		Alt: fmt.Sprintf("%s over time, %s.", c.title, prose.Counted(len(all), "reading"))})
	return built, true, err
}

// stateOf is the state whose median is nearest on the log scale.
func stateOf(states []analysis.State, name string, x float64) int {
	best, least := 0, math.Inf(1)
	for i, s := range states {
		if apart := math.Abs(math.Log(x / s.Canaries[name])); apart < least {
			best, least = i, apart
		}
	}
	return best
}

// ratioOf is how many times the smallest the largest is, one in twenty of either
// end left out.
func ratioOf(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	cut := len(sorted) / 20
	return sorted[len(sorted)-1-cut] / sorted[cut]
}
