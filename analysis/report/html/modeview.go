package html

import (
	"fmt"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// A modeView is the groups that trials fall into.
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
