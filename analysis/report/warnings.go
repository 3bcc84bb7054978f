package report

import (
	"netab/analysis"
	"netab/results"
)

// ShownWarnings puts serious warnings first and keeps the order otherwise.
// Modes have their own place, so a warning of them would say it twice.
func ShownWarnings(s analysis.Summary) []results.Warning {
	told := len(ModeTexts(s)) > 0
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
