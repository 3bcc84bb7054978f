package page

import "netab/analysis"

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
func OutcomeSymbol(o analysis.Outcome) string {
	switch o {
	case analysis.Passed:
		return "✓"
	case analysis.Worse:
		return "▼"
	case analysis.Acknowledged:
		return "≈"
	case analysis.NotComparable, analysis.NotMeasured:
		return "✗"
	}
	return "?"
}

// OutcomeWords say an outcome as a heading does.
func OutcomeWords(o analysis.Outcome) string {
	switch o {
	case analysis.Worse:
		return "regression"
	case analysis.Undecided:
		return "no verdict yet"
	case analysis.NotComparable:
		return "not comparable"
	case analysis.NotMeasured:
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
