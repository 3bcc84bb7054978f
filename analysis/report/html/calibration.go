package html

import (
	"fmt"
	"io"
	"io/fs"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/prose"
)

// Calibration writes a calibration as one self-contained page.
func Calibration(w io.Writer, p *calibration.Page) error {
	return writeCalibration(w, p, assetFiles)
}

func writeCalibration(w io.Writer, p *calibration.Page, assets fs.FS) error {
	echarts, err := chartLibrary(assets)
	if err != nil {
		return err
	}
	view := &sectionsPage{frame: frame{Title: "netab: calibration of " + p.Scenario}, Kind: "calibration", Heading: p.Title(), Answer: p.Answer(),
		Made: fmt.Sprintf("Made by netab %s from %s", p.Netab.Version, prose.Counted(len(p.Runs), "run"))}
	for _, s := range p.Sections() {
		part := partOf(s)
		if s.Title == "What was found" {
			c, err := detectionChart(p)
			if err != nil {
				return err
			}
			part.Charts = append(part.Charts, c)
		}
		view.Parts = append(view.Parts, part)
	}
	return view.write(w, echarts)
}

// detectionChart is what every run found less what was put there, in the order
// of measuring.
func detectionChart(p *calibration.Page) (chart, error) {
	plot := newPlot(valueX("Run"), valueY("Found less put there (points of %)"))
	var names []string
	var all []float64
	for _, r := range p.Runs {
		all = append(all, 100*(r.Change-r.Truth))
	}
	for i, v := range []analysis.Verdict{analysis.Regression, analysis.Equivalent, analysis.Inconclusive, analysis.Improvement} {
		var rows []row
		for k, r := range p.Runs {
			off := 100 * (r.Change - r.Truth)
			if r.Verdict == string(v) {
				rows = append(rows, row{k + 1, round(off, 1e3), fmt.Sprintf("run %d, %s: %+.2f %% (%+.2f to %+.2f), put there %+.2f %%, in %.0f s",
					k+1, v, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Truth, r.DurationS)})
			}
		}
		if len(rows) > 0 {
			names = append(names, string(v))
			points := points2D(string(v), i, rows)
			points.Large, points.SymbolSize = nil, 7 // large scatters have no tooltips of their own
			plot.series(points)
		}
	}
	plot.MultiSeries[0].MarkLines = zeroLine("yAxis")
	low, high, outside := usualRange(all)
	if outside > 0 {
		plot.YAxisList[0].Min, plot.YAxisList[0].Max, _ = niceRange([]float64{low, high})
	}
	plot.legend(names)
	return plot.finish(chart{ID: "detection", Title: "Every run", Height: 340, Wide: true,
		Note: "A dot is one run, with the verdict that it came to. Without noise all would lie on the line." + outsideNote(outside, len(p.Runs)),
		Alt:  "What each run found less what was put there; the table has the figures."})
}
