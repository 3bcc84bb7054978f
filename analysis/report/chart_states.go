package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"netab/analysis"
	"netab/results"
)

// A canary is one that a strip is drawn of.
type canary struct {
	id, name, unit, title, note string
	of                          func(*results.Canaries) []float64 // values > 0; none = not measured, or timed out
	steady                      float64                           // spread (largest to smallest, but for the tails) from which it is worth a picture
}

var canaries = []canary{
	{id: "distance", name: "distance_ns", unit: "ns", title: "How far the CPUs of source and sink are apart",
		note: "The round trip of a cache line between the two CPUs, measured between slices. Levels that the machine switches between are states of it.",
		of: func(c *results.Canaries) []float64 {
			if c.DistanceNS == nil {
				return nil
			}
			return []float64{*c.DistanceNS}
		}},
	{id: "steps", name: "step_ns", unit: "ns a step", title: "How fast the CPUs of source and sink are",
		note:   "One step of a chain of dependent instructions, measured between slices: the less, the higher the frequency.",
		of:     func(c *results.Canaries) []float64 { return []float64{c.SourceStepNS, c.SinkStepNS} },
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
	states = slices.DeleteFunc(slices.Clone(states), func(s analysis.State) bool { return s.Canaries[c.name] <= 0 })
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
		if p.canaries == nil {
			continue
		}
		values := slices.DeleteFunc(c.of(p.canaries), func(x float64) bool { return x <= 0 })
		if len(values) == 0 {
			silent++
			continue
		}
		for _, x := range values {
			s := stateOf(states, c.name, x)
			byState[s] = append(byState[s], row{round(p.at, 1e3), round(x, 1e3), p.trial, p.block})
			all = append(all, x)
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
		note += fmt.Sprintf(" In %s no answer came in time.", plural(silent, "slice"))
	}
	built, err := p.finish(chart{ID: id, Title: c.title, Height: 180, Wide: true, Group: group, Note: note + thinNote(step),
		Alt: fmt.Sprintf("%s over time, %s.", c.title, plural(len(all), "reading"))})
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
