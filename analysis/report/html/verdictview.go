package html

import (
	"strconv"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// A verdictView is the verdict table as the page shows it: text only, so that
// the template decides nothing.
type verdictView struct {
	Names       string
	Headline    string
	LevelUnit   string
	ChangeUnit  string
	Compares    bool
	Side        []sideHead
	Rows        []verdictLine
	Others      []otherLine
	Beside      []besideLine
	Modes       []modeView
	Confounders []analysis.Confounder
	Alarms      string // how many there are, and of how many any may be false
	Sifts       bool   // there are rows enough to sort and filter
}

// siftedRows are more than fit on a screen.
const siftedRows = 12

type sideHead struct{ Title, Unit string }

type verdictLine struct {
	Name       string
	Arm        string // its name in full
	Run        string // where arms of several runs stand together
	Swatch     string // CSS variable of the arm's colour
	Baseline   bool
	Against    string // set where there are several baselines
	Level      string
	Half       string
	N          int
	Change     string
	Interval   string
	Verdict    string // one of the four, for the colour
	Words      string
	Symbol     string
	Side       []string
	SideLabels []sideHead
	Why        string // where the page says why it changed; "" = nowhere
	SortLevel  string // plain numbers
	SortChange string
	Command    string // that measures this arm again, with the baseline; "" = none is known
}

// A besideLine is a row with the colour of its arm.
type besideLine struct {
	report.BesideRow
	Swatch string
}

type otherLine struct{ Arm, Metric, Text, Verdict, Words, Symbol string }

func newVerdictView(s analysis.Summary, v report.VerdictTable) verdictView {
	view := verdictView{Alarms: report.AlarmText(s), Sifts: len(v.Rows) > siftedRows, Names: v.Names, Headline: v.Headline.Title, LevelUnit: v.Level.Unit, ChangeUnit: v.Change.Unit,
		Compares: v.Compares, Confounders: s.Confounders}
	for _, c := range v.Side {
		view.Side = append(view.Side, sideHead{c.Title, c.Unit})
	}
	for _, r := range report.BesideRows(s) {
		view.Beside = append(view.Beside, besideLine{r, armColor(r.Index)})
	}
	for _, r := range v.Rows {
		view.Rows = append(view.Rows, lineOf(v, r, report.ArmIndex(s.Arms, r.Arm.Name), view.Side))
	}
	for _, c := range report.OtherJudged(s) {
		view.Others = append(view.Others, otherLine{c.Arm, figure.InfoOf(c.Metric).Title, report.OtherText(s, &c), string(c.Verdict), report.VerdictWords(&c), page.VerdictSymbol(c.Verdict)})
	}
	for _, m := range report.ModeTexts(s) {
		view.Modes = append(view.Modes, newModeView(m))
	}
	return view
}

func lineOf(v report.VerdictTable, r report.VerdictRow, arm int, heads []sideHead) verdictLine {
	l := verdictLine{Arm: r.Arm.Name, Name: report.ArmLabel(analysis.ArmSummary{Name: r.Arm.Name, Levels: r.Arm.Levels}), Run: r.Arm.Run, Swatch: armColor(arm),
		Baseline: r.Baseline && r.Change == nil, SideLabels: heads}
	if r.Level != nil {
		l.SortLevel = strconv.FormatFloat(r.Level.Mean, 'g', 6, 64)
		l.Level, l.Half, l.N = v.Level.Text(r.Level.Mean), v.Half(r.Level), r.Level.N
	}
	if c := r.Change; c != nil {
		l.SortChange = strconv.FormatFloat(c.Change, 'g', 6, 64)
		l.Change, l.Interval = v.ChangeText(c), v.Interval(c)
		l.Verdict, l.Words, l.Symbol = string(c.Verdict), report.VerdictWords(c), page.VerdictSymbol(c.Verdict)
		if v.Baselines > 1 {
			l.Against = c.Baseline
		}
	}
	for j, side := range v.Side {
		l.Side = append(l.Side, figure.Of(r.Side[j], func(x *analysis.Level) string { return side.Text(x.Mean) }))
	}
	return l
}

// link has each change lead to what explains it.
func (v *verdictView) link(whys []whyView) {
	for i := range v.Rows {
		for _, w := range whys {
			r := &v.Rows[i]
			within := w.Of == "" && w.Arm == r.Arm && (r.Against == "" || r.Against == w.Baseline)
			between := w.Of != "" && w.Of == r.Arm && w.Arm == r.Run
			if r.Change != "" && w.Baseline != "" && (within || between) {
				r.Why = w.ID
			}
		}
	}
}
