package report

import (
	"netab/analysis"
	"netab/analysis/prose"
	"netab/results"
)

func lowerFirst(s string) string       { return prose.Lower(s) }
func plural(n int, noun string) string { return prose.Counted(n, noun) }

// percentOf writes a share such as a confidence: "95 %", "0.5 %".
func percentOf(f float64) string { return prose.ShortPercent(f) }

// A modeText is the modes of one arm in words: of its effect, or of its level.
type modeText struct {
	arm, text string
	modes     *analysis.Modes
	levels    *analysis.LevelModes
}

// modeTexts lists modes once an arm: those of a comparison of the headline
// metric first, then those of levels and other metrics that say more.
func modeTexts(s analysis.Summary) []modeText {
	var out []modeText
	seen := map[string]bool{}
	add := func(arm string, m *analysis.Modes) {
		if m == nil || seen[arm] {
			return
		}
		seen[arm] = true
		out = append(out, modeText{arm: arm, text: m.Text, modes: m})
	}
	headline := headlineOf(s)
	for _, c := range s.Comparisons {
		if c.Metric == headline {
			add(c.Arm, c.Modes)
		}
	}
	for _, c := range s.Comparisons {
		add(c.Arm, c.Modes)
	}
	for _, a := range s.Arms {
		if a.Modes != nil && !seen[a.Name] {
			name := a.Name
			if a.Run != "" {
				name += " @ " + a.Run
			}
			out = append(out, modeText{arm: name, text: a.Modes.Text, levels: a.Modes})
		}
	}
	return out
}

// shownWarnings puts serious warnings first and keeps the order otherwise.
// Modes have their own place, so a warning of them would say it twice.
func shownWarnings(s analysis.Summary) []results.Warning {
	told := len(modeTexts(s)) > 0
	var first, rest []results.Warning
	for _, w := range s.Warnings {
		switch {
		case (w.Code == "modes" || w.Code == "level-modes") && told:
		case w.Code.Serious():
			first = append(first, w)
		default:
			rest = append(rest, w)
		}
	}
	return append(first, rest...)
}
