package html

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/go-echarts/go-echarts/v2/charts"

	"netab/analysis/proof"
)

// Proof writes a proof as one self-contained page, as Runs does a run.
func Proof(w io.Writer, p proof.Proof) error { return writeProof(w, p, assetFiles) }

func writeProof(w io.Writer, p proof.Proof, assets fs.FS) error {
	echarts, err := chartLibrary(assets)
	if err != nil {
		return err
	}
	view, err := newProofPage(p)
	if err != nil {
		return err
	}
	return view.write(w, echarts)
}

func newProofPage(p proof.Proof) (*sectionsPage, error) {
	view := &sectionsPage{frame: frame{Title: "netab: " + proof.Title}, Kind: "proof", Heading: proof.Title, Answer: p.View().Answer,
		Made: "Made by netab from simulations with fixed seeds"}
	for _, s := range p.Sections() {
		part := partOf(s)
		if s.Title == "Power" {
			for _, curve := range proofCurves {
				c, err := curve.chart(p)
				if err != nil {
					return nil, err
				}
				part.Charts = append(part.Charts, c)
			}
		}
		view.Parts = append(view.Parts, part)
	}
	return view, nil
}

// A proofCurve is a figure of all worlds over the true effect.
type proofCurve struct {
	id, title, y, note string
	value              func(proof.Effect) float64
}

var proofCurves = []proofCurve{
	{"power", "Effects found", "Runs that found it (%)", "Each line is one world. At twice the resolution 90 % are asked for.",
		func(e proof.Effect) float64 { return 100 * e.Found }},
	{"time", "Time to the end of a run", "Median wall time (s)", "The larger the effect, the sooner a run ends. No effect takes longest: that it is smaller than the resolution must be shown.",
		func(e proof.Effect) float64 { return e.Seconds }},
}

func (c proofCurve) chart(p proof.Proof) (chart, error) {
	plot := newPlot(valueX("True effect, in units of the resolution"), valueY(c.y))
	var names []string
	for i, r := range p.Worlds {
		if r.Beyond != "" {
			continue
		}
		var rows []row
		for _, e := range r.Effects {
			rows = append(rows, row{e.Effect, round(c.value(e), 1e3), fmt.Sprintf("%s, %g times the resolution: %s %.0f", r.Name, e.Effect, c.y, c.value(e))})
		}
		names = append(names, r.Name)
		plot.series(lineSeries(r.Name, i, rows))
	}
	if len(names) == 0 {
		plot.series(charts.SingleSeries{Name: "none", Type: "line", Data: []row{}})
	}
	plot.legend(names)
	return plot.finish(chart{ID: c.id, Title: c.title, Height: 380, Wide: true, Note: c.note,
		Alt: c.title + ", by true effect; the table has the figures."})
}
