package proof

import (
	"fmt"

	"netab/analysis/page"
	"netab/analysis/prose"
)

// verdicts is the main table: a row a world.
func (p Proof) verdicts(beyond bool) page.Table {
	t := page.Plain("world", "noise", "resolution", "limit", "false difference", "false equivalent", "coverage", "equivalent at 0", "found at 2×")
	t.Columns[1].Rank = 1 // the longest, and explained on the page
	for _, r := range p.Worlds {
		if (r.Beyond != "") != beyond {
			continue
		}
		t.Row(page.Text(r.Name), page.Text(r.Title), page.ShareOf(fmt.Sprintf("%g %%", 100*r.Resolution), r.Resolution), page.NumberOf(fmt.Sprintf("%.0f s", r.MaxTimeS), r.MaxTimeS, "s"),
			p.share(r.worst(func(e Effect) float64 { return e.Different })),
			p.share(r.worst(func(e Effect) float64 { return e.FalseEquivalent })),
			percent(-r.worst(func(e Effect) float64 { return -e.Covered })),
			r.cell(0, func(e Effect) page.Cell { return percent(e.Equivalent) }),
			r.cell(2, func(e Effect) page.Cell { return percent(e.Found) }))
	}
	return t
}

// byEffect is a table with a column for each true effect and a row for each
// world that is of interest.
func (p Proof) byEffect(cell func(Effect) page.Cell, of func(Result) bool) page.Table {
	var t page.Table
	for _, r := range p.Worlds {
		if t.Columns == nil {
			head := []string{"world"}
			for _, e := range r.Effects {
				head = append(head, fmt.Sprintf("%g×", e.Effect))
			}
			t = page.Plain(head...)
		}
		if r.Beyond != "" || !of(r) {
			continue
		}
		row := []page.Cell{page.Text(r.Name)}
		for _, e := range r.Effects {
			row = append(row, cell(e))
		}
		t.Row(row...)
	}
	return t
}

func (r Result) cell(effect float64, of func(Effect) page.Cell) page.Cell {
	if e, ok := r.at(effect); ok {
		return of(e)
	}
	return page.Cell{}
}

// share is a share of the runs with its Monte-Carlo standard error.
func (p Proof) share(x float64) page.Cell {
	return page.ShareOf(fmt.Sprintf("%.1f ± %.1f %%", 100*x, 100*standardError(x, p.Repetitions)), x)
}

func percent(x float64) page.Cell { return page.ShareOf(prose.PercentTo(x, 1), x) }

func whole(x float64) page.Cell { return page.ShareOf(prose.WholePercent(x), x) }

func found(e Effect) page.Cell { return whole(e.Found) }

func took(e Effect) page.Cell {
	return page.NumberOf(fmt.Sprintf("%.0f s (%.0f s)", e.Seconds, e.Seconds90), e.Seconds, "s")
}

func everyWorld(Result) bool { return true }

func showsModes(r Result) bool {
	return r.worst(func(e Effect) float64 { return e.Explained }) >= 0.05
}

func modes(e Effect) page.Cell { return whole(e.Explained) }

// bounds says in a sentence what the main table is held to.
func (p Proof) bounds() string {
	text := fmt.Sprintf("Bounds: false differences and false equivalents at most %.2f %% (5 %% and three standard errors of a share of %d runs), coverage at least %.1f %%, equivalent at least %.1f %% without an effect, found at least %.1f %% at twice the resolution",
		100*MostWrong(p.Repetitions), p.Repetitions, 100*least(leastCovered, p.Repetitions), 100*least(leastEquivalent, p.Repetitions), 100*least(leastFound, p.Repetitions))
	if p.Repetitions < FullRepetitions {
		text += fmt.Sprintf(" (93, 80 and 90 %%, less three standard errors, because these are fewer than %d runs)", FullRepetitions)
	}
	return text + "."
}
