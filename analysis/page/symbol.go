package page

import (
	"netab/analysis"
	"netab/analysis/gate"
)

// VerdictSymbol makes a verdict readable without colour.
func VerdictSymbol(v analysis.Verdict) string {
	switch v {
	case analysis.Improvement:
		return "▲"
	case analysis.Regression:
		return "▼"
	case analysis.Equivalent:
		return "≈"
	}
	return "?"
}

// OutcomeSymbol does so for an outcome.
func OutcomeSymbol(o gate.Outcome) string {
	switch o {
	case gate.Passed:
		return "✓"
	case gate.Worse:
		return "▼"
	case gate.Acknowledged:
		return "≈"
	case gate.NotComparable, gate.NotMeasured:
		return "✗"
	}
	return "?"
}

// OutcomeWords say an outcome as a heading does.
func OutcomeWords(o gate.Outcome) string {
	switch o {
	case gate.Worse:
		return "regression"
	case gate.Undecided:
		return "no verdict yet"
	case gate.NotComparable:
		return "not comparable"
	case gate.NotMeasured:
		return "measurement failed"
	}
	return string(o)
}

// Symbol: an acknowledgement that did not apply wants somebody's eye.
func (i Issue) Symbol() string {
	if i.Used {
		return "≈"
	}
	return "!"
}
