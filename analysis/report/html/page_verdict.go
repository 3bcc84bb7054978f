package html

import (
	"fmt"
	"html/template"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
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
}

type sideHead struct{ Title, Unit string }

type verdictLine struct {
	Name       string
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
}

// A besideLine is a row with the colour of its arm.
type besideLine struct {
	report.BesideRow
	Swatch string
}

type otherLine struct{ Arm, Metric, Text, Verdict, Words, Symbol string }

type modeView struct {
	Arm, Text, Covariate string
	Levels               bool   // of the arm's level, not of its change
	Of                   string // what the shares are of: trials, time
	Unit                 string
	Groups               []modeGroup
}

type modeGroup struct {
	Label, Share, Value, Interval string
	Verdict, Symbol, Trials       string
}

func newVerdictView(s analysis.Summary, v report.VerdictTable) verdictView {
	view := verdictView{Names: v.Names, Headline: v.Headline.Title, LevelUnit: v.Level.Unit, ChangeUnit: v.Change.Unit,
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
	l := verdictLine{Name: report.ArmLabel(analysis.ArmSummary{Name: r.Arm.Name, Levels: r.Arm.Levels}), Run: r.Arm.Run, Swatch: armColor(arm),
		Baseline: r.Baseline && r.Change == nil, SideLabels: heads}
	if r.Level != nil {
		l.Level, l.Half, l.N = v.Level.Text(r.Level.Mean), v.Half(r.Level), r.Level.N
	}
	if c := r.Change; c != nil {
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

func newModeView(m report.ModeText) modeView {
	if m.Levels != nil {
		return newLevelModeView(m)
	}
	view := modeView{Arm: m.Arm, Text: m.Text, Covariate: m.Modes.Covariate, Of: "trials"}
	if m.Modes.Kind == analysis.KindState {
		view.Of = "time"
	}
	var halves []analysis.Comparison
	for _, g := range m.Modes.Groups {
		halves = append(halves, analysis.Comparison{Change: g.Change, Lo: g.Lo, Hi: g.Hi})
	}
	sc := figure.ChangeScale(halves, figure.Scale{})
	view.Unit = sc.Unit
	for i, g := range m.Modes.Groups {
		group := modeGroup{Label: modeLabel(g.Label, i), Share: prose.ShortPercent(round(g.Share, 1e3)), Value: sc.Signed(g.Change), Trials: numbers(g.Trials),
			Verdict: string(g.Verdict), Symbol: page.VerdictSymbol(g.Verdict)}
		if g.Lo < g.Hi {
			group.Interval = figure.Interval(sc, g.Lo, g.Hi)
		}
		view.Groups = append(view.Groups, group)
	}
	return view
}

func newLevelModeView(m report.ModeText) modeView {
	view := modeView{Arm: m.Arm, Text: m.Text, Covariate: m.Levels.Covariate, Levels: true, Of: "trials"}
	var ls []analysis.Level
	for _, g := range m.Levels.Groups {
		ls = append(ls, analysis.Level{Unit: m.Levels.Unit, Mean: g.Level, Lo: g.Lo, Hi: g.Hi})
	}
	sc := figure.InfoOf(m.Levels.Metric).ScaleFor(ls)
	view.Unit = sc.Unit
	for i, g := range m.Levels.Groups {
		group := modeGroup{Label: modeLabel(g.Label, i), Share: prose.ShortPercent(round(g.Share, 1e3)), Value: sc.Text(g.Level), Trials: numbers(g.Trials)}
		if g.Lo < g.Hi {
			group.Interval = figure.TrimBlanks(sc.Text(g.Lo)) + " to " + sc.Text(g.Hi)
		}
		view.Groups = append(view.Groups, group)
	}
	return view
}

func modeLabel(label string, i int) string {
	if label == "" {
		return fmt.Sprintf("group %d", i+1)
	}
	return label
}

// numbers lists whole numbers, neighbours as ranges: "0-3, 7".
func numbers(ns []int) string {
	var parts []string
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		if j > i+1 {
			parts = append(parts, fmt.Sprintf("%d-%d", ns[i], ns[j]))
		} else {
			for k := i; k <= j; k++ {
				parts = append(parts, fmt.Sprint(ns[k]))
			}
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// pageFuncs are what the template needs beyond the view.
var pageFuncs = template.FuncMap{
	"minus":   prose.Typographic,
	"count":   prose.Grouped,
	"anchor":  func(parts ...string) string { return strings.Join(parts, "-") },
	"percent": prose.ShortPercent,
	"short":   prose.Short,
	"seconds": prose.Seconds,
	"color":   func(name string) template.CSS { return template.CSS("var(" + name + ")") },
}
