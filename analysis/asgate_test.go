package analysis_test

import (
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/results/vocab"
)

func init() {
	analysis.OutcomeOf = func(c *analysis.Comparison) analysis.Outcome { return analysis.Outcome(gate.OutcomeOf(c)) }
	analysis.NewGate = func(s analysis.Summary, _ any, now time.Time, allowed ...vocab.Code) analysis.Gate {
		g := gate.New(s, nil, now, allowed...)
		out := analysis.Gate{Outcome: analysis.Outcome(g.Outcome), Sentence: g.Sentence, Forced: g.Forced}
		for _, k := range g.Checks {
			out.Checks = append(out.Checks, analysis.GateCheck{Outcome: analysis.Outcome(k.Outcome), Plain: k.Plain, Sure: k.Sure, Method: k.Method, Comparison: k.Comparison})
		}
		return out
	}
}
