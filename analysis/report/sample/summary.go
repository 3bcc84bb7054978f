package sample

import (
	"netab/analysis"
	"netab/analysis/report/figure"
	"netab/results"
)

// SummaryOf judges a world without package analysis.
func SummaryOf(w World) analysis.Summary { return w.summary(w.Run()) }

// Troubled is a run in which all went wrong that a summary can tell of.
func Troubled() analysis.Summary {
	s := SummaryOf(TCPWorld())
	s.Converged, s.Invalid, s.Ended = false, 3, "max-time"
	other := s.Comparisons[0]
	other.Metric, other.Change, other.Lo, other.Hi, other.Verdict = figure.NSByteSink, -0.021, -0.034, -0.008, analysis.Improvement
	s.Comparisons = append(s.Comparisons, other)
	s.Comparisons[1].Mixture = true
	s.Confounders = []analysis.Confounder{{Name: "kernel", A: "6.18.2", B: "6.19.0", Declared: true}, {Name: "cpu_model", A: "X", B: "Y", Blocking: true}}
	s.Warnings = append(s.Warnings, results.Warning{Code: "not-converged", Text: "NOT CONVERGED: \x1b[31mall\x1b[0m against off has no verdict at resolution 1 %: raise --max-time or --resolution"})
	s.Advice = []analysis.Advice{{Code: "states", Text: "pin the guest's virtual CPUs", Gain: "the error of sink falls from 2.8 % to 0.60 %"},
		{Code: "foreign-cpu", Text: "stop what else runs while netab measures: \x1b[31mcc1\x1b[0m (190 % of a CPU)"}}
	return s
}

// LongNames is a run whose arms have no room in a table.
func LongNames() analysis.Summary {
	s := SummaryOf(TCPWorld())
	for i := range s.Arms {
		s.Arms[i].Name = "steering of received packets set to " + s.Arms[i].Name
	}
	for i := range s.Comparisons {
		s.Comparisons[i].Arm = "steering of received packets set to " + s.Comparisons[i].Arm
		s.Comparisons[i].Baseline = "steering of received packets set to " + s.Comparisons[i].Baseline
	}
	return s
}
