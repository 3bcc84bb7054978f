package html

import (
	"fmt"
	"io"
	"io/fs"
	"math"

	"netab/analysis/prose"
	"netab/analysis/report"
)

// Bisection writes a bisection as one self-contained page.
func Bisection(w io.Writer, b *report.Bisection) error { return writeBisection(w, b, assetFiles) }

func writeBisection(w io.Writer, b *report.Bisection, assets fs.FS) error {
	echarts, err := chartLibrary(assets)
	if err != nil {
		return err
	}
	p := b.View()
	view := &sectionsPage{frame: frame{Title: "netab: " + p.Title}, Kind: "bisection", Heading: p.Title, Answer: p.Answer,
		Made: fmt.Sprintf("Made by netab %s from bisection %s", b.Record.Header.Netab.Version, b.Record.Header.ID)}
	for _, s := range p.Sections {
		part := partOf(s)
		if s.Title == "What was tested" {
			c, err := stepChart(b)
			if err != nil {
				return err
			}
			part.Charts = append(part.Charts, c)
		}
		view.Parts = append(view.Parts, part)
	}
	return view.write(w, echarts)
}

// stepChart is the cost of every change that was tested, in their order.
func stepChart(b *report.Bisection) (chart, error) {
	plot := newPlot(valueX("Change"), valueY("Cost against the first (%)"))
	first := b.Levels[0].Mean
	var points, errors []row
	for _, l := range b.Levels {
		x := 100 * math.Expm1(l.Mean-first)
		lo, hi := 100*math.Expm1(l.Mean-2*l.SE-first), 100*math.Expm1(l.Mean+2*l.SE-first)
		c := b.Record.Header.Changes[l.Change]
		points = append(points, row{l.Change, round(x, 1e4), fmt.Sprintf("%d: %.12s %s: %+.3f %%, %s", l.Change, c.ID, c.Subject, x, prose.Counted(l.Tests, "test"))})
		errors = append(errors, row{l.Change, round(lo, 1e4), round(hi, 1e4), round(x, 1e4), ""})
	}
	plot.series(errorSeries("two standard errors", armColor(0), errors))
	dots := points2D("tested", 0, points)
	dots.Large, dots.SymbolSize = nil, 8
	plot.series(dots)
	return plot.finish(chart{ID: "steps", Title: "Cost by change", Height: 340, Wide: true,
		Note: "A dot is the mean of a change's tests, with two standard errors; changes that come to the same code share them. What was not made has none.",
		Alt:  "The cost of each change that was tested; the table has the figures."})
}
