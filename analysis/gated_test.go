package analysis

import (
	"time"

	"netab/results/vocab"
)

// What a gate makes of a summary is package gate's, which imports this one: so a test
// here asks it by way of asgate_test.go.
var (
	NewGate   func(s Summary, none any, now time.Time, allowed ...vocab.Code) Gate // with no known issues
	OutcomeOf func(c *Comparison) Outcome
)

// An Outcome is gate.Outcome.
type Outcome string

// Those that tests here want.
const (
	Passed        Outcome = "passed"
	Worse         Outcome = "regression"
	Undecided     Outcome = "inconclusive"
	NotComparable Outcome = "not-comparable"
	NotMeasured   Outcome = "failed"
)

// A Gate is what tests here want to know of a gate.Gate.
type Gate struct {
	Outcome  Outcome
	Sentence string
	Forced   []string
	Checks   []GateCheck
}

// A GateCheck is gate.Check.
type GateCheck struct {
	Outcome             Outcome
	Plain, Sure, Method string
	Comparison          *Comparison
}

var gateDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
