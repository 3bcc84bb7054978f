package sample

import (
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	simulated "netab/analysis/world"
	"netab/results"
)

// GateDay is when acknowledgements are held against the time.
var GateDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// Gated judges a quiet world whose second arm is slower by 5 %.
func Gated(change func(*results.Run), known string) gate.Gate {
	w := simulated.World{Effects: []float64{-0.05, 0}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.02, time.Minute), 5, 20)
	if change != nil {
		change(run)
	}
	issues, err := gate.ParseKnownIssues("k", []byte(known))
	if err != nil {
		panic(err)
	}
	return gate.New(analysis.Summarize(run), issues, GateDay)
}
