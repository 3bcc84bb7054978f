package report

import (
	"netab/analysis"
)

// A ModeText is the modes of one arm in words: of its effect, or of its level.
type ModeText struct {
	Arm, Text string
	Modes     *analysis.Modes
	Levels    *analysis.LevelModes
}

// ModeTexts lists modes once an arm: those of a comparison of the headline
// metric first, then those of levels and other metrics that say more.
func ModeTexts(s analysis.Summary) []ModeText {
	var out []ModeText
	seen := map[string]bool{}
	add := func(arm string, m *analysis.Modes) {
		if m == nil || seen[arm] {
			return
		}
		seen[arm] = true
		out = append(out, ModeText{Arm: arm, Text: m.Text, Modes: m})
	}
	headline := HeadlineOf(s)
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
			out = append(out, ModeText{Arm: name, Text: a.Modes.Text, Levels: a.Modes})
		}
	}
	return out
}
