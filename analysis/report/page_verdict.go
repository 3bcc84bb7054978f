package report

import (
	"fmt"
	"html/template"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
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
	besideRow
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

func newVerdictView(s analysis.Summary, v verdictTable) verdictView {
	view := verdictView{Names: v.names, Headline: v.headline.title, LevelUnit: v.level.unit, ChangeUnit: v.change.unit,
		Compares: v.compares, Confounders: s.Confounders}
	for _, c := range v.side {
		view.Side = append(view.Side, sideHead{c.title, c.unit})
	}
	for _, r := range besideRows(s) {
		view.Beside = append(view.Beside, besideLine{r, armColor(r.Index)})
	}
	for _, r := range v.rows {
		view.Rows = append(view.Rows, v.line(r, armIndex(s.Arms, r.arm.Name), view.Side))
	}
	for _, c := range otherJudged(s) {
		view.Others = append(view.Others, otherLine{c.Arm, infoOf(c.Metric).title, otherText(s, &c), string(c.Verdict), verdictWords(&c), page.VerdictSymbol(c.Verdict)})
	}
	for _, m := range modeTexts(s) {
		view.Modes = append(view.Modes, newModeView(m))
	}
	return view
}

func (v verdictTable) line(r verdictRow, arm int, heads []sideHead) verdictLine {
	l := verdictLine{Name: armLabel(analysis.ArmSummary{Name: r.arm.Name, Levels: r.arm.Levels}), Run: r.arm.Run, Swatch: armColor(arm),
		Baseline: r.baseline && r.change == nil, SideLabels: heads}
	if r.level != nil {
		l.Level, l.Half, l.N = v.level.format(r.level.Mean), v.half(r.level), r.level.N
	}
	if c := r.change; c != nil {
		l.Change, l.Interval = v.changeText(c), v.interval(c)
		l.Verdict, l.Words, l.Symbol = string(c.Verdict), verdictWords(c), page.VerdictSymbol(c.Verdict)
		if v.baselines > 1 {
			l.Against = c.Baseline
		}
	}
	for j, side := range v.side {
		l.Side = append(l.Side, cell(r.side[j], func(x *analysis.Level) string { return side.format(x.Mean) }))
	}
	return l
}

func newModeView(m modeText) modeView {
	if m.levels != nil {
		return newLevelModeView(m)
	}
	view := modeView{Arm: m.arm, Text: m.text, Covariate: m.modes.Covariate, Of: "trials"}
	if m.modes.Kind == analysis.KindState {
		view.Of = "time"
	}
	var halves []analysis.Comparison
	for _, g := range m.modes.Groups {
		halves = append(halves, analysis.Comparison{Change: g.Change, Lo: g.Lo, Hi: g.Hi})
	}
	sc := changeScale(halves, scale{})
	view.Unit = sc.unit
	for i, g := range m.modes.Groups {
		group := modeGroup{Label: modeLabel(g.Label, i), Share: percentOf(round(g.Share, 1e3)), Value: sc.signed(g.Change), Trials: numbers(g.Trials),
			Verdict: string(g.Verdict), Symbol: page.VerdictSymbol(g.Verdict)}
		if g.Lo < g.Hi {
			group.Interval = interval(sc, g.Lo, g.Hi)
		}
		view.Groups = append(view.Groups, group)
	}
	return view
}

func newLevelModeView(m modeText) modeView {
	view := modeView{Arm: m.arm, Text: m.text, Covariate: m.levels.Covariate, Levels: true, Of: "trials"}
	var ls []analysis.Level
	for _, g := range m.levels.Groups {
		ls = append(ls, analysis.Level{Unit: m.levels.Unit, Mean: g.Level, Lo: g.Lo, Hi: g.Hi})
	}
	sc := infoOf(m.levels.Metric).scaleFor(ls)
	view.Unit = sc.unit
	for i, g := range m.levels.Groups {
		group := modeGroup{Label: modeLabel(g.Label, i), Share: percentOf(round(g.Share, 1e3)), Value: sc.format(g.Level), Trials: numbers(g.Trials)}
		if g.Lo < g.Hi {
			group.Interval = trimBlanks(sc.format(g.Lo)) + " to " + sc.format(g.Hi)
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
	"minus":   typographic,
	"count":   count,
	"anchor":  func(parts ...string) string { return strings.Join(parts, "-") },
	"percent": percentOf,
	"short":   short,
	"seconds": seconds,
	"color":   func(name string) template.CSS { return template.CSS("var(" + name + ")") },
}
