package html

import (
	"strconv"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// A statsRow is one comparison for those who know statistics.
type statsRow struct {
	Arm, Baseline, Metric               string
	Change, Interval, Verdict           string
	N                                   int
	DF, Alpha, P, PSign                 string
	Robust, Within, Between, HetP, Seen string
	Judged                              bool
}

func statsRows(s analysis.Summary) []statsRow {
	var rows []statsRow
	for _, c := range s.Comparisons {
		sc := figure.ChangeScale([]analysis.Comparison{c}, figure.InfoOf(c.Metric).ScaleFor(figure.Levels(s.Arms, c.Metric)))
		r := statsRow{Arm: c.Arm, Baseline: c.Baseline, Metric: figure.InfoOf(c.Metric).Title, Judged: c.Judged, N: c.N,
			Change: sc.Signed(c.Change) + " " + sc.Unit, Interval: report.VerdictTable{Change: sc}.Interval(&c), Verdict: report.VerdictWords(&c),
			DF: prose.Short(c.DF), Alpha: prose.Short(c.Alpha), P: pValue(c.P), PSign: pValue(c.PSign), HetP: pValue(c.HetP)}
		if c.Untold() {
			r.Change = ""
		}
		r.Robust = figure.Of(c.Robust, func(x *float64) string { return sc.Signed(*x) + " " + sc.Unit })
		r.Seen = figure.Of(c.SmallestDetectable, func(x *float64) string { return "±" + sc.Text(*x) + " " + sc.Unit })
		logPercent := func(x *float64) string { return prose.Short(100**x) + " %" }
		r.Within, r.Between = figure.Of(c.WithinSE, logPercent), figure.Of(c.BetweenSD, logPercent)
		rows = append(rows, r)
	}
	return rows
}

func pValue(p *float64) string {
	switch {
	case p == nil:
		return ""
	case *p < 0.0001:
		return "< 0.0001"
	}
	return strconv.FormatFloat(*p, 'f', 4, 64)
}
